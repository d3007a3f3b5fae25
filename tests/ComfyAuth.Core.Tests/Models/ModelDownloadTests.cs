using ComfyAuth.Models;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Models;

public sealed class ModelDownloadTests
{
    [Theory]
    [InlineData("Comfy-Org/Qwen-Image_ComfyUI", "split_files/vae/a b#?.safetensors", "HubFileInvalid")]
    [InlineData("../secrets", "a", "HubFileInvalid")]
    [InlineData("a/b/c", "a", "HubFileInvalid")]
    [InlineData("a/..", "a", "HubFileInvalid")]
    [InlineData("https://huggingface.co/a/b", "a", "HubFileInvalid")]
    [InlineData("", "a", "HubFileInvalid")]
    [InlineData("a/b", "../a", "HubFileInvalid")]
    [InlineData("a/b", "/etc/passwd", "HubFileInvalid")]
    [InlineData("a/b", "a/./b", "HubFileInvalid")]
    [InlineData("a/b", "a//b", "HubFileInvalid")]
    [InlineData("a/b", "a\\b", "HubFileInvalid")]
    [InlineData("a/b", "C:a", "HubFileInvalid")]
    [InlineData("a/b", "a\nb", "HubFileInvalid")]
    [InlineData("a/b", "", "HubFileInvalid")]
    public void What_is_no_file_of_a_repository_is_refused(string repository, string path, string code) =>
        Assert.Equal(code, Assert.Throws<ComfyAuthException>(() => new HubFile(repository, path)).Code);

    [Fact]
    public void A_revision_leads_nowhere_else() => Assert.Throws<ComfyAuthException>(() => new HubFile("a/b", "c", "../../x"));

    [Fact]
    public void An_address_is_escaped_part_by_part() =>
        Assert.Equal(
            "https://mirror.example/hub/a/b.c/resolve/refs%2Fpr%2F1/d%20e/%C3%A4%23.safetensors",
            new HubFile("a/b.c", "d e/\u00E4#.safetensors", "refs/pr/1").At(new("https://mirror.example/hub/")).AbsoluteUri);

    [Theory]
    [InlineData("vae", "../../etc/passwd")]
    [InlineData("..", "passwd")]
    [InlineData("/etc", "passwd")]
    public void A_model_never_leaves_the_models_folder(string kind, string name) =>
        Assert.Equal("ModelDownloadInvalid", Assert.Throws<ComfyAuthException>(() => ModelDownload.Of(new() { Kind = kind, Name = name, Repository = "a/b", PathInRepository = "c" }, Path.GetTempPath())).Code);

    [Fact]
    public void A_model_of_nowhere_is_told() =>
        Assert.Equal("ModelSourceUnknown", Assert.Throws<ComfyAuthException>(() => ModelDownload.Of(new() { Kind = "vae", Name = "a" }, Path.GetTempPath())).Code);

    [Fact]
    public void A_target_must_be_whole() =>
        Assert.Equal("ModelDownloadInvalid", Assert.Throws<ComfyAuthException>(() => new ModelDownload { Source = new("a/b", "c"), Target = "c" }).Code);

    [Fact]
    public void The_built_in_models_are_chosen_by_name()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.PathOf("docker-configurations/services/comfyui-qwen"));
        var stack = GenAIStack.Find(folder.Path);

        Assert.Equal(3, ModelCatalogue.Choose(stack, [], []).Count);
        var vae = Assert.Single(ModelCatalogue.Choose(stack, ["comfyui-qwen"], ["*VAE*"]));
        Assert.Equal((253_806_246L, folder.PathOf("docker-configurations/shared/models/vae/qwen_image_vae.safetensors")), (vae.SizeInBytes!.Value, vae.Target));
        Assert.Equal("ModelNotFound", Assert.Throws<ComfyAuthException>(() => ModelCatalogue.Choose(stack, [], ["flux*"])).Code);
    }

    [Fact]
    public void Options_that_are_not_possible_are_refused()
    {
        ModelDownloadOptions[] impossible =
        [
            new() { Connections = 0 }, new() { Connections = 33 }, new() { FilesAtOnce = 0 }, new() { BytesPerSecond = 0 }, new() { StallTimeout = TimeSpan.Zero },
            new() { StallTimeout = TimeSpan.MaxValue }, new() { Attempts = 0 }, new() { LockTimeout = TimeSpan.FromSeconds(-1) },
        ];

        Assert.All(impossible, options => Assert.Equal("ModelDownloadOptionsInvalid", Assert.Throws<ComfyAuthException>(() => new ModelDownloader(new(), options)).Code));
    }

    [Theory]
    [InlineData("ftp://a")]
    [InlineData("https://user:hunter2secret@a")]
    [InlineData("https://a/?token=hunter2secret")]
    public void An_address_of_a_hub_that_is_none_is_refused_and_not_shown(string address)
    {
        var error = Assert.Throws<ComfyAuthException>(() => new ModelDownloader(new(), new() { Endpoint = new(address) }));

        Assert.Equal("HubEndpointInvalid", error.Code);
        Assert.DoesNotContain("hunter2secret", error.Message + error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_with_a_line_break_is_refused_and_not_shown()
    {
        var error = Assert.Throws<ComfyAuthException>(() => new ModelDownloader(new(), new() { Token = new SecretText("hf_hunter2\nX-Evil: 1") }));

        Assert.Equal("HubTokenInvalid", error.Code);
        Assert.DoesNotContain("hunter2", error.Message + error.Remedy, StringComparison.Ordinal);
    }
}
