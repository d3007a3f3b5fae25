using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Checks of the Python packages that the notebooks need.</summary>
internal static class PythonChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            "python.packages",
            "Python packages of the notebooks",
            "Every package that the notebooks import must be installed, in the version that the stack asks for or a later one (PEP 440). They are looked for where the stack file says, else in .venv, else in the Python of this machine. Nothing is installed.",
            "Install the packages with pip.",
            LookAsync),
    ];

    private static async Task<CheckOutcome> LookAsync(CheckContext context, CancellationToken stop)
    {
        if (context.Stack.Definition.Python is not { Packages.Count: > 0 } python)
            return CheckOutcome.Skipped("The stack names no Python packages.");

        var (installed, otherwise) = await FindAsync(context, python, stop).ConfigureAwait(false);
        return installed is null ? otherwise! : Judge(python, installed);
    }

    private static async Task<(InstalledPackages? Installed, CheckOutcome? Otherwise)> FindAsync(CheckContext context, PythonDefinition python, CancellationToken stop)
    {
        if (python.Service is { } name)
        {
            var service = context.Stack.Definition.Services.Single(service => service.Name == name);
            var inContainer = await PythonEnvironment.InContainerAsync(context.Engine, service, python.Packages.Keys, stop).ConfigureAwait(false);
            return (inContainer, CheckOutcome.Skipped($"The container '{service.Container}' has no Python 3.8 or later."));
        }

        var folder = python.Environment ?? PythonEnvironment.DefaultFolder;
        if (python.Environment is not null || Directory.Exists(context.Stack.PathOf(folder)))
        {
            var inFolder = PythonEnvironment.InFolder(context.Stack.PathOf(folder), folder, python.Packages.Keys);
            return (inFolder, CheckOutcome.Failed($"'{folder}' is no Python environment.") with { Remedy = $"Make one: python3 -m venv {folder}" });
        }

        var onMachine = await PythonEnvironment.OnThisMachineAsync(python.Packages.Keys, stop).ConfigureAwait(false);
        return (onMachine, CheckOutcome.Skipped($"There is no {PythonEnvironment.DefaultFolder}, and no Python 3.8 or later on this machine. To have packages checked, say where they are in {GenAIStack.FileName}: python."));
    }

    private static CheckOutcome Judge(PythonDefinition python, InstalledPackages installed)
    {
        var lines = new List<string>();
        var wrong = new List<string>();
        var isUnclear = false;
        foreach (var (name, lowest) in python.Packages)
        {
            if (!installed.Versions.TryGetValue(InstalledPackages.Normalize(name), out var version))
            {
                lines.Add($"{name}: not installed");
                wrong.Add(name);
            }
            else if (!PythonVersion.TryParse(version, out var parsed))
            {
                lines.Add($"{name}: its version '{version}' is none");
                isUnclear = true;
            }
            else if (PythonVersion.TryParse(lowest, out var needed) && parsed!.CompareTo(needed) < 0)
            {
                lines.Add($"{name}: {version} is installed, {lowest} or later is needed");
                wrong.Add(name);
            }
            else
            {
                lines.Add($"{name} {version}");
            }
        }

        if (wrong.Count == 0)
        {
            return isUnclear
                ? CheckOutcome.Warning($"Some packages have a version that cannot be compared, in {installed.Where}.", lines)
                : CheckOutcome.Passed($"All {python.Packages.Count} packages are installed, in {installed.Where}.", lines);
        }

        if (installed.IsPartial)
            return CheckOutcome.Error($"Packages are missing or too old in {installed.Where}, which also has those of the Python that made it; these were not seen.", lines);
        return CheckOutcome.Failed($"{wrong.Count} of {python.Packages.Count} packages are missing or too old, in {installed.Where}.", lines) with
        {
            Remedy = $"Install them there: python -m pip install {string.Join(' ', wrong.Select(name => $"\"{name}>={python.Packages[name]}\""))}",
        };
    }
}
