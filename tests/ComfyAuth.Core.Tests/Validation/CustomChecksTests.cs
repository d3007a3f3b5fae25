using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed partial class CustomChecksTests : IDisposable
{
    private const string Digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    private readonly TemporaryFolder _folder = new();

    public CustomChecksTests()
    {
        _folder.Write("comfyauth.yml", "version: 1\n");
        _folder.Write("hello.txt", "hello");
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("path: hello.txt", CheckStatus.Passed)]
    [InlineData("path: missing.txt", CheckStatus.Failed)]
    [InlineData("path: missing.txt, exists: false", CheckStatus.Passed)]
    [InlineData("path: hello.txt, exists: false", CheckStatus.Failed)]
    [InlineData("path: hello.txt, contains: ell", CheckStatus.Passed)]
    [InlineData("path: hello.txt, contains: Ell", CheckStatus.Failed)]
    [InlineData($"path: hello.txt, sha256: {Digest}", CheckStatus.Passed)]
    [InlineData($"path: comfyauth.yml, sha256: {Digest}", CheckStatus.Failed)]
    [InlineData("path: hello.txt, newerThan: 1h", CheckStatus.Passed)]
    [InlineData("path: old.txt, newerThan: 1h", CheckStatus.Failed)]
    [InlineData("path: old.txt, newerThan: 100d", CheckStatus.Error)]
    [InlineData("path: .", CheckStatus.Passed)]
    [InlineData("path: ., contains: x", CheckStatus.Failed)]
    public async Task A_file_is_as_it_is_described_or_not(string file, CheckStatus expected)
    {
        File.SetLastWriteTimeUtc(_folder.Write("old.txt", "old"), DateTime.UtcNow.AddHours(-2));
        var text = $"checks: {{ it: {{ within: 5m, file: {{ {file} }} }} }}";
        if (expected == CheckStatus.Error)
        {
            // Longer than anybody waits is no length of time.
            Assert.Equal("StackFileInvalid", Assert.Throws<ComfyAuthException>(() => CustomChecks.Parse(text, "/x/.checks.yml")).Code);
            return;
        }

        Assert.Equal(expected, (await RunAsync(text)).Status);
    }

    [Fact]
    public async Task A_file_that_others_may_read_is_not_its_owners_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The modes are those of Unix.");
            return;
        }

        const string text = "checks: { it: { file: { path: hello.txt, ownerOnly: true } } }";
        File.SetUnixFileMode(_folder.PathOf("hello.txt"), (UnixFileMode)0b110_100_100);
        Assert.Equal(CheckStatus.Failed, (await RunAsync(text)).Status);

        File.SetUnixFileMode(_folder.PathOf("hello.txt"), (UnixFileMode)0b110_000_000);

        Assert.Equal(CheckStatus.Passed, (await RunAsync(text)).Status);
    }

    [Theory]
    [InlineData("path: loop/hello.txt")]
    [InlineData("path: loop/hello.txt, exists: false")]
    [InlineData("path: pipe, contains: x")]
    [InlineData($"path: pipe, sha256: {Digest}")]
    public async Task What_cannot_be_looked_at_neither_passes_nor_fails(string file)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        File.CreateSymbolicLink(_folder.PathOf("loop"), "loop");
        await MakePipeAsync("pipe");

        Assert.Equal(CheckStatus.Error, (await RunAsync($"checks: {{ it: {{ file: {{ {file} }} }} }}")).Status);
    }

    [Fact]
    public async Task A_file_by_way_of_a_link_is_the_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        File.CreateSymbolicLink(_folder.PathOf("link"), "hello.txt");

        Assert.Equal(CheckStatus.Passed, (await RunAsync($"checks: {{ it: {{ file: {{ path: link, sha256: {Digest}, contains: ell }} }} }}")).Status);
    }

    [Theory]
    [InlineData(CustomChecks.FileName)]
    [InlineData("comfyauth.yml")]
    public async Task A_pipe_or_what_never_ends_in_the_place_of_a_stacks_file_is_not_read(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        File.Delete(_folder.PathOf(name));
        await MakePipeAsync(name);
        Assert.Equal("StackFileUnreadable", (await ReadAsync()).Code);

        File.Delete(_folder.PathOf(name));
        File.CreateSymbolicLink(_folder.PathOf(name), "/dev/zero");
        Assert.Equal("StackFileUnreadable", (await ReadAsync()).Code);

        File.Delete(_folder.PathOf(name));
        using (var sparse = File.Create(_folder.PathOf(name)))
            sparse.SetLength(1L << 34);
        Assert.Equal("StackFileUnreadable", (await ReadAsync()).Code);

        async Task<ComfyAuthException> ReadAsync() => await Assert.ThrowsAsync<ComfyAuthException>(() =>
            Task.Run(() => CustomChecks.Of(GenAIStack.Find(_folder.Path)), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void A_folder_in_the_place_of_the_file_is_not_a_stack_without_checks()
    {
        Directory.CreateDirectory(_folder.PathOf(CustomChecks.FileName));

        Assert.Equal("StackFileUnreadable", Assert.Throws<ComfyAuthException>(() => CustomChecks.Of(GenAIStack.Find(_folder.Path))).Code);
    }

    [Theory]
    [InlineData("[git, --version]", "", CheckStatus.Passed)]
    [InlineData("[git, --version]", ", contains: 'git version'", CheckStatus.Passed)]
    [InlineData("[git, --version]", ", contains: 'svn version'", CheckStatus.Failed)]
    [InlineData("[git, --no-such-option]", "", CheckStatus.Failed)]
    [InlineData("[git, --no-such-option]", ", exitCode: 129", CheckStatus.Passed)]
    [InlineData("[no-such-program-anywhere]", "", CheckStatus.Error)]
    public async Task A_program_ends_as_it_is_described_or_not(string run, string more, CheckStatus expected) =>
        Assert.Equal(expected, (await RunAsync($"checks: {{ it: {{ within: 5m, command: {{ run: {run}{more} }} }} }}", new() { RunCommands = true })).Status);

    [Fact]
    public async Task No_program_is_run_unless_that_is_asked_for()
    {
        var result = await RunAsync("checks: { it: { command: { run: [git, init] } } }");

        Assert.Equal(CheckStatus.Skipped, result.Status);
        Assert.Contains("-RunCommands", result.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.PathOf(".git")));
    }

    [Fact]
    public async Task The_file_says_how_a_check_is_named_and_how_it_ends()
    {
        var result = await RunAsync("checks: { old.backup: { title: There is one, remedy: Make one., severity: warning, weight: 3, file: { path: none } } }");

        Assert.Equal(("custom.old.backup", "custom", "There is one", CheckStatus.Warning, "Make one.", 3.0), (result.Id, result.Category, result.Title, result.Status, result.Remedy, result.Weight));
    }

    [Fact]
    public async Task What_a_check_builds_on_is_looked_at_first()
    {
        var results = await RunAllAsync("checks: { late: { dependsOn: [custom.early], file: { path: hello.txt } }, early: { file: { path: none } } }", new());

        Assert.Equal(CheckStatus.Skipped, results.Single(result => result.Id == "custom.late").Status);
        Assert.Contains("custom.early", results.Single(result => result.Id == "custom.late").Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check: {}", "(1,1)", "checks")]
    [InlineData("version: 2", "(1,1)", "version 1")]
    [InlineData("checks: { A: { file: { path: x } } }", "(1,11)", "lower-case")]
    [InlineData("checks: { a: }", "(1,11)", "http")]
    [InlineData("checks: { a: { title: x } }", "(1,11)", "http, file, container, command")]
    [InlineData("checks: { a: { file: { path: x }, http: { url: 'http://x' } } }", "(1,11)", "one of")]
    [InlineData("checks: { a: { file: { paht: x } } }", "(1,24)", "path")]
    [InlineData("checks: { a: { file: {} } }", "(1,22)", "path")]
    [InlineData("checks: { a: { file: { path: x, exists: false, contains: y } } }", "(1,33)", "out")]
    [InlineData("checks: { a: { http: { url: 'ftp://x' } } }", "(1,24)", "http")]
    [InlineData("checks: { a: { command: { run: [] } } }", "(1,27)", "program")]
    [InlineData("checks: { a: { severity: bad, file: { path: x } } }", "(1,26)", "failed, warning")]
    [InlineData("checks: { a: { within: soon, file: { path: x } } }", "(1,16)", "5s")]
    [InlineData("checks: { a: { dependsOn: [engine.reachabel], file: { path: x } } }", "(1,16)", "engine.reachable")]
    [InlineData("checks: { a: { dependsOn: [custom.b], file: { path: x } }, b: { dependsOn: [custom.a], file: { path: x } } }", "(1,11)", "dependsOn")]
    [InlineData("checks: { a: { dependsOn: [custom.a], file: { path: x } } }", "(1,11)", "dependsOn")]
    [InlineData("checks: [", "(2,1)", "")]
    public void What_is_wrong_with_the_file_is_said_with_its_place(string text, string place, string remedy)
    {
        var error = Assert.Throws<ComfyAuthException>(() => CustomChecks.Parse(text, "/stack/.checks.yml"));

        Assert.Equal("StackFileInvalid", error.Code);
        Assert.StartsWith($"/stack/.checks.yml{place}", error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("version: 1\n")]
    [InlineData("checks:\n")]
    public void A_file_without_checks_is_fine(string text) => Assert.Empty(CustomChecks.Parse(text, "/stack/.checks.yml"));

    [Theory]
    [InlineData("", "zzz: 1")]
    [InlineData("$defs/check", "checks: { a: { zzz: 1 } }")]
    [InlineData("$defs/http", "checks: { a: { http: { zzz: 1 } } }")]
    [InlineData("$defs/file", "checks: { a: { file: { zzz: 1 } } }")]
    [InlineData("$defs/container", "checks: { a: { container: { zzz: 1 } } }")]
    [InlineData("$defs/command", "checks: { a: { command: { zzz: 1 } } }")]
    public void The_schema_and_the_document_have_the_keys_that_the_reader_knows(string place, string text)
    {
        const string label = "Known: ";
        var remedy = Assert.Throws<ComfyAuthException>(() => CustomChecks.Parse(text, "/stack/.checks.yml")).Remedy;
        var known = remedy[(remedy.IndexOf(label, StringComparison.Ordinal) + label.Length)..].TrimEnd('.').Split(", ");
        var schema = place.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(JsonNode.Parse(Repository.Read("docs/schemas/checks.schema.json"))!, (node, name) => node[name]!);

        Assert.Equal(known.Order(StringComparer.Ordinal), schema["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal));
        Assert.False((bool)schema["additionalProperties"]!);
        if (place.Length > 0)
            Assert.All(known, key => Assert.Contains($"| `{key}` |", Repository.Read("docs/custom-checks.md"), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_example_of_the_document_is_read()
    {
        var examples = Example().Matches(Repository.Read("docs/custom-checks.md"));

        Assert.NotEmpty(examples);
        Assert.All(examples, example => Assert.NotEmpty(CustomChecks.Parse(example.Groups[1].Value, "/stack/.checks.yml")));
    }

    private async Task MakePipeAsync(string name)
    {
        using var maker = System.Diagnostics.Process.Start("mkfifo", [_folder.PathOf(name)]);
        await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private async Task<CheckResult> RunAsync(string text, ValidationOptions? options = null) => Assert.Single(await RunAllAsync(text, options ?? new()));

    private async Task<List<CheckResult>> RunAllAsync(string text, ValidationOptions options)
    {
        _folder.Write(CustomChecks.FileName, text);
        var validator = new StackValidator(new(), new(), () => throw new ComfyAuthException("DockerNotRunning", "There is none.", ""));
        var results = new List<CheckResult>();
        await foreach (var result in validator.RunAsync(GenAIStack.Find(_folder.Path), options with { Categories = ["custom"] }, TestContext.Current.CancellationToken))
            results.Add(result);
        return results;
    }

    [GeneratedRegex(@"^```yaml\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();
}
