using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>The bearer token that a service of a stack is meant to accept.</summary>
public static class BearerToken
{
    /// <summary>Reads the token out of the source of truth. Never throws: a source that cannot be read is a finding of <see cref="TokenAuditor"/>.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">One of its services.</param>
    /// <param name="redactor">Learns what is read.</param>
    /// <returns>
    /// The hash; null when there is no source that can be read, or the service is not behind a token of that source: the stack's
    /// is for ComfyUI-Login, and a service with API keys must not get it.
    /// </returns>
    public static BcryptHash? Of(GenAIStack stack, ServiceDefinition service, SecretRedactor redactor)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(redactor);
        if (service.Auth == AuthKind.None || (service.Auth == AuthKind.Bearer && service.Source is null))
            return null;

        return Read(new(stack), service.Source ?? stack.Definition.Source, redactor);
    }

    /// <summary>Reads the hash out of a source of truth; null where it cannot be read.</summary>
    internal static BcryptHash? Read(StackFiles files, string source, SecretRedactor redactor)
    {
        var content = files.Get(source);
        if (content.Bytes is null)
            return null;

        try
        {
            var file = TokenSourceFile.Parse(content.Bytes, content.Path);
            var credential = file.Credential(content.Path);
            redactor.Register(credential.Hash);
            foreach (var password in new[] { credential.Password, file.SecondPassword(content.Path) }.OfType<SecretText>())
                redactor.Register(password);
            return credential.Hash;
        }
        catch (ComfyAuthException)
        {
            return null;
        }
    }
}
