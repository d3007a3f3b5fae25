using System.Text.Json;
using ComfyAuth.Files;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Cli.Tests;

public sealed class SyncTokenTests : IDisposable
{
    private readonly SampleStack _stack = new();
    private readonly SampleCredential _other = new();

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task A_sound_stack_is_fine_and_not_touched()
    {
        var before = _stack.Snapshot();

        foreach (var look in new[] { "--audit", "--validate", "--json" })
            Assert.Equal((0, ""), await CodeAndErrorsAsync("sync-token", look));

        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Drift_is_not_fine_until_it_is_repaired()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        var before = _stack.Snapshot();

        Assert.Equal(1, (await RunAsync("sync-token", "--audit")).ExitCode);
        Assert.Equal(1, (await RunAsync("sync-token", "--validate")).ExitCode);
        Assert.Equal(before, _stack.Snapshot());
        Assert.Equal(0, (await RunAsync("sync-token")).ExitCode);
        Assert.Equal(0, (await RunAsync("sync-token", "--validate")).ExitCode);
        Assert.Equal(_stack.Credential.Text, _stack.Read(SampleStack.RootToken));
    }

    [Fact]
    public async Task What_cannot_be_known_is_neither_fine_nor_wrong()
    {
        foreach (var path in new[] { SampleStack.Source, SampleStack.RootEnv, SampleStack.ServiceEnv })
            _stack.Replace(path, _stack.Credential.Password, "");
        _stack.Replace(SampleStack.Source, "\"raw_token\": \"\"", "\"raw_token\": null");

        var result = await RunAsync("sync-token", "--validate", "--json");

        Assert.Equal(3, result.ExitCode);
        Assert.Equal(JsonValueKind.Null, result.Json()[0].GetProperty("isValid").ValueKind);
    }

    [Theory]
    [InlineData("sync-token --audit --rotate")]
    [InlineData("sync-token --validate --adopt .env")]
    [InlineData("sync-token --rotate --adopt .env")]
    [InlineData("sync-token --audit --validate")]
    [InlineData("sync-token --report audit.txt")]
    [InlineData("sync-token --no-such-option")]
    [InlineData("sync-token --path")]
    [InlineData("sync-token --path= --audit")]
    [InlineData("sync-token --adopt=")]
    [InlineData("restore-env --source= --no-backup")]
    [InlineData("restore-env --validate --from-backup latest")]
    [InlineData("restore-env --source x --from-backup latest")]
    [InlineData("no-such-command")]
    [InlineData("")]
    public async Task A_command_line_that_is_wrong_changes_nothing(string line)
    {
        _stack.Write(SampleStack.RootToken, _other.Text);
        var before = _stack.Snapshot();

        var result = await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("--help", result.Errors, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Theory]
    [InlineData("There is no folder", "Give the root folder", "--path", "nowhere")]
    [InlineData("has no service 'comfyui-qwn'", "'comfyui-qwen'", "--service", "comfyui-qwn")]
    [InlineData("No valid hash stands at", "Choose one of", "--adopt", "00000000")]
    public async Task What_cannot_be_done_says_why_and_what_to_do_on_standard_error(string problem, string remedy, params string[] options)
    {
        foreach (var json in new[] { Array.Empty<string>(), ["--json"] })
        {
            var result = await RunAsync(["sync-token", .. options, .. json]);

            Assert.Equal(3, result.ExitCode);
            Assert.StartsWith("comfyauth: ", result.Errors, StringComparison.Ordinal);
            Assert.Contains(problem, result.Errors, StringComparison.Ordinal);
            Assert.Contains(remedy, result.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_error_of_one_stack_spares_the_others()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);

        var result = await RunAsync("sync-token", "--path", _stack.PathOf("nowhere"), "--path", _stack.Root, "--json", "--verbose");

        Assert.Equal(3, result.ExitCode);
        Assert.Contains("nowhere", result.Errors, StringComparison.Ordinal);
        Assert.Contains($"{_stack.PathOf(SampleStack.RootToken)}: Set the hash (Stale)", result.Errors, StringComparison.Ordinal);
        Assert.All(result.Json().EnumerateArray(), place => Assert.Equal(_stack.Root, place.GetProperty("stack").GetString()));
    }

    [Fact]
    public async Task Json_is_one_document_also_when_there_is_something_to_warn_of()
    {
        _stack.Write(".comfyauth/journal.json", """{"version":1,"id":"0123456789abcdef","files":[],"folders":[]}""");
        _stack.Write(SampleStack.RootToken, _other.Text);

        var pending = await RunAsync("sync-token", "--audit", "--json");
        var result = await RunAsync("sync-token", "--rotate", "--json");

        Assert.Equal((3, 0), (pending.ExitCode, pending.Json().GetArrayLength()));
        Assert.Contains("interrupted", pending.Errors, StringComparison.Ordinal);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("interrupted", result.Errors, StringComparison.Ordinal);
        Assert.Equal("updated", result.Json().EnumerateArray().Single(place => place.GetProperty("location").GetString() == SampleStack.RootToken).GetProperty("action").GetString(), ignoreCase: true);
    }

    [Fact]
    public async Task A_report_is_written_beside_the_document()
    {
        _stack.Write(SampleStack.RootToken, _other.Text);

        var result = await RunAsync("sync-token", "--audit", "--report", "reports/audit.json", "--json");

        Assert.Equal(1, result.ExitCode);
        using var report = JsonDocument.Parse(_stack.Read("reports/audit.json"));
        Assert.Equal(result.Json().GetArrayLength(), report.RootElement.GetProperty("observations").GetArrayLength());
        Assert.Contains(Path.Combine(_stack.Root, "audit.md"), (await RunAsync("sync-token", "--report", "audit.md")).Output, StringComparison.Ordinal);
        Assert.Contains("None: every place agrees", _stack.Read("audit.md"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("--validate")]
    public async Task A_report_needs_no_second_look_and_misses_no_stack_that_an_error_spoils(params string[] options)
    {
        using var broken = new SampleStack();
        broken.Write(SampleStack.Source, "{");

        var result = await RunAsync(["sync-token", .. options, "--report", "audit.json", "--path", _stack.Root, "--path", broken.Root, "--path", "nowhere"]);

        Assert.Equal(2, result.Errors.Split("nowhere").Length);
        using var report = JsonDocument.Parse(_stack.Read("audit.json"));
        var places = report.RootElement.GetProperty("observations").EnumerateArray().ToList();
        Assert.Equal([_stack.Root, broken.Root], places.Select(place => place.GetProperty("stack").GetString()).Distinct());
        Assert.All(places.Where(place => place.GetProperty("stack").GetString() == _stack.Root), place => Assert.Equal("match", place.GetProperty("state").GetString(), ignoreCase: true));
    }

    [Theory]
    [InlineData("sync-token --report notes.md")]
    [InlineData("sync-token --rotate --report notes.md --json")]
    public async Task A_report_that_would_replace_another_file_is_refused_before_anything_is_done(string line)
    {
        _stack.Write(".comfyauth/journal.json", """{"version":1,"id":"0123456789abcdef","files":[],"folders":[]}""");
        _stack.Write(SampleStack.RootToken, _other.Text);
        _stack.Write("notes.md", "mine");
        var before = _stack.Snapshot();

        var result = await RunAsync(line.Split(' '));

        Assert.Equal((3, line.Contains("--json", StringComparison.Ordinal) ? "[]" : ""), (result.ExitCode, result.Output.Trim()));
        Assert.Contains("'notes.md' is there already", result.Errors, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task Several_stacks_are_told_apart_and_one_named_twice_is_one()
    {
        using var second = new SampleStack(_stack.Credential);
        second.Write(SampleStack.RootToken, _other.Text);

        var json = await RunAsync("sync-token", "--audit", "--json", "--path", _stack.Root, "--path", second.Root, "--path", second.PathOf(".secrets"));
        var text = await RunAsync("sync-token", "--audit", "--path", _stack.Root, "--path", second.Root);

        Assert.Equal(1, json.ExitCode);
        Assert.Equal([_stack.Root, second.Root], json.Json().EnumerateArray().Select(place => place.GetProperty("stack").GetString()).Distinct());
        Assert.Equal(_stack.Audit().Count + second.Audit().Count, json.Json().GetArrayLength());
        Assert.Contains(_stack.Root, text.Output, StringComparison.Ordinal);
        Assert.Contains(second.Root, text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_done_before_an_error_is_said()
    {
        using var second = new SampleStack();
        _stack.Write(SampleStack.RootToken, _other.Text);
        second.Write(SampleStack.Source, "{");

        var result = await RunAsync("sync-token", "--json", "--path", _stack.Root, "--path", second.Root);

        Assert.Equal(3, result.ExitCode);
        Assert.Contains(second.PathOf(SampleStack.Source), result.Errors, StringComparison.Ordinal);
        Assert.All(result.Json().EnumerateArray(), place => Assert.Equal(_stack.Root, place.GetProperty("stack").GetString()));
        Assert.Equal(_stack.Credential.Text, _stack.Read(SampleStack.RootToken));
    }

    [Fact]
    public async Task No_secret_is_printed_before_or_after()
    {
        var secrets = new List<string> { _other.Text, _other.Password, "another-password" };
        _stack.Write(SampleStack.RootToken, _other.Text);
        _stack.Replace(SampleStack.RootEnv, $"'{_stack.Credential.Text}'", _stack.Credential.Text);
        _stack.Replace(SampleStack.ServiceEnv, _stack.Credential.Password, "another-password");

        var said = "";
        string[][] lines = [["sync-token", "--audit"], ["sync-token", "--validate"], ["sync-token", "--adopt", "nothing"], ["sync-token", "--rotate"], ["restore-env"], ["sync-token", "--audit", "--json"], ["restore-env", "--validate", "--json"]];
        foreach (var line in lines)
        {
            secrets.AddRange(Secrets());
            var result = await RunAsync(line);
            said += result.Output + result.Errors;
        }

        secrets.AddRange(Secrets());
        Assert.NotEmpty(said);
        // Also without the cost, and a part that is long enough to be worth something.
        Assert.All(secrets.Distinct(), secret => Assert.DoesNotContain(secret.Length == 60 ? secret[7..20] : secret, said, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_interrupt_leaves_each_stack_wholly_old_or_wholly_new()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("SIGINT is meant; Windows cannot send Ctrl+C to one process alone.");
            return;
        }

        using var folder = new TemporaryFolder();
        List<SampleStack> stacks = [.. Enumerable.Range(0, 12).Select(_ => new SampleStack())];
        try
        {
            // So that not all are done before it is interrupted: the last one is locked.
            Directory.CreateDirectory(stacks[^1].PathOf(".comfyauth"));
            using var locked = await FileLock.AcquireAsync(stacks[^1].PathOf(".comfyauth/lock"), TimeSpan.Zero, cancellationToken: TestContext.Current.CancellationToken);
            using var cli = CliProcess.Start(folder.Path, ["sync-token", "--rotate", .. stacks.SelectMany(stack => new[] { "--path", stack.Root })]);
            for (var i = 0; i < 3; i++)
                await cli.ReadErrorsUntilAsync("A new credential is made");
            await cli.InterruptAsync();
            var result = await cli.EndAsync();

            Assert.Equal(130, result.ExitCode);
            Assert.Contains("Cancelled", result.Errors, StringComparison.Ordinal);
            Assert.All(stacks, stack =>
            {
                Assert.Equal(true, stack.Validate().IsValid);
                Assert.DoesNotContain(Directory.EnumerateFiles(stack.Root, "*", SearchOption.AllDirectories), path => path.Contains(".comfyauth-", StringComparison.Ordinal) || path.EndsWith(".tmp", StringComparison.Ordinal));
            });
            var isNew = stacks.ConvertAll(stack => stack.Read(SampleStack.RootToken) != stack.Credential.Text);
            Assert.True(isNew[0]);
            Assert.False(isNew[^1]);
        }
        finally
        {
            stacks.ForEach(stack => stack.Dispose());
        }
    }

    private IEnumerable<string> Secrets()
    {
        foreach (var path in new[] { SampleStack.RootEnv, SampleStack.ServiceEnv }.Select(_stack.PathOf))
        {
            var document = DotEnv.DotEnvDocument.Parse(File.ReadAllBytes(path));
            foreach (var name in DefaultLayout.HashVariables.Concat(DefaultLayout.PasswordVariables).Append("SECRET_KEY"))
            {
                if (document.Read(name, DotEnv.DotEnvConsumer.ComposeV1)?.Value is { Length: > 0 } value)
                    yield return value;
            }
        }
    }

    private async Task<(int ExitCode, string Errors)> CodeAndErrorsAsync(params string[] arguments)
    {
        var result = await RunAsync(arguments);
        return (result.ExitCode, result.Errors);
    }

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_stack.Root, arguments);
}
