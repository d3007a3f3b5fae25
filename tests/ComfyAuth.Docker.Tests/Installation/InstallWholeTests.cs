using System.Net;
using System.Runtime.Versioning;
using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Docker;

/// <summary>All steps of an installation, on a real engine with the real docker-compose and a container that is really restarted.</summary>
[Collection("comfyui-qwen")]
[UnsupportedOSPlatform("windows")]
public sealed class InstallWholeTests(TestEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_an_empty_folder_to_a_picture_and_a_second_run_changes_nothing()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);

        var report = await stack.InstallAsync();

        Assert.True(report.Outcome == InstallOutcome.Installed, InstallStack.Told(report));
        Assert.All(report.Steps, step => Assert.True(step.Status is StepStatus.Done or StepStatus.Unchanged, InstallStack.Told(report)));
        Assert.Contains(report.Steps.Single(step => step.Step == InstallStepName.TestImage).Evidence, line => line.StartsWith("A picture of ", StringComparison.Ordinal));
        await AssertGuardedAsync(stack);
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());
        Assert.Equal(["container", "image", "volume"], made.Select(line => line.Split(' ')[0]));

        var second = await stack.InstallAsync();

        Assert.True(second.Outcome == InstallOutcome.Unchanged, InstallStack.Told(second));
        Assert.All(second.Steps.SkipLast(1), step => Assert.Equal(StepStatus.Unchanged, step.Status));
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(made, await stack.EngineSnapshotAsync());
    }

    private static async Task AssertGuardedAsync(InstallStack stack)
    {
        var token = BcryptHash.Parse(stack.Read("docker-configurations/services/comfyui-qwen/.secrets/PASSWORD").Split('\n')[0]);
        using var http = new HttpClient();
        var address = $"http://127.0.0.1:{stack.Port}/system_stats";
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(address, Stop)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.Reveal());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(address, Stop)).StatusCode);
    }
}
