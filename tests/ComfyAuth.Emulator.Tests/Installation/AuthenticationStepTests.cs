using ComfyAuth.Emulator.Faults;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Secrets;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>The credential is made the same everywhere and proven live; where it is not, files and container are as before.</summary>
public sealed class AuthenticationStepTests
{
    private const string Environment = InstallSite.ServiceFolder + "/.env";
    private static readonly SecretText Password = new("a-new-password-of-mine");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_laid_out_is_proven_on_all_layers_and_left_alone()
    {
        await using var site = await SiteAsync();
        var (files, engine) = (site.Snapshot(), site.EngineSnapshot());

        var report = await site.InstallAsync(null, new AuthenticationStep());

        Assert.True(report.Outcome == InstallOutcome.Unchanged, report.Steps[0].Message);
        foreach (var place in new[] { ".secrets/comfyui_auth_tokens.conf: Match", "comfyui-qwen: Match", $"comfyui-qwen:{DeploymentTemplates.PasswordFile}: Match", $"http://localhost:{site.Port}/system_stats: Match" })
            Assert.Contains(report.Steps[0].Evidence, line => line.StartsWith(place, StringComparison.Ordinal));
        Assert.Equal(files, site.Snapshot());
        Assert.Equal(engine, site.EngineSnapshot());
    }

    [Fact]
    public async Task A_password_that_is_given_becomes_the_credential_everywhere()
    {
        await using var site = await SiteAsync();
        var options = site.Options with { UserName = "alice", Password = Password };

        var report = await site.InstallAsync(options, new AuthenticationStep());

        Assert.True(report.Outcome == InstallOutcome.Installed, report.Steps[0].Message);
        var token = BearerToken.Of(site.Stack, site.Stack.Definition.Services[0], site.Redactor)!.Value;
        Assert.StartsWith($"{token.Reveal()}\n", site.Read(InstallSite.PasswordFile), StringComparison.Ordinal);
        Assert.Contains("COMFYUI_USERNAME=alice", site.Read(Environment), StringComparison.Ordinal);
        Assert.True(site.Verifier.Verify(Password, token, Stop));
        Assert.DoesNotContain(Password.Reveal(), string.Concat(site.Progress.Select(told => told.Status).Concat(report.Steps.SelectMany(step => step.Evidence).Concat(report.Steps.SelectMany(step => step.Changes)))), StringComparison.Ordinal);

        var (files, engine) = (site.Snapshot(), site.EngineSnapshot());
        Assert.Equal(InstallOutcome.Unchanged, (await site.InstallAsync(options, new AuthenticationStep())).Outcome);
        Assert.Equal(files, site.Snapshot());
        Assert.Equal(engine, site.EngineSnapshot());
    }

    [Fact]
    public async Task A_place_that_drifted_is_written_anew()
    {
        await using var site = await SiteAsync();
        var before = site.Read(Environment);
        site.Write(Environment, before.Replace("COMFYUI_BEARER_TOKEN='", "COMFYUI_BEARER_TOKEN='x", StringComparison.Ordinal));

        Assert.Equal(InstallOutcome.Installed, (await site.InstallAsync(null, new AuthenticationStep())).Outcome);

        Assert.Equal(before, site.Read(Environment));
    }

    [Fact]
    public async Task What_cannot_be_proven_goes_back_byte_for_byte()
    {
        await using var site = await SiteAsync();
        var (files, start) = (site.Contents(), site.Engine.Starting);
        site.Engine.Starting = container =>
        {
            start!(container);
            site.Server!.Faults = request => request.Headers.Authorization.Count > 0 ? new() { Answer = FaultAnswer.Error(401, "Authentication required.") } : null;
        };

        var report = await site.InstallAsync(site.Options with { Password = Password }, new AuthenticationStep());

        Assert.Equal((InstallOutcome.RolledBack, "TokenProofFailed"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Equal(files, site.Contents());
    }

    [Fact]
    public async Task A_failure_after_the_change_puts_the_files_back_and_starts_the_container_with_them()
    {
        await using var site = await SiteAsync();
        var files = site.Contents();
        var token = BearerToken.Of(site.Stack, site.Stack.Definition.Services[0], site.Redactor)!.Value;

        var report = await site.RunAsync(
            site.NewInstaller((_, moment) => moment == InstallMoment.Changed ? throw new IOException("The disk is gone.") : Task.CompletedTask, new AuthenticationStep()),
            site.Options with { Password = Password });

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(files, site.Contents());
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new("Bearer", token.Reveal()) } };
        Assert.True((await http.GetAsync(new Uri($"http://127.0.0.1:{site.Port}/system_stats"), Stop)).IsSuccessStatusCode);
    }

    [Fact]
    public async Task A_credential_that_somebody_writes_while_ours_is_about_to_be_written_is_kept_and_named()
    {
        await using var site = await SiteAsync();
        const string source = ".secrets/comfyui_auth_tokens.conf";
        var old = site.Read(source);
        var installer = new Installer(site.Client, site.Deployer, site.Redactor, site.Verifier)
        {
            Steps = [new AuthenticationStep()],
            AtJournal = () =>
            {
                var records = Directory.EnumerateFiles(site.PathOf(".comfyauth/installs"), "repair.json", SearchOption.AllDirectories);
                if (records.Count(record => File.ReadAllText(record).Contains(source, StringComparison.Ordinal)) > 1 && site.Read(source) == old)
                    site.Write(source, old + "# newer\n");
            },
        };

        var report = await site.RunAsync(installer, site.Options with { Password = Password });

        Assert.Equal((InstallOutcome.RolledBack, "FileChangedMeanwhile"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Equal(old + "# newer\n", site.Read(source));
        Assert.Contains(report.Kept, line => line.Contains(source, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_that_does_not_come_back_with_the_old_files_is_named()
    {
        await using var site = await SiteAsync();
        var files = site.Contents();

        var report = await site.RunAsync(
            site.NewInstaller(
                (_, moment) =>
                {
                    if (moment != InstallMoment.Changed)
                        return Task.CompletedTask;
                    site.Engine.Starting = container => site.Engine.Change(container.Name, now => now with { State = Docker.ContainerState.Exited, ExitCode = 1, RestartPolicy = "no" });
                    throw new IOException("The disk is gone.");
                },
                new AuthenticationStep()),
            site.Options with { Password = Password });

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(files, site.Contents());
        Assert.Contains(report.Kept, line => line.StartsWith($"container {InstallSite.Service}", StringComparison.Ordinal) && line.Contains("does not answer", StringComparison.Ordinal));
    }

    [Fact]
    public async Task That_nobody_could_be_asked_is_no_proof()
    {
        await using var site = await SiteAsync();
        await site.Client.StopAsync(InstallSite.Service, stop: Stop);
        var files = site.Snapshot();

        var report = await site.InstallAsync(null, new AuthenticationStep());

        Assert.Equal("TokenNotProven", report.Steps[0].ErrorCode);
        Assert.NotEmpty(report.Steps[0].Remedy);
        Assert.Equal(files, site.Snapshot());
    }

    private static async Task<InstallSite> SiteAsync()
    {
        var site = await InstallSite.StartAsync();
        var report = await site.InstallAsync(null, new ContainerStep());
        Assert.True(report.Outcome == InstallOutcome.Installed, string.Join("; ", site.Results.Select(result => result.Message)));
        return site;
    }
}
