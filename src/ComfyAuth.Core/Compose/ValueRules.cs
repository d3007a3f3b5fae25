using ComfyAuth.Secrets;

namespace ComfyAuth.Compose;

/// <summary>Rules about variables and their values.</summary>
internal static class ValueRules
{
    private static readonly SecretRedactor Redactor = new();

    public static IReadOnlyList<ComposeRule> All { get; } =
    [
        new("hash-cut-by-interpolation", FindingSeverity.Error,
            "A cut hash is no valid token, and only a warning of Compose tells; whether it happens depends on the salt, so it looks random.",
            "In a .env file put single quotes around the hash; in a compose file double every $; best, mount a token file.",
            (_, service) => Problems(service, InterpolationProblemKind.HashCut, InterpolationProblemKind.HashNotEscaped)),
        new("interpolation-refused", FindingSeverity.Error,
            "Compose refuses the file, so no service of it starts.",
            "Define the variable that is required, or write $$ for a $.",
            (_, service) => Problems(service, InterpolationProblemKind.Refused)),
        new("undefined-variable", FindingSeverity.Warning,
            "Compose puts nothing in its place and only warns.",
            "Define it in .env, give it a default such as ${NAME:-value}, or write $$ where a $ is meant.",
            (_, service) => Problems(service, InterpolationProblemKind.UndefinedVariable)),
        new("env-file-unreadable", FindingSeverity.Error,
            "Compose refuses to start the service.",
            "Make the file readable, or mark the entry with 'required: false'.",
            (_, service) => service.EnvironmentFiles.Where(file => file.Fault is not null).Select(file => new ComposeFault(file.Place, file.Fault!))),
        new("literal-secret", FindingSeverity.Error,
            "Whoever reads the file or its history has the secret.",
            "Take it out of a .env file that is not under version control, or mount a secret file; then replace the secret by a new one.",
            (_, service) => LiteralSecrets(service)),
    ];

    private static IEnumerable<ComposeFault> Problems(ComposeService service, params InterpolationProblemKind[] kinds) => service.Problems
        .Where(problem => kinds.Contains(problem.Kind))
        .Select(problem => new ComposeFault(problem.Place, $"In {problem.Setting}, {problem.Message}."));

    private static IEnumerable<ComposeFault> LiteralSecrets(ComposeService service)
    {
        foreach (var variable in service.Environment.Where(variable => variable.Origin == ComposeVariableOrigin.Literal && variable.Reveal() is { Length: > 0 }))
        {
            var assignment = $"{variable.Name}={variable.Reveal()}";
            if (Redactor.Redact(assignment) != assignment)
                yield return new ComposeFault(variable.Place, $"The value of {variable.Name} is a secret that stands in the file itself.");
        }

        foreach (var key in new[] { "command", "entrypoint" })
        {
            var literals = service.Source?.Scalars(key).Where(word => word.Variables.Count == 0).Select(word => word.Text) ?? [];
            var line = string.Join(' ', literals);
            if (Redactor.Redact(line) != line)
                yield return new ComposeFault(service.PlaceOf(key), $"A secret stands in '{key}' itself.");
        }
    }
}
