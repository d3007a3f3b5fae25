using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Processes;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>The first step: what must be there already.</summary>
public sealed class PrerequisitesStepTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_everything_is_there_it_says_out_of_what_it_concludes_that_and_changes_nothing()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        var before = site.Snapshot();

        var step = await CheckAsync(site);

        Assert.Equal((StepStatus.Unchanged, ""), (step.Status, step.ErrorCode));
        foreach (var wanted in new[] { "20.10", "docker compose (emulated)", "16 GiB", $"port {site.Port}: free", "GPU: none", "free; ", "has the 3 files" })
            Assert.Contains(step.Evidence, line => line.Contains(wanted, StringComparison.Ordinal));
        Assert.Equal(before, site.Snapshot());
        Assert.Empty(site.EngineSnapshot());
    }

    [Fact]
    public async Task All_that_is_in_the_way_is_told_at_once()
    {
        Assert.SkipWhen(ProgramSearch.Locate("nvidia-container-runtime-hook").Any(), "This machine can give a GPU to containers.");
        await using var site = await InstallSite.StartAsync(withModels: true);
        using var other = new TcpListener(IPAddress.Loopback, site.Port);
        other.Start();
        site.HubEndpoint = new("http://127.0.0.1:9");
        site.Deployer.Before = _ => throw new ComfyAuthException("ComposeNotInstalled", "There is no compose.", "Install Docker Compose.");

        var step = await CheckAsync(site, site.Options with { Cpu = false });

        Assert.Equal((StepStatus.Failed, "PrerequisitesMissing"), (step.Status, step.ErrorCode));
        Assert.StartsWith("4 things are in the way. (1) There is no compose.", step.Message, StringComparison.Ordinal);
        foreach (var wanted in new[] { $"Port {site.Port}", "GPU", "hub cannot be reached" })
            Assert.Contains(wanted, step.Message, StringComparison.Ordinal);
        foreach (var wanted in new[] { "(1) Install Docker Compose.", "-Port", "-Cpu", "HF_ENDPOINT", "-SkipModels", "(4)" })
            Assert.Contains(wanted, step.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_hub_is_needed_where_all_models_are_there()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        foreach (var (model, standIn) in DefaultLayout.QwenModels.Zip(site.Models))
            File.WriteAllBytes(site.Write($"{InstallSite.ModelsFolder}/{model.Kind}/{model.Name}", ""), standIn.Content.Read(0, (int)standIn.Content.Length));
        site.HubEndpoint = new("http://127.0.0.1:9");

        Assert.Equal(StepStatus.Unchanged, (await CheckAsync(site)).Status);
    }

    [Fact]
    public async Task Where_the_models_are_left_out_the_hub_is_not_asked()
    {
        await using var site = await InstallSite.StartAsync();
        site.HubEndpoint = new("http://127.0.0.1:9");

        Assert.Equal(StepStatus.Unchanged, (await CheckAsync(site, site.Options with { Skip = InstallParts.Models })).Status);
    }

    [Fact]
    public async Task A_file_that_the_hub_does_not_have_is_told_before_anything_is_built()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Write(GenAIStack.FileName, site.Read(GenAIStack.FileName).Replace("split_files/vae/", "split_files/gone/", StringComparison.Ordinal));

        var step = await CheckAsync(site);

        Assert.Equal("PrerequisitesMissing", step.ErrorCode);
        Assert.Contains("split_files/gone/qwen_image_vae.safetensors", step.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_our_own_container_has_is_no_obstacle_and_that_of_another_is_named()
    {
        await using var site = await InstallSite.StartAsync();
        var options = site.Options with { Skip = InstallParts.Models };
        await site.InstallAsync(options, new ContainerStep());
        Assert.Equal(StepStatus.Unchanged, (await CheckAsync(site, options)).Status);

        await site.Client.RemoveContainerAsync(InstallSite.Service, force: true, Stop);
        site.Engine.Add(new() { Name = "squatter", Image = "x:1", CreatedAt = DateTimeOffset.UtcNow, Ports = [new(80, "tcp", "127.0.0.1", site.Port)] });
        var step = await CheckAsync(site, options);

        Assert.Equal("PrerequisitesMissing", step.ErrorCode);
        Assert.Contains("'squatter'", step.Message, StringComparison.Ordinal);
        Assert.Contains("docker stop squatter", step.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_port_than_that_of_the_stack_file_is_refused()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);

        var step = await CheckAsync(site, site.Options with { Port = 1234 });

        Assert.Contains("1234", step.Message, StringComparison.Ordinal);
        Assert.Contains(site.Port.ToString(CultureInfo.InvariantCulture), step.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_that_do_not_fit_are_told_and_what_an_unfinished_download_has_is_deducted()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "it needs files with holes");
        await using var site = await InstallSite.StartAsync(withModels: true);
        var size = new DriveInfo(Path.GetTempPath()).AvailableFreeSpace + (2L << 30);
        site.Write(GenAIStack.FileName, site.Read(GenAIStack.FileName).Replace("size: 200000", $"size: {size}", StringComparison.Ordinal));

        var step = await CheckAsync(site);
        Assert.Contains("the folder of the models", step.Message, StringComparison.Ordinal);
        Assert.Contains("is needed", step.Message, StringComparison.Ordinal);

        var model = DefaultLayout.QwenModels[0];
        using (var part = File.OpenWrite(site.Write($"{InstallSite.ModelsFolder}/{model.Kind}/{model.Name}.part", "")))
            part.SetLength(size);
        Assert.Equal((StepStatus.Unchanged, ""), (await CheckAsync(site) is var then ? then.Status : default, ""));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_is_told()
    {
        await using var site = await InstallSite.StartAsync();
        using var folder = new TemporaryFolder();
        folder.Write("file", "");

        var step = await CheckAsync(site, site.Options with { Skip = InstallParts.Models, ReportDirectory = folder.PathOf("file/reports") });

        Assert.Equal("PrerequisitesMissing", step.ErrorCode);
        Assert.Contains("is a file", step.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(InstallParts.Models, StepStatus.Failed)]
    [InlineData(InstallParts.Models | InstallParts.Docker, StepStatus.Unchanged)]
    public async Task An_engine_that_does_not_answer_is_in_the_way_only_of_a_container(InstallParts skip, StepStatus expected)
    {
        await using var site = await InstallSite.StartAsync();
        await using var nobody = new DockerClient(DockerEndpoint.Parse("tcp://127.0.0.1:9", "a test"));
        var installer = new Installer(nobody, site.Deployer, site.Redactor, site.Verifier) { Steps = [new PrerequisitesStep()] };

        var step = (await site.RunAsync(installer, site.Options with { Skip = skip })).Steps[0];

        Assert.Equal(expected, step.Status);
        Assert.Contains(step.Evidence.Append(step.Message), line => line.Contains("does not run", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_compose_file_that_cannot_be_read_is_told_with_its_line()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Write($"{InstallSite.ServiceFolder}/docker-compose.yml", "services:\n  comfyui-qwen: [\n");

        var step = await CheckAsync(site);

        Assert.Equal("PrerequisitesMissing", step.ErrorCode);
        Assert.Contains("docker-compose.yml", step.Message, StringComparison.Ordinal);
    }

    private static async Task<StepResult> CheckAsync(InstallSite site, InstallOptions? options = null) =>
        (await site.InstallAsync(options, new PrerequisitesStep())).Steps[0];
}
