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

        var files = new StackFiles(stack);
        var services = stack.Definition.Services;
        foreach (var source in services.Select(service => service.Source).OfType<string>().Prepend(stack.Definition.Source).Distinct())
            BearerToken.Read(files, source, redactor);

        foreach (var (service, location) in services.SelectMany(service => service.TokenLocations.Select(location => (service, location))))
        {
            if (location.Role != TokenRole.UserName)
                redactor.Register(TokenReading.Of(service, location, files, Environment.GetEnvironmentVariable).Written);
        }

        var environments = services
            .SelectMany(service => service.TokenLocations.Where(location => location.Format == TokenFormat.DotEnv).Select(location => location.Path).Append(service.Environment?.Path))
            .Append(DefaultLayout.HuggingFaceFile)
            .Append(stack.Definition.Content?.Environment?.Path)
            .Concat(stack.Definition.Apis.Select(api => api.File))
            .OfType<string>()
            .Distinct();
        foreach (var environment in environments)
            Register(files.Get(environment), redactor);
    }

    private static void Register(StackFileContent file, SecretRedactor redactor)
    {
        try
        {
            foreach (var entry in file.Document.Entries.Where(entry => SecretRedactor.IsSecretName(entry.Name)))
            {
                // A reader may lose a part of what was meant.
                redactor.Register(entry.RawValue?.Trim(' ', '\t', '\'', '"'));
                redactor.Register(file.Document.Get(entry.Name));
            }
        }
        catch (DotEnvSyntaxException)
        {
            // Nobody can tell where its values begin and end; those that look like secrets are found by their look.
        }
    }
}
