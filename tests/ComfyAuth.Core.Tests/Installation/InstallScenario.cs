using System.Text;
using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Installation;

/// <summary>
/// An installation whose steps change nothing but files, in each way that there is: made, replaced, twice, in new folders, and beside
/// what the user has there.
/// </summary>
internal sealed class InstallScenario(string root)
{
    public const InstallStepName LastStep = InstallStepName.Authentication;

    /// <summary>What a folder holds where nothing was installed yet.</summary>
    public static IReadOnlyDictionary<string, string> Before { get; } = new Dictionary<string, string> { ["own/user.env"] = "A=1\n", ["notes.txt"] = "mine\n" };

    /// <summary>What it holds afterwards.</summary>
    public static IReadOnlyDictionary<string, string> After { get; } = new Dictionary<string, string>
    {
        ["own/user.env"] = "A=1\nB=2\nC=3\n", ["notes.txt"] = "mine\n", ["service/compose.yml"] = "services:\n", ["service/data/seen"] = "by the service\n", ["service/token"] = "t\n",
    };

    private static readonly string[] Folders = ["service", "service/data"];

    /// <summary>Is told of each point at which it may be killed.</summary>
    public Action AtPoint { get; init; } = () => { };

    /// <summary>At which moment of which step it fails.</summary>
    public Func<InstallStepName, InstallMoment, bool> Fails { get; init; } = (_, _) => false;

    public Func<PlannedChange, Task<bool>>? Approve { get; init; }

    /// <summary>What the first step writes.</summary>
    public (string Path, string Text)[] Files { get; init; } = [("service/compose.yml", "services:\n"), ("own/user.env", "A=1\nB=2\n")];

    public InstallOptions Options { get; init; } = new();

    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(5);

    public List<StepResult> Finished { get; } = [];

    /// <summary>A scenario that succeeds, or whose last step fails.</summary>
    public static InstallScenario Of(string root, bool fails, Action? atPoint = null) =>
        new(root) { AtPoint = atPoint ?? (() => { }), Fails = (step, moment) => fails && step == LastStep && moment == InstallMoment.Ends };

    /// <summary>Lays out what is there before.</summary>
    public static void LayOut(string root)
    {
        foreach (var (path, text) in Before)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(root, path))!);
            File.WriteAllText(Path.Combine(root, path), text);
        }
    }

    /// <summary>What a folder holds, without what belongs to the module: its files, and its empty folders with a slash.</summary>
    public static SortedDictionary<string, string> Snapshot(string root)
    {
        var seen = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in new DirectoryInfo(root).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(root, entry.FullName).Replace('\\', '/');
            if (path.Split('/')[0] == ".comfyauth")
                continue;
            if (entry is FileInfo)
                seen[path] = File.ReadAllText(entry.FullName);
            else if (!Directory.EnumerateFileSystemEntries(entry.FullName).Any())
                seen[path + "/"] = "";
        }

        return seen;
    }

    public async Task<InstallReport> RunAsync(CancellationToken stop)
    {
        using var engine = new DockerClient(DockerEndpoint.Parse("unix:///nowhere.sock", "the test"));
        var installer = InstallerOf(engine);
        return await installer.RunAsync(new() { Root = root, Definition = DefaultLayout.Describe(root) }, Options, Approve, Finished.Add, null, stop);
    }

    public async Task<InstallReport> PlanAsync(Func<PlannedChange, Task> planned, CancellationToken stop)
    {
        using var engine = new DockerClient(DockerEndpoint.Parse("unix:///nowhere.sock", "the test"));
        return await InstallerOf(engine).PlanAsync(new() { Root = root, Definition = DefaultLayout.Describe(root) }, Options, planned, Finished.Add, stop);
    }

    private Installer InstallerOf(DockerClient engine) => new(engine, new NoDeployer(), new SecretRedactor(), new PasswordVerifier())
    {
        LockTimeout = LockTimeout,
        AtJournal = AtPoint,
        AtMoment = (step, moment) =>
        {
            AtPoint();
            return Fails(step, moment) ? throw new ComfyAuthException("FileMissing", $"{step} fails at {moment}.", "Mend it.") : Task.CompletedTask;
        },
        Steps =
        [
            new Step(this, InstallStepName.Container, Files),
            new Step(this, InstallStepName.Login, ("service/data/seen", "by the service\n")),
            new Step(this, LastStep, ("service/token", "t\n"), ("own/user.env", "A=1\nB=2\nC=3\n")),
        ],
    };

    /// <summary>A step that writes files; one that has more than is wanted is left alone.</summary>
    private sealed class Step(InstallScenario scenario, InstallStepName name, params (string Path, string Text)[] files) : InstallStep
    {
        public override InstallStepName Name => name;

        public override InstallParts Part => name == LastStep ? InstallParts.Auth : InstallParts.None;

        public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop)
        {
            var missing = files.Where(file => !Text(context, file.Path).StartsWith(file.Text, StringComparison.Ordinal)).ToList();
            return Task.FromResult(new StepPlan(missing.Count == 0 ? "All is there." : "Something is missing.")
            {
                Changes = [.. missing.Select(file => new PlannedInstallChange(file.Path, "Write", (_, _) => WriteAsync(context, file)))],
            });
        }

        private static string Text(InstallContext context, string path) => Path.Combine(context.Root, path) is var full && File.Exists(full) ? File.ReadAllText(full) : "";

        private async Task WriteAsync(InstallContext context, (string Path, string Text) file)
        {
            foreach (var folder in Folders.Where(folder => file.Path.StartsWith(folder + "/", StringComparison.Ordinal) && !Directory.Exists(Path.Combine(context.Root, folder))))
            {
                context.Journal.Note(folder.EndsWith("data", StringComparison.Ordinal) ? InstallChangeKind.DataFolder : InstallChangeKind.Folder, Path.Combine(context.Root, folder));
                scenario.AtPoint();
                Directory.CreateDirectory(Path.Combine(context.Root, folder));
            }

            // What the service writes by itself is in no record; it goes with its folder.
            scenario.AtPoint();
            var transaction = await FileTransaction.BeginAsync(context.Root, new() { Keep = file.Path.EndsWith("seen", StringComparison.Ordinal) ? null : context.Journal.Keep });
            await using var scope = transaction;
            transaction.Write(file.Path, Encoding.UTF8.GetBytes(file.Text), FileProtection.Keep);
            await transaction.CommitAsync();
            scenario.AtPoint();
        }
    }

    private sealed class NoDeployer : IContainerDeployer
    {
        public Task<string> DescribeAsync(CancellationToken stop) => throw new NotSupportedException();

        public Task BuildAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop) => throw new NotSupportedException();

        public Task UpAsync(GenAIStack stack, ServiceDefinition service, IProgress<ComposeProgress>? progress, CancellationToken stop) => throw new NotSupportedException();
    }
}
