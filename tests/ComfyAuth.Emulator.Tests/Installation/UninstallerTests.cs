using ComfyAuth.Files;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Processes;
using ComfyAuth.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Emulator.Tests.Installation;

public sealed class UninstallerTests : IAsyncLifetime
{
    private const string Volume = "comfyui-qwen_cache";

    private InstallSite _site = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Journal => _site.PathOf(".comfyauth/install.json");

    public async ValueTask InitializeAsync() => _site = await InstallSite.StartAsync();

    public async ValueTask DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task What_an_installation_made_goes_and_what_was_there_before_stays()
    {
        _site.Write("mine.txt", "mine");
        var before = _site.Snapshot();
        await InstallAsync();

        var undone = await UninstallAsync(removeData: true);

        Assert.Equal(before, _site.Snapshot());
        Assert.All(undone, change => Assert.Equal((UndoOutcome.Undone, ""), (change.Outcome, change.Message)));
        Assert.Equal(before, _site.Snapshot());
        Assert.Empty(_site.EngineSnapshot());
        Assert.False(File.Exists(Journal));
        Assert.Empty(await UninstallAsync());
    }

    [Fact]
    public async Task Data_stay_unless_they_are_to_go_and_can_go_later()
    {
        await InstallAsync();
        var picture = _site.Write("docker-configurations/shared/outputs/picture.png", "a picture");

        var kept = (await UninstallAsync()).Where(change => change.Outcome == UndoOutcome.Kept).ToList();

        Assert.Contains(kept, change => change.Target == Volume && change.Message.Contains("it holds data", StringComparison.Ordinal));
        Assert.Contains(kept, change => change.Target == "docker-configurations/shared/outputs" && change.Message == "it is not empty");
        Assert.True(File.Exists(picture));
        Assert.Equal(["volume " + Volume], _site.EngineSnapshot());

        Assert.DoesNotContain(await UninstallAsync(removeData: true), change => change.Outcome != UndoOutcome.Undone);
        Assert.Empty(_site.Snapshot());
        Assert.Empty(_site.EngineSnapshot());
    }

    [Theory]
    [InlineData("mine")]
    [InlineData(".secrets")]
    [InlineData(InstallSite.ModelsFolder)]
    [InlineData(InstallSite.ServiceFolder)]
    [InlineData("docker-configurations")]
    public async Task A_journal_cannot_have_a_folder_removed_that_holds_no_data_of_the_service(string folder)
    {
        await InstallAsync();
        var mine = _site.Write(folder + "/mine.txt", "mine");
        await _site.InstallAsync(null, new ForgingStep(InstallChangeKind.DataFolder, _site.PathOf(folder)));

        Assert.Contains(await Uninstaller(removeData: true).PlanAsync(_site.Stack, null, Stop), change => change.Target == folder && change.Action == "Remove the folder if it is empty");
        var undone = await UninstallAsync(removeData: true);

        Assert.Equal("mine", await File.ReadAllTextAsync(mine, Stop));
        Assert.Contains(undone, change => change.Target == folder && change.Outcome == UndoOutcome.Kept && change.Message.Contains("none of the folders that were laid out for data", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_folder_that_the_compose_file_mounts_no_longer_stays_with_what_is_in_it()
    {
        await InstallAsync();
        const string compose = InstallSite.ServiceFolder + "/docker-compose.yml";
        _site.Write(compose, _site.Read(compose).Replace("shared/outputs", "elsewhere", StringComparison.Ordinal));
        var picture = _site.Write("docker-configurations/shared/outputs/picture.png", "a picture");

        var undone = await UninstallAsync(removeData: true);

        Assert.True(File.Exists(picture));
        Assert.Contains(undone, change => change.Target == "docker-configurations/shared/outputs" && change.Outcome == UndoOutcome.Kept);
        Assert.False(Directory.Exists(_site.PathOf("docker-configurations/shared/inputs")));
    }

    [Theory]
    [InlineData("docker-configurations/shared/outputs")]
    [InlineData("docker-configurations/shared")]
    public async Task A_data_folder_that_is_a_link_by_now_is_not_followed(string folder)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        using var elsewhere = new TemporaryFolder();
        await InstallAsync();
        var moved = elsewhere.PathOf("moved");
        Directory.Move(_site.PathOf(folder), moved);
        Directory.CreateSymbolicLink(_site.PathOf(folder), moved);
        var picture = Path.Combine(moved, folder.EndsWith("outputs", StringComparison.Ordinal) ? "" : "outputs", "picture.png");
        await File.WriteAllTextAsync(picture, "a picture", Stop);

        var undone = await UninstallAsync(removeData: true);

        Assert.True(File.Exists(picture));
        Assert.NotNull(new FileInfo(_site.PathOf(folder)).LinkTarget);
        Assert.Contains(undone, change => change.Target == "docker-configurations/shared/outputs" && change.Outcome == UndoOutcome.Kept && change.Message.Contains("a link", StringComparison.Ordinal));
        Assert.Empty(_site.Engine.Containers);
    }

    [Fact]
    public async Task A_link_in_a_data_folder_goes_and_what_it_leads_to_stays()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        using var elsewhere = new TemporaryFolder();
        await InstallAsync();
        var picture = elsewhere.Write("pictures/picture.png", "a picture");
        Directory.CreateSymbolicLink(_site.PathOf("docker-configurations/shared/outputs/pictures"), Path.GetDirectoryName(picture)!);

        await UninstallAsync(removeData: true);

        Assert.True(File.Exists(picture));
        Assert.False(Directory.Exists(_site.PathOf("docker-configurations")));
    }

    [Theory]
    [InlineData("docker-configurations/shared/outputs")]
    [InlineData("docker-configurations/shared/outputs/pictures")]
    public async Task What_is_mounted_in_a_data_folder_stays(string folder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && ProgramSearch.Locate("mount").Any(), "needs mount");
        using var elsewhere = new TemporaryFolder();
        await InstallAsync();
        var picture = elsewhere.Write("picture.png", "a picture");
        Directory.CreateDirectory(_site.PathOf(folder));
        Assert.SkipUnless(await RunAsync("mount", "--bind", elsewhere.Path, _site.PathOf(folder)), "needs the right to mount");
        try
        {
            var undone = await UninstallAsync(removeData: true);

            Assert.True(File.Exists(picture));
            Assert.Contains(undone, change => change.Target == "docker-configurations/shared/outputs" && change.Outcome == UndoOutcome.Kept && change.Message == "something is mounted there");
        }
        finally
        {
            Assert.True(await RunAsync("umount", _site.PathOf(folder)));
        }
    }

    [Fact]
    public async Task A_stack_behind_a_link_is_installed_and_removed_like_any()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        using var elsewhere = new TemporaryFolder();
        Directory.CreateSymbolicLink(_site.Root, elsewhere.PathOf(""));
        await InstallAsync();

        Assert.Equal(InstallOutcome.Unchanged, (await _site.InstallAsync(null, new ContainerStep())).Outcome);
        Assert.All(await UninstallAsync(removeData: true), change => Assert.Equal((UndoOutcome.Undone, ""), (change.Outcome, change.Message)));
        Assert.Empty(_site.Snapshot());
    }

    [Fact]
    public async Task A_container_that_stays_keeps_the_password_that_it_reads()
    {
        await InstallAsync();
        _site.Engine.Change(InstallSite.Service, now => now with { Labels = new Dictionary<string, string>() });

        var undone = await UninstallAsync();

        Assert.Contains(undone, change => change.Kind == "container" && change.Outcome == UndoOutcome.Kept);
        Assert.All(undone.Where(change => change.Kind == "files"), change => Assert.Equal(UndoOutcome.Kept, change.Outcome));
        Assert.NotEmpty(_site.Read(InstallSite.PasswordFile));
    }

    [Fact]
    public async Task Who_declines_to_remove_the_container_keeps_the_password_that_it_reads()
    {
        await InstallAsync();

        var undone = await UninstallAsync(approve: change => Task.FromResult(change.Target != InstallSite.Service));

        Assert.All(undone.Where(change => change.Kind == "files"), change => Assert.Equal(UndoOutcome.Declined, change.Outcome));
        Assert.NotEmpty(_site.Read(InstallSite.PasswordFile));
    }

    [Fact]
    public async Task A_plan_names_everything_the_last_first_and_changes_nothing()
    {
        await InstallAsync();
        var (files, engine) = (_site.Snapshot(), _site.EngineSnapshot());

        var planned = await Uninstaller(removeData: true).PlanAsync(_site.Stack, null, Stop);

        Assert.Equal((files, engine), (_site.Snapshot(), _site.EngineSnapshot()), Same);
        Assert.Contains(planned, change => change.Target == InstallSite.Service && change.Action == "Remove the container");
        Assert.DoesNotContain(await Uninstaller().PlanAsync(_site.Stack, null, Stop), change => change.Target == Volume);
        Assert.Equal(planned.Select(change => change.Target), (await UninstallAsync(removeData: true)).Select(change => change.Target));
    }

    [Fact]
    public async Task What_is_declined_stays_and_goes_with_the_next_run()
    {
        await InstallAsync();
        var engine = _site.EngineSnapshot();

        var declined = await UninstallAsync(approve: _ => Task.FromResult(false));

        Assert.All(declined, change => Assert.Equal(change.Kind == "volume" ? UndoOutcome.Kept : UndoOutcome.Declined, change.Outcome));
        Assert.Equal(engine, _site.EngineSnapshot());
        await UninstallAsync(removeData: true);
        Assert.Empty(_site.Snapshot());
    }

    [Fact]
    public async Task A_file_that_somebody_has_changed_since_stays_and_is_named()
    {
        await InstallAsync();
        File.AppendAllText(_site.PathOf(InstallSite.ServiceFolder + "/docker-compose.yml"), "# mine\n");

        var files = (await UninstallAsync()).Where(change => change.Kind == "files").ToList();

        Assert.Contains(files, change => change.Outcome == UndoOutcome.Kept && change.Message.Contains("docker-compose.yml", StringComparison.Ordinal));
        Assert.EndsWith("# mine\n", _site.Read(InstallSite.ServiceFolder + "/docker-compose.yml"), StringComparison.Ordinal);
        Assert.False(File.Exists(_site.PathOf(InstallSite.ServiceFolder + "/Dockerfile")));
    }

    [Fact]
    public async Task Without_a_journal_the_container_and_its_network_go_and_nothing_else()
    {
        await InstallAsync();
        File.Delete(Journal);
        var files = _site.Snapshot();

        var undone = await UninstallAsync(removeData: true);

        Assert.Equal([("container", InstallSite.Service, UndoOutcome.Undone), ("network", "comfyui-qwen_default", UndoOutcome.Undone)], undone.Select(change => (change.Kind, change.Target, change.Outcome)));
        Assert.Equal(files, _site.Snapshot());
        Assert.Equal(["image", "volume"], _site.EngineSnapshot().Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public async Task A_network_that_another_container_of_the_project_needs_stays()
    {
        await InstallAsync();
        File.Delete(Journal);
        var container = _site.Engine.Containers[0];
        _site.Engine.Add(container with { Name = "neighbour", State = Docker.ContainerState.Exited });

        Assert.Equal(["container"], (await UninstallAsync()).Select(change => change.Kind));
        Assert.Equal(["neighbour"], _site.Engine.Containers.Select(other => other.Name));
    }

    [Fact]
    public async Task What_a_stopped_container_of_another_stack_of_the_same_project_needs_stays_also_with_a_journal()
    {
        await InstallAsync();
        var container = _site.Engine.Containers[0];
        _site.Engine.Add(container with { Name = "neighbour", State = Docker.ContainerState.Exited, Labels = new Dictionary<string, string>(container.Labels) { ["com.docker.compose.project.working_dir"] = "/elsewhere" } });

        var undone = await UninstallAsync(removeData: true);

        Assert.All(undone.Where(change => change.Kind is "network" or "volume"), change => Assert.Equal((UndoOutcome.Kept, "the container 'neighbour' of the same compose project may need it"), (change.Outcome, change.Message)));
        Assert.Equal(["network comfyui-qwen_default", "volume " + Volume], _site.EngineSnapshot().Where(line => line.StartsWith("network", StringComparison.Ordinal) || line.StartsWith("volume", StringComparison.Ordinal)));
        Assert.Equal(["neighbour"], _site.Engine.Containers.Select(other => other.Name));
    }

    [Fact]
    public async Task A_journal_cannot_have_a_network_or_a_volume_removed_that_is_not_of_the_project()
    {
        await InstallAsync();
        var labels = new Dictionary<string, string> { ["com.docker.compose.project"] = "other" };
        _site.Engine.AddNetwork("comfyui-qwen_more", labels);
        _site.Engine.AddVolume("comfyui-qwen_more", labels);
        await _site.InstallAsync(null, new ForgingStep(InstallChangeKind.Network, "comfyui-qwen_more"));
        await _site.InstallAsync(null, new ForgingStep(InstallChangeKind.Volume, "comfyui-qwen_more"));

        var undone = await UninstallAsync(removeData: true);

        Assert.Equal(["network comfyui-qwen_more", "volume comfyui-qwen_more"], _site.EngineSnapshot());
        Assert.All(undone.Where(change => change.Target == "comfyui-qwen_more"), change => Assert.Equal("it was not made for this stack", change.Message));
    }

    [Fact]
    public async Task The_container_of_another_stack_stays_although_it_has_the_name()
    {
        await InstallAsync();
        File.Delete(Journal);
        var elsewhere = Directory.CreateTempSubdirectory("comfyauth-test-").FullName;
        _site.Engine.Change(InstallSite.Service, container => container with { Labels = new Dictionary<string, string>(container.Labels) { ["com.docker.compose.project.working_dir"] = elsewhere } });

        Assert.Empty(await UninstallAsync());
        Assert.Single(_site.Engine.Containers);
        Directory.Delete(elsewhere);
    }

    [Fact]
    public async Task Where_nothing_is_installed_nothing_is_made_either()
    {
        Directory.CreateDirectory(_site.Root);

        Assert.Empty(await UninstallAsync());
        Assert.Empty(Directory.EnumerateFileSystemEntries(_site.Root));
        Assert.Equal("StackNotFound", Assert.Throws<ComfyAuthException>(() => ComfyAuth.Installation.Uninstaller.StackAt(_site.Root)).Code);
    }

    [Fact]
    public async Task It_waits_for_an_installation_that_is_under_way_and_gives_up()
    {
        await InstallAsync();
        using var held = await FileLock.AcquireAsync(InstallJournal.LockOf(_site.Root), TimeSpan.FromSeconds(5), NullLogger.Instance, Stop);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => UninstallAsync(patience: TimeSpan.FromMilliseconds(200)));

        Assert.Equal("LockTimeout", error.Code);
        Assert.Single(_site.Engine.Containers);
    }

    [Fact]
    public async Task A_removal_that_was_cancelled_is_gone_on_with()
    {
        await InstallAsync();
        using var cancel = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Uninstaller().RunAsync(_site.Stack, null, null, cancel.Token))
                await cancel.CancelAsync();
        });
        await UninstallAsync(removeData: true);

        Assert.Empty(_site.Snapshot());
        Assert.Empty(_site.EngineSnapshot());
    }

    private static bool Same((IReadOnlyList<string>, IReadOnlyList<string>) one, (IReadOnlyList<string>, IReadOnlyList<string>) other) =>
        one.Item1.SequenceEqual(other.Item1) && one.Item2.SequenceEqual(other.Item2);

    private async Task InstallAsync()
    {
        var report = await _site.InstallAsync(null, new ContainerStep());
        Assert.True(report.Outcome == InstallOutcome.Installed, string.Join('\n', report.Steps.Select(step => step.Message)));
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        await process.WaitForExitAsync(Stop);
        return process.ExitCode == 0;
    }

    private Uninstaller Uninstaller(bool removeData = false, TimeSpan? patience = null) =>
        new(_site.Client, _site.Redactor, _site.Verifier) { RemoveData = removeData, LockTimeout = patience ?? TimeSpan.FromMinutes(1) };

    private async Task<IReadOnlyList<UndoneChange>> UninstallAsync(bool removeData = false, Func<PlannedChange, Task<bool>>? approve = null, TimeSpan? patience = null)
    {
        var undone = new List<UndoneChange>();
        await foreach (var change in Uninstaller(removeData, patience).RunAsync(_site.Stack, null, approve, Stop))
            undone.Add(change);
        return undone;
    }
}
