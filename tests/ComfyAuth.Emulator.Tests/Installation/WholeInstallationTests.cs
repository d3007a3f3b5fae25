using ComfyAuth.Installation;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>All steps, one after the other, from an empty folder to a picture.</summary>
public sealed class WholeInstallationTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_installed_and_the_second_run_changes_nothing()
    {
        await using var site = await SiteAsync();

        var report = await site.InstallAsync();

        Assert.True(report.Outcome == InstallOutcome.Installed, Told(report));
        Assert.Equal(7, report.Steps.Count);
        var (files, engine) = (site.Snapshot(), site.EngineSnapshot());
        report = await site.InstallAsync();
        Assert.True(report.Outcome == InstallOutcome.Unchanged, Told(report));
        Assert.All(report.Steps.SkipLast(1), step => Assert.Equal(StepStatus.Unchanged, step.Status));
        Assert.Equal(files, site.Snapshot());
        Assert.Equal(engine, site.EngineSnapshot());
    }

    [Fact]
    public async Task What_fails_last_takes_all_back_but_the_bytes_of_the_models()
    {
        await using var site = await SiteAsync();
        var before = site.Snapshot();

        var report = await site.RunAsync(site.NewInstaller((step, moment) => (step, moment) == (InstallStepName.TestImage, InstallMoment.Ends) ? throw new IOException("The disk is gone.") : Task.CompletedTask));

        Assert.True(report.Outcome == InstallOutcome.RolledBack, Told(report));
        Assert.Empty(site.EngineSnapshot());
        Assert.All(site.Snapshot().Except(before), line => Assert.StartsWith(InstallSite.ModelsFolder.Split('/')[0], line, StringComparison.Ordinal));
        Assert.Equal(3, site.Snapshot().Count(line => line.Contains(".safetensors.part ", StringComparison.Ordinal)));

        report = await site.InstallAsync();
        Assert.True(report.Outcome == InstallOutcome.Installed, Told(report));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_in_any_step_is_gone_on_with()
    {
        await using var site = await SiteAsync();
        foreach (var at in new[] { InstallStepName.Container, InstallStepName.Login, InstallStepName.Models, InstallStepName.Authentication, InstallStepName.TestImage })
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            var installer = site.NewInstaller((step, moment) =>
            {
                if (step == at && moment is InstallMoment.Changed or InstallMoment.Ends)
                    stop.Cancel();
                stop.Token.ThrowIfCancellationRequested();
                return Task.CompletedTask;
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => site.RunAsync(installer, stop: stop.Token));
        }

        var report = await site.InstallAsync();
        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: true }, Told(report));
        Assert.Equal(InstallOutcome.Unchanged, (await site.InstallAsync()).Outcome);
    }

    private static async Task<InstallSite> SiteAsync()
    {
        var site = await InstallSite.StartAsync(withModels: true);
        _ = new ContainerPrograms(site.Engine);
        var folder = Directory.CreateDirectory(site.PathOf("../server")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(folder, "output"), site.PathOf("docker-configurations/shared/outputs"));
        Directory.CreateSymbolicLink(Path.Combine(folder, "input"), site.PathOf("docker-configurations/shared/inputs"));
        site.ServerOptions = site.ServerOptions with { Folder = folder };
        return site;
    }

    private static string Told(InstallReport report) => string.Join("\n", report.Steps.Select(step => $"{step.Step} {step.Status} {step.ErrorCode}: {step.Message}").Concat(report.Kept).Prepend(report.Outcome.ToString()));
}
