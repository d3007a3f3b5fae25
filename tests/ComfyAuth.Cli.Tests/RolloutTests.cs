using System.Text.Json;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Cli.Tests;

/// <summary>What <c>--restart</c> does, with an emulated engine and an emulated ComfyUI that is started with its container.</summary>
public sealed class RolloutTests : IAsyncLifetime
{
    private const string Container = "comfyui-qwen";
    private readonly SampleStack _stack = new();
    private EmulatedEngine _engine = null!;
    private EmulatedComfyUI _server = null!;
    private int _starts;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await EmulatedComfyUI.StartAsync(new() { PasswordFile = _stack.PathOf(SampleStack.PasswordFile) }, Stop);
        _stack.Write("comfyauth.yml", $"services:\n  {Container}:\n    url: {_server.Address}\n");
        _engine = await EmulatedEngine.StartAsync(
            [
                new()
                {
                    Name = Container,
                    Image = "python:3.11",
                    CreatedAt = DateTimeOffset.UtcNow.AddMinutes(-10),
                    StartedAt = DateTimeOffset.UtcNow.AddMinutes(-10),
                    Ports = [new(8188, "tcp", "127.0.0.1", _server.Address.Port)],
                },
            ],
            overTcp: true,
            stop: Stop);
        _engine.Starting = _ =>
        {
            Interlocked.Increment(ref _starts);
            _server.Restart();
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _server.DisposeAsync();
        _stack.Dispose();
    }

    [Fact]
    public async Task A_new_token_is_proven_and_a_second_run_restarts_nothing()
    {
        var first = await RunAsync("sync-token", "--rotate", "--restart", "--json");
        var second = await RunAsync("sync-token", "--restart");

        Assert.Equal(0, first.ExitCode);
        var told = first.Json();
        Assert.True(Assert.Single(told.GetProperty("proofs").EnumerateArray()).GetProperty("isProven").GetBoolean());
        Assert.Equal("restarted", Assert.Single(told.GetProperty("containers").EnumerateArray()).GetProperty("action").GetString(), ignoreCase: true);
        Assert.Contains(told.GetProperty("results").EnumerateArray(), place => place.GetProperty("isSource").GetBoolean());
        Assert.Contains($"Asking the login of '{Container}'", first.Errors, StringComparison.Ordinal);
        Assert.Equal((0, 1), (second.ExitCode, _starts));
        Assert.Matches($"(?m)^ *yes +{Container} +yes +yes +yes +-", second.Output);
        Assert.DoesNotContain(_stack.Read(SampleStack.RootToken)[7..20], first.Output + first.Errors + second.Output + second.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_not_proven_is_an_error_and_the_report_still_has_the_stack()
    {
        _engine.Starting = _ => _starts++;
        var before = Files();

        var result = await RunAsync("sync-token", "--rotate", "--restart", "--json", "--report", _stack.PathOf("../" + Path.GetFileName(_stack.Root) + "-report.json"));

        Assert.Equal((3, 0), (result.ExitCode, result.Json().GetProperty("proofs").GetArrayLength()));
        Assert.Contains("was not proven live", result.Errors, StringComparison.Ordinal);
        Assert.Contains("The files are as before.", result.Errors, StringComparison.Ordinal);
        Assert.Equal((before, 2), (Files(), _starts));
        var report = _stack.PathOf("../" + Path.GetFileName(_stack.Root) + "-report.json");
        Assert.Contains(JsonSerializer.Serialize(_stack.Root), await File.ReadAllTextAsync(report, Stop), StringComparison.Ordinal);
        File.Delete(report);
    }

    [Fact]
    public async Task Of_a_container_that_does_not_run_nothing_is_proven()
    {
        _engine.Change(Container, container => container with { State = ContainerState.Exited });

        var result = await RunAsync("sync-token", "--rotate", "--restart");

        Assert.Equal((3, 0), (result.ExitCode, _starts));
        Assert.Contains("was left so", result.Output, StringComparison.Ordinal);
        Assert.Matches($"(?m)^ *unknown +{Container} ", result.Output);
        Assert.NotEqual(_stack.Credential.Text, _stack.Read(SampleStack.RootToken));
    }

    [Fact]
    public async Task An_error_of_one_stack_spares_the_others()
    {
        using var other = new SampleStack();
        other.Write("comfyauth.yml", $"services:\n  {Container}:\n    url: {_server.Address}\n    container: planned\n");
        _engine.Starting = _ => _starts++;
        var before = Files();

        var result = await RunAsync("sync-token", "--rotate", "--restart", "--path", _stack.Root, "--path", other.Root);

        Assert.Equal(3, result.ExitCode);
        Assert.Equal(before, Files());
        Assert.NotEqual(other.Credential.Text, other.Read(SampleStack.RootToken));
        Assert.Contains("there is no such container", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_during_the_proof_the_next_run_puts_the_old_files_back_and_the_container_follows()
    {
        var before = Files();
        Hang();
        using (var cli = Start("sync-token", "--rotate", "--restart"))
        {
            await cli.ReadErrorsUntilAsync("Waiting for the container");
            Assert.NotEqual(before, Files());
            await cli.KillAsync();
        }

        Assert.NotEqual(before, Files());
        (_server.Faults, _engine.Starting) = (null, _ => _server.Restart());
        var audit = await RunAsync("sync-token", "--audit");
        var next = await RunAsync("sync-token", "--restart");

        Assert.Contains("interrupted", audit.Errors, StringComparison.Ordinal);
        Assert.Contains("were put back as they were", next.Errors, StringComparison.Ordinal);
        Assert.Equal((0, before), (next.ExitCode, Files()));
        Assert.Contains($"{Container}: It was restarted.", next.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_during_the_proof_gives_files_and_container_back_however_long_that_takes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGINT is meant; Windows cannot send Ctrl+C to one process alone.");
        var before = Files();

        // Longer than the two seconds after which a process is usually ended.
        _engine.Change(Container, container => container with { StopTime = TimeSpan.FromSeconds(3) });
        Hang();
        using var cli = Start("sync-token", "--rotate", "--restart");
        await cli.ReadErrorsUntilAsync("Waiting for the container");
        Assert.NotEqual(before, Files());
        await cli.InterruptAsync();
        var result = await cli.EndAsync();

        Assert.Equal((130, before, 2), (result.ExitCode, Files(), _starts));
        Assert.Contains("going back to the old files", result.Errors, StringComparison.Ordinal);
        Assert.Contains("Cancelled. The proof was cancelled. The files are as before. The container 'comfyui-qwen' was restarted with them, and was not waited for.", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restored_environment_is_proven()
    {
        _stack.Replace(SampleStack.ServiceEnv, "COMFYUI_LOGIN_ENABLED=true\n", "");

        var result = await RunAsync("restore-env", "--restart", "--json");

        Assert.True(Assert.Single(result.Json().GetProperty("proofs").EnumerateArray()).GetProperty("isProven").GetBoolean(), result.Errors);
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("COMFYUI_LOGIN_ENABLED", _stack.Read(SampleStack.ServiceEnv), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_environment_that_is_not_proven_goes_back_with_its_backup()
    {
        _stack.Replace(SampleStack.ServiceEnv, "COMFYUI_LOGIN_ENABLED=true\n", "");
        _server.Faults = request => request.Path == "/system_stats" ? new() { Answer = FaultAnswer.Error(500, "broken") } : null;
        var before = Files();

        var result = await RunAsync("restore-env", "--restart", "--timeout", "1");

        Assert.Equal((3, before), (result.ExitCode, Files()));
        Assert.Contains("The files are as before.", result.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_stack.PathOf($"{SampleStack.Service}/_backups")));
    }

    [Theory]
    [InlineData("sync-token --audit --restart")]
    [InlineData("sync-token --validate --restart")]
    [InlineData("restore-env --validate --restart")]
    [InlineData("sync-token --restart --timeout soon")]
    [InlineData("sync-token --restart --context")]
    public async Task A_command_line_that_is_wrong_changes_nothing(string line)
    {
        var before = Files();

        var result = await CliProcess.RunAsync(_stack.Root, line.Split(' '));

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Equal(before, Files());
    }

    /// <summary>From its next start the program answers nobody.</summary>
    private void Hang() => _engine.Starting = _ =>
    {
        if (Interlocked.Increment(ref _starts) == 1)
            _server.Faults = _ => new() { Delay = Timeout.InfiniteTimeSpan };
        _server.Restart();
    };

    private string Files() => string.Join('\n', SampleStack.Files.Select(path => $"{path} {File.GetLastWriteTimeUtc(_stack.PathOf(path)):O} {_stack.Read(path)}"));

    private CliProcess Start(params string[] arguments) => CliProcess.Start(_stack.Root, [.. arguments, "--docker-host", _engine.Endpoint.Address]);

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_stack.Root, [.. arguments, "--docker-host", _engine.Endpoint.Address]);
}
