using System.Formats.Tar;
using System.Security.Cryptography;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Tests.Engine;
using ComfyAuth.Models;

namespace ComfyAuth.Emulator.Tests.Models;

public sealed class ContainerModelsTests
{
    private static CancellationToken Stop => DownloadBench.Stop;

    [Fact]
    public async Task A_model_gets_into_a_container_and_does_not_stay_on_this_machine()
    {
        await using var bench = await DownloadBench.StartAsync();
        await using var emulated = await EmulatedEngine.StartAsync([Sample.Up with { Mounts = [], Files = new Dictionary<string, EmulatedFile> { ["/app/models"] = EmulatedFile.Directory } }], stop: Stop);
        await using var engine = new DockerClient(emulated.Endpoint);
        using var downloader = new ModelDownloader(new(), bench.Options);
        var models = new ContainerModels(engine, downloader);

        var result = await models.PutAsync("up", "/app/models", "vae/model.safetensors", bench.Download(), stop: Stop);

        Assert.Equal((ModelDownloadOutcome.Downloaded, "/app/models/vae/model.safetensors"), (result.Outcome, result.Path));
        var file = await engine.ReadFileAsync("up", result.Path, 2 * DownloadBench.Length, Stop);
        Assert.Equal(bench.Content.Sha256, Convert.ToHexStringLower(SHA256.HashData(file.Content.Span)));
        Assert.Empty(Directory.EnumerateFiles(Path.GetDirectoryName(bench.Target)!));

        var requests = bench.Hub.Requests;
        Assert.Equal(ModelDownloadOutcome.Present, (await models.PutAsync("up", "/app/models", "vae/model.safetensors", bench.Download(), stop: Stop)).Outcome);
        Assert.Equal(requests, bench.Hub.Requests);
    }

    [Fact]
    public async Task What_could_not_be_sent_is_kept_for_the_next_run()
    {
        await using var bench = await DownloadBench.StartAsync();
        await using var emulated = await EmulatedEngine.StartAsync([Sample.Up with { Mounts = [], Files = new Dictionary<string, EmulatedFile>() }], stop: Stop);
        await using var engine = new DockerClient(emulated.Endpoint);
        using var downloader = new ModelDownloader(new(), bench.Options);

        await Assert.ThrowsAnyAsync<ComfyAuthException>(() => new ContainerModels(engine, downloader).PutAsync("up", "/nowhere", "vae/model.safetensors", bench.Download(), stop: Stop));

        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(100_000)]
    public async Task The_archive_of_a_file_is_read_by_the_tar_of_dotnet(int length)
    {
        var content = new byte[length];
        new Random(length).NextBytes(content);
        await using var archive = new TarFileStream("vae/a b.safetensors", new MemoryStream(content), length, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000));
        using var bytes = new MemoryStream();
        await archive.CopyToAsync(bytes, 777, Stop);

        Assert.Equal(archive.Length, bytes.Length);
        Assert.Equal(0, bytes.Length % 512);
        bytes.Position = 0;
        await using var reader = new TarReader(bytes);
        var entry = (await reader.GetNextEntryAsync(copyData: true, Stop))!;
        Assert.Equal(("vae/a b.safetensors", (long)length, 1_700_000_000L, TarEntryType.RegularFile), (entry.Name, entry.Length, entry.ModificationTime.ToUnixTimeSeconds(), entry.EntryType));
        using var read = new MemoryStream();
        if (entry.DataStream is { } data)
            await data.CopyToAsync(read, Stop);
        Assert.Equal(content, read.ToArray());
        Assert.Null(await reader.GetNextEntryAsync(cancellationToken: Stop));
    }

    [Fact]
    public void A_name_that_no_archive_holds_is_refused() =>
        Assert.Equal("ModelDownloadInvalid", Assert.Throws<ComfyAuthException>(() => new TarFileStream(new('a', 101), Stream.Null, 0, default)).Code);
}
