using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class EnvironmentChecksTests : IDisposable
{
    private const string Template = $"{SampleStack.Service}/.env.example";

    private readonly SampleStack _stack = new();

    public void Dispose() => _stack.Dispose();

    [Theory]
    [InlineData("env.file.present")]
    [InlineData("env.required")]
    [InlineData("env.quoting")]
    [InlineData("env.bcrypt")]
    [InlineData("env.signing-key")]
    [InlineData("env.ineffective")]
    public async Task A_good_file_passes(string id)
    {
        var result = await RunAsync(id);

        Assert.Equal((CheckStatus.Passed, "comfyui-qwen"), (result.Status, result.Service));
    }

    [Fact]
    public async Task A_missing_file_fails_and_what_builds_on_it_is_skipped()
    {
        _stack.Delete(SampleStack.ServiceEnv);

        var present = await RunAsync("env.file.present");
        Assert.Equal((CheckStatus.Failed, true), (present.Status, present.CanFix));
        foreach (var id in new[] { "env.required", "env.quoting", "env.bcrypt", "env.signing-key", "env.ineffective" })
            Assert.Equal(CheckStatus.Skipped, (await RunAsync(id)).Status);

        await CheckRun.FixAsync(_stack.Stack, "env.file.present", verifier: _stack.Verifier);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.file.present")).Status);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.bcrypt")).Status);
    }

    [Fact]
    public async Task A_missing_file_that_nothing_is_known_of_cannot_be_mended()
    {
        _stack.Delete(SampleStack.ServiceEnv);
        _stack.Delete(SampleStack.Source);

        var present = await RunAsync("env.file.present");
        Assert.Equal((CheckStatus.Failed, false), (present.Status, present.CanFix));
    }

    [Fact]
    public async Task The_folder_that_docker_made_in_place_of_the_file_fails()
    {
        _stack.Delete(SampleStack.ServiceEnv);
        Directory.CreateDirectory(_stack.PathOf(SampleStack.ServiceEnv));

        var present = await RunAsync("env.file.present");
        Assert.Equal((CheckStatus.Failed, false), (present.Status, present.CanFix));
        Assert.Contains("delete the folder", present.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_variable_that_only_the_user_knows_cannot_be_mended()
    {
        _stack.Replace(SampleStack.ServiceEnv, "HF_TOKEN=h", "HF_TOKEN=<your token>");

        var result = await RunAsync("env.required");
        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Equal(["HF_TOKEN"], result.Evidence);
    }

    [Fact]
    public async Task A_missing_variable_that_the_source_of_truth_knows_is_mended()
    {
        _stack.Replace(SampleStack.ServiceEnv, "COMFYUI_USERNAME=alice\n", "");

        Assert.True((await RunAsync("env.required")).CanFix);
        var asked = await CheckRun.FixAsync(_stack.Stack, "env.required", verifier: _stack.Verifier);

        Assert.Contains(asked, change => change.Target.EndsWith("#COMFYUI_USERNAME", StringComparison.Ordinal));
        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.required")).Status);
    }

    [Fact]
    public async Task A_hash_without_quotes_is_cut_and_is_mended()
    {
        _stack.Replace(SampleStack.ServiceEnv, $"'{_stack.Credential.Text}'", _stack.Credential.Text);

        var quoting = await RunAsync("env.quoting");
        Assert.Equal((CheckStatus.Failed, true), (quoting.Status, quoting.CanFix));
        Assert.Contains("COMFYUI_BEARER_TOKEN", Assert.Single(quoting.Evidence), StringComparison.Ordinal);
        Assert.DoesNotContain(_stack.Credential.Text[^20..], string.Concat(quoting.Evidence), StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Failed, (await RunAsync("env.bcrypt")).Status);

        await CheckRun.FixAsync(_stack.Stack, "env.quoting", verifier: _stack.Verifier);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.quoting")).Status);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.bcrypt")).Status);
    }

    [Fact]
    public async Task A_value_of_the_users_own_that_readers_disagree_on_fails_and_stays_his()
    {
        _stack.Write(SampleStack.ServiceEnv, _stack.Read(SampleStack.ServiceEnv) + "GREETING='a ${TZ} b'\n");

        var result = await RunAsync("env.quoting", new Dictionary<string, string> { ["TZ"] = "UTC" });

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Equal(["line 12: Compose v1 reads GREETING otherwise than Compose v2."], result.Evidence);
    }

    [Theory]
    [InlineData("HOME_PATH=${NOBODY_SET_THIS}/x\n")]
    [InlineData("INHERITED\n")]
    public async Task A_reference_to_the_environment_is_meant_so(string line)
    {
        _stack.Write(SampleStack.ServiceEnv, _stack.Read(SampleStack.ServiceEnv) + line);

        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.quoting")).Status);
    }

    [Fact]
    public async Task A_file_that_nobody_can_read_fails_once_and_cannot_be_judged_otherwise()
    {
        _stack.Write(SampleStack.ServiceEnv, "A B C\n\"\n");

        Assert.Equal(CheckStatus.Failed, (await RunAsync("env.quoting")).Status);
        Assert.Equal(CheckStatus.Error, (await RunAsync("env.ineffective")).Status);
    }

    [Fact]
    public async Task A_guessable_signing_key_fails_and_is_replaced()
    {
        _stack.Write(SampleStack.ServiceEnv, _stack.Read(SampleStack.ServiceEnv) + "SECRET_KEY=20251030235958\n");

        Assert.True((await RunAsync("env.signing-key")).CanFix);
        await CheckRun.FixAsync(_stack.Stack, "env.signing-key", verifier: _stack.Verifier);

        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.signing-key")).Status);
    }

    [Fact]
    public async Task A_variable_without_effect_is_worth_a_warning()
    {
        _stack.Write(SampleStack.ServiceEnv, _stack.Read(SampleStack.ServiceEnv) + "MAX_LOGIN_ATTEMPTS=3\n");

        var result = await RunAsync("env.ineffective");
        Assert.Equal((CheckStatus.Warning, "MAX_LOGIN_ATTEMPTS has no effect on ComfyUI-Login."), (result.Status, result.Message));
    }

    [Fact]
    public async Task The_template_is_there_and_holds_no_secret()
    {
        Assert.Equal(CheckStatus.Warning, (await RunAsync("env.template.present")).Status);

        _stack.Write(Template, "COMFYUI_PASSWORD=changeme\nHF_TOKEN=\nCOMFYUI_USERNAME=admin\n");
        Assert.Equal(CheckStatus.Passed, (await RunAsync("env.template.present")).Status);

        _stack.Write(Template, "HF_TOKEN=a1b2c3d4\n");
        var result = await RunAsync("env.template.present");
        Assert.Equal(CheckStatus.Warning, result.Status);
        Assert.Equal(["line 1: HF_TOKEN has a value that is no placeholder."], result.Evidence);
    }

    [Fact]
    public async Task A_template_that_nothing_stands_in_for_must_be_there()
    {
        _stack.Write(GenAIStack.FileName, "services: { sd35: { env: { file: sd/.env, template: sd/.env.example } } }\n");

        var results = await CheckRun.AllAsync(_stack.Stack, ["env.template.present", "env.required"], verifier: _stack.Verifier);

        Assert.Equal(CheckStatus.Failed, results.Single(result => result.Service == "sd35" && result.Id == "env.template.present").Status);
        Assert.Equal(CheckStatus.Skipped, results.Single(result => result.Service == "sd35" && result.Id == "env.required").Status);
    }

    [Fact]
    public async Task The_file_of_the_notebooks_is_made_from_its_template()
    {
        using var folder = new ContentFolder("content: { folder: nb }\n");
        folder.Write("nb/.env.example", "OPENAI_API_KEY=\n");

        Assert.True((await CheckRun.OneAsync(folder.Stack, "content.env.present")).CanFix);
        Assert.Equal(CheckStatus.Passed, (await CheckRun.OneAsync(folder.Stack, "content.env.template")).Status);
        await CheckRun.FixAsync(folder.Stack, "content.env.present");

        Assert.Equal("OPENAI_API_KEY=\n", folder.Read("nb/.env"));
        Assert.Equal(CheckStatus.Passed, (await CheckRun.OneAsync(folder.Stack, "content.env.present")).Status);
    }

    [Theory]
    [InlineData("KEY=a$b$c\n", CheckStatus.Passed)]
    [InlineData("KEY=${A}b\n", CheckStatus.Passed)]
    [InlineData("KEY='x\n", CheckStatus.Failed)]
    public async Task The_notebooks_read_their_file_with_python_dotenv(string text, CheckStatus expected)
    {
        using var folder = new ContentFolder("content: { folder: nb }\n");
        folder.Write("nb/.env", text);

        Assert.Equal(expected, (await CheckRun.OneAsync(folder.Stack, "content.env.quoting")).Status);
    }

    private Task<CheckResult> RunAsync(string id, IReadOnlyDictionary<string, string>? shell = null) => CheckRun.OneAsync(_stack.Stack, id, shell, _stack.Verifier);
}
