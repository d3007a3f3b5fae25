using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Secrets;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>Whoever installs is asked before a container is interrupted that somebody may be using, and only then.</summary>
public sealed class InterruptionTests
{
    [Fact]
    public async Task A_container_that_ran_before_is_named_and_left_alone_where_that_is_declined()
    {
        await using var site = await InstallSite.StartAsync();
        await site.InstallAsync(null, new ContainerStep());
        var engine = site.EngineSnapshot();
        var files = site.Snapshot();
        var asked = new List<PlannedChange>();

        var report = await site.RunAsync(site.NewInstaller(null, new AuthenticationStep()), site.Options with { Password = new SecretText("another-password") }, change =>
        {
            asked.Add(change);
            return Task.FromResult(change is not PlannedInstallChange { Interrupts: true });
        });

        Assert.Equal((InstallOutcome.Declined, InstallSite.Service), (report.Outcome, asked[^1].Target));
        Assert.Single(asked, change => change is PlannedInstallChange { Interrupts: true });
        Assert.Equal(engine, site.EngineSnapshot());
        Assert.Equal(files, site.Snapshot());
    }

    [Fact]
    public async Task A_container_that_the_same_run_has_started_is_nobodys_yet()
    {
        await using var site = await InstallSite.StartAsync();
        var asked = new List<PlannedChange>();

        await site.RunAsync(site.NewInstaller(null, new ContainerStep(), new AuthenticationStep()), site.Options, change =>
        {
            asked.Add(change);
            return Task.FromResult(true);
        });

        Assert.NotEmpty(asked);
        Assert.DoesNotContain(asked, change => change is PlannedInstallChange { Interrupts: true });
    }
}
