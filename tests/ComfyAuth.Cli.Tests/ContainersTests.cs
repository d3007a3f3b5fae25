using System.Text.Json;
using ComfyAuth.Docker;
using ComfyAuth.Tests;
using ComfyAuth.Tests.Docker;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Cli.Tests;

/// <summary>What containers show and <c>wait</c> does, with an engine.</summary>
public sealed class ContainersTests(TestEngine engine) : IDisposable
{
    private const string Source = "source.conf";
    private readonly TemporaryFolder _stack = new();
    private readonly SampleCredential _credential = new();
    private string _services = "defaults: false\nsource: source.conf\nservices:\n";

    public void Dispose() => _stack.Dispose();

    [Fact]
    public async Task All_that_are_ready_are_fine()
    {
        await using var open = await ServeAsync("open");

        Assert.Equal(0, (await RunAsync("wait", "--for", "LIVE")).ExitCode);
        var result = await RunAsync("containers");

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Matches("(?m)^ *open +Ready ", result.Output);
        Assert.DoesNotContain(result.Output.Split('\n'), line => line.TrimEnd().Length > 80);
    }

    [Fact]
    public async Task One_that_is_not_ready_is_told_with_evidence_and_remedy()
    {
        await using var open = await ServeAsync("open");
        await using var stopped = await ContainerAsync("stopped", "echo no such model; exit 3");
        Absent("planned");
        await stopped.EventAsync(item => item.Action == "die");
        await RunAsync("wait", "--service", "open");

        var text = await RunAsync("containers");
        var json = await RunAsync("containers", "--json");

        Assert.Equal((1, 1), (text.ExitCode, json.ExitCode));
        Assert.Equal(["Ready", "Stopped", "Absent"], json.Json().EnumerateArray().Select(seen => seen.GetProperty("condition").GetString()));
        var words = text.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        foreach (var seen in json.Json().EnumerateArray().Skip(1))
        {
            string[] told = [seen.GetProperty("message").GetString()!, .. seen.GetProperty("evidence").EnumerateArray().Select(line => line.GetString()!), seen.GetProperty("remedy").GetString()!];
            Assert.All(told.SelectMany(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(word => word.All(char.IsLetter)), word => Assert.Contains(word, words));
        }
    }

    [Fact]
    public async Task They_are_chosen_by_service_and_by_name()
    {
        Absent("one");
        Absent("two");

        foreach (var (options, found) in new (string[], string[])[]
        {
            ([], ["one", "two"]),
            (["--service", "TWO"], ["two"]),
            (["--name", "*-o??"], ["one"]),
            (["--name", "absent-one", "--name", "*two"], ["one", "two"]),
            (["--name", "x*"], []),
        })
        {
            var result = await RunAsync(["containers", "--json", .. options]);
            Assert.Equal(found, result.Json().EnumerateArray().Select(seen => seen.GetProperty("service").GetString()));

            // Of nothing it is not said that all is well.
            Assert.Equal(found.Length == 0 ? 3 : 1, result.ExitCode);
        }
    }

    [Fact]
    public async Task A_wait_lasts_until_the_service_is_ready_and_tells_each_change_once()
    {
        await using var late = await ServeAsync("late", "until [ -e /go ]; do usleep 100000; done; ");
        using var cli = CliProcess.Start(_stack.Path, Arguments("wait", "--json"));
        await cli.ReadErrorsUntilAsync("late: ");

        await engine.Client.ExecAsync(late.Id, ["sh", "-c", ": >/go"], stop: TestContext.Current.CancellationToken);
        var result = await cli.EndAsync();

        Assert.Equal(0, result.ExitCode);
        var wait = Assert.Single(result.Json().EnumerateArray());
        Assert.Equal("Reached", wait.GetProperty("outcome").GetString());
        Assert.Equal("Ready", wait.GetProperty("diagnosis").GetProperty("condition").GetString());
        Assert.True(TimeSpan.Parse(wait.GetProperty("elapsed").GetString()!) > TimeSpan.Zero);
        var lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.StartsWith("late: ", line, StringComparison.Ordinal));
        Assert.Equal(lines.Select(line => line.Split(',')[0]).Distinct(), lines.Select(line => line.Split(',')[0]));
    }

    [Fact]
    public async Task A_wait_in_vain_ends_early_and_says_why()
    {
        await using var loop = await ContainerAsync("loop", "echo no such model; exit 3", creation => creation with { RestartPolicy = "always" });

        var result = await RunAsync("wait");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains("Failed", result.Output, StringComparison.Ordinal);
        Assert.Contains("CrashLoop", result.Output, StringComparison.Ordinal);
        Assert.Contains("no such model", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "TimedOut", "--timeout", "2")]
    [InlineData(1, "Stalled", "--stall-timeout", "2s")]
    [InlineData(3, "Undetermined", "--for", "healthy")]
    public async Task A_wait_for_a_silent_container_ends_as_asked(int code, string outcome, params string[] options)
    {
        await using var silent = await ContainerAsync("silent", "exec sleep 100000");

        var result = await RunAsync(["wait", "--json", .. options]);

        Assert.Equal(code, result.ExitCode);
        Assert.Equal(outcome, Assert.Single(result.Json().EnumerateArray()).GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task An_interrupt_ends_the_wait_with_one_document()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("SIGINT is meant; Windows cannot send Ctrl+C to one process alone.");
            return;
        }

        await using var silent = await ContainerAsync("silent", "exec sleep 100000");
        using var cli = CliProcess.Start(_stack.Path, Arguments("wait", "--json"));
        await cli.ReadErrorsUntilAsync("silent: ");
        await cli.InterruptAsync();
        var result = await cli.EndAsync();

        Assert.Equal((130, 0), (result.ExitCode, result.Json().GetArrayLength()));
    }

    [Fact]
    public async Task No_secret_of_a_container_is_printed()
    {
        var hash = _credential.Text;
        const string key = "hf_kQ3vXw9ZbT7nLr2MsYd8";
        await using var leaky = await ContainerAsync(
            "leaky",
            "echo \"For direct API calls, use token=$TOKEN\"; echo \"key $HF_TOKEN\" >&2; exec sh -c 'sleep 100000; true' \"$TOKEN\"",
            creation => creation with
            {
                Environment = new Dictionary<string, string> { ["TOKEN"] = hash, ["HF_TOKEN"] = key },
                Healthcheck = new() { Test = ["CMD-SHELL", "echo \"$TOKEN $HF_TOKEN\"; exit 1"], Interval = TimeSpan.FromSeconds(1), Retries = 1 },
            });
        await using var loop = await ContainerAsync("loop", $"echo \"token=$TOKEN and {_credential.Password}\"; exit 3", creation => creation with
        {
            RestartPolicy = "always",
            Environment = new Dictionary<string, string> { ["TOKEN"] = hash },
        });
        await leaky.EventAsync(item => item is { Action: "health_status", Detail: "unhealthy" });

        var said = "";
        foreach (var line in new string[][] { ["containers"], ["containers", "--json", "--verbose"], ["wait", "--timeout", "3"], ["wait", "--json", "--for", "healthy", "--timeout", "3"] })
        {
            var result = await RunAsync(line);
            said += result.Output + result.Errors;
        }

        Assert.Contains("direct API calls", said, StringComparison.Ordinal);
        var secrets = Enumerable.Range(7, 46).Select(i => hash.Substring(i, 8)).Append(key).Append(_credential.Password);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, said, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("containers --for ready")]
    [InlineData("containers --name=")]
    [InlineData("containers --docker-host=")]
    [InlineData("containers --context --json")]
    [InlineData("wait --for 1")]
    [InlineData("wait --for soon")]
    [InlineData("wait --for=")]
    [InlineData("wait --timeout -1")]
    [InlineData("wait --timeout 10:00")]
    [InlineData("wait --stall-timeout soon")]
    [InlineData("wait --timeout 99999999999")]
    public async Task A_command_line_that_is_wrong_asks_nobody(string line)
    {
        var result = await CliProcess.RunAsync(_stack.Path, line.Split(' '));

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains("--help", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("containers", "nothing.sock", "", "--docker-host", "unix:///nowhere/nothing.sock")]
    [InlineData("wait", "nothing.sock", "", "--docker-host", "unix:///nowhere/nothing.sock")]
    [InlineData("containers", "Both a Docker host and the context", "Give one", "--docker-host", "tcp://127.0.0.1:9", "--context", "default")]
    [InlineData("containers", "no Docker context 'nowhere'", "docker context create", "--context", "nowhere")]
    [InlineData("containers", "has a container 'absent-on'", "'absent-one'", "--name", "absent-on")]
    public async Task What_cannot_be_done_says_why_and_what_to_do(string verb, string problem, string remedy, params string[] options)
    {
        Absent("one");

        var text = await CliProcess.RunAsync(_stack.Path, [verb, .. options]);
        var json = await CliProcess.RunAsync(_stack.Path, [verb, "--json", .. options]);

        Assert.Equal((3, 3, 0), (text.ExitCode, json.ExitCode, json.Json().GetArrayLength()));
        foreach (var errors in new[] { text.Errors, json.Errors })
        {
            Assert.StartsWith("comfyauth: ", errors, StringComparison.Ordinal);
            Assert.Contains(problem, errors, StringComparison.Ordinal);
            Assert.Contains(remedy, errors, StringComparison.Ordinal);
            Assert.Single(errors.Split('\n'), line => line.StartsWith("comfyauth: ", StringComparison.Ordinal));
        }
    }

    /// <summary>A container that answers everybody, and a service of the stack for it.</summary>
    private Task<TestContainer> ServeAsync(string service, string before = "")
    {
        var port = FreePort.Next();
        return ContainerAsync(service, $"{before}exec /serve {port}", creation => creation with { NetworkMode = "host" }, port);
    }

    private async Task<TestContainer> ContainerAsync(string service, string script, Func<ContainerCreation, ContainerCreation>? change = null, int port = 9)
    {
        var container = await engine.RunAsync(script, change);
        Add(service, container.Name, port);
        return container;
    }

    private void Absent(string service) => Add(service, $"absent-{service}", 9);

    private void Add(string service, string container, int port)
    {
        _services += $"  {service}: {{ container: {container}, url: 'http://127.0.0.1:{port}', health: /health, auth: {(port == 9 ? "comfyui-login" : "none")} }}\n";
        _stack.Write("comfyauth.yml", _services);
        _stack.Write(Source, $$"""{ "version": "1.0", "raw_token": "{{_credential.Password}}", "bcrypt_hash": "{{_credential.Text}}" }""");
    }

    private string[] Arguments(params string[] arguments) => [.. arguments, "--docker-host", engine.Client.Endpoint.Address];

    private Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_stack.Path, Arguments(arguments));
}
