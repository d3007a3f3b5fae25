using System.Collections.Concurrent;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Models;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Emulator.Tests.Models;

/// <summary>A hub with one model, and a folder to load it into.</summary>
internal sealed class DownloadBench : IAsyncDisposable, ILogger
{
    public const string Repository = "Comfy-Org/Qwen-Image_ComfyUI";
    public const int Chunk = 64 * 1024;
    public const int Length = (20 * Chunk) + 123;

    private readonly TemporaryFolder _folder = new();

    private DownloadBench(EmulatedHub hub) => Hub = hub;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public EmulatedHub Hub { get; }

    public HubContent Content { get; private set; } = HubContent.Safetensors(Length, seed: 7);

    public SecretText? Token { get; init; }

    public ConcurrentQueue<string> Log { get; } = new();

    public string Folder => _folder.Path;

    public string Target => _folder.PathOf("vae/model.safetensors");

    public string Part => Target + ".part";

    public string Journal => Target + ".part.json";

    public static async Task<DownloadBench> StartAsync(HubOptions? options = null, SecretText? token = null, bool isGated = false)
    {
        var bench = new DownloadBench(await EmulatedHub.StartAsync(options, Stop)) { Token = token };
        bench.Offer(bench.Content, isGated);
        return bench;
    }

    public void Offer(HubContent content, bool isGated = false)
    {
        Content = content;
        Hub.Add(new HostedFile(Repository, "split_files/vae/model.safetensors", content) { IsGated = isGated });
    }

    public ModelDownload Download(bool isPinned = true) => new()
    {
        Source = new(Repository, "split_files/vae/model.safetensors"),
        Target = Target,
        SizeInBytes = isPinned ? Content.Length : null,
        Sha256 = isPinned ? Content.Sha256 : null,
    };

    public ModelDownloadOptions Options => new()
    {
        Endpoint = Hub.Address,
        Token = Token,
        Connections = 4,
        ChunkBytes = Chunk,
        FirstDelay = TimeSpan.FromMilliseconds(1),
        StallTimeout = TimeSpan.FromMinutes(2),
        LockTimeout = TimeSpan.FromMinutes(2),
        Attempts = 5,
    };

    public async Task<ModelDownloadResult> RunAsync(bool isPinned = true, Func<ModelDownloadOptions, ModelDownloadOptions>? change = null, IProgress<ModelDownloadProgress>? progress = null, CancellationToken? stop = null)
    {
        using var downloader = new ModelDownloader(new SecretRedactor(), change?.Invoke(Options) ?? Options, this);
        return await downloader.DownloadAsync(Download(isPinned), progress, stop ?? Stop);
    }

    public async Task<ComfyAuthException> FailAsync(bool isPinned = true, Func<ModelDownloadOptions, ModelDownloadOptions>? change = null) =>
        await Assert.ThrowsAnyAsync<ComfyAuthException>(() => RunAsync(isPinned, change));

    /// <summary>Loads some of it and gives up: when so many bytes were served, or none is served any more.</summary>
    public async Task InterruptAsync(int after, bool isPinned = true)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var progress = new Watch(each =>
        {
            if (each.Phase == ModelDownloadPhase.Downloading && each.BytesDone >= after)
                gone.Cancel();
        });
        Hub.Storage.Faults = request => From(request) >= after ? new() { Delay = Timeout.InfiniteTimeSpan } : null;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(isPinned, progress: progress, stop: gone.Token));
        Hub.Storage.Faults = null;
    }

    /// <summary>Where the range of a request begins.</summary>
    public static long From(HttpRequest request) => request.GetTypedHeaders().Range?.Ranges.First().From ?? 0;

    public async Task AssertIsWholeAsync()
    {
        Assert.Equal(Content.Sha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(Target, Stop))));
        Assert.Equal(["model.safetensors"], [.. Directory.GetFiles(Path.GetDirectoryName(Target)!).Select(path => Path.GetFileName(path)!).Where(name => !name.EndsWith(".corrupt", StringComparison.Ordinal) && !name.EndsWith(".corrupt.txt", StringComparison.Ordinal))]);
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        _folder.Dispose();
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Log.Enqueue(formatter(state, exception));

    /// <summary>Hands each report on at once.</summary>
    internal sealed class Watch(Action<ModelDownloadProgress> told) : IProgress<ModelDownloadProgress>
    {
        public void Report(ModelDownloadProgress value) => told(value);
    }
}
