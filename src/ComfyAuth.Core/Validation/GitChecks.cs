using System.Globalization;
using System.Text;
using ComfyAuth.Files;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of the version control of the stack's folder.</summary>
internal static class GitChecks
{
    public const string Repository = "git.repository";

    private const string IgnoreFile = ".gitignore";
    private const string BackupFolder = "_backups";

    private static readonly TimeSpan LongestLook = TimeSpan.FromMinutes(1);
    private static readonly string[] TemplateEndings = [".example", ".sample", ".template", ".dist"];
    private static readonly string[] NoSecrets = [".gitignore", ".gitattributes", ".gitkeep", "README.md"];

    /// <summary>What git says of the stack's folder.</summary>
    public static SharedFact<GitReading> Reading { get; } = new((context, stop) => GitReading.OfAsync(context.Stack.Root, stop));

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Repository,
            "Stack is under version control",
            "With the stack's folder in a git repository it can be told what was changed and when. Branch, commit, newest tag and remote are told here.",
            "Look at what git says.",
            async (context, stop) => Describe(await context.FindAsync(Reading, stop).ConfigureAwait(false)))
        {
            Timeout = LongestLook,
        },
        new(
            "git.secrets.tracked",
            "No secret is tracked",
            "No file that holds secrets may be tracked by git: everybody who can read the repository could read them. What was tracked in an earlier commit and is no more is not looked for.",
            "Take the files out with 'git rm --cached', commit, and change every secret in them: they stay in the history of the repository.",
            LookForTrackedAsync)
        {
            DependsOn = [Repository],
            Timeout = LongestLook,
            Weight = 3,
        },
        new(
            "git.secrets.ignored",
            "Secrets are ignored by git",
            "Every file of the stack that holds secrets, or will hold them, must be covered by a .gitignore; otherwise 'git add .' takes it in.",
            "Add the files to .gitignore.",
            LookForIgnoredAsync)
        {
            DependsOn = [Repository],
            Timeout = LongestLook,
            Weight = 2,
            PlanFix = async (context, _, stop) => PlanIgnore(context, (await UncoveredAsync(context, stop).ConfigureAwait(false)).Paths),
        },
        new(
            "git.clean",
            "Nothing is left uncommitted",
            "What differs from the last commit is known to this machine only.",
            "Commit the changes, or undo them.",
            async (context, stop) =>
            {
                var reading = await context.FindAsync(Reading, stop).ConfigureAwait(false);
                return reading.State is not { DirtyCount: > 0 } state
                    ? CheckOutcome.Passed("Every file is as it was committed.")
                    : CheckOutcome.Warning(
                        string.Create(CultureInfo.InvariantCulture, $"{state.DirtyCount:N0} {(state.DirtyCount == 1 ? "file differs" : "files differ")} from the last commit."),
                        [.. reading.Changes, .. state.DirtyCount > reading.Changes.Count ? [string.Create(CultureInfo.InvariantCulture, $"and {state.DirtyCount - reading.Changes.Count:N0} others")] : Array.Empty<string>()]);
            })
        {
            DependsOn = [Repository],
            Timeout = LongestLook,
            Weight = 0.5,
        },
    ];

    private static CheckOutcome Describe(GitReading reading)
    {
        if (reading.State is not { } state)
            return reading.IsError ? CheckOutcome.Error(reading.Reason) with { Remedy = reading.Remedy } : CheckOutcome.Skipped(reading.Reason);
        return CheckOutcome.Passed(
            $"The stack is in the repository '{state.Root}'.",
            state.Branch is { } branch ? $"branch {branch}" : "no branch: a commit is checked out by itself",
            state.Commit is { } commit ? $"commit {commit}" : "no commit yet",
            state.Tag is { } tag ? $"newest tag {tag}" : "no tag leads to it",
            state.Remote is { } remote ? $"remote {remote}" : "no remote");
    }

    private static async Task<CheckOutcome> LookForTrackedAsync(CheckContext context, CancellationToken stop)
    {
        var git = (await context.FindAsync(Reading, stop).ConfigureAwait(false)).Command!;
        string[] patterns = [":(glob)**/.env", ":(glob)**/.env.*", ":(glob)**/.secrets/**", .. SecretPaths(context.Stack).Select(path => $":(literal){path}")];
        var tracked = await git.AskAsync(["ls-files", "--cached", "--", .. patterns], stop).ConfigureAwait(false);
        if (tracked.ExitCode != 0)
            return CheckOutcome.Error($"Git does not tell which files it tracks: {tracked.Error}");

        var templates = context.Stack.Definition.Services.Select(service => service.Environment?.Template).Append(context.Stack.Definition.Content?.Environment?.Template).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var secrets = tracked.Lines.Where(path => !templates.Contains(path) && !IsHarmless(Path.GetFileName(path))).Distinct().ToList();
        return secrets.Count == 0
            ? CheckOutcome.Passed("No file of the stack that holds secrets is tracked.")
            : CheckOutcome.Failed($"Git tracks {secrets.Count} {(secrets.Count == 1 ? "file that holds" : "files that hold")} secrets.", secrets);
    }

    private static bool IsHarmless(string name) => NoSecrets.Contains(name, StringComparer.OrdinalIgnoreCase) || TemplateEndings.Any(ending => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static async Task<CheckOutcome> LookForIgnoredAsync(CheckContext context, CancellationToken stop)
    {
        var (uncovered, problem) = await UncoveredAsync(context, stop).ConfigureAwait(false);
        if (problem is not null)
            return CheckOutcome.Error(problem) with { Remedy = "See what 'git status' says there." };
        return uncovered.Count == 0
            ? CheckOutcome.Passed("Git ignores every file of the stack that holds secrets.")
            : CheckOutcome.Failed($"Git does not ignore {uncovered.Count} {(uncovered.Count == 1 ? "file that holds" : "files that hold")} secrets, or will hold them.", uncovered) with
            {
                CanFix = PlanIgnore(context, uncovered).Changes.Count > 0,
            };
    }

    /// <summary>Secret files that git would take in, looked at afresh; or why that cannot be told.</summary>
    private static async Task<(IReadOnlyList<string> Paths, string? Problem)> UncoveredAsync(CheckContext context, CancellationToken stop)
    {
        var reading = await context.FindAsync(Reading, stop).ConfigureAwait(false);
        if (reading.Command is not { } git)
            return ([], reading.Reason);

        // Git tracks nothing behind a link, and refuses to say so.
        var paths = SecretPaths(context.Stack).Where(path => !IsBehindLink(context.Stack.Root, path)).ToList();
        if (paths.Count == 0)
            return ([], null);
        var ignored = await git.AskAsync(["check-ignore", "--no-index", "--", .. paths.Select(path => $"./{path}")], stop).ConfigureAwait(false);

        // A path with a backslash, a quote or a control character in it comes back quoted: it is told of rather than passed over.
        return ignored.ExitCode is 0 or 1
            ? ([.. paths.Where(path => !ignored.Lines.Contains($"./{path}"))], null)
            : ([], $"Git does not tell which files it ignores: {ignored.Error}");
    }

    private static bool IsBehindLink(string root, string path)
    {
        for (var folder = Path.GetDirectoryName(path); !string.IsNullOrEmpty(folder); folder = Path.GetDirectoryName(folder))
        {
            if (new DirectoryInfo(Path.Combine(root, folder)).LinkTarget is not null)
                return true;
        }

        return false;
    }

    /// <summary>Files that hold secrets or will hold them, relative to the root; for the backups of a <c>.env</c> file, the first.</summary>
    private static List<string> SecretPaths(GenAIStack stack)
    {
        var definition = stack.Definition;
        var environments = definition.Services.Select(service => service.Environment?.Path).Append(ContentChecks.Of(stack).Content?.Environment?.Path).OfType<string>().ToList();
        return
        [
            .. definition.Services.Select(service => service.Source).Append(definition.Source)
                .Concat(definition.Services.SelectMany(service => service.TokenLocations).Where(location => location.Presence == TokenPresence.Always || File.Exists(stack.PathOf(location.Path))).Select(location => location.Path))
                .Concat(environments)
                .Concat(environments.Select(path => BackupOf(path)))
                .Concat(definition.Apis.Select(api => api.File))
                .Append(File.Exists(stack.PathOf(DefaultLayout.HuggingFaceFile)) ? DefaultLayout.HuggingFaceFile : null)
                .OfType<string>()
                .Distinct(StringComparer.Ordinal),
        ];
    }

    private static string BackupOf(string environment) => $"{environment[..(environment.LastIndexOf('/') + 1)]}{BackupFolder}/{environment[(environment.LastIndexOf('/') + 1)..]}.backup.20000101_000000";

    /// <summary>Lines for the stack's own <c>.gitignore</c>; none where its line is there already and a deeper file takes it back.</summary>
    private static CheckFix PlanIgnore(CheckContext context, IReadOnlyList<string> uncovered)
    {
        var file = new StackFiles(context.Stack).Get(IgnoreFile);
        if (file.Problem is not (null or TokenState.Missing) || file.Bytes.AsSpan().Contains((byte)0))
            return CheckFix.Nothing;

        var text = Encoding.Latin1.GetString(file.Bytes ?? []);
        var present = text.Split('\n').Select(line => line.TrimEnd('\r')).ToHashSet(StringComparer.Ordinal);
        var lines = uncovered.Select(RuleFor).Distinct().Where(line => !present.Contains(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(line)))).ToList();
        if (lines.Count == 0)
            return CheckFix.Nothing;

        var newline = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        var before = text.Length == 0 ? "" : text.EndsWith('\n') ? newline : newline + newline;
        byte[] content = [.. file.Bytes ?? [], .. Encoding.UTF8.GetBytes($"{before}# Secrets of the stack{newline}{string.Concat(lines.Select(line => line + newline))}")];
        return CheckFix.OfFiles(context.Stack.Root, [PlannedFileChange.Write(context.Stack.Root, IgnoreFile, $"Add {string.Join(", ", lines)}", file.Bytes, content, FileProtection.Keep)], context.Keep);
    }

    /// <summary>A line that matches this path and no other, but for backups, of which there will be more.</summary>
    private static string RuleFor(string path)
    {
        var backups = path.LastIndexOf($"{BackupFolder}/", StringComparison.Ordinal);
        var rule = new StringBuilder("/");
        foreach (var c in backups >= 0 ? path[..(backups + BackupFolder.Length + 1)] : path)
        {
            if (c is '*' or '?' or '[' or '\\' or ' ')
                rule.Append('\\');
            rule.Append(c);
        }

        return rule.ToString();
    }
}
