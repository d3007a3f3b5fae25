using ComfyAuth.DotEnv;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Stacks;

public sealed class StackFileTests
{
    private static readonly string FilePath = Path.GetFullPath("/stack/comfyauth.yml");

    private static StackDefinition Parse(string text) => StackFile.Parse(text, FilePath);

    private static string ErrorOf(string text)
    {
        var error = Assert.Throws<ComfyAuthException>(() => Parse(text));
        Assert.Equal("StackFileInvalid", error.Code);
        return error.Message.Replace(FilePath, "F", StringComparison.Ordinal) + " | " + error.Remedy;
    }

    [Theory]
    [InlineData("")]
    [InlineData("# only a comment\n")]
    [InlineData("version: 1\n")]
    public void A_file_that_says_nothing_gives_the_original_stack(string text)
    {
        var stack = Parse(text);

        Assert.Equal(["comfyui-qwen", "flux-1-dev", "sd35", "orchestrator"], stack.Services.Select(service => service.Name));
        Assert.Equal(".secrets/comfyui_auth_tokens.conf", stack.Source);
        Assert.Equal(10, stack.KeepBackups);
    }

    [Fact]
    public void A_service_overrides_only_what_it_names()
    {
        var qwen = Parse("services:\n  comfyui-qwen:\n    url: http://127.0.0.1:9000\n    env: { required: [HF_TOKEN] }\n").Services[0];

        Assert.Equal(new Uri("http://127.0.0.1:9000"), qwen.Url);
        Assert.Equal("comfyui-qwen", qwen.Container);
        Assert.Equal("docker-configurations/services/comfyui-qwen/.env", qwen.Environment!.Path);
        Assert.Equal(["HF_TOKEN"], qwen.Environment.Required);
        Assert.NotEmpty(qwen.TokenLocations);
    }

    [Fact]
    public void A_stack_without_the_defaults_has_only_its_own_services()
    {
        var stack = Parse("""
            defaults: false
            source: truth.json
            keepBackups: 3
            services:
              comfy:
                url: http://localhost:1
                auth: comfyui-login
                source: own.json
                tokens:
                  - { file: a/.env, variable: COMFYUI_PASSWORD, consumers: [compose-v2, shell] }
                  - { file: token, presence: when-present }
                  - { file: login/PASSWORD, format: password-file, presence: when-file-exists }
            """);

        var comfy = Assert.Single(stack.Services);
        Assert.Equal((AuthKind.ComfyUILogin, "comfy", "own.json", "truth.json", 3), (comfy.Auth, comfy.Container, comfy.Source, stack.Source, stack.KeepBackups));
        Assert.Equal(
            [
                new TokenLocation { Path = "a/.env", Format = TokenFormat.DotEnv, Variable = "COMFYUI_PASSWORD", Role = TokenRole.Password, Consumers = DotEnvConsumer.ComposeV2 | DotEnvConsumer.Shell },
                new TokenLocation { Path = "token", Format = TokenFormat.TokenFile, Presence = TokenPresence.WhenPresent },
                new TokenLocation { Path = "login/PASSWORD", Format = TokenFormat.PasswordFile, Presence = TokenPresence.WhenFileExists },
            ],
            comfy.TokenLocations);
    }

    [Fact]
    public void Models_take_the_place_of_the_built_in_ones()
    {
        var service = Parse("services:\n  comfyui-qwen:\n    modelsFolder: weights\n    models:\n      - { file: vae/sub/a.safetensors, size: 20430698424, sha256: " + new string('A', 64) + ", repository: some/where, path: x/a }\n").Services[0];

        Assert.Equal("weights", service.ModelsFolder);
        Assert.Equal(
            [new ModelFile { Name = "a.safetensors", Kind = "vae/sub", SizeInBytes = 20_430_698_424, Sha256 = new string('a', 64), Repository = "some/where", PathInRepository = "x/a" }],
            service.Models);
        Assert.Empty(Parse("services:\n  comfyui-qwen: { models: [] }\n").Services[0].Models);
    }

    [Fact]
    public void The_place_of_PASSWORD_in_a_container_is_kept_as_it_is_written() =>
        Assert.Equal("/srv/my ui/PASSWORD", Parse("services:\n  sd35: { passwordFile: /srv/my ui/PASSWORD }\n").Services.Single(service => service.Name == "sd35").PasswordFile);

    [Fact]
    public void A_default_service_can_be_removed() =>
        Assert.DoesNotContain(Parse("services:\n  sd35: { remove: true }\n").Services, service => service.Name == "sd35");

    [Theory]
    [InlineData("servces: {}\n", "F(1,1): the key 'servces' is not known here. | Did you mean 'services'?")]
    [InlineData("services:\n  comfyui-qwen:\n    contaner: x\n", "F(3,5): the key 'contaner' is not known here. | Did you mean 'container'?")]
    [InlineData("services:\n  sd36: { remove: true }\n", "F(2,11): there is no service 'sd36' to remove. | Did you mean 'sd35'?")]
    [InlineData("services:\n  sd35: { remove: true, contaner: x }\n", "F(2,25): the key 'contaner' is not known here.")]
    [InlineData("services:\n  sd35: { env: { file: x, consumers: [] } }\n", "F(2,27): nobody would read the file. | Name at least one of compose-v2,")]
    [InlineData("services:\n  sd35: { tokens: [ { file: x, variable: A, consumers: [] } ] }\n", "F(2,45): nobody would read the file.")]
    [InlineData("services:\n  new: { container: x }\n", "F(2,8): service 'new' has no url.")]
    [InlineData("services:\n  sd35:\n", "F(2,3): service 'sd35' says nothing.")]
    [InlineData("services:\n  sd35: { url: ftp://x }\n", "F(2,11): the value is not an http or https address.")]
    [InlineData("services:\n  sd35: { auth: comfy-login }\n", "F(2,17): 'comfy-login' is not one of the choices. | Did you mean 'comfyui-login'?")]
    [InlineData("services:\n  sd35: { tokens: [ { file: x, variable: A, format: token } ] }\n", "F(2,32): a variable goes with format 'env'")]
    [InlineData("services:\n  sd35: { tokens: [ { variable: A } ] }\n", "F(2,21): the location has no file.")]
    [InlineData("services:\n  sd35: { models: [ { size: 1 } ] }\n", "F(2,21): the model has no file.")]
    [InlineData("services:\n  sd35: { models: [ { file: a.safetensors } ] }\n", "F(2,23): the file is not one below the models folder.")]
    [InlineData("services:\n  sd35: { models: [ { file: ../vae/a.safetensors } ] }\n", "F(2,23): the file is not one below the models folder.")]
    [InlineData("services:\n  sd35: { models: [ { file: /vae/a.safetensors } ] }\n", "F(2,23): the file is not one below the models folder.")]
    [InlineData("services:\n  sd35: { models: [ { file: vae/a, size: -1 } ] }\n", "F(2,36): 'size' takes a number of bytes.")]
    [InlineData("services:\n  sd35: { models: [ { file: vae/a, sha256: abc } ] }\n", "F(2,36): the value is not a SHA-256.")]
    [InlineData("services:\n  sd35: { modelsFolder: /models }\n", "F(2,11): the path is not one of a file inside the stack's folder.")]
    [InlineData("version: 2\n", "F(1,1): version 2 is not known.")]
    [InlineData("version: one\n", "F(1,1): 'version' takes a whole number.")]
    [InlineData("defaults: yes\n", "F(1,1): 'defaults' takes true or false.")]
    [InlineData("keepBackups: 0\n", "F(1,1): at least one backup must be kept.")]
    [InlineData("source: ../elsewhere\n", "F(1,1): the path is not one of a file inside the stack's folder.")]
    [InlineData("source: /etc/passwd\n", "F(1,1): the path is not one of a file inside the stack's folder.")]
    [InlineData("source: a/../..\n", "F(1,1): the path is not one of a file inside the stack's folder.")]
    [InlineData("source: [a]\n", "F(1,9): 'source' takes a plain value.")]
    [InlineData("services:\n  comfyui-qwen: { tokens: [ { file: .secrets/comfyui_auth_tokens.conf } ] }\n", "F(2,3): '.secrets/comfyui_auth_tokens.conf' is a source of truth and cannot be a place")]
    [InlineData("services:\n  comfyui-qwen: { tokens: [ { file: t }, { file: ./t, format: password-file } ] }\n", "F(2,3): 't' is given two formats")]
    [InlineData("services:\n  comfyui-qwen: { tokens: [ { file: t } ] }\n  b: { url: http://b, auth: comfyui-login, source: b.json, tokens: [ { file: t } ] }\n", "F(3,3): 't' is fed from two sources of truth")]
    [InlineData("services:\n  sd35: { passwordFile: login/PASSWORD }\n", "F(2,11): the path is not the absolute one of a file in a container.")]
    [InlineData("services:\n  sd35: { passwordFile: /login/ }\n", "F(2,11): the path is not the absolute one of a file in a container.")]
    [InlineData("services:\n  sd35: { passwordFile: /a/../b }\n", "F(2,11): the path is not the absolute one of a file in a container.")]
    [InlineData("services:\n  sd35: { passwordFile: 'C:\\PASSWORD' }\n", "F(2,11): the path is not the absolute one of a file in a container.")]
    [InlineData("- a\n", "F(1,1): the file is not a mapping.")]
    [InlineData("a: 1\n---\nb: 2\n", "F(3,1): there is a second document.")]
    [InlineData("version: 1\nversion: 1\n", "F(2,1): this is not valid YAML: Duplicate key")]
    [InlineData("version: &a 1\nkeepBackups: *a\n", "F(2,14): aliases are not used in stack files.")]
    [InlineData("source: 'x\n", "F(1,9): this is not valid YAML")]
    public void A_mistake_is_named_with_its_place(string text, string expected) =>
        Assert.StartsWith(expected, ErrorOf(text), StringComparison.Ordinal);

    [Fact]
    public void Nesting_that_would_exhaust_the_stack_is_refused() =>
        Assert.Contains("the nesting is deeper", ErrorOf("version: " + new string('[', 100_000)), StringComparison.Ordinal);

    [Fact]
    public void Any_text_gives_a_definition_or_a_clear_error()
    {
        const string Alphabet = "version:{}[]-,\n &*#'\"|>%@`!?\t1aservices: comfyui-qwen:\0\u00e9\\~";
        CsCheck.Check.Sample(
            CsCheck.Gen.String[CsCheck.Gen.Char[Alphabet], 0, 60],
            text =>
            {
                try
                {
                    Parse(text);
                }
                catch (ComfyAuthException error)
                {
                    Assert.Equal("StackFileInvalid", error.Code);
                }
            },
            iter: 20_000);
    }
}
