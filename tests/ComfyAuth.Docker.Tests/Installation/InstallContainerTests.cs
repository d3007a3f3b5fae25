using System.Net;
using System.Runtime.Versioning;
using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Docker;

/// <summary>The first two steps of an installation, on a real engine with the real docker-compose.</summary>
[Collection("comfyui-qwen")]
[UnsupportedOSPlatform("windows")]
public sealed class InstallContainerTests(TestEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_an_empty_folder_to_a_server_that_asks_for_the_token_and_a_second_run_changes_nothing()
    {
        await using var stack = await InstallStack.MakeAsync(engine);

        var report = await stack.InstallAsync(new PrerequisitesStep(), new ContainerStep());

        Assert.True(report.Outcome == InstallOutcome.Installed, InstallStack.Told(report));
        var token = BcryptHash.Parse(stack.Read("docker-configurations/services/comfyui-qwen/.secrets/PASSWORD").Split('\n')[0]);
        using var http = new HttpClient();
        var address = $"http://127.0.0.1:{stack.Port}/system_stats";
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(address, Stop)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.Reveal());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(address, Stop)).StatusCode);
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());
        Assert.Equal(["container", "image", "volume"], made.Select(line => line.Split(' ')[0]));

        var second = await stack.InstallAsync(new PrerequisitesStep(), new ContainerStep());

        Assert.True(second.Steps.Take(2).All(step => step.Status == StepStatus.Unchanged), InstallStack.Told(second));
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(made, await stack.EngineSnapshotAsync());
    }

    [Fact]
    public async Task Where_the_server_exits_at_once_all_is_as_it_was_before()
    {
        await using var stack = await InstallStack.MakeAsync(engine, "echo no model of mine; exit 3");
        stack.Write("notes/mine.txt", "mine");
        var (files, before) = (stack.Snapshot(), await stack.EngineSnapshotAsync());

        var report = await stack.InstallAsync(new ContainerStep());

        Assert.True(report.Outcome == InstallOutcome.RolledBack, InstallStack.Told(report));
        Assert.Equal("ContainerWaitFailed", report.Steps[0].ErrorCode);
        Assert.Contains("3", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Empty(report.Kept);
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(before, await stack.EngineSnapshotAsync());
    }

    [Fact]
    public async Task A_volume_and_an_image_that_were_there_before_stay()
    {
        await using var stack = await InstallStack.MakeAsync(engine);
        Assert.Equal(InstallOutcome.Installed, (await stack.InstallAsync(new ContainerStep())).Outcome);
        await engine.Client.RemoveContainerAsync(InstallStack.Container, force: true, Stop);
        var (files, before) = (stack.Snapshot(), await stack.EngineSnapshotAsync());

        var report = await stack.InstallAsync(new ContainerStep(), new FailingStep());

        Assert.True(report.Outcome == InstallOutcome.RolledBack, InstallStack.Told(report));
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(before, await stack.EngineSnapshotAsync());
    }

    [Fact]
    public async Task What_the_engine_says_of_a_container_that_it_cannot_make_is_told_and_all_is_taken_back()
    {
        await using var stack = await InstallStack.MakeAsync(engine);
        Assert.Equal(InstallOutcome.Installed, (await stack.InstallAsync(new ContainerStep())).Outcome);
        await engine.Client.RemoveContainerAsync(InstallStack.Container, force: true, Stop);
        var compose = "docker-configurations/services/comfyui-qwen/docker-compose.yml";
        stack.Write(compose, stack.Read(compose).Replace("source: ./.secrets/PASSWORD", "source: ./.secrets/NOTHING.txt", StringComparison.Ordinal));
        var (files, before) = (stack.Snapshot(), await stack.EngineSnapshotAsync());

        var report = await stack.InstallAsync(new ContainerStep());

        Assert.True(report.Outcome == InstallOutcome.RolledBack, InstallStack.Told(report));
        Assert.Contains("bind source path does not exist", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Contains("mend the mount", report.Steps[0].Remedy, StringComparison.Ordinal);
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(before, await stack.EngineSnapshotAsync());
    }

    private sealed class FailingStep : InstallStep
    {
        public override InstallStepName Name => InstallStepName.Login;

        public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new ComfyAuthException("DockerRequestFailed", "no", "Again.");
    }
}
