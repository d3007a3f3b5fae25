using System.Runtime.Versioning;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>Installations on a real engine that are killed while the compose command is at work, and started again.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class InstallComposeKillTests(TestEngine engine) : IClassFixture<TestEngine>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("before-build")]
    [InlineData("after-build")]
    [InlineData("before-up")]
    [InlineData("after-up")]
    public async Task A_run_that_is_killed_while_Compose_is_at_work_is_gone_on_with(string when)
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        var mark = stack.KillAtCompose(when);
        Assert.False(await InstallChild.KillAsync(stack, InstallStepName.Login, InstallMoment.Begins, Stop));
        Assert.False(File.Exists(mark));
        await stack.ComposeEndedAsync();

        await stack.AssertGoesOnAsync(null, when);
    }
}
