using System.Security.Cryptography;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Models;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>The models are got into the folder that the container reads, and what is there whole is left alone.</summary>
public sealed class ModelsStepTests
{
    [Fact]
    public async Task Missing_models_are_downloaded_and_the_second_run_asks_nobody()
    {
        await using var site = await SiteAsync();

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.True(report.Outcome == InstallOutcome.Installed, report.Steps[0].Message);
        Assert.Equal(site.Models.Select(model => model.Content.Sha256), DefaultLayout.QwenModels.Select(model => Sha256(site, model)));
        Assert.Equal(3, report.Steps[0].Changes.Count);
        Assert.Equal(3, report.Steps[0].Evidence.Count(line => line.StartsWith("ComfyUI lists", StringComparison.Ordinal)));
        Assert.Contains(site.Progress, told => told.Total == site.Models.Sum(model => model.Content.Length));

        var (asked, before) = (site.Hub.Requests, site.Snapshot());
        Assert.Equal((InstallOutcome.Unchanged, StepStatus.Unchanged), await AgainAsync(site));
        Assert.Equal(asked, site.Hub.Requests);
        Assert.Equal(before, site.Snapshot());
    }

    [Fact]
    public async Task What_was_downloaded_is_kept_for_the_next_run_when_another_file_fails()
    {
        await using var site = await SiteAsync();
        var before = site.Snapshot();
        site.Hub.Faults = request => request.Path.Value!.Contains("/vae/", StringComparison.Ordinal) ? new() { Answer = FaultAnswer.Error(404, "Entry not found") } : null;

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.StartsWith("Hub", report.Steps[0].ErrorCode, StringComparison.Ordinal);
        Assert.Contains("1 of 3 model files", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Contains(report.Kept, line => line.Contains("unfinished download", StringComparison.Ordinal));
        Assert.DoesNotContain(site.Snapshot(), line => line.Contains(".safetensors ", StringComparison.Ordinal));
        Assert.Empty(before.Except(site.Snapshot()));

        site.Hub.Faults = null;
        var loaded = site.Hub.Storage.Requests;
        Assert.Equal(InstallOutcome.Installed, (await site.InstallAsync(null, new ModelsStep())).Outcome);
        Assert.Equal(site.Models.Select(model => model.Content.Sha256), DefaultLayout.QwenModels.Select(model => Sha256(site, model)));
        Assert.True(site.Hub.Storage.Requests - loaded <= 2, "Only the file that failed is loaded.");
    }

    [Fact]
    public async Task A_token_that_the_hub_does_not_know_does_not_keep_public_files_away()
    {
        await using var site = await SiteAsync();

        var report = await site.InstallAsync(site.Options with { HuggingFaceToken = new("hf_thisIsNoLongerValid") }, new ModelsStep());

        Assert.Equal(InstallOutcome.Installed, report.Outcome);
        Assert.DoesNotContain(site.Progress, told => told.Status.Contains("hf_thisIsNoLongerValid", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_file_that_is_not_the_right_one_is_set_aside_and_got_anew()
    {
        await using var site = await SiteAsync();
        var model = DefaultLayout.QwenModels[2];
        site.Write($"{InstallSite.ModelsFolder}/{model.Path}", "<!DOCTYPE html><title>Sign in</title>");

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.True(report.Outcome == InstallOutcome.Installed, report.Steps[0].Message);
        Assert.Contains(report.Steps[0].Changes, line => line.Contains("because what is there is not right", StringComparison.Ordinal));
        Assert.Equal(site.Models[2].Content.Sha256, Sha256(site, model));
        Assert.StartsWith("<!DOCTYPE", site.Read($"{InstallSite.ModelsFolder}/{model.Path}.corrupt"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_user_in_the_container_is_neither_replaced_nor_taken_away()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Deployer.Container = container => container with { Mounts = [.. container.Mounts.Where(mount => !mount.Destination.EndsWith("/models", StringComparison.Ordinal))] };
        await site.InstallAsync(null, new ContainerStep());
        var path = $"/workspace/ComfyUI/models/{DefaultLayout.QwenModels[2].Path}";
        var container = site.Engine.Containers[0];
        site.Engine.Change(container.Name, now => now with { Files = now.Files.Append(new(path, new("a model of mine"))).ToDictionary() });

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.Equal((InstallOutcome.RolledBack, "ModelFileInvalid"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Equal("a model of mine", System.Text.Encoding.UTF8.GetString(site.Engine.Containers[0].Files[path].Content.Span));
    }

    [Fact]
    public async Task A_file_of_the_user_keeps_its_name_where_the_right_one_does_not_come()
    {
        await using var site = await SiteAsync();
        var path = $"{InstallSite.ModelsFolder}/{DefaultLayout.QwenModels[2].Path}";
        site.Write(path, "a model of mine");
        site.Hub.Faults = request => request.Path.Value!.Contains("/vae/", StringComparison.Ordinal) ? new() { Answer = FaultAnswer.Error(404, "Entry not found") } : null;

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal("a model of mine", site.Read(path));
        Assert.Contains(report.Kept, line => line.Contains("not the file that was downloaded", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_is_downloaded_into_a_folder_that_the_container_does_not_read()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Deployer.Container = container => container with { Mounts = [.. container.Mounts.Select(mount => mount.Destination.EndsWith("/models", StringComparison.Ordinal) ? mount with { Source = site.PathOf("other") } : mount)] };
        Directory.CreateDirectory(site.PathOf("other"));
        await site.InstallAsync(null, new ContainerStep());
        var before = site.Snapshot();

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.Equal("ModelsFolderNotMounted", report.Steps[0].ErrorCode);
        Assert.Contains(site.PathOf("other"), report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Equal(0, site.Hub.Requests);
        Assert.Equal(before, site.Snapshot());
    }

    [Fact]
    public async Task Where_no_folder_is_mounted_the_models_get_into_the_container_and_out_again_when_it_is_taken_back()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        const string models = "/workspace/ComfyUI/models";
        site.Deployer.Container = container => container with
        {
            Mounts = [.. container.Mounts.Where(mount => mount.Destination != models)],
            Files = new Dictionary<string, EmulatedFile>(container.Files) { [models] = EmulatedFile.Directory },
        };
        await site.InstallAsync(null, new ContainerStep());
        var programs = new ContainerPrograms(site.Engine);
        var before = site.Snapshot();

        var failed = await site.RunAsync(site.NewInstaller((_, moment) => moment == InstallMoment.Ends ? throw new ComfyAuthException("DiskFull", "No.", "Again.") : Task.CompletedTask, new ModelsStep()));

        Assert.Equal(InstallOutcome.RolledBack, failed.Outcome);
        Assert.All(DefaultLayout.QwenModels, model => Assert.Contains(programs.Ran, line => line.StartsWith("0: ", StringComparison.Ordinal) && line.EndsWith($" {models}/{model.Path}", StringComparison.Ordinal)));
        Assert.Equal(before, site.Snapshot());

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.True(report.Outcome == InstallOutcome.Installed, report.Steps[0].Message);
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains("go when it is made anew", StringComparison.Ordinal));
        foreach (var (model, standIn) in DefaultLayout.QwenModels.Zip(site.Models))
        {
            var file = await site.Client.ReadFileAsync(InstallSite.Service, $"{models}/{model.Path}", 1 << 20, TestContext.Current.CancellationToken);
            Assert.Equal(standIn.Content.Sha256, Convert.ToHexStringLower(SHA256.HashData(file.Content.Span)));
        }

        Assert.Equal(before, site.Snapshot());
        Assert.False(Directory.Exists(site.PathOf(".comfyauth/models")));
        var asked = site.Hub.Requests;
        Assert.Equal((InstallOutcome.Unchanged, StepStatus.Unchanged), await AgainAsync(site));
        Assert.Equal(asked, site.Hub.Requests);
    }

    [Fact]
    public async Task Models_that_ComfyUI_does_not_list_are_a_failure()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.ServerOptions = site.ServerOptions with { Models = new Dictionary<string, IReadOnlyList<string>> { ["vae"] = [DefaultLayout.QwenModels[2].Name] } };
        await site.InstallAsync(null, new ContainerStep());

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.Equal((InstallOutcome.RolledBack, "ModelsNotListed"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Contains(DefaultLayout.QwenModels[0].Path, report.Steps[0].Message, StringComparison.Ordinal);
        Assert.DoesNotContain(DefaultLayout.QwenModels[2].Path, report.Steps[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_ComfyUI_cannot_be_asked_the_files_are_proven_alone_and_that_is_told()
    {
        await using var site = await SiteAsync();
        site.Server!.Faults = _ => new() { Answer = FaultAnswer.Error(503, "busy") };

        var report = await site.InstallAsync(null, new ModelsStep());

        Assert.Equal(InstallOutcome.Installed, report.Outcome);
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains("could not be asked", StringComparison.Ordinal));
    }

    [Fact]
    public void The_time_left_is_that_of_all_files_together_and_stands_in_no_text()
    {
        List<(string Status, TimeSpan? Left)> told = [];
        var (first, second) = (Download("first", 1000), Download("second", 2000));
        var loading = new ModelsStep.Loading((status, _, _, left) => told.Add((status, left)), [first, second]);

        loading.Report(new(first, ModelDownloadPhase.Downloading, 400, 1000, 100, TimeSpan.FromSeconds(6)));
        Assert.Equal(TimeSpan.FromSeconds(26), told[^1].Left);
        loading.Report(new(second, ModelDownloadPhase.Downloading, 0, 2000, 300, TimeSpan.FromSeconds(7)));
        Assert.Equal(TimeSpan.FromSeconds(6.5), told[^1].Left);
        loading.Report(new(first, ModelDownloadPhase.Verifying, 1000, 1000, 500, TimeSpan.FromSeconds(9)));
        Assert.Equal(TimeSpan.FromSeconds(2000 / 300.0), told[^1].Left);
        loading.Report(new(second, ModelDownloadPhase.Downloading, 0, 2000, 0, null));
        Assert.Null(told[^1].Left);
        Assert.DoesNotContain(told, line => line.Status.Contains("left", StringComparison.Ordinal));

        static ModelDownload Download(string name, long size) => new() { Source = new HubFile("owner/name", name), Target = Path.Combine(Path.GetTempPath(), name), SizeInBytes = size };
    }

    [Fact]
    public async Task A_journal_cannot_have_other_files_taken_away()
    {
        await using var site = await SiteAsync();
        site.Write("mine.safetensors", "mine");

        var report = await site.RunAsync(site.NewInstaller(
            (_, moment) => moment == InstallMoment.Ends ? throw new IOException("The disk is gone.") : Task.CompletedTask,
            new ForgingStep(InstallChangeKind.Model, site.PathOf("mine.safetensors"))));

        Assert.Contains(report.Kept, line => line.Contains("no model of this service", StringComparison.Ordinal));
        Assert.Equal("mine", site.Read("mine.safetensors"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_removal_takes_models_only_where_the_data_are_to_go(bool removeData)
    {
        await using var site = await SiteAsync();
        await site.InstallAsync(null, new ModelsStep());
        var mine = site.Write($"{InstallSite.ModelsFolder}/vae/mine.safetensors", "mine");
        var context = new InstallContext
        {
            Stack = site.Stack,
            Options = site.Options,
            Engine = site.Client,
            Deployer = site.Deployer,
            Redactor = site.Redactor,
            Verifier = site.Verifier,
            Journal = InstallJournal.Read(site.Root),
            Logger = Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance,
            Tell = (_, _, _, _) => { },
        };
        var changes = context.Journal.Changes.Where(change => change.Step == InstallStepName.Models).ToList();

        var outcomes = new Dictionary<string, UndoOutcome>();
        await foreach (var undone in new InstallUndo(context, isRemoval: true, removeData).RunAsync(changes, null, TestContext.Current.CancellationToken))
            outcomes[undone.Target] = undone.Outcome;

        foreach (var path in DefaultLayout.QwenModels.Select(model => $"{InstallSite.ModelsFolder}/{model.Path}"))
        {
            Assert.Equal(removeData ? UndoOutcome.Undone : UndoOutcome.Kept, outcomes[path]);
            Assert.Equal(!removeData, File.Exists(site.PathOf(path)));
        }

        Assert.Equal("mine", File.ReadAllText(mine));
        Assert.Equal(!removeData, Directory.Exists(site.PathOf($"{InstallSite.ModelsFolder}/text_encoders")));
    }

    private static async Task<InstallSite> SiteAsync()
    {
        var site = await InstallSite.StartAsync(withModels: true);
        var report = await site.InstallAsync(null, new ContainerStep());
        Assert.True(report.Outcome == InstallOutcome.Installed, string.Join("; ", site.Results.Select(result => result.Message)));
        return site;
    }

    private static async Task<(InstallOutcome Outcome, StepStatus Status)> AgainAsync(InstallSite site)
    {
        var report = await site.InstallAsync(null, new ModelsStep());
        return (report.Outcome, report.Steps[0].Status);
    }

    private static string Sha256(InstallSite site, ModelFile model) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(site.PathOf($"{InstallSite.ModelsFolder}/{model.Path}"))));
}
