using System.Text.RegularExpressions;
using ComfyAuth.DotEnv;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Environments;

/// <summary>Judges a service's <c>.env</c> file by what Compose makes of it.</summary>
public static partial class EnvironmentValidator
{
    /// <summary>The key that signs session cookies.</summary>
    internal const string SecretKey = "SECRET_KEY";

    private const int StrongSecretLength = 32;
    private const int StrongSecretVariety = 16;

    // Random hexadecimal digits are a common key and seldom hold all sixteen.
    private const int StrongHexVariety = 10;

    private static readonly string[] WithoutEffect = ["MAX_LOGIN_ATTEMPTS", "SESSION_EXPIRE_HOURS"];

    /// <summary>Judges the <c>.env</c> files of a stack; changes nothing.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all that have a <c>.env</c> file.</param>
    /// <returns>One record for each file; a file that does not exist lacks every variable.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ServiceNotFound</c>; <c>NoEnvironment</c>: no chosen service has a <c>.env</c> file; <c>EnvironmentUnreadable</c>;
    /// <c>RecoveryPending</c>; or a <see cref="DotEnvSyntaxException"/>.
    /// </exception>
    public static IReadOnlyList<EnvironmentValidation> Validate(GenAIStack stack, IReadOnlyCollection<string>? services = null)
    {
        StackFiles.EnsureSettled(stack);
        var files = new StackFiles(stack);
        return [.. ServicesOf(stack, services).Select(service => Validate(stack, service, Load(files, service.Environment!.Path).Document))];
    }

    /// <summary>The services of a stack that have a <c>.env</c> file.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="names">Names of services; null or empty for all.</param>
    /// <returns>At least one.</returns>
    /// <exception cref="ComfyAuthException"><c>ServiceNotFound</c>; <c>NoEnvironment</c>: no chosen service has a <c>.env</c> file.</exception>
    public static IReadOnlyList<ServiceDefinition> ServicesOf(GenAIStack stack, IReadOnlyCollection<string>? names = null)
    {
        var services = stack.SelectServices(names).Where(service => service.Environment is not null).ToList();
        return services.Count > 0 ? services : throw new ComfyAuthException("NoEnvironment", $"No chosen service of '{stack.Root}' has a .env file.", "Choose one that has, or name the file in the stack file: env.file.");
    }

    /// <summary>Judges a document.</summary>
    internal static EnvironmentValidation Validate(GenAIStack stack, ServiceDefinition service, DotEnvDocument document)
    {
        var environment = service.Environment!;
        return new EnvironmentValidation
        {
            Stack = stack.Root,
            Service = service.Name,
            Path = stack.PathOf(environment.Path),
            Missing = [.. MissingVariables(document, environment)],
            Invalid = [.. Failures(document, environment).Distinct(), .. MalformedHashes(document, environment), .. new[] { WeakSigningKey(document) }.OfType<string>()],
            Notes = [.. VariablesWithoutEffect(document).Select(name => $"{name} has no effect on ComfyUI-Login.")],
        };
    }

    /// <summary>Required variables that are not there, are empty, or still hold a placeholder.</summary>
    internal static IEnumerable<string> MissingVariables(DotEnvDocument document, EnvironmentFile environment) =>
        environment.Required.Where(name => IsPlaceholder(document.Get(name)));

    /// <summary>Tokens that one of the file's readers does not get as a whole hash, each with the reason.</summary>
    internal static IEnumerable<string> MalformedHashes(DotEnvDocument document, EnvironmentFile environment)
    {
        foreach (var name in DefaultLayout.HashVariables)
        {
            foreach (var (reader, value) in Values(document, name, environment.Consumers))
            {
                if (value.Length > 0 && !BcryptHash.TryParse(value, out _, out var reason))
                {
                    yield return $"{name}: not a bcrypt hash as {reader} reads it: {reason}.";
                    break;
                }
            }
        }
    }

    /// <summary>What is wrong with the key of the session cookies; null where it is strong or not set.</summary>
    internal static string? WeakSigningKey(DotEnvDocument document) =>
        document.Get(SecretKey) is { Length: > 0 } key && !IsStrong(key) ? $"{SecretKey}: too weak; {StrongSecretLength} random characters or more are needed." : null;

    /// <summary>Variables of the file that look as if they protected the login, and do not.</summary>
    internal static IEnumerable<string> VariablesWithoutEffect(DotEnvDocument document) => WithoutEffect.Where(name => document.Get(name) is not null);

    /// <summary>Whether a value is missing, empty, or stands in a template for the real one.</summary>
    internal static bool IsPlaceholder(string? value) => string.IsNullOrWhiteSpace(value) || Placeholder().IsMatch(value);

    /// <summary>Whether a value is long and varied enough to be a signing key; dates and repeated words are not.</summary>
    internal static bool IsStrong(string key) =>
        key.Length >= StrongSecretLength
        && key.Distinct().Count() >= (key.All(char.IsAsciiHexDigit) ? StrongHexVariety : StrongSecretVariety)
        && !Enumerable.Range(1, key.Length / 2).Any(period => key.AsSpan(period).SequenceEqual(key.AsSpan(0, key.Length - period)))
        && !IsPlaceholder(key);

    internal static StackFileContent Load(StackFiles files, string path)
    {
        var content = files.Get(path);
        return content.Problem is null or TokenState.Missing ? content : throw new ComfyAuthException(
            "EnvironmentUnreadable",
            $"'{content.Path}' cannot be used: {content.Evidence}",
            content.Problem == TokenState.IsDirectory ? "Stop the container that mounts it and delete the folder." : "Check its permissions.");
    }

    /// <summary>What a reader refuses: the whole file, or the line of a variable that the service depends on.</summary>
    internal static IEnumerable<string> Failures(DotEnvDocument document, EnvironmentFile environment)
    {
        string[] names = [.. environment.Required, .. DefaultLayout.HashVariables, SecretKey];
        foreach (var reader in DotEnvReader.For(environment.Consumers))
        {
            var isRefused = document.View(reader.Consumer, lookup: null).Refusal is not null;
            foreach (var reading in document.ReadAll(reader.Consumer, DotEnvReader.NoVariable))
            {
                if (reading.Failure is { } reason && (isRefused || names.Contains(reading.Name)))
                    yield return $"line {reading.FailureLine}: {reader.Title} {(isRefused ? "refuses the file" : "cannot read it")}: {reason}.";
            }
        }
    }

    private static IEnumerable<(string Reader, string Value)> Values(DotEnvDocument document, string name, DotEnvConsumer consumers)
    {
        foreach (var reader in DotEnvReader.For(consumers))
        {
            if (document.Read(name, reader.Consumer) is { Value: { } value, Failure: null })
                yield return (reader.Title, value);
        }
    }

    [GeneratedRegex(@"^(change[-_ ]?me|([a-z]{1,4}[-_])?(your[-_ ].*|x{3,})|replace[-_ ].*|todo|<.*>|\.\.\.|placeholder|example|secret|password)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
