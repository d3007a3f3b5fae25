using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>A picture is made and looked at; only what was looked at is claimed, and nothing of it stays.</summary>
public sealed class TestImageStepTests
{
    private const string Outputs = "docker-configurations/shared/outputs";
    private const string Inputs = "docker-configurations/shared/inputs";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_the_processor_only_the_small_picture_is_made_and_that_is_said()
    {
        await using var site = await SiteAsync();
        var before = site.Snapshot();

        var report = await site.InstallAsync(null, new TestImageStep());

        Assert.True(report.Outcome == InstallOutcome.Unchanged, report.Steps[0].Message);
        Assert.Equal("The server made a picture, without a model, as asked.", report.Steps[0].Message);
        Assert.Contains(report.Steps[0].Evidence, line => line.StartsWith("The models were not tried: ComfyUI runs on the processor", StringComparison.Ordinal));
        Assert.Equal(before, site.Snapshot());
        Assert.Equal(InstallOutcome.Unchanged, (await site.InstallAsync(null, new TestImageStep())).Outcome);
    }

    [Fact]
    public async Task On_a_GPU_with_all_models_a_picture_is_edited()
    {
        await using var site = await SiteAsync(gpu: true);
        var before = site.Snapshot();

        // The steps begin when somebody listens, who asks for the queue once he does: who comes too late hears of none.
        using var listens = new ManualResetEventSlim();
        site.Server!.Faults = request =>
        {
            if (request.Path == "/prompt")
                listens.Reset();
            if (request.Path == "/queue")
                request.HttpContext.Response.OnCompleted(SetAsync);
            return null;
        };
        site.Server.NodeFaults = (_, name) => name != "KSampler" || listens.Wait(TimeSpan.FromMinutes(1), Stop) ? null : throw new TimeoutException("Nobody listens.");

        var report = await site.InstallAsync(site.Options with { Cpu = false }, new TestImageStep());

        Assert.True(report.Outcome == InstallOutcome.Unchanged, report.Steps[0].Message);
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains("was edited with the models", StringComparison.Ordinal));
        Assert.Contains(site.Progress, told => told.Status.Contains("step 20 of 20", StringComparison.Ordinal));
        Assert.Equal(before, site.Snapshot());

        Task SetAsync()
        {
            listens.Set();
            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task A_model_that_is_missing_is_named_and_nothing_is_claimed()
    {
        await using var site = await SiteAsync(gpu: true, models: false);

        var report = await site.InstallAsync(site.Options with { Cpu = false }, new TestImageStep());

        Assert.Equal("The server made a picture, without a model, as asked.", report.Steps[0].Message);
        Assert.Contains(report.Steps[0].Evidence, line => line.StartsWith("The models were not tried: UNETLoader", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("another colour", false, "should have #")]
    [InlineData("another size", false, "pixels, and should have")]
    [InlineData("no picture", false, "cannot be decoded")]
    [InlineData("flat", true, "one colour")]
    [InlineData("noise", true, "noise")]
    [InlineData("the reference", true, "is the reference again")]
    public async Task A_picture_that_is_not_the_one_that_was_asked_for_is_a_failure(string fault, bool gpu, string message)
    {
        await using var site = await SiteAsync(gpu);
        var before = site.Contents();
        var asked = 0;
        site.Server!.Faults = request =>
        {
            if (request.Path == "/view" && (!gpu || ++asked == 2))
                Spoil(Path.Combine(site.PathOf(Outputs), request.Query["filename"]!), fault);
            return null;
        };

        var report = await site.InstallAsync(site.Options with { Cpu = !gpu }, new TestImageStep());

        Assert.Equal((InstallOutcome.RolledBack, "TestImageWrong"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Contains(message, report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Equal(before, site.Contents());
    }

    [Fact]
    public async Task A_node_that_fails_is_a_failure()
    {
        await using var site = await SiteAsync(gpu: true);
        var before = site.Contents();
        site.Server!.NodeFaults = (_, name) => name == "KSampler" ? NodeFault.OutOfMemory : null;

        var report = await site.InstallAsync(site.Options with { Cpu = false }, new TestImageStep());

        Assert.Equal("WorkflowFailed", report.Steps[0].ErrorCode);
        Assert.Contains("OutOfMemory", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Equal(before, site.Contents());
    }

    [Fact]
    public async Task Who_does_not_take_our_token_is_not_tested()
    {
        await using var site = await SiteAsync();
        site.Server!.Faults = request => request.Headers.Authorization.Count > 0 ? new() { Answer = Emulator.Faults.FaultAnswer.Error(401, "Authentication required.") } : null;

        Assert.Equal("ServiceRefusedToken", (await site.InstallAsync(null, new TestImageStep())).Steps[0].ErrorCode);

        File.Delete(site.PathOf(".secrets/comfyui_auth_tokens.conf"));
        Assert.Equal("TestImageNotAsked", (await site.InstallAsync(null, new TestImageStep())).Steps[0].ErrorCode);
    }

    [Fact]
    public async Task What_an_interrupted_trial_left_is_removed_by_the_next_and_no_other_file_is()
    {
        await using var site = await SiteAsync();
        var (left, mine) = (site.Write($"{Outputs}/comfyauth_0123456789ab_00001_.png", "left"), site.Write($"{Outputs}/mine.png", "mine"));
        var journal = InstallJournal.Read(site.Root);
        journal.Begin();
        journal.Enter(InstallStepName.TestImage);
        journal.Note(InstallChangeKind.Output, left);
        journal.Note(InstallChangeKind.Output, mine);

        var report = await site.InstallAsync(null, new TestImageStep());

        Assert.Equal(InstallOutcome.Unchanged, report.Outcome);
        Assert.False(File.Exists(left));
        Assert.True(File.Exists(mine));
    }

    [Fact]
    public async Task A_trial_that_is_cancelled_can_be_gone_on_with()
    {
        await using var site = await SiteAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        site.Server!.NodeFaults = (_, _) =>
        {
            stop.Cancel();
            return NodeFault.Hang;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => site.RunAsync(site.NewInstaller(null, new TestImageStep()), stop: stop.Token));
        site.Server.NodeFaults = null;

        var report = await site.InstallAsync(null, new TestImageStep());

        Assert.True(report.IsResumed);
        Assert.Equal(InstallOutcome.Unchanged, report.Outcome);
        Assert.Empty(Directory.EnumerateFiles(site.PathOf(Outputs), "*.png"));
    }

    /// <summary>A site whose server keeps its pictures where the container's folders are mounted from.</summary>
    private static async Task<InstallSite> SiteAsync(bool gpu = false, bool models = true)
    {
        var site = await InstallSite.StartAsync();
        var folder = Directory.CreateDirectory(site.PathOf("../server")).FullName;
        Directory.CreateSymbolicLink(Path.Combine(folder, "output"), site.PathOf(Outputs));
        Directory.CreateSymbolicLink(Path.Combine(folder, "input"), site.PathOf(Inputs));
        site.ServerOptions = site.ServerOptions with { Folder = folder, GpuMemory = gpu ? 24L << 30 : null };
        if (!models)
            site.ServerOptions = site.ServerOptions with { Models = new Dictionary<string, IReadOnlyList<string>>() };
        var report = await site.InstallAsync(null, new ContainerStep());
        Assert.True(report.Outcome == InstallOutcome.Installed, string.Join("; ", site.Results.Select(result => result.Message)));
        return site;
    }

    private static void Spoil(string path, string fault)
    {
        var picture = PngFile.Read(File.ReadAllBytes(path));
        switch (fault)
        {
            case "another colour":
                picture = Picture.Flat(picture.Width, picture.Height, 0x010203);
                break;
            case "another size":
                picture = Picture.Flat(picture.Width, picture.Height + 1, 0x808080);
                break;
            case "flat":
                picture = Picture.Flat(picture.Width, picture.Height, 0x808080);
                break;
            case "noise":
                var noise = new byte[picture.Rgb.Length];
                new Random(7).NextBytes(noise);
                picture = picture with { Rgb = noise };
                break;
            case "the reference":
                using (var stream = typeof(Installer).Assembly.GetManifestResourceStream("ComfyAuth.Installation.Workflows.reference.png")!)
                using (var reference = new MemoryStream())
                {
                    stream.CopyTo(reference);
                    picture = PngFile.Read(reference.ToArray()).ScaledForKontext();
                }

                break;
            default:
                File.WriteAllText(path, "<html>");
                return;
        }

        File.WriteAllBytes(path, PngFile.Write(picture));
    }
}
