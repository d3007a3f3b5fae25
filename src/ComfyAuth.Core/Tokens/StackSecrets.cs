using ComfyAuth.DotEnv;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>The secrets that stand in a stack's files.</summary>
public static class StackSecrets
{
    /// <summary>
    /// Makes known what stands in the sources of truth, in every place that feeds a credential, and in every variable with a
    /// secret's name of the stack's <c>.env</c> files, so that a text that quotes one can be shown without it. Computes no
    /// bcrypt. Never throws: what cannot be read is a finding of <see cref="TokenAuditor"/>.
    /// </summary>
    /// <param name="stack">The stack.</param>
    /// <param name="redactor">Learns the secrets.</param>
    public static void Register(GenAIStack stack, SecretRedactor redactor)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(redactor);

        foreach (var (value, _) in Read(stack))
            redactor.Register(value);
    }

    /// <summary>The secrets that stand in a stack's files, each with a name for it; some more than once.</summary>
    internal static IEnumerable<(string Value, string Name)> Read(GenAIStack stack)
    {
        var files = new StackFiles(stack);
        var services = stack.Definition.Services;
        foreach (var source in Sources(stack))
        {
            foreach (var secret in Read(files, source))
                yield return secret;
        }

        foreach (var (service, location) in services.SelectMany(service => service.TokenLocations.Select(location => (service, location))))
        {
            if (location.Role != TokenRole.UserName && TokenReading.Of(service, location, files, Environment.GetEnvironmentVariable).Written is { } written)
                yield return (written, $"{(location.Role == TokenRole.Hash ? "the token" : "the password")} of {location.DisplayName}");
        }

        foreach (var secret in Environments(stack).SelectMany(environment => ReadVariables(files, environment)))
            yield return secret;
    }

    /// <summary>The files that secrets belong in, relative to the root: they may be there or not.</summary>
    internal static IReadOnlyList<string> Files(GenAIStack stack) =>
    [
        .. Sources(stack)
            .Concat(stack.Definition.Services.SelectMany(service => service.TokenLocations).Select(location => location.Path))
            .Concat(Environments(stack))
            .Distinct(),
    ];

    private static IEnumerable<string> Sources(GenAIStack stack) =>
        stack.Definition.Services.Select(service => service.Source).OfType<string>().Prepend(stack.Definition.Source).Distinct();

    private static IEnumerable<string> Environments(GenAIStack stack) => stack.Definition.Services
        .SelectMany(service => service.TokenLocations.Where(location => location.Format == TokenFormat.DotEnv).Select(location => location.Path).Append(service.Environment?.Path))
        .Append(DefaultLayout.HuggingFaceFile)
        .Append(stack.Definition.Content?.Environment?.Path)
        .Concat(stack.Definition.Apis.Select(api => api.File))
        .OfType<string>()
        .Distinct();

    private static List<(string Value, string Name)> Read(StackFiles files, string source)
    {
        List<(string Value, string Name)> secrets = [];
        var content = files.Get(source);
        try
        {
            if (content.Bytes is null)
                return secrets;
            var file = TokenSourceFile.Parse(content.Bytes, content.Path);
            var credential = file.Credential(content.Path);
            secrets.Add((credential.Hash.Reveal(), $"the token of {source}"));
            foreach (var password in new[] { credential.Password, file.SecondPassword(content.Path) }.OfType<SecretText>())
                secrets.Add((password.Reveal(), $"the password of {source}"));
        }
        catch (ComfyAuthException)
        {
            // Whoever checks the source tells what is wrong with it.
        }

        return secrets;
    }

    private static List<(string Value, string Name)> ReadVariables(StackFiles files, string path)
    {
        List<(string Value, string Name)> secrets = [];
        var file = files.Get(path);
        try
        {
            foreach (var entry in file.Document.Entries.Where(entry => SecretRedactor.IsSecretName(entry.Name)))
            {
                // A reader may lose a part of what was meant.
                foreach (var value in new[] { entry.RawValue?.Trim(' ', '\t', '\'', '"'), file.Document.Get(entry.Name) }.Where(value => !string.IsNullOrEmpty(value)))
                    secrets.Add((value!, $"{entry.Name} of {path}"));
            }
        }
        catch (DotEnvSyntaxException)
        {
            // Nobody can tell where its values begin and end; those that look like secrets are found by their look.
        }

        return secrets;
    }
}
