using System.Runtime.Versioning;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>Each step of an installation fails, on a real engine.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class InstallFailureTests(TestEngine engine) : IClassFixture<TestEngine>
{
    [Theory]
    [InlineData(InstallStepName.Prerequisites, InstallMoment.Ends)]
    [InlineData(InstallStepName.Container, InstallMoment.Changed)]
    [InlineData(InstallStepName.Container, InstallMoment.Ends)]
    [InlineData(InstallStepName.Login, InstallMoment.Changed)]
    [InlineData(InstallStepName.Login, InstallMoment.Ends)]
    [InlineData(InstallStepName.Models, InstallMoment.Changed)]
    [InlineData(InstallStepName.Models, InstallMoment.Ends)]
    [InlineData(InstallStepName.Authentication, InstallMoment.Ends)]
    [InlineData(InstallStepName.TestImage, InstallMoment.Ends)]
    internal async Task What_fails_is_taken_back_and_no_byte_of_the_models_is_loaded_twice(InstallStepName step, InstallMoment moment)
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        stack.Write("notes/mine.txt", "mine");
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());

        var failed = await stack.InstallAsync(InstallStack.FailAt(step, moment));

        Assert.True(failed.Outcome == InstallOutcome.RolledBack, InstallStack.Told(failed));
        Assert.Equal("DockerRequestFailed", failed.Steps.Single(result => result.Step == step).ErrorCode);
        Assert.Equal(made, await stack.EngineSnapshotAsync());
        stack.AssertOnlyDownloads(files, step < InstallStepName.Models ? [] : InstallStack.Models);
        var loaded = stack.Hub!.Storage.BytesServed;

        var report = await stack.InstallAsync();

        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: false }, InstallStack.Told(report));
        Assert.Equal(step < InstallStepName.Models ? stack.ModelBytes : loaded, stack.Hub.Storage.BytesServed);
        await stack.AssertGuardedAsync();
    }
}
