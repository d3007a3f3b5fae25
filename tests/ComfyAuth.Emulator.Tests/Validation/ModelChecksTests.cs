using System.Security.Cryptography;
using System.Text;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class ModelChecksTests
{
    private const string Folder = "docker-configurations/shared/models";

    private static readonly byte[] Model = ModelOf("""{"a":{"dtype":"F8_E4M3","shape":[4,4],"data_offsets":[0,16]}}""", 16);

    [Fact]
    public void The_default_stack_has_the_three_models_of_qwen_image_edit()
    {
        var service = DefaultLayout.Describe("/stack").Services[0];

        Assert.Equal(Folder, service.ModelsFolder);
        Assert.Equal([20_430_698_424, 9_384_670_680, 253_806_246], service.Models.Select(model => model.SizeInBytes!.Value));
        Assert.All(service.Models, model => Assert.Equal(64, model.Sha256!.Length));
    }

    [Fact]
    public async Task Models_that_are_whole_pass()
    {
        await using var bench = await WithModelAsync(Model);

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("model.files")).Status);
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("model.header")).Status);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("model.hash")).Status);
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("model.hash", deep: true)).Status);
    }

    [Fact]
    public async Task A_models_folder_that_is_not_there_fails()
    {
        await using var bench = await StackBench.StartAsync();

        var result = await bench.CheckAsync("model.files");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("modelsFolder", result.Remedy, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("model.header")).Status);
    }

    [Fact]
    public async Task Models_that_are_missing_or_of_another_size_fail()
    {
        await using var bench = await WithModelAsync(Model);
        Directory.CreateDirectory(bench.Files.PathOf($"{Folder}/vae/second.safetensors"));
        bench.Describe(Models(Model) + "      - { file: vae/second.safetensors }\n      - { file: loras/third.safetensors, size: 5, repository: some/where, path: x/third.safetensors }\n");
        bench.Files.Write($"{Folder}/vae/model.safetensors", "short");

        var result = await bench.CheckAsync("model.files");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Equal(3, result.Evidence.Count);
        Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"has 5 bytes, and should have {Model.Length}"), result.Evidence[0], StringComparison.Ordinal);
        Assert.Contains("a folder stands in its place", result.Evidence[1], StringComparison.Ordinal);
        Assert.Contains("some/where", result.Evidence[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_came_instead_of_a_model_is_named()
    {
        await using var bench = await WithModelAsync(Model);
        bench.Files.Write($"{Folder}/vae/model.safetensors", "<!DOCTYPE html><html></html>");

        var result = await bench.CheckAsync("model.header");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("web page", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_bit_that_differs_is_found_by_the_hash_alone()
    {
        await using var bench = await WithModelAsync(Model);
        var changed = Model.ToArray();
        changed[^1] ^= 1;
        File.WriteAllBytes(bench.Files.PathOf($"{Folder}/vae/model.safetensors"), changed);

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("model.files")).Status);
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("model.header")).Status);
        Assert.Equal(CheckStatus.Failed, (await bench.CheckAsync("model.hash", deep: true)).Status);
    }

    private static async Task<StackBench> WithModelAsync(byte[] model)
    {
        var bench = await StackBench.StartAsync();
        bench.Describe(Models(model));
        Directory.CreateDirectory(bench.Files.PathOf($"{Folder}/vae"));
        await File.WriteAllBytesAsync(bench.Files.PathOf($"{Folder}/vae/model.safetensors"), model, TestContext.Current.CancellationToken);
        return bench;
    }

    private static string Models(byte[] model) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"    models:\n      - {{ file: vae/model.safetensors, size: {model.Length}, sha256: {Convert.ToHexString(SHA256.HashData(model))} }}\n");

    private static byte[] ModelOf(string header, int data) => [.. BitConverter.GetBytes((ulong)header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[data]];
}
