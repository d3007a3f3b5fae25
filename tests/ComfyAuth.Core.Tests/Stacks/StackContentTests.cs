using ComfyAuth.DotEnv;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Stacks;

public sealed class StackContentTests
{
    private static readonly string FilePath = Path.GetFullPath("/stack/comfyauth.yml");

    private static StackDefinition Parse(string text) => StackFile.Parse(text, FilePath);

    [Fact]
    public void Another_folder_moves_the_built_in_lists()
    {
        var content = Parse("content: { folder: nb/., documents: [README.md, nb/INDEX.md] }\n").Content!;

        Assert.Equal((true, "nb", "nb/.env", "nb/.env.example", DotEnvConsumer.ComposeV1), (content.IsRequired, content.Folder, content.Environment!.Path, content.Environment.Template, content.Environment.Consumers));
        Assert.Equal(8, content.Folders.Count);
        Assert.All(content.Folders.Concat(content.Notebooks), path => Assert.StartsWith("nb/", path, StringComparison.Ordinal));
        Assert.Equal(["README.md", "nb/INDEX.md"], content.Documents);
    }

    [Fact]
    public void A_stack_without_the_defaults_has_the_content_that_it_names()
    {
        var nothing = Parse("defaults: false\n");
        Assert.Null(nothing.Content);
        Assert.Null(nothing.Python);
        Assert.Empty(nothing.Apis);

        var content = Parse("defaults: false\ncontent: { folder: nb, notebooks: [nb/a.ipynb], env: { file: nb/.env } }\n").Content!;
        Assert.Equal(["nb/a.ipynb"], content.Notebooks);
        Assert.Empty(content.Folders);
        Assert.Equal(DotEnvConsumer.ComposeV1, content.Environment!.Consumers);
    }

    [Fact]
    public void The_built_in_content_is_not_asked_for() => Assert.False(Parse("").Content!.IsRequired);

    [Fact]
    public void An_api_overrides_only_what_it_names_and_can_be_removed()
    {
        var apis = Parse("apis: { openrouter: { remove: true }, openai: { file: keys/.env }, mine: { url: 'http://127.0.0.1:1/x', path: /key, variable: K } }\n").Apis;

        Assert.Equal(
            [
                new ExternalApi { Name = "openai", Url = new("https://api.openai.com"), Path = "/v1/models", Variable = "OPENAI_API_KEY", File = "keys/.env" },
                new ExternalApi { Name = "mine", Url = new("http://127.0.0.1:1/x"), Path = "/key", Variable = "K" },
            ],
            apis);
    }

    [Fact]
    public void Packages_replace_the_built_in_ones()
    {
        var python = Parse("python: { packages: { numpy: '2.0' }, container: sd35 }\n").Python!;

        Assert.Equal([KeyValuePair.Create("numpy", "2.0")], python.Packages);
        Assert.Equal("sd35", python.Service);
    }

    [Theory]
    [InlineData("content: { folder: ../x }\n", "not one of a file inside")]
    [InlineData("content: { notebooks: [/etc/passwd] }\n", "not one of a file inside")]
    [InlineData("defaults: false\ncontent: { notebooks: [] }\n", "the content has no folder")]
    [InlineData("apis: { mine: { path: /a, variable: K } }\n", "API 'mine' has no url")]
    [InlineData("apis: { mine: { url: 'https://a', variable: K } }\n", "API 'mine' has no path")]
    [InlineData("apis: { mine: { url: 'https://a', path: /a } }\n", "API 'mine' has no variable")]
    [InlineData("apis: { mien: { remove: true } }\n", "there is no API 'mien' to remove")]
    [InlineData("apis: { openai: { url: 'http://api.openai.com' } }\n", "a key would be sent where others can read it")]
    [InlineData("apis: { openai: { url: 'https://key@api.openai.com' } }\n", "the address holds a user")]
    [InlineData("apis: { openai: { url: 'https://a/?key=1' } }\n", "the address holds a user, a query")]
    [InlineData("apis: { openai: { path: v1/models } }\n", "not a path of an address")]
    [InlineData("apis: { openai: { path: //evil.example/ } }\n", "not a path of an address")]
    [InlineData("apis: { openai: { path: '/\\evil' } }\n", "not a path of an address")]
    [InlineData("defaults: false\napis: { mine: { url: 'https://a', path: /a, variable: K } }\n", "API 'mine' has no file")]
    [InlineData("python: { container: sd36 }\n", "there is no service 'sd36'")]
    [InlineData("python: { container: sd35, environment: venv }\n", "packages are looked for in one place")]
    [InlineData("python: { packages: { 'a b': '1' } }\n", "is no name of a Python package")]
    [InlineData("python: { packages: { numpy: latest } }\n", "'latest' is no version")]
    [InlineData("python: { packages: { numpy: } }\n", "takes a plain value")]
    public void What_makes_no_sense_is_refused(string text, string problem)
    {
        var error = Assert.Throws<ComfyAuthException>(() => Parse(text));

        Assert.Equal("StackFileInvalid", error.Code);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }
}
