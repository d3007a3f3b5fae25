using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Cli.Tests;

public sealed class RestoreEnvTests : IDisposable
{
    private readonly SampleStack _stack = new();

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task Looking_changes_nothing_and_says_what_is_wrong()
    {
        _stack.Replace(SampleStack.ServiceEnv, "HF_TOKEN=h\n", "");
        var before = _stack.Snapshot();

        var result = await RunAsync("--validate", "--json");

        Assert.Equal((1, ""), (result.ExitCode, result.Errors));
        Assert.Equal("HF_TOKEN", Assert.Single(result.Json()[0].GetProperty("missing").EnumerateArray()).GetString());
        Assert.Equal(before, _stack.Snapshot());
    }

    [Fact]
    public async Task A_file_is_rebuilt_and_brought_back_from_its_backup()
    {
        var before = _stack.Read(SampleStack.ServiceEnv);

        var rebuilt = await RunAsync("--json");
        var rebuiltText = _stack.Read(SampleStack.ServiceEnv);
        var again = await RunAsync();
        var back = await RunAsync("--from-backup", "latest", "--no-backup");

        Assert.Equal((0, 0, 0), (rebuilt.ExitCode, again.ExitCode, back.ExitCode));
        Assert.Equal("Updated", rebuilt.Json()[0].GetProperty("action").GetString());
        Assert.NotEqual(before, rebuiltText);
        Assert.Equal(before, _stack.Read(SampleStack.ServiceEnv));
        Assert.Contains("sync-token", back.Output, StringComparison.Ordinal);
        Assert.Single(Directory.EnumerateFiles(_stack.PathOf($"{SampleStack.Service}/_backups")));
    }

    [Fact]
    public async Task A_file_that_only_its_owner_can_complete_is_not_fine_and_says_what_to_fill_in()
    {
        _stack.Delete(SampleStack.ServiceEnv);

        var result = await RunAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Fill in HF_TOKEN", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no backup", "--from-backup", "../../x")]
    [InlineData("cannot be used", "--source", "nowhere.env")]
    [InlineData("no service", "--service", "nobody")]
    public async Task What_cannot_be_done_changes_nothing(string problem, params string[] options)
    {
        var before = _stack.Snapshot();

        var result = await RunAsync(options);

        Assert.Equal(3, result.ExitCode);
        Assert.Contains(problem, result.Errors, StringComparison.Ordinal);
        Assert.Equal(before, _stack.Snapshot());
    }

    private Task<CliResult> RunAsync(params string[] options) => CliProcess.RunAsync(_stack.Root, ["restore-env", .. options]);
}
