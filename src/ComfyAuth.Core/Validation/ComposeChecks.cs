using System.Globalization;
using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Checks of compose files, and of the command that reads them.</summary>
internal static class ComposeChecks
{
    public const string Valid = "compose.valid";

    private const string Present = "compose.file.present";

    private const int MostEvidence = 20;

    private static readonly SharedServiceFact<(ContainerBlueprint? Blueprint, ComfyAuthException? Error)> BlueprintFact = new((context, service, _) =>
    {
        try
        {
            return Task.FromResult<(ContainerBlueprint?, ComfyAuthException?)>((ContainerBlueprint.OfNew(context.Stack, service), null));
        }
        catch (ComfyAuthException error)
        {
            return Task.FromResult<(ContainerBlueprint?, ComfyAuthException?)>((null, error));
        }
    });

    /// <summary>The findings of the rules in all compose files that can be read, each file read once however many services are in it.</summary>
    private static readonly SharedFact<(IReadOnlyList<ComposeFile> Files, IReadOnlyList<ComposeFinding> Findings)> LintFact = new(LintAsync);

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Present,
            "Compose file is there",
            "The compose file that the stack names is what the container is made from, and made again from.",
            "Put the compose file there, or correct 'compose' of the service in comfyauth.yml.",
            HasComposeFile,
            (context, service, _) => Task.FromResult(IsPresent(context.Stack.PathOf(service.ComposeFile!)))),
        new(
            Valid,
            "Compose file describes the container",
            "The compose file must be one that Compose can read, with its .env file and its overrides, and must have a service that makes the container of this name.",
            "Correct the file at the line that is named; 'docker compose config' says whether Compose reads it.",
            HasComposeFile,
            async (context, service, stop) => await context.FindAsync(BlueprintFact, service, stop).ConfigureAwait(false) switch
            {
                (_, { Code: "ComposeFileUnreadable" } error) => CheckOutcome.Error(error.Message) with { Remedy = error.Remedy },
                (_, { } error) => CheckOutcome.Failed(error.Message) with { Remedy = error.Remedy },
                ({ Service: null } blueprint, _) => CheckOutcome.Warning($"{blueprint.FileName} can be read, but brings in what stands elsewhere, which is not."),
                var (blueprint, _) => CheckOutcome.Passed($"{blueprint!.FileName} describes the service '{blueprint.ServiceName}'.", [.. blueprint.Project.Files.Select(file => Shown(context, file))]),
            })
        {
            DependsOn = [Present],
            Weight = 2,
        },
        new(
            "compose.lint",
            "Compose file has no known faults",
            "Mistakes that Compose does not complain of are looked for: a healthcheck that cannot pass behind a login, a hash that variables cut, a missing mount, a port that is taken twice, and more.",
            "Follow what is said at each finding; docs/compose-lint.md explains the rules.",
            HasComposeFile,
            LintAsync)
        {
            DependsOn = [Valid],
            Weight = 2,
        },
        new(
            "compose.command",
            "Compose command is there",
            "Containers are made and made anew with 'docker compose' or 'docker-compose'. Checking needs neither.",
            "Install Docker Desktop, or the package docker-compose-plugin beside Docker Engine.",
            CommandAsync)
        {
            Timeout = TimeSpan.FromMinutes(2),
        },
    ];

    private static bool HasComposeFile(ServiceDefinition service) => service.ComposeFile is not null;

    private static string Shown(CheckContext context, string path) => RealPath.Inside(context.Stack.Root, path)?.Replace('\\', '/') ?? path;

    private static CheckOutcome IsPresent(string path)
    {
        if (Directory.Exists(path))
            return CheckOutcome.Failed($"A folder stands at '{path}', where the compose file belongs.") with { Remedy = "Remove the folder if it is empty, and put the compose file there." };
        if (File.Exists(path))
            return CheckOutcome.Passed($"'{path}' is there.");
        Absence.Ensure(path);
        return CheckOutcome.Failed($"There is no compose file '{path}'.");
    }

    private static Task<(IReadOnlyList<ComposeFile> Files, IReadOnlyList<ComposeFinding> Findings)> LintAsync(CheckContext context, CancellationToken stop)
    {
        List<ComposeFile> files = [];
        foreach (var paths in context.Stack.Definition.Services.Where(HasComposeFile).Select(service => ContainerBlueprint.FilesOf(context.Stack.PathOf(service.ComposeFile!))).DistinctBy(paths => paths[0]))
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                files.Add(ComposeFile.Load(paths, context.Shell, profiles: ["*"]));
            }
            catch (ComfyAuthException)
            {
                // Told by the check that looks at this file.
            }
        }

        return Task.FromResult<(IReadOnlyList<ComposeFile>, IReadOnlyList<ComposeFinding>)>((files, ComposeLint.Run(context.Stack.Definition.Services, files)));
    }

    private static async Task<CheckOutcome> LintAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var (files, all) = await context.FindAsync(LintFact, stop).ConfigureAwait(false);
        var (blueprint, _) = await context.FindAsync(BlueprintFact, service, stop).ConfigureAwait(false);
        var file = files.FirstOrDefault(candidate => candidate.Paths[0] == context.Stack.PathOf(service.ComposeFile!));
        if (file is null || blueprint is null)
            return CheckOutcome.Error("The compose file could not be read a second time.");

        // What is about another service of the stack in the same file is told there.
        var others = context.Stack.Definition.Services
            .Where(other => other != service && other.ComposeFile == service.ComposeFile)
            .SelectMany(other => file.Services.Where(described => described.ContainerName == other.Container || described.Name == other.Name))
            .Select(described => described.Name)
            .Where(name => name != blueprint.ServiceName)
            .ToHashSet();
        var findings = all
            .Where(finding => IsOf(finding, file, files) && !(finding.Service is { } name && others.Contains(name)))
            .OrderByDescending(finding => finding.Severity)
            .ToList();
        if (findings.Count == 0)
            return CheckOutcome.Passed("None of the rules finds anything.");

        var worst = findings[0];
        var evidence = findings.Take(MostEvidence).Select(finding => string.Create(CultureInfo.InvariantCulture, $"{Shown(context, finding.File)}:{finding.Line} {finding.Severity} {finding.RuleId}: {finding.Message}"));
        if (findings.Count > MostEvidence)
            evidence = evidence.Append(string.Create(CultureInfo.InvariantCulture, $"and {findings.Count - MostEvidence} more"));
        var message = string.Create(CultureInfo.InvariantCulture, $"The rules find {Counted(findings, FindingSeverity.Error, "error")}, {Counted(findings, FindingSeverity.Warning, "warning")} and {Counted(findings, FindingSeverity.Info, "hint")}.");
        return new CheckOutcome(
            worst.Severity switch
            {
                FindingSeverity.Error => CheckStatus.Failed,
                FindingSeverity.Warning => CheckStatus.Warning,
                _ => CheckStatus.Passed,
            },
            message)
        {
            Evidence = [.. evidence],
            Remedy = string.Join(' ', findings.Where(finding => finding.Severity == worst.Severity).Select(finding => finding.Fix).Distinct().Take(3)),
        };
    }

    /// <summary>Whether a finding is about a file, or about the environment file of one of its services.</summary>
    private static bool IsOf(ComposeFinding finding, ComposeFile file, IReadOnlyList<ComposeFile> files) =>
        file.Paths.Contains(finding.File)
        || (!files.Any(other => other.Paths.Contains(finding.File)) && finding.Service is { } name && file.Services.Any(service => service.Name == name));

    private static string Counted(List<ComposeFinding> findings, FindingSeverity severity, string word)
    {
        var count = findings.Count(finding => finding.Severity == severity);
        return string.Create(CultureInfo.InvariantCulture, $"{(count == 0 ? "no" : count)} {word}{(count == 1 ? "" : "s")}");
    }

    private static async Task<CheckOutcome> CommandAsync(CheckContext context, CancellationToken stop)
    {
        if (!context.Services.Any(HasComposeFile))
            return CheckOutcome.Skipped("No chosen service has a compose file.");

        try
        {
            var command = await ComposeCommand.FindAsync(context.Redactor, stop, context.Shell("PATH") ?? "").ConfigureAwait(false);
            return CheckOutcome.Passed($"'{(command.IsPlugin ? "docker compose" : "docker-compose")}' {command.Version} is there.");
        }
        catch (ComfyAuthException error) when (error.Code == "ComposeNotInstalled")
        {
            return CheckOutcome.Warning(error.Message) with { Remedy = error.Remedy };
        }
    }
}
