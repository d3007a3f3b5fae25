using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Docker;

namespace ComfyAuth.Tests.Installation;

/// <summary>A custom node is put into a real container with its own git and Python, from a git server of this machine.</summary>
public sealed class CustomNodeTests(TestEngine engine) : IDisposable
{
    private const string Nodes = "/workspace/ComfyUI/custom_nodes";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_node_is_cloned_loaded_and_taken_back()
    {
        SkipWithoutPrograms();
        var commit = Repository();
        var port = FreePort.Next();
        using var server = Process.Start(Git("daemon", "--export-all", "--listen=127.0.0.1", $"--port={port}", $"--base-path={_folder.Path}"))!;
        try
        {
            await ListensAsync(port);
            var (container, stack) = await StartAsync();
            await using var scope = container;
            var options = new InstallOptions { Service = stack.Definition.Services[0].Name, CustomNodes = [$"git://127.0.0.1:{port}/Extra-Node@{commit}"], Timeout = TimeSpan.FromMinutes(5) };

            var report = await InstallAsync(stack, options, isBroken: true);
            Assert.True(report.Outcome == InstallOutcome.RolledBack, Told(report));
            Assert.Null(await engine.Client.HeadArchiveAsync(container.Id, $"{Nodes}/Extra-Node", Stop));

            report = await InstallAsync(stack, options, isBroken: false);
            Assert.True(report.Outcome == InstallOutcome.Installed, Told(report));
            Assert.NotNull(await engine.Client.HeadArchiveAsync(container.Id, $"{Nodes}/Extra-Node/__init__.py", Stop));
            var startedAt = (await container.InspectAsync()).StartedAt;

            report = await InstallAsync(stack, options, isBroken: false);
            Assert.True(report.Outcome == InstallOutcome.Unchanged, Told(report));
            Assert.Contains(report.Steps[0].Evidence, line => line.Contains($"at commit {commit}, the one that is wanted", StringComparison.Ordinal));
            Assert.Equal(startedAt, (await container.InspectAsync()).StartedAt);

            report = await InstallAsync(stack, options with { CustomNodes = [$"git://127.0.0.1:{port}/No-Such-Node"] }, isBroken: false);
            Assert.Equal((InstallOutcome.RolledBack, "CustomNodeFailed"), (report.Outcome, report.Steps[0].ErrorCode));
        }
        finally
        {
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_clone_that_hangs_is_given_up_and_ended_in_the_container_too(bool isCancelled)
    {
        SkipWithoutPrograms();
        var (container, stack) = await StartAsync();
        await using var scope = container;

        // It takes the call, and never says a word.
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var options = new InstallOptions { CustomNodes = [$"git://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}/Extra-Node"], Service = stack.Definition.Services[0].Name };
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var step = new LoginStep { GitPatience = new(isCancelled ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(2), TimeSpan.FromHours(1)) };
        var installer = new Installer(engine.Client, null!, new SecretRedactor(), new PasswordVerifier()) { Steps = [step] };

        var installing = installer.RunAsync(stack, options, null, _ => { }, null, cancel.Token);
        if (isCancelled)
        {
            using var call = await server.AcceptTcpClientAsync(Stop);
            Assert.Contains(await engine.Client.TopAsync(container.Id, Stop), process => process.Command.StartsWith("git clone", StringComparison.Ordinal));
            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => installing);
        }
        else
        {
            var report = await installing;
            Assert.Equal((InstallOutcome.RolledBack, "ContainerCommandTimedOut"), (report.Outcome, report.Steps[0].ErrorCode));
            Assert.Contains("it said nothing for 2s", report.Steps[0].Message, StringComparison.Ordinal);
            Assert.DoesNotContain("still run", report.Steps[0].Message, StringComparison.Ordinal);
            Assert.Null(await engine.Client.HeadArchiveAsync(container.Id, $"{Nodes}/Extra-Node{LoginStep.Unfinished}", Stop));
        }

        // What has ended may stand there until somebody asks how.
        Assert.DoesNotContain(
            await engine.Client.TopAsync(container.Id, Stop),
            process => process.Command.Contains("git", StringComparison.Ordinal) && !process.Command.EndsWith("<defunct>", StringComparison.Ordinal));
    }

    /// <summary>Waits until somebody listens.</summary>
    private static async Task ListensAsync(int port)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var call = new TcpClient();
                await call.ConnectAsync(IPAddress.Loopback, port, deadline.Token);
                return;
            }
            catch (SocketException)
            {
                await pause.WaitForNextTickAsync(deadline.Token);
            }
        }
    }

    private void SkipWithoutPrograms() =>
        Assert.SkipUnless(engine.IsOurs && File.Exists("/usr/bin/git") && File.Exists("/usr/bin/python3"), "The container has the programs of this machine, which must be git and Python in /usr/bin.");

    private async Task<(TestContainer Container, GenAIStack Stack)> StartAsync()
    {
        var service = new TestService(engine);
        var container = await service.RunAsync(
            engine,
            $"mkdir -p {Nodes}; : > /workspace/ComfyUI/main.py; {TestService.Serve}",

            // As process 1 the server would ignore what would end it, and each restart take ten seconds.
            creation => creation with { Binds = ["/usr:/usr:ro", "/lib:/lib:ro", "/lib64:/lib64:ro"], Init = true });
        await service.UntilAsync(engine.Client, seen => seen.IsReady == true, Stop);
        return (container, new() { Root = Directory.CreateDirectory(_folder.PathOf("stack")).FullName, Definition = new() { Source = "source.conf", Services = [service.Definition] } });
    }

    private async Task<InstallReport> InstallAsync(GenAIStack stack, InstallOptions options, bool isBroken)
    {
        var installer = new Installer(engine.Client, null!, new SecretRedactor(), new PasswordVerifier())
        {
            Steps = [new LoginStep()],
            AtMoment = (_, moment) => isBroken && moment == InstallMoment.Ends ? throw new IOException("The disk is gone.") : Task.CompletedTask,
        };
        return await installer.RunAsync(stack, options, null, _ => { }, null, Stop);
    }

    private string Repository()
    {
        var folder = _folder.PathOf("Extra-Node");
        _folder.Write("Extra-Node/__init__.py", "NODE_CLASS_MAPPINGS = {}\n");
        Run("init", "--quiet", folder);
        Run("-C", folder, "add", ".");
        Run("-C", folder, "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", "A node");
        return Run("-C", folder, "rev-parse", "HEAD").Trim();
    }

    private static string Run(params string[] arguments)
    {
        using var git = Process.Start(Git(arguments))!;
        var said = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        return said;
    }

    private static ProcessStartInfo Git(params string[] arguments) => new("git", arguments) { RedirectStandardOutput = true };

    private static string Told(InstallReport report) => string.Join("\n", report.Steps.Select(step => $"{step.Step} {step.Status} {step.ErrorCode}: {step.Message}").Concat(report.Kept).Prepend(report.Outcome.ToString()));
}
