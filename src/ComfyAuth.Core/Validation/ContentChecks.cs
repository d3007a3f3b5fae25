using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of what must lie in the folder of the notebooks.</summary>
internal static class ContentChecks
{
    public const string Folders = "content.folders";
    public const string EnvironmentPresent = "content.env.present";

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Folders,
            "Folders of the notebooks",
            "Every folder that the stack names for its notebooks must be there: notebooks write into some of them and find each other through the rest.",
            "Make the folders, or name those that there are in the stack file: content.folders.",
            (context, _) => Task.FromResult(LookForFolders(context)))
        {
            PlanFix = (context, _, _) => Task.FromResult(PlanFolders(context)),
        },
        OfFiles("content.notebooks", "notebooks", "Every notebook that the stack names must be there.", content => content.Notebooks),
        OfFiles("content.documents", "documents", "Every document that the stack names must be there: they say how it is set up, run and repaired.", content => content.Documents),
        OfFiles("content.tutorials", "tutorials", "Every tutorial that the stack names must be there.", content => content.Tutorials),
        OfFiles("content.examples", "examples", "Every example that the stack names must be there.", content => content.Examples),
        new(
            EnvironmentPresent,
            ".env file of the notebooks",
            "The notebooks read addresses and keys from this file.",
            "Copy the template to its name and fill in your keys.",
            (context, _) => Task.FromResult(OfEnvironment(context, environment => EnvironmentChecks.LookForFile(context.Stack, environment.Path, () => TemplateOf(context, environment) is not null))))
        {
            PlanFix = (context, _, _) => Task.FromResult(PlanEnvironment(context)),
        },
        new(
            "content.env.quoting",
            "Values for the notebooks survive",
            "Each program that reads the .env file must get the same values out of it: an unquoted $ is taken for a variable and cuts the value.",
            "Put the value in single quotes.",
            (context, _) => Task.FromResult(OfEnvironment(context, environment => LookForDifferences(context, environment))))
        {
            DependsOn = [EnvironmentPresent],
        },
        new(
            "content.env.template",
            "Template of the notebooks' .env file",
            "Whoever gets the notebooks without your keys needs the template to know which variables there are; it is shared, so that it must hold no secret.",
            "Copy the .env file to the name of the template, and empty every value that is a secret.",
            (context, _) => Task.FromResult(OfEnvironment(context, environment => EnvironmentChecks.LookForTemplate(context, environment, hasBuiltIn: false)))),
    ];

    /// <summary>The content of a stack; or why there is none to be checked.</summary>
    public static (ContentDefinition? Content, CheckOutcome? Otherwise) Of(GenAIStack stack)
    {
        if (stack.Definition.Content is not { } content)
            return (null, CheckOutcome.Skipped($"The stack has no content. To have it checked, name the folder of its notebooks in {GenAIStack.FileName}: content.folder."));
        if (content.IsRequired || IsFolder(stack.PathOf(content.Folder)))
            return (content, null);
        return (null, CheckOutcome.Skipped($"There is no folder '{content.Folder}', and the stack file asks for none. To have content checked, name the folder of the notebooks in {GenAIStack.FileName}: content.folder."));
    }

    private static Check OfFiles(string id, string kind, string meaning, Func<ContentDefinition, IReadOnlyList<string>> select) => new(
        id,
        $"{char.ToUpperInvariant(kind[0])}{kind[1..]} of the stack",
        meaning,
        $"Put them back, for example from version control, or name those that there are in the stack file: {id}.",
        (context, _) => Task.FromResult(LookForFiles(context, kind, select)));

    private static CheckOutcome LookForFiles(CheckContext context, string kind, Func<ContentDefinition, IReadOnlyList<string>> select)
    {
        var (content, otherwise) = Of(context.Stack);
        if (content is null)
            return otherwise!;

        var wanted = select(content);
        if (wanted.Count == 0)
            return CheckOutcome.Skipped($"The stack names no {kind}.");

        var missing = wanted
            .Where(path => !File.Exists(context.Stack.PathOf(path)))
            .Select(path => IsFolder(context.Stack.PathOf(path)) ? $"{path}: a folder stands there" : $"{path}: missing")
            .ToList();
        return missing.Count == 0
            ? CheckOutcome.Passed($"All {wanted.Count} {kind} are there.")
            : CheckOutcome.Failed($"{missing.Count} of {wanted.Count} {kind} are missing.", missing);
    }

    private static CheckOutcome LookForFolders(CheckContext context)
    {
        var (content, otherwise) = Of(context.Stack);
        if (content is null)
            return otherwise!;

        var wanted = Wanted(content);
        var missing = Missing(context.Stack, content);
        if (missing.Count == 0)
            return CheckOutcome.Passed($"All {wanted.Count} folders are there.");
        return CheckOutcome.Failed(
            $"{missing.Count} of {wanted.Count} folders are missing.",
            [.. missing.Select(path => CanBeMade(context.Stack, path) ? $"{path}: missing" : $"{path}: something else stands there")]) with
        {
            CanFix = missing.Exists(path => CanBeMade(context.Stack, path)),
        };
    }

    private static CheckFix PlanFolders(CheckContext context)
    {
        if (context.Stack.Definition.Content is not { } content)
            return CheckFix.Nothing;

        var changes = Missing(context.Stack, content)
            .Where(path => CanBeMade(context.Stack, path))
            .Select(path => new PlannedFolderChange(context.Stack.PathOf(path)))
            .ToList();
        return new(changes, async (approve, stop) =>
        {
            var approved = new List<PlannedFolderChange>();
            foreach (var change in changes)
            {
                stop.ThrowIfCancellationRequested();
                if (await approve(change).ConfigureAwait(false))
                    approved.Add(change);
            }

            foreach (var change in approved)
                change.Make();
        });
    }

    private static CheckOutcome OfEnvironment(CheckContext context, Func<EnvironmentFile, CheckOutcome> look)
    {
        var (content, otherwise) = Of(context.Stack);
        if (content is null)
            return otherwise!;
        return content.Environment is { } environment ? look(environment) : CheckOutcome.Skipped("The stack names no .env file of its notebooks.");
    }

    private static CheckOutcome LookForDifferences(CheckContext context, EnvironmentFile environment)
    {
        try
        {
            var problems = EnvironmentChecks.Differences(EnvironmentChecks.Load(context.Stack, environment.Path), environment, context.Shell);
            return problems.Count == 0
                ? CheckOutcome.Passed("Every value comes out as it is written.")
                : CheckOutcome.Failed("Some values do not come out as they are written.", problems);
        }
        catch (DotEnvSyntaxException error)
        {
            return CheckOutcome.Failed(error.Message) with { Remedy = error.Remedy };
        }
    }

    private static byte[]? TemplateOf(CheckContext context, EnvironmentFile environment) =>
        environment.Template is { } template ? new StackFiles(context.Stack).Get(template).Bytes : null;

    /// <summary>The template under the file's name: what is to be filled in is the user's.</summary>
    private static CheckFix PlanEnvironment(CheckContext context)
    {
        if (Of(context.Stack).Content?.Environment is not { } environment
            || TemplateOf(context, environment) is not { } template
            || new StackFiles(context.Stack).Get(environment.Path).Problem != TokenState.Missing)
        {
            return CheckFix.Nothing;
        }

        return CheckFix.OfFiles(context.Stack.Root, [PlannedFileChange.Write(context.Stack.Root, environment.Path, "Create the file from its template", null, template, FileProtection.OwnerOnly)], context.Keep);
    }

    private static List<string> Wanted(ContentDefinition content) => [.. content.Folders.Prepend(content.Folder).Distinct(StringComparer.Ordinal)];

    private static List<string> Missing(GenAIStack stack, ContentDefinition content) => Wanted(content).FindAll(path => !IsFolder(stack.PathOf(path)));

    /// <summary>Whether a folder stands there; what may not be seen is not taken for missing.</summary>
    private static bool IsFolder(string path)
    {
        if (Directory.Exists(path))
            return true;
        Absence.Ensure(path);
        return false;
    }

    /// <summary>Whether nothing stands where the folder belongs, nor a file where it would have to stand in.</summary>
    private static bool CanBeMade(GenAIStack stack, string path)
    {
        for (var full = stack.PathOf(path); full is not null && !Directory.Exists(full); full = Path.GetDirectoryName(full))
        {
            // A link that leads nowhere is there, too.
            if (File.Exists(full) || new FileInfo(full).LinkTarget is not null)
                return false;
        }

        return true;
    }
}
