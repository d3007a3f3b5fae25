using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of where secrets stand, and of who may read them there.</summary>
internal static class SecretsChecks
{
    private const int MostEvidence = 20;
    private const int LogLines = 2000;
    private const int LogCharacters = 8 << 20;

    private const string Replace = "Take the secret out. If others may have seen it, replace it: Sync-ComfyToken -Rotate makes a new credential, and API keys are replaced where they come from.";

    private static readonly SharedFact<KnownSecrets> SecretsFact = new((context, _) => Task.FromResult(KnownSecrets.Of(context.Stack)));

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            "secrets.permissions",
            "Secret files are their owner's alone",
            "Whoever may read a file with a token or a password has it; and where Docker made a folder in place of a secret file that was missing, nothing is read at all.",
            "Close the files to everybody but their owner, with chmod 600 or an access list; Sync-ComfyToken does it for the places of the token.",
            (context, stop) => Task.FromResult(Permissions(context, stop)))
        {
            Weight = 2,
            PlanFix = (context, _, stop) => Task.FromResult(CheckFix.OfFiles(
                context.Stack.Root,
                [.. Look(context.Stack, stop).Where(file => file.State == FileState.Exposed).Select(file => PlannedFileChange.Protect(context.Stack.Root, file.Path))],
                context.Keep)),
        },
        new(
            "secrets.leaks",
            "Secrets stand nowhere else",
            "The stack's own tokens, passwords and API keys are looked for in all text files of its folder: in scripts, notebooks, compose files and documents they do not belong.",
            Replace,
            LeaksAsync)
        {
            Weight = 2,
            Timeout = TimeSpan.FromMinutes(3),
        },
        new(
            "secrets.container",
            "Secrets do not show in the container's settings",
            "Command lines, healthchecks, labels and the environment of an image can be read by whoever may ask the engine, and by every user of its machine where they become a process.",
            Replace,
            ContainerChecks.Any,
            ContainerAsync)
        {
            DependsOn = [ContainerChecks.Running],
        },
        new(
            "secrets.logs",
            "Secrets do not show in the container's log",
            "Whoever may read the engine's logs, or where they are sent to, reads what the service wrote there. ComfyUI-Login writes its token into the log at each start.",
            "Let only those read the engine's logs who may have the token, and bound them with the log options max-size and max-file.",
            ContainerChecks.Any,
            LogsAsync)
        {
            DependsOn = [ContainerChecks.Running],
            Timeout = TimeSpan.FromMinutes(1),
        },
    ];

    private static CheckOutcome Permissions(CheckContext context, CancellationToken stop)
    {
        var files = Look(context.Stack, stop);
        var folders = files.Where(file => file.State == FileState.Folder).ToList();
        var exposed = files.Where(file => file.State == FileState.Exposed).ToList();
        var unknown = files.Where(file => file.State == FileState.Unknown).ToList();
        string[] evidence =
        [
            .. folders.Select(file => $"{file.Path}: a folder stands where the file belongs"),
            .. exposed.Select(file => $"{file.Path}: others than its owner may read it"),
            .. unknown.Select(file => $"{file.Path}: {file.Evidence}"),
        ];
        if (folders.Count + exposed.Count > 0)
        {
            return CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"Of {files.Count} files that hold secrets, {exposed.Count} can be read by others, and {folders.Count} are folders."), evidence) with
            {
                CanFix = exposed.Count > 0,
                Remedy = folders.Count > 0 ? "Stop the container that mounts the folder, delete the folder, and run Sync-ComfyToken, which writes the file. Close the others with chmod 600 or an access list." : null,
            };
        }

        if (unknown.Count > 0)
            return CheckOutcome.Error("Who may read the files that hold secrets could not be found out.", evidence) with { Remedy = "Let this account look at the files, or check from one that may." };
        return files.Count == 0 ? CheckOutcome.Skipped("There are no files that hold secrets.") : CheckOutcome.Passed(string.Create(CultureInfo.InvariantCulture, $"The files that hold secrets, {files.Count}, are their owner's alone."));
    }

    /// <summary>Looks at those files that are there, each once.</summary>
    private static List<(string Path, FileState State, string Evidence)> Look(GenAIStack stack, CancellationToken stop)
    {
        List<(string Path, FileState State, string Evidence)> files = [];
        foreach (var path in StackSecrets.Files(stack))
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                var full = RealPath.Of(stack.PathOf(path));
                if (Directory.Exists(full))
                    files.Add((path, FileState.Folder, ""));
                else if (File.Exists(full))
                    files.Add((path, FilePermissions.IsOwnerOnly(full) ? FileState.Closed : FileState.Exposed, ""));
                else
                    Absence.Ensure(full);
            }
            catch (ComfyAuthException error)
            {
                files.Add((path, FileState.Unknown, error.Message));
            }
        }

        return files;
    }

    private static async Task<CheckOutcome> LeaksAsync(CheckContext context, CancellationToken stop)
    {
        var secrets = await context.FindAsync(SecretsFact, stop).ConfigureAwait(false);
        if (secrets.Count == 0)
            return CheckOutcome.Skipped("No secret of the stack is known here.");

        var belongs = context.Stack.Definition.Services.Select(service => service.ModelsFolder).OfType<string>().Select(context.Stack.PathOf).ToHashSet(RealPath.Comparer);
        foreach (var path in StackSecrets.Files(context.Stack).Select(context.Stack.PathOf))
        {
            belongs.Add(path);
            try
            {
                belongs.Add(RealPath.Of(path));
            }
            catch (ComfyAuthException)
            {
                // A link that leads to itself holds nothing.
            }
        }

        var scan = new SecretScan(secrets);
        await scan.RunAsync(context.Stack.Root, belongs, stop).ConfigureAwait(false);
        var found = scan.Found;
        var looked = string.Create(CultureInfo.InvariantCulture, $"{scan.Files} text files were looked at for {secrets.Count} secrets{(scan.Cut > 0 ? $", {scan.Cut} of them only in their first {ByteSize.Format(SecretScan.MostOfOneFile)}" : "")}");
        string[] evidence = [.. Shortened(found, place => string.Create(CultureInfo.InvariantCulture, $"{place.Path}:{place.Line} holds {place.Name}")), .. Shortened(scan.Gaps, gap => $"not looked at: {gap}"), looked];
        if (found.Count > 0)
        {
            var files = found.Select(place => place.Path).Distinct().Count();
            return CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"{files} {(files == 1 ? "file holds" : "files hold")} secrets that do not belong there."), evidence);
        }

        return scan.Gaps.Count > 0
            ? CheckOutcome.Warning("No secret was found, but not everything could be looked at.", evidence) with { Remedy = "See that this user may read the stack's folder." }
            : CheckOutcome.Passed("No secret stands where it does not belong.", evidence);
    }

    private static async Task<CheckOutcome> ContainerAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var snapshot = await context.SnapshotAsync(service, stop).ConfigureAwait(false);
        if (!ContainerChecks.IsInspected(snapshot))
            return ContainerChecks.NotInspected(snapshot);

        var container = snapshot.Container!;
        var secrets = await context.FindAsync(SecretsFact, stop).ConfigureAwait(false);
        var image = await ContainerChecks.ImageAsync(context.Engine, container.ImageId, stop).ConfigureAwait(false);
        (string Place, string Text)[] places =
        [
            ("the entry point", string.Join(' ', container.Entrypoint)),
            ("the command line", string.Join(' ', container.Command)),
            ("the healthcheck", string.Join(' ', container.Healthcheck?.Test ?? [])),
            .. container.Labels.Select(label => ($"the label {label.Key}", label.Value)),
            .. (image?.Environment ?? []).Select(variable => ($"the variable {variable.Name} of the image", variable.Reveal() ?? "")),
            ("the command of the image", string.Join(' ', [.. image?.Entrypoint ?? [], .. image?.Command ?? []])),
        ];
        string[] found = [.. places.SelectMany(place => secrets.Find(place.Text).Select(secret => $"{place.Place} holds {secret.Name}")).Distinct()];
        return found.Length > 0
            ? CheckOutcome.Failed($"The settings of the container show {(found.Length == 1 ? "a secret" : "secrets")} to whoever may ask the engine.", found) with
            {
                Remedy = "Pass it in a mounted file, and let the command or the healthcheck read it there; then recreate the container and replace the secret.",
            }
            : CheckOutcome.Passed("Command lines, healthcheck, labels and image hold no secret of the stack.");
    }

    private static async Task<CheckOutcome> LogsAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var snapshot = await context.SnapshotAsync(service, stop).ConfigureAwait(false);
        if (!ContainerChecks.IsInspected(snapshot))
            return ContainerChecks.NotInspected(snapshot);

        var secrets = await context.FindAsync(SecretsFact, stop).ConfigureAwait(false);
        var (lines, characters) = (0, 0L);
        List<(string Evidence, bool IsKnown)> found = [];
        await foreach (var line in context.Engine.LogsAsync(snapshot.Container!.Id, new ContainerLogOptions { Tail = LogLines, Tty = snapshot.Container.Tty }, stop).ConfigureAwait(false))
        {
            lines++;
            foreach (var (_, name) in secrets.Find(line.Text))
            {
                // ComfyUI-Login tells at each start: "For direct API calls, use token=...".
                var isKnown = secrets.IsToken(name) && line.Text.Contains("use token=", StringComparison.Ordinal);
                found.Add(($"{(line.Timestamp is { } time ? string.Create(CultureInfo.InvariantCulture, $"{time:u} ") : "")}{name}: {EvidenceText.Show(line.Text, context.Redactor)}", isKnown));
            }

            if ((characters += line.Text.Length) > LogCharacters)
                break;
        }

        var evidence = Shortened(found.OrderBy(line => line.IsKnown).Select(line => line.Evidence).Distinct().ToList(), line => line).ToList();
        return found switch
        {
            [] => CheckOutcome.Passed("The end of the log holds no secret of the stack.", string.Create(CultureInfo.InvariantCulture, $"lines that were looked at: {lines}")),
            _ when found.TrueForAll(line => line.IsKnown) => CheckOutcome.Passed("ComfyUI-Login has written the token into the log, as it does at each start; it cannot be told not to. Nothing else of the stack's secrets is there.", evidence),
            _ => CheckOutcome.Failed("The log shows secrets.", evidence) with { Remedy = Replace },
        };
    }

    private static IEnumerable<string> Shortened<T>(IReadOnlyList<T> items, Func<T, string> show) =>
        items.Take(MostEvidence).Select(show).Concat(items.Count > MostEvidence ? [string.Create(CultureInfo.InvariantCulture, $"and {items.Count - MostEvidence} more")] : []);

    private enum FileState
    {
        Closed,
        Exposed,
        Folder,
        Unknown,
    }
}
