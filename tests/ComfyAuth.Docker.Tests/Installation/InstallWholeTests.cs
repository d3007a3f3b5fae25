using System.Runtime.Versioning;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>All steps of an installation, on a real engine with the real docker-compose and a container that is really restarted.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class InstallWholeTests(TestEngine engine) : IClassFixture<TestEngine>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_an_empty_folder_to_a_picture_and_a_second_run_changes_nothing()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);

        var report = await stack.InstallAsync();

        Assert.True(report.Outcome == InstallOutcome.Installed, InstallStack.Told(report));
        Assert.Equal(
            [StepStatus.Unchanged, StepStatus.Done, StepStatus.Done, StepStatus.Done, StepStatus.Unchanged, StepStatus.Unchanged, StepStatus.Done],
            report.Steps.Select(step => step.Status));
        Assert.Contains(report.Steps.Single(step => step.Step == InstallStepName.TestImage).Evidence, line => line.StartsWith("A picture of ", StringComparison.Ordinal));
        await stack.AssertGuardedAsync();
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());
        Assert.Equal(["container", "image", "volume"], made.Select(line => line.Split(' ')[0]));

        var second = await stack.InstallAsync();

        Assert.True(second.Outcome == InstallOutcome.Unchanged, InstallStack.Told(second));
        Assert.All(second.Steps.SkipLast(1), step => Assert.Equal(StepStatus.Unchanged, step.Status));
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(made, await stack.EngineSnapshotAsync());
    }

    [Theory]
    [InlineData(InstallMoment.Changes)]
    [InlineData(InstallMoment.Changed)]
    [InlineData(InstallMoment.Ends)]
    internal async Task A_new_password_is_read_by_the_container_and_the_old_one_again_where_that_fails(InstallMoment moment)
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        Assert.Equal(InstallOutcome.Installed, (await stack.InstallAsync()).Outcome);
        stack.TakeOverCompose();
        stack.Password = new("a password of mine");
        var (credential, files) = (stack.Read(InstallStack.PasswordFile), stack.Contents());

        var failed = await stack.InstallAsync(InstallStack.FailAt(InstallStepName.Authentication, moment));

        Assert.True(failed.Outcome == InstallOutcome.RolledBack, InstallStack.Told(failed));
        Assert.Equal("DockerRequestFailed", failed.Steps.Single(result => result.Step == InstallStepName.Authentication).ErrorCode);
        Assert.Equal(files, stack.Contents());
        await stack.AssertGuardedAsync();

        await InstallChild.KillAsync(stack, InstallStepName.Authentication, moment, Stop);
        var report = await stack.InstallAsync();

        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: true }, InstallStack.Told(report));
        Assert.NotEqual(credential, stack.Read(InstallStack.PasswordFile));
        await stack.AssertGuardedAsync();
        Assert.Equal(InstallOutcome.Unchanged, (await stack.InstallAsync()).Outcome);
    }
}
