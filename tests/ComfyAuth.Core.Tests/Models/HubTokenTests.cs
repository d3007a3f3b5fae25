using System.Diagnostics;
using ComfyAuth.Models;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Models;

public sealed class HubTokenTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _environment = [];

    public HubTokenTests() => _environment["HF_HOME"] = _folder.PathOf("home");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_that_is_given_counts()
    {
        Assert.Null(Find());

        _folder.Write("home/token", "hf_file\n");
        Assert.Equal("hf_file", Find()?.Secret.Reveal());

        _folder.Write(".secrets/.env.huggingface", "# the hub\nHF_TOKEN='hf_stack'\n");
        Assert.Equal("hf_stack", Find()?.Secret.Reveal());

        _environment["HUGGING_FACE_HUB_TOKEN"] = "hf_old";
        Assert.Equal("hf_old", Find()?.Secret.Reveal());

        _environment["HF_TOKEN"] = " hf_new ";
        Assert.Equal(("hf_new", "the variable HF_TOKEN"), (Find()!.Secret.Reveal(), Find()!.Origin));

        Assert.Equal("hf_given", HubToken.Find(new SecretText("hf_given"), _folder.Path, _environment.GetValueOrDefault)?.Secret.Reveal());
    }

    [Fact]
    public void The_file_of_the_hub_s_own_tools_is_found_where_they_were_told_to_keep_it()
    {
        _environment.Remove("HF_HOME");
        _environment["XDG_CACHE_HOME"] = _folder.PathOf("cache");
        _folder.Write("cache/huggingface/token", "hf_cache");
        Assert.Equal("hf_cache", Find()?.Secret.Reveal());

        _environment["HF_HOME"] = _folder.PathOf("home");
        _folder.Write("home/token", "hf_home");
        Assert.Equal("hf_home", Find()?.Secret.Reveal());

        _environment["HF_TOKEN_PATH"] = _folder.PathOf("elsewhere.txt");
        _folder.Write("elsewhere.txt", "hf_elsewhere\r\n");
        Assert.Equal("hf_elsewhere", Find()?.Secret.Reveal());
    }

    [Theory]
    [InlineData("HF_TOKEN=your_token_here\n")]
    [InlineData("HF_TOKEN=\n")]
    [InlineData("HF_TOKEN='unclosed\n")]
    [InlineData("HF_TOKEN=<token>\n")]
    public void What_is_no_token_is_passed_over(string text)
    {
        _folder.Write(".secrets/.env.huggingface", text);

        Assert.Null(Find());
    }

    [Fact]
    public async Task A_pipe_a_device_a_folder_or_what_is_too_large_is_passed_over()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        _folder.Write("home/token", "hf_file\n");
        var file = _folder.PathOf(".secrets/.env.huggingface");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await PassesOverAsync(() => Process.Start("mkfifo", [file]).WaitForExit());
        await PassesOverAsync(() => File.CreateSymbolicLink(file, "/dev/zero"));
        await PassesOverAsync(() => File.CreateSymbolicLink(file, file));
        await PassesOverAsync(() => File.WriteAllText(file, "HF_TOKEN=hf_large\n" + new string('#', 64 * 1024)));
        Directory.CreateDirectory(file);
        Assert.Equal("hf_file", Find()?.Secret.Reveal());

        async Task PassesOverAsync(Action make)
        {
            make();
            var found = await Task.Run(Find, TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
            Assert.Equal("hf_file", found?.Secret.Reveal());
            File.Delete(file);
        }
    }

    [Fact]
    public void A_token_does_not_show_itself()
    {
        _environment["HF_TOKEN"] = "hf_secret";

        Assert.DoesNotContain("hf_secret", Find()!.ToString(), StringComparison.Ordinal);
    }

    private HubToken? Find() => HubToken.Find(null, _folder.Path, _environment.GetValueOrDefault);
}
