using System.Diagnostics;
using ComfyAuth.Compose;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Compose;

/// <summary>The command is a real process: a script that writes down its arguments and says what the test tells it to.</summary>
public sealed class ComposeCommandTests : IDisposable
{
    private const string NoScripts = "the stand-in for the compose command is a shell script";

    // How late a busy machine may be; what must not be waited for takes ten minutes.
    private static readonly TimeSpan AtOnce = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();
    private readonly SecretRedactor _redactor = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ComposeProject Project => new() { Files = [_folder.PathOf("docker-compose.yml"), _folder.PathOf("over.yml")], Name = "stack", EnvironmentFile = _folder.PathOf(".env") };

    private string[] Arguments => _folder.Read("arguments").TrimEnd().Split('\n');

    public void Dispose() => _folder.Dispose();

    private void Install(string name, string version, string body = "")
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), NoScripts);
        _folder.WriteProgram("bin/" + name, $$"""
            #!/bin/sh
            case "$*" in *"version --short") echo {{version}}; exit 0;; esac
            printf '%s\n' "$@" > '{{_folder.PathOf("arguments")}}'
            {{body}}

            """);
    }

    private Task<ComposeCommand> Find() => ComposeCommand.FindAsync(_redactor, Stop, _folder.PathOf("bin"));

    [Fact]
    public async Task The_plugin_is_taken_before_the_old_command()
    {
        Install("docker", "2.26.1");
        Install("docker-compose", "1.29.2");

        var command = await Find();

        Assert.Equal((new Version(2, 26, 1), true), (command.Version, command.IsPlugin));
    }

    [Fact]
    public async Task The_old_command_serves_where_docker_has_no_plugin()
    {
        Install("docker-compose", "1.29.2");
        _folder.WriteProgram("bin/docker", "#!/bin/sh\necho \"docker: 'compose' is not a docker command.\" >&2\nexit 1\n");

        var command = await Find();
        await command.RestartAsync(Project, ["web"], null, Stop);

        Assert.Equal((new Version(1, 29, 2), false), (command.Version, command.IsPlugin));
        Assert.Equal(
            ["--ansi", "never", "--project-name", "stack", "--env-file", Project.EnvironmentFile!, "--file", Project.Files[0], "--file", Project.Files[1], "restart", "web"],
            Arguments);
    }

    [Fact]
    public async Task Without_either_the_error_says_what_to_install()
    {
        _folder.Write("bin/readme", "nothing to run here\n");
        _folder.Write("bin/docker", "not executable\n");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(Find);

        Assert.Equal("ComposeNotInstalled", error.Code);
        Assert.Contains("docker-compose-plugin", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Variables_are_given_and_taken_away_but_are_no_arguments()
    {
        Install("docker", "2.26.1", $"printf '%s\\n' \"$DOCKER_HOST\" \"${{HOME-none}}\" > '{_folder.PathOf("variables")}'");
        var command = await ComposeCommand.FindAsync(_redactor, Stop, _folder.PathOf("bin"), new Dictionary<string, string?> { ["DOCKER_HOST"] = "unix:///x.sock", ["HOME"] = null });

        await command.RecreateAsync(Project, "web", null, Stop, TimeSpan.FromSeconds(1.5));

        Assert.Equal("unix:///x.sock\nnone\n", _folder.Read("variables"));
        Assert.Equal(["up", "-d", "--force-recreate", "--no-deps", "--timeout", "2", "web"], Arguments[^7..]);
        Assert.DoesNotContain(Arguments, argument => argument.Contains("x.sock", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("v2.26.1", "compose --ansi never --progress plain")]
    [InlineData("2.18.0", "compose --ansi never")]
    public async Task Recreating_names_one_service(string version, string options)
    {
        Install("docker", version);

        await (await Find()).RecreateAsync(new ComposeProject { Files = [_folder.PathOf("docker-compose.yml")] }, "web", null, Stop);

        Assert.Equal($"{options} --file {_folder.PathOf("docker-compose.yml")} up -d --force-recreate --no-deps web", string.Join(' ', Arguments));
    }

    [Fact]
    public async Task An_image_is_built_or_pulled_for_one_service()
    {
        Install("docker", "2.26.1");
        var command = await Find();

        await command.BuildAsync(Project, ["web"], null, Stop);
        Assert.Equal(["build", "web"], Arguments[^2..]);
        await command.PullAsync(Project, ["web"], null, Stop);
        Assert.Equal(["pull", "web"], Arguments[^2..]);
    }

    [Fact]
    public async Task Up_and_down_take_the_whole_project()
    {
        Install("docker", "2.26.1");
        var command = await Find();

        await command.UpAsync(Project, [], null, Stop);
        Assert.Equal(["up", "-d"], Arguments[^2..]);

        await command.DownAsync(Project, null, Stop);
        Assert.Equal("down", Arguments[^1]);
    }

    [Theory]
    [InlineData("--volumes")]
    [InlineData("")]
    [InlineData("a b")]
    public async Task A_name_that_would_be_an_option_is_refused(string name)
    {
        Install("docker", "2.26.1");
        var command = await Find();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => command.RecreateAsync(Project, name, null, Stop));

        Assert.Equal("ComposeArgumentInvalid", error.Code);
        Assert.False(File.Exists(_folder.PathOf("arguments")));
    }

    [Fact]
    public async Task A_failure_tells_the_exit_code_and_the_last_lines_without_secrets()
    {
        Install("docker", "2.26.1", """
            i=0; while [ $i -lt 100 ]; do echo "line $i" >&2; i=$((i+1)); done
            echo 'token is open-sesame-99' >&2
            exit 17
            """);
        _redactor.Register("open-sesame-99");
        var command = await Find();

        var error = await Assert.ThrowsAsync<ComposeCommandException>(() => command.UpAsync(Project, [], null, Stop));

        Assert.Equal(("ComposeCommandFailed", 17), (error.Code, error.ExitCode));
        Assert.EndsWith("line 99\ntoken is [redacted]", error.ErrorOutput, StringComparison.Ordinal);
        Assert.DoesNotContain("line 5\n", error.ErrorOutput, StringComparison.Ordinal);
        Assert.DoesNotContain("open-sesame-99", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_become_progress_while_the_command_runs()
    {
        Install("docker", "2.26.1", $"echo ' Container web  Creating' >&2; until [ -e '{_folder.PathOf("heard")}' ]; do :; done; echo ' Container web  Started' >&2");
        var command = await Find();
        var heard = new List<ComposeProgress>();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(AtOnce);

        await command.UpAsync(
            Project,
            [],
            new Listener(line =>
            {
                heard.Add(line);
                _folder.Write("heard", "");
            }),
            deadline.Token);

        Assert.Equal([("Container", "web", "Creating"), ("Container", "web", "Started")], heard.Select(line => (line.Kind, line.Name, line.Status)));
    }

    [Theory]
    [InlineData(" Container comfyui-qwen  Started", "Container", "comfyui-qwen", "Started")]
    [InlineData(" Container comfyui-qwen  Started 0.3s", "Container", "comfyui-qwen", "Started")]
    [InlineData(" Network stack_default  Created", "Network", "stack_default", "Created")]
    [InlineData(" Volume \"stack_data\"  Creating", "Volume", "stack_data", "Creating")]
    [InlineData("\u001b[1A\u001b[2KCreating stack_web_1 ... \u001b[32mdone\u001b[0m", "Container", "stack_web_1", "done")]
    [InlineData("Recreating stack_web_1 ... ", "Container", "stack_web_1", "Recreating")]
    [InlineData("Creating network \"stack_default\" with the default driver", "Network", "stack_default", "Creating")]
    [InlineData(" web Pulling ", "Image", "web", "Pulling")]
    [InlineData(" 46e21c7cfe17 Downloading [==>   ]  11.01MB/38.93MB", "Image", "46e21c7cfe17", "Downloading")]
    [InlineData("WARNING: The X variable is not set.", null, null, null)]
    public void A_line_of_either_version_is_understood(string line, string? kind, string? name, string? status)
    {
        var progress = ComposeProgress.Parse(line);

        Assert.Equal((kind, name, status), (progress.Kind, progress.Name, progress.Status));
        Assert.DoesNotContain('\u001b', progress.Line);
    }

    [Fact]
    public async Task Cancelling_kills_the_command_and_its_children()
    {
        Install("docker", "2.26.1", $"sleep 600 & echo $! > '{_folder.PathOf("child")}'; echo $$ > '{_folder.PathOf("self")}'; echo ' Container web  Creating'; wait");
        var command = await Find();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var run = command.UpAsync(Project, [], new Listener(_ => cancel.Cancel()), cancel.Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);

        // One that was killed is gone as soon as the system gets to it.
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(AtOnce);
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        foreach (var name in (string[])["self", "child"])
        {
            while (IsRunning(int.Parse(_folder.Read(name), System.Globalization.CultureInfo.InvariantCulture)))
                await tick.WaitForNextTickAsync(deadline.Token);
        }
    }

    [Fact]
    public async Task A_command_that_does_not_tell_its_version_in_time_is_not_taken_for_missing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), NoScripts);
        var docker = _folder.WriteProgram("bin/docker", "#!/bin/sh\nexec sleep 600\n");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => ComposeCommand.FindAsync(_redactor, TimeSpan.FromMilliseconds(100), _folder.PathOf("bin"), null, Stop));

        Assert.Equal("ComposeTimedOut", error.Code);
        Assert.Contains($"'{docker} compose version'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_child_that_keeps_the_output_open_does_not_hold_us()
    {
        Install("docker", "2.26.1", $"sleep 600 & echo $! > '{_folder.PathOf("child")}'; exit 0");
        var command = await Find();
        var clock = Stopwatch.StartNew();

        await command.UpAsync(Project, [], null, Stop);

        using var child = Process.GetProcessById(int.Parse(_folder.Read("child"), System.Globalization.CultureInfo.InvariantCulture));
        child.Kill();
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, AtOnce);
    }

    [Fact]
    public async Task A_line_without_end_is_not_kept()
    {
        Install("docker", "2.26.1", "head -c 50000000 /dev/zero | tr '\\0' x; echo; echo ' Container web  Started'");
        var command = await Find();
        var heard = new List<ComposeProgress>();

        await command.UpAsync(Project, [], new Listener(heard.Add), Stop);

        Assert.Equal(["(a line that is too long to show)", "Container web  Started"], heard.Select(line => line.Line));
    }

    [Fact]
    public async Task A_listener_that_throws_does_not_block_the_command()
    {
        Install("docker", "2.26.1", "i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done");
        var command = await Find();

        var error = await Assert.ThrowsAsync<InvalidTimeZoneException>(() => command.UpAsync(Project, [], new Listener(_ => throw new InvalidTimeZoneException("mine")), Stop));

        Assert.Equal("mine", error.Message);
    }

    [Fact]
    public async Task A_command_that_asks_gets_no_answer()
    {
        Install("docker", "2.26.1", "read answer && exit 3; exit 0");

        await (await Find()).DownAsync(Project, null, Stop);
    }

    /// <summary>A process that has ended and that nobody waits for is still in the list for a moment.</summary>
    private static bool IsRunning(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !File.Exists($"/proc/{id}/stat") || File.ReadAllText($"/proc/{id}/stat").Split(") ")[1][0] is not ('Z' or 'X');
        }
        catch (Exception error) when (error is ArgumentException or IOException)
        {
            return false;
        }
    }

    private sealed class Listener(Action<ComposeProgress> hear) : IProgress<ComposeProgress>
    {
        public void Report(ComposeProgress value) => hear(value);
    }
}
