using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using ComfyAuth.Models;
using ComfyAuth.Secrets;

namespace ComfyAuth.Emulator.Tests.Models;

/// <summary>The test program as a second process, which downloads until it is killed.</summary>
public static class DownloadChild
{
    public const string Verb = "download";

    /// <summary>How many bytes may be in work at a time: those of all connections.</summary>
    public const int Window = Connections * ChunkBytes;

    private const int Connections = 4;
    private const int ChunkBytes = 64 * 1024;

    private static readonly string Program = Path.Combine(
        AppContext.BaseDirectory,
        Assembly.GetExecutingAssembly().GetName().Name! + (OperatingSystem.IsWindows() ? ".exe" : ""));

    /// <summary>How the child, and whoever finishes its work, downloads.</summary>
    public static ModelDownloadOptions Options(Uri endpoint, long? bytesPerSecond = null) => new()
    {
        Endpoint = endpoint,
        Connections = Connections,
        ChunkBytes = ChunkBytes,
        BytesPerSecond = bytesPerSecond,
        JournalInterval = TimeSpan.FromMilliseconds(5),
    };

    public static Process Start(Uri endpoint, ModelDownload download, long? bytesPerSecond, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(
            Program,
            [Verb, endpoint.AbsoluteUri, download.Source.Repository, download.Source.Path, download.Target, $"{download.SizeInBytes}", download.Sha256!, $"{bytesPerSecond}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // It lives for a moment only, too short for the compiler to learn from it.
        start.Environment["DOTNET_TieredPGO"] = "0";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not [var endpoint, var repository, var path, var target, var size, var sha256, var bytesPerSecond])
            return 2;

        await Console.Out.WriteLineAsync("started");
        using var downloader = new ModelDownloader(new SecretRedactor(), Options(new(endpoint), bytesPerSecond.Length == 0 ? null : Number(bytesPerSecond)));
        try
        {
            await downloader.DownloadAsync(
                new ModelDownload { Source = new(repository, path), Target = target, SizeInBytes = Number(size), Sha256 = sha256 });
            return 0;
        }
        catch (ComfyAuthException error)
        {
            await Console.Error.WriteLineAsync($"{error.Code}: {error.Message}");
            return 1;
        }
    }

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
