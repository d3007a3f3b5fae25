using System.Runtime.Versioning;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>Installations on a real engine that are killed, and started again.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class InstallKillTests(TestEngine engine) : IClassFixture<TestEngine>
{
    /// <summary>Each moment that there is in an installation from an empty folder.</summary>
    private static readonly (InstallStepName Step, InstallMoment Moment)[] Points =
    [
        .. from step in Enum.GetValues<InstallStepName>()
           where step != InstallStepName.Report
           from moment in Enum.GetValues<InstallMoment>()
           where moment is InstallMoment.Begins or InstallMoment.Ends || step is InstallStepName.Container or InstallStepName.Login or InstallStepName.Models
           select (step, moment),
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_that_is_killed_at_any_step_is_gone_on_with_to_the_same_end()
    {
        IReadOnlyList<string> expected;
        await using (var undisturbed = await InstallStack.MakeWholeAsync(engine))
        {
            Assert.Equal(InstallOutcome.Installed, (await undisturbed.InstallAsync()).Outcome);
            expected = undisturbed.Names();
        }

        foreach (var (step, moment) in Points.Where(point => point.Moment == InstallMoment.Ends || point.Moment == InstallMoment.Changed || point == (InstallStepName.Container, InstallMoment.Changes)))
        {
            await using var stack = await InstallStack.MakeWholeAsync(engine);
            await InstallChild.KillAsync(stack, step, moment, Stop);

            await stack.AssertGoesOnAsync(expected, $"{step} {moment}");
        }
    }

    [Fact]
    public async Task A_run_that_is_killed_at_each_step_in_turn_comes_to_the_same_end()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        foreach (var (step, moment) in Points)
            await InstallChild.KillAsync(stack, step, moment, Stop);

        await stack.AssertGoesOnAsync(null, "each in turn");

        var last = await stack.InstallAsync();
        Assert.True(last.Outcome == InstallOutcome.Unchanged, InstallStack.Told(last));
    }

    [Fact]
    public async Task A_run_that_was_killed_after_each_note_in_its_journal_is_taken_back_as_a_whole()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        stack.Write("notes/mine.txt", "mine");
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());
        var writes = 1;
        while (await InstallChild.KillAsync(stack, InstallStepName.TestImage, InstallMoment.Ends, Stop, writes))
            writes++;
        Assert.InRange(writes, 10, 100);

        var report = await stack.InstallAsync(InstallStack.FailAt(InstallStepName.TestImage, InstallMoment.Begins));

        Assert.True(report.Outcome == InstallOutcome.RolledBack, InstallStack.Told(report));
        stack.AssertOnlyDownloads(files, InstallStack.Models);
        Assert.Equal(made, await stack.EngineSnapshotAsync());

        report = await stack.InstallAsync();
        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: false }, InstallStack.Told(report));
        Assert.Equal(stack.ModelBytes, stack.Hub!.Storage.BytesServed);
        await stack.AssertGuardedAsync();
    }
}
