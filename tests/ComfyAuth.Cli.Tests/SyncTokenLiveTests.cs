using ComfyAuth.Tests;
using ComfyAuth.Tests.Docker;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Cli.Tests;

/// <summary><c>sync-token --live</c>, with an engine and without.</summary>
public sealed class SyncTokenLiveTests(TestEngine engine) : IDisposable
{
    private const string Password = "/workspace/ComfyUI/login/PASSWORD";
    private readonly SampleStack _stack = new();
    private readonly SampleCredential _older = new();

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task The_audit_goes_on_in_the_container_and_at_the_server()
    {
        await using var container = await ServeAsync();
        var audit = await RunAsync("--audit", "--live", "--json");

        var json = audit.Json().EnumerateArray().Where(seen => seen.GetProperty("layer").GetString() != "File").ToList();
        Assert.Equal(
            [("ContainerEnvironment", "Stale"), ("ContainerFile", "Match"), ("Server", "Match")],
            json.Select(seen => (seen.GetProperty("layer").GetString(), seen.GetProperty("state").GetString())));
        var text = await RunAsync("--audit", "--live");
        Assert.Equal((1, 1), (audit.ExitCode, text.ExitCode));
        Assert.Matches($@"(?m)^{container.Name}:{Password}\s*$", text.Output);
        Assert.Matches(@"(?m)^ *Match +server ", text.Output);
        Assert.Equal(1, (await RunAsync("--validate", "--live")).ExitCode);
        Assert.Equal(0, (await RunAsync("--validate")).ExitCode);
        Assert.All([_stack.Credential.Text, _older.Text], secret => Assert.DoesNotContain(secret, text.Output + text.Errors + audit.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_source_comes_back_out_of_a_stopped_container()
    {
        await using var container = await ServeAsync();
        await engine.Client.KillAsync(container.Id, stop: TestContext.Current.CancellationToken);
        foreach (var file in SampleStack.Files)
            _stack.Delete(file);

        var result = await RunAsync("--adopt", $"{container.Name}:{Password}");

        Assert.Contains("Nobody knows its password", result.Errors, StringComparison.Ordinal);
        Assert.Contains(_stack.Credential.Text, _stack.Read(SampleStack.Source), StringComparison.Ordinal);
        Assert.Equal(3, (await RunAsync("--adopt", "nobody:/x")).ExitCode);
    }

    [Fact]
    public async Task Without_an_engine_nothing_is_known_and_nothing_is_wrong()
    {
        var result = await CliProcess.RunAsync(_stack.Root, ["sync-token", "--audit", "--live", "--docker-host", "unix:///nowhere/nothing.sock"]);

        Assert.Equal((3, ""), (result.ExitCode, result.Errors));
        Assert.Contains("Unreadable", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(result.Output.Split('\n'), line => line.TrimEnd().Length > 80);
    }

    [Theory]
    [InlineData("--live")]
    [InlineData("--live --rotate")]
    public async Task A_change_does_not_look_live(string line)
    {
        var result = await CliProcess.RunAsync(_stack.Root, ["sync-token", .. line.Split(' ')]);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
    }

    private async Task<TestContainer> ServeAsync()
    {
        var port = FreePort.Next();
        var container = await engine.RunAsync(
            $"mkdir -p /workspace/ComfyUI/login; printf '%s\\nadmin\\n' \"$TOKEN\" > {Password}; : > /workspace/ComfyUI/main.py; exec /serve {port}",
            creation => creation with
            {
                NetworkMode = "host",
                Environment = new Dictionary<string, string> { ["TOKEN"] = _stack.Credential.Text, ["COMFYUI_API_TOKEN"] = _older.Text },
            });
        _stack.Write("comfyauth.yml", $"services:\n  comfyui-qwen: {{ container: {container.Name}, url: 'http://127.0.0.1:{port}' }}\n");
        var wait = await CliProcess.RunAsync(_stack.Root, ["wait", "--service", "comfyui-qwen", "--for", "live", "--timeout", "10m", "--docker-host", engine.Client.Endpoint.Address]);
        Assert.Equal(0, wait.ExitCode);
        return container;
    }

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_stack.Root, ["sync-token", .. arguments, "--docker-host", engine.Client.Endpoint.Address]);
}
