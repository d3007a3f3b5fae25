using System.Diagnostics;
using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Emulator.Tests.Installation;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Docker;

/// <summary>
/// A folder that is installed into, with an engine and a compose command that are real. The engine of the tests has no network of its own
/// and gets no image from anywhere: between us and Compose stands a script that gives the container the network of the machine, and
/// imports the image where it is to be built.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed class InstallStack : IAsyncDisposable
{
    public const string Container = "comfyui-qwen";
    public const string PasswordFile = "docker-configurations/services/comfyui-qwen/.secrets/PASSWORD";

    private const UnixFileMode ForAll = (UnixFileMode)0b111_101_101;

    private static readonly Lazy<Task<string>> ComposeVersion = new(AskVersionAsync);

    private readonly TestEngine _engine;
    private readonly TemporaryFolder _folder = new();

    private InstallStack(TestEngine engine) => _engine = engine;

    public int Port { get; } = FreePort.Next();

    public string Root => _folder.PathOf("stack");

    public string SearchPath => _folder.PathOf("bin");

    public string Endpoint => _engine.Client.Endpoint.Address;

    /// <summary>Where the models are had from; null: they are left out.</summary>
    public EmulatedHub? Hub { get; private init; }

    /// <summary>The password that is asked for; null: any.</summary>
    public SecretText? Password { get; set; }

    /// <summary>The size of all models.</summary>
    public long ModelBytes { get; private set; }

    /// <summary>The files of the models, from the root.</summary>
    public static IEnumerable<string> Models { get; } = DefaultLayout.QwenModels.Select(model => $"{DefaultLayout.ModelsFolder}/{model.Kind}/{model.Name}");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Prepares the script.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="server">A line of shell that the container runs; null: a server that asks for the token of PASSWORD.</param>
    public static Task<InstallStack> MakeAsync(TestEngine engine, string? server = null) => MakeAsync(
        engine, null, EngineProcess.ArchiveAsync(), port => server ?? $"read -r TOKEN < {DeploymentTemplates.PasswordFile}; export TOKEN; exec /serve {port}", []);

    /// <summary>Prepares an image and a hub with which all steps can be done. The folder holds nothing but the description of small models.</summary>
    /// <param name="engine">The engine.</param>
    public static async Task<InstallStack> MakeWholeAsync(TestEngine engine)
    {
        Assert.SkipUnless(ServerImage.Mounts.All(Path.Exists) && File.Exists("/usr/bin/python3"), "the container uses Python and .NET of the machine, which are not where they are looked for");
        var hub = await EmulatedHub.StartAsync(stop: Stop);
        var stack = await MakeAsync(engine, hub, ServerImage.ArchiveAsync(), ServerImage.Command, ServerImage.Mounts);
        stack.ModelBytes = StandInModels.Add(hub, stack.Port, out var description).Sum(model => model.Content.Length);
        stack.Write(GenAIStack.FileName, description);
        return stack;
    }

    /// <summary>Installs with all steps, or with some.</summary>
    public static Task<InstallReport> InstallAsync(
        DockerClient engine, InstallOptions options, string searchPath, string root, Uri? hub, Func<InstallStepName, InstallMoment, Task>? atMoment, Action? atJournal, params IReadOnlyList<InstallStep> steps)
    {
        var redactor = new SecretRedactor();
        var deployer = new ComposeDeployer(engine, redactor) { SearchPath = searchPath };
        var installer = new Installer(engine, deployer, redactor, new()) { HubEndpoint = hub, AtMoment = atMoment, AtJournal = atJournal };
        if (steps.Count > 0)
            installer = new(engine, deployer, redactor, new()) { HubEndpoint = hub, AtMoment = atMoment, AtJournal = atJournal, Steps = steps };
        return installer.RunAsync(Installer.StackAt(root), options, null, _ => { }, null, TestContext.Current.CancellationToken);
    }

    public static InstallOptions OptionsOf(int port, bool models, SecretText? password) =>
        new() { Cpu = true, Port = port, Skip = models ? InstallParts.None : InstallParts.Models, Password = password, Timeout = TimeSpan.FromMinutes(5) };

    /// <summary>Fails at a moment of a step.</summary>
    public static Func<InstallStepName, InstallMoment, Task> FailAt(InstallStepName step, InstallMoment moment) =>
        (now, at) => (now, at) == (step, moment) ? throw new ComfyAuthException("DockerRequestFailed", "no", "Again.") : Task.CompletedTask;

    /// <summary>What was done, a line each.</summary>
    public static string Told(InstallReport report) =>
        string.Join('\n', report.Steps.Select(step => $"{step.Step} {step.Status} {step.ErrorCode}: {step.Message} {step.Remedy}").Prepend($"{report.Outcome}").Concat(report.Kept));

    private static async Task<InstallStack> MakeAsync(
        TestEngine engine, EmulatedHub? hub, Task<MemoryStream> image, Func<int, string> command, IEnumerable<string> mounts)
    {
        _ = engine.Client;
        Assert.SkipUnless(engine.IsOurs, "it makes a container of a fixed name");
        Assert.SkipUnless(ComposeStack.HasCompose, "docker-compose is not installed");
        var stack = new InstallStack(engine) { Hub = hub };
        await using (var archive = File.Create(stack._folder.PathOf("image.tar")))
            await (await image).CopyToAsync(archive, Stop);
        var server = command(stack.Port).Replace("$", "$$", StringComparison.Ordinal);
        var mounted = string.Concat(mounts.Select(folder => $"\\n      - {folder}:{folder}:ro"));
        var script = stack._folder.Write("bin/docker-compose", $$"""
            #!/bin/sh
            set -eu

            # An installation asks for it again and again, and each time Python takes half a second to start.
            if [ "$*" = "version --short" ]; then
                echo "{{await ComposeVersion.Value}}"
                exit
            fi
            file= previous= verb=
            for argument; do
                [ "$previous" != --file ] || file=$argument
                case $argument in build | up) verb=$argument ;; esac
                previous=$argument
            done
            [ -n "$file" ] || exec {{Program("docker-compose")}} "$@"

            # Who is killed leaves the command behind, which goes on, or ends at a pipe that nobody reads.
            trap 'exit 1' HUP INT TERM PIPE
            trap ': >"$0.ended"' EXIT
            kill_caller() {
                if [ -e "$0.$1" ]; then
                    rm -f "$0.$1" "$0.ended"
                    kill -9 $PPID
                fi
            }
            kill_caller "before-$verb"
            if [ "$verb" = build ]; then
                echo "Step 1/1 : importing"
                {{Program("docker")}} import "{{stack._folder.PathOf("image.tar")}}" "$(sed -n 's/^ *image: .*:-\(.*\)}$/\1/p' "$file")"
                kill_caller after-build
                exit
            fi
            for argument; do
                shift
                [ "$argument" != "$file" ] || argument=-
                set -- "$@" "$argument"
            done
            sed -e '/^    ports:/d' -e '/:8188"$/d' -e 's|^    command: .*|    network_mode: host\n    entrypoint: [/bin/sh, -c, "{{server}}"]|' \
                -e 's|^    volumes:|&{{mounted}}|' "$file" |
                tee "$0.yml" | {{Program("docker-compose")}} --project-directory "$(dirname "$file")" "$@"
            kill_caller "after-$verb"

            """);
        File.SetUnixFileMode(script, ForAll);
        return stack;
    }

    /// <summary>Makes the compose file the one that the container was made of, so that a container of it can be made without the script.</summary>
    public void TakeOverCompose() => File.Copy(_folder.PathOf("bin/docker-compose.yml"), _folder.PathOf($"stack/{DefaultLayout.QwenFolders[0]}/docker-compose.yml"), overwrite: true);

    /// <summary>Has the script kill whoever calls it, once.</summary>
    /// <param name="when">Before or after which command: <c>before-build</c>, <c>after-build</c>, <c>before-up</c>, <c>after-up</c>.</param>
    public string KillAtCompose(string when) => _folder.Write($"bin/docker-compose.{when}", "");

    /// <summary>Waits until the script that has killed its caller has ended itself: two commands at one container hinder each other.</summary>
    public async Task ComposeEndedAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!File.Exists(_folder.PathOf("bin/docker-compose.ended")))
            await pause.WaitForNextTickAsync(deadline.Token);
    }

    public void Write(string relative, string text) => _folder.Write(Path.Combine("stack", relative), text);

    public string Read(string relative) => _folder.Read(Path.Combine("stack", relative));

    public Task<InstallReport> InstallAsync(params IReadOnlyList<InstallStep> steps) => InstallAsync(null, steps);

    public Task<InstallReport> InstallAsync(Func<InstallStepName, InstallMoment, Task>? atMoment, params IReadOnlyList<InstallStep> steps) =>
        InstallAsync(_engine.Client, OptionsOf(Port, Hub is not null, Password), SearchPath, Root, Hub?.Address, atMoment, null, steps);

    /// <summary>Each file and folder with its content, permissions and time of change, without our own folder.</summary>
    public IReadOnlyList<string> Snapshot() => !Directory.Exists(Root) ? [] :
    [
        .. Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories)
            .Select(path => (Path: path, Name: Path.GetRelativePath(Root, path)))
            .Where(entry => entry.Name != ".comfyauth" && !entry.Name.StartsWith(".comfyauth/", StringComparison.Ordinal))
            .OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .Select(entry => $"{entry.Name} {File.GetUnixFileMode(entry.Path)} {(Directory.Exists(entry.Path) ? "" : $"{File.GetLastWriteTimeUtc(entry.Path):O} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(entry.Path)))}")}"),
    ];

    /// <summary>As <see cref="Snapshot"/>, without the times.</summary>
    public IReadOnlyList<string> Contents() => [.. Snapshot().Select(line => line[^1] == ' ' ? line : string.Join(' ', line.Split(' ').Where((_, index) => index != line.Split(' ').Length - 2)))];

    /// <summary>As <see cref="Snapshot"/>, names and permissions only.</summary>
    public IReadOnlyList<string> Names() => [.. Snapshot().Select(line => line[^1] == ' ' ? line : string.Join(' ', line.Split(' ').SkipLast(2)))];

    /// <summary>What there is in the engine of this deployment, a line each.</summary>
    public async Task<IReadOnlyList<string>> EngineSnapshotAsync()
    {
        List<string> lines = [];
        foreach (var container in (await _engine.Client.ListContainersAsync(stop: Stop)).Where(container => container.Name.Contains(Container, StringComparison.Ordinal)))
            lines.Add($"container {container.Name} {container.Id} {(await _engine.Client.InspectContainerAsync(container.Id, Stop)).StartedAt:O}");
        lines.AddRange((await _engine.Client.ListImagesAsync(Stop)).SelectMany(image => image.Tags).Where(tag => tag.Contains(Container, StringComparison.Ordinal)).Select(tag => $"image {tag}"));
        lines.AddRange((await _engine.Client.ListNetworksAsync(stop: Stop)).Where(name => name.Contains(Container, StringComparison.Ordinal)).Select(name => $"network {name}"));
        lines.AddRange((await _engine.Client.ListVolumesAsync(stop: Stop)).Where(name => name.Contains(Container, StringComparison.Ordinal)).Select(name => $"volume {name}"));
        return lines;
    }

    /// <summary>Sees that nothing was added but the unfinished downloads of these models, with what belongs to them.</summary>
    public void AssertOnlyDownloads(IReadOnlyList<string> before, IEnumerable<string> models)
    {
        string[] unfinished = [.. models.SelectMany(model => new[] { $"{model}.part", $"{model}.part.json" })];
        var now = Snapshot();
        Assert.Empty(before.Except(now));
        var added = now.Except(before).Where(line => !line.Contains("/.comfyauth", StringComparison.Ordinal)).ToList();
        Assert.Equal(unfinished.Order(StringComparer.Ordinal), added.Where(line => line[^1] != ' ').Select(line => line.Split(' ')[0]));
        Assert.All(added.Where(line => line[^1] == ' '), folder => Assert.Contains(unfinished, file => file.StartsWith(folder.Split(' ')[0] + "/", StringComparison.Ordinal)));
    }

    /// <summary>Sees that an installation that was killed comes to its end.</summary>
    /// <param name="expected">As <see cref="Names"/> afterwards; null: any.</param>
    /// <param name="what">Where it was killed.</param>
    public async Task AssertGoesOnAsync(IReadOnlyList<string>? expected, string what)
    {
        var report = await InstallAsync();

        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: true }, $"{what}: {Told(report)}");
        if (expected is not null)
            Assert.Equal(expected, Names());
        Assert.Equal(["container", "image", "volume"], (await EngineSnapshotAsync()).Select(line => line.Split(' ')[0]));
        Assert.Equal(ModelBytes, Hub!.Storage.BytesServed);
        await AssertGuardedAsync();
    }

    /// <summary>Sees that the server asks for the token and takes it.</summary>
    public async Task AssertGuardedAsync()
    {
        var token = BcryptHash.Parse(Read(PasswordFile).Split('\n')[0]);
        var address = $"http://127.0.0.1:{Port}/system_stats";
        using var http = new HttpClient();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        HttpStatusCode? status = null;

        // What is taken back ends with a restart, for which nobody waits.
        while (status is null && await pause.WaitForNextTickAsync(deadline.Token))
        {
            try
            {
                status = (await http.GetAsync(address, deadline.Token)).StatusCode;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
        }

        Assert.Equal(HttpStatusCode.Unauthorized, status);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.Reveal());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(address, Stop)).StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var container in (await _engine.Client.ListContainersAsync()).Where(container => container.Name == Container))
            await _engine.Client.RemoveContainerAsync(container.Id, force: true, CancellationToken.None);
        foreach (var tag in (await _engine.Client.ListImagesAsync()).SelectMany(image => image.Tags).Where(tag => tag.Contains(Container, StringComparison.Ordinal)))
            await _engine.Client.RemoveImageAsync(tag, CancellationToken.None);
        foreach (var name in (await _engine.Client.ListVolumesAsync()).Where(name => name.Contains(Container, StringComparison.Ordinal)))
            await _engine.Client.RemoveVolumeAsync(name, CancellationToken.None);
        if (Hub is not null)
            await Hub.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task<string> AskVersionAsync()
    {
        using var compose = Process.Start(new ProcessStartInfo(Program("docker-compose"), ["version", "--short"]) { RedirectStandardOutput = true })!;
        var version = await compose.StandardOutput.ReadToEndAsync();
        await compose.WaitForExitAsync();
        return version.Trim();
    }

    private static string Program(string name) => Environment.GetEnvironmentVariable("PATH")!.Split(':').Select(folder => Path.Combine(folder, name)).First(File.Exists);
}
