using System.Text.RegularExpressions;
using ComfyAuth.DotEnv;
using ComfyAuth.Environments;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of the <c>.env</c> file of each service that has one.</summary>
internal static partial class EnvironmentChecks
{
    public const string Present = "env.file.present";

    private const string RestoreRemedy = "Run Restore-ComfyEnv (restore-env): it fills in what it knows and keeps what is yours.";

    /// <summary>What is wrong with a file, a line each; empty where nothing is.</summary>
    private delegate IReadOnlyList<string> Judge(CheckContext context, ServiceDefinition service, DotEnvDocument document);

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Present,
            ".env file is there",
            "The .env file that a service is started with must be there and be a file. Where a mounted file is missing, Docker makes a folder in its place.",
            RestoreRemedy,
            HasEnvironment,
            (context, service, stop) => Task.FromResult(LookForFile(context, service, stop)))
        {
            Weight = 2,
            PlanFix = (context, service, stop) => Task.FromResult(PlanRestore(context, service!, stop)),
        },
        Of(
            "env.required",
            "Required variables",
            "Every variable that the service cannot do without must be in its .env file, neither empty nor a placeholder.",
            $"Fill in what only you know. {RestoreRemedy}",
            "Every required variable has a value.",
            "Required variables are missing, empty or placeholders.",
            (_, service, document) => [.. EnvironmentValidator.MissingVariables(document, service.Environment!)],
            service => service.Environment!.Required.Count == 0 ? "The stack names no required variables of this service." : null,
            weight: 2),
        Of(
            "env.quoting",
            "Values survive every reader",
            "Each program that reads the .env file must get the same values out of it: an unquoted $ of a bcrypt hash is taken for a variable and cuts the hash.",
            "Put the value in single quotes; Restore-ComfyEnv (restore-env) does so for the credential.",
            "Every reader of the file gets the same values.",
            "Some values do not come out as they are written.",
            (context, service, document) => Differences(document, service.Environment!, context.Shell),
            weight: 2),
        Of(
            "env.bcrypt",
            "Token is a bcrypt hash",
            "The bearer token of ComfyUI-Login is the bcrypt hash of the password ($2b$12$ and 53 characters); anything else is refused, or was cut.",
            "Run Sync-ComfyToken (sync-token), or Restore-ComfyEnv (restore-env) for this file alone.",
            "Every token in the file is a whole bcrypt hash.",
            "A token in the file is no bcrypt hash.",
            (_, service, document) => [.. EnvironmentValidator.MalformedHashes(document, service.Environment!)],
            service => service.Auth == AuthKind.ComfyUILogin ? null : "The service is not behind ComfyUI-Login.",
            weight: 2),
        Of(
            "env.signing-key",
            "Key of the session cookies is strong",
            "Whoever guesses SECRET_KEY can sign a session cookie and is logged in.",
            "Run Restore-ComfyEnv (restore-env): it makes a random key. Everybody has to log in again.",
            "The key is strong, or the file sets none.",
            "The key can be guessed.",
            (_, _, document) => EnvironmentValidator.WeakSigningKey(document) is { } problem ? [problem] : []),
        new(
            "env.ineffective",
            "Variables without effect",
            "Some variables look as if they protected the login and have no effect on ComfyUI-Login, which reads neither of them.",
            "Take them out, so that nobody relies on them.",
            HasEnvironment,
            (context, service, _) => Task.FromResult(LookForIneffective(context, service)))
        {
            DependsOn = [Present],
        },
        new(
            "env.template.present",
            "Template of the .env file",
            "Whoever gets the stack without its secrets needs the template to know which variables there are; it is shared, so that it must hold no secret.",
            "Copy the .env file to the name of the template, and empty every value that is a secret.",
            HasEnvironment,
            (context, service, _) => Task.FromResult(LookForTemplate(context, service.Environment!, service.Auth == AuthKind.ComfyUILogin))),
    ];

    /// <summary>What a value becomes in one reader and not in another, or is not at all.</summary>
    public static IReadOnlyList<string> Differences(DotEnvDocument document, EnvironmentFile environment, Func<string, string?> shell)
    {
        var problems = EnvironmentValidator.Failures(document, environment).ToList();
        var readers = DotEnvReader.For(environment.Consumers);
        var views = readers.Select(reader => document.ReadAll(reader.Consumer, shell).ToDictionary(reading => reading.Name)).ToList();
        foreach (var entry in document.Entries.GroupBy(entry => entry.Name).Select(group => group.Last()))
        {
            var read = readers
                .Zip(views, (reader, view) => (Reader: reader.Title, Reading: view.GetValueOrDefault(entry.Name)))
                .Where(item => item.Reading is { Failure: null, IsInherited: false, Value: not null })
                .ToList();
            if (read.Find(item => item.Reading!.Dropped.Count > 0 && HasBareDollar(entry)) is { Reader: { } cutter })
                problems.Add($"line {entry.Line}: {cutter} takes a part of {entry.Name} for a variable, and drops it.");
            else if (read.Find(item => item.Reading!.Value != read[0].Reading!.Value) is { Reader: { } other })
                problems.Add($"line {entry.Line}: {other} reads {entry.Name} otherwise than {read[0].Reader}.");
        }

        return [.. problems.Distinct()];
    }

    /// <summary>A file of the stack as a <c>.env</c> file.</summary>
    /// <exception cref="ComfyAuthException"><c>EnvironmentUnreadable</c>, or a <see cref="DotEnvSyntaxException"/>.</exception>
    public static DotEnvDocument Load(GenAIStack stack, string path) => EnvironmentValidator.Load(new(stack), path).Document;

    /// <summary>What became of looking for a file; <paramref name="canFix"/> is asked where it is missing.</summary>
    public static CheckOutcome LookForFile(GenAIStack stack, string path, Func<bool> canFix)
    {
        var file = new StackFiles(stack).Get(path);
        return file.Problem switch
        {
            null => CheckOutcome.Passed($"{path} is there."),
            TokenState.Missing => CheckOutcome.Failed($"{path} is missing.") with { CanFix = canFix() },
            TokenState.IsDirectory => CheckOutcome.Failed($"{path} is a folder.", file.Evidence) with { Remedy = "Stop the container that mounts it, delete the folder, and restore the file." },
            _ => CheckOutcome.Error($"{path} cannot be read.", file.Evidence) with { Remedy = "Check its permissions." },
        };
    }

    /// <summary>What became of looking for a template.</summary>
    public static CheckOutcome LookForTemplate(CheckContext context, EnvironmentFile environment, bool hasBuiltIn)
    {
        if (environment.Template is not { } path)
            return CheckOutcome.Skipped("The stack names no template of this file.");
        var file = new StackFiles(context.Stack).Get(path);
        if (file.Problem == TokenState.Missing)
        {
            return hasBuiltIn
                ? CheckOutcome.Warning($"{path} is missing; the built-in template serves in its place.")
                : CheckOutcome.Failed($"{path} is missing.");
        }

        if (file.Problem is not null)
            return CheckOutcome.Error($"{path} cannot be read.", file.Evidence) with { Remedy = "Let this account read the file, or check from one that may." };

        // A default such as a user name or an address is no secret, whatever its look.
        var secrets = file.Document.Entries
            .Where(entry => SecretRedactor.IsSecretName(entry.Name) && file.Document.Get(entry.Name) is { } value && !EnvironmentValidator.IsPlaceholder(value))
            .Select(entry => $"line {entry.Line}: {entry.Name} has a value that is no placeholder.")
            .ToList();
        return secrets.Count == 0
            ? CheckOutcome.Passed($"{path} is there and holds no secret.")
            : CheckOutcome.Warning($"{path} may hold a secret.", secrets) with { Remedy = "Empty those values; change the secrets if others could read the template." };
    }

    private static bool HasEnvironment(ServiceDefinition service) => service.Environment is not null;

    private static CheckOutcome LookForFile(CheckContext context, ServiceDefinition service, CancellationToken stop) =>
        LookForFile(context.Stack, service.Environment!.Path, () => TryPlan(context, service, stop) is { Changes.Count: > 0 });

    private static CheckOutcome LookForIneffective(CheckContext context, ServiceDefinition service)
    {
        var names = EnvironmentValidator.VariablesWithoutEffect(Load(context.Stack, service.Environment!.Path)).ToList();
        return names.Count == 0
            ? CheckOutcome.Passed("Every variable of the login that is set has an effect.")
            : CheckOutcome.Warning($"{string.Join(" and ", names)} {(names.Count == 1 ? "has" : "have")} no effect on ComfyUI-Login.");
    }

    private static Check Of(string id, string title, string meaning, string remedy, string fine, string bad, Judge judge, Func<ServiceDefinition, string?>? whyNot = null, double weight = 1) => new(
        id,
        title,
        meaning,
        remedy,
        HasEnvironment,
        (context, service, stop) => Task.FromResult(whyNot?.Invoke(service) is { } reason ? CheckOutcome.Skipped(reason) : Decide(context, service, fine, bad, judge, stop)))
    {
        DependsOn = [Present],
        Weight = weight,
        PlanFix = (context, service, stop) => Task.FromResult(PlanRestore(context, service!, stop)),
    };

    private static CheckOutcome Decide(CheckContext context, ServiceDefinition service, string fine, string bad, Judge judge, CancellationToken stop)
    {
        DotEnvDocument document;
        try
        {
            document = Load(context.Stack, service.Environment!.Path);
        }
        catch (DotEnvSyntaxException error)
        {
            return CheckOutcome.Failed(error.Message) with { Remedy = error.Remedy };
        }

        var problems = judge(context, service, document);
        if (problems.Count == 0)
            return CheckOutcome.Passed(fine);

        // A plan adds empty lines for what nobody knows, which mends nothing: only trying it out tells.
        var plan = TryPlan(context, service, stop);
        foreach (var change in plan?.Changes ?? [])
            change.Apply?.Invoke();
        return CheckOutcome.Failed(bad, problems) with { CanFix = plan is not null && judge(context, service, plan.Document).Count < problems.Count };
    }

    private static EnvironmentRestorePlan? TryPlan(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        try
        {
            return Plan(context, service, stop);
        }
        catch (ComfyAuthException)
        {
            // There is no template, or no credential: the remedy says what to do.
            return null;
        }
    }

    private static EnvironmentRestorePlan Plan(CheckContext context, ServiceDefinition service, CancellationToken stop) =>
        new EnvironmentRestorer(context.Verifier, context.Redactor) { Keep = context.Keep }.Plan(context.Stack, service, new(), stop);

    private static CheckFix PlanRestore(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var plan = Plan(context, service, stop);
        return new(plan.Changes, (approve, ending) => plan.ApplyAsync(approve, ending));
    }

    private static bool HasBareDollar(DotEnvEntry entry) => entry.RawValue is { } raw && Reference().Replace(raw, "").Contains('$', StringComparison.Ordinal);

    // What is written so is meant to be replaced, if need be by nothing.
    [GeneratedRegex(@"\$\{[^}\r\n]*\}", RegexOptions.CultureInvariant)]
    private static partial Regex Reference();
}
