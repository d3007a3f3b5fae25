using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>Which credential synchronising makes true; with nothing set, the source's.</summary>
public sealed record TokenSyncRequest
{
    /// <summary>Names of services; null or empty for all.</summary>
    public IReadOnlyCollection<string>? Services { get; init; }

    /// <summary>Make a new random password and its hash.</summary>
    public bool Rotate { get; init; }

    /// <summary>The user name to set; null to keep the one in use.</summary>
    public string? UserName { get; init; }

    /// <summary>The password to set; its hash is the token. A source whose hash is of it is kept as it is.</summary>
    public SecretText? Password { get; init; }

    /// <summary>A bcrypt hash to make the token, or a password, as <see cref="Password"/>.</summary>
    public SecretText? SourceToken { get; init; }

    /// <summary>
    /// The hash in use that becomes the source's: its place (<c>path</c> or <c>path#VARIABLE</c>; in a container <c>container:/path</c> or
    /// <c>container#VARIABLE</c>) or its fingerprint.
    /// </summary>
    public string? Adopt { get; init; }

    /// <summary>The hashes in containers that <see cref="Adopt"/> may name, besides those in files: what <see cref="LiveTokenAuditor.FindHashesAsync"/> found.</summary>
    public IReadOnlyList<LiveHash> InContainers { get; init; } = [];

    /// <summary>Splits the request, so that what goes wrong with one credential of a stack spares the others.</summary>
    /// <param name="stack">The stack.</param>
    /// <returns>One request for each credential; to be planned one after the other, since they may share a file.</returns>
    /// <exception cref="ComfyAuthException"><c>ServiceNotFound</c>.</exception>
    public IReadOnlyList<TokenSyncRequest> ForEachCredential(GenAIStack stack)
    {
        ArgumentNullException.ThrowIfNull(stack);
        var each = CredentialSurvey.Groups(stack, Services).Select(group => this with { Services = [.. group.Select(service => service.Name)] }).ToList();
        return each.Count == 0 ? [this] : each;
    }

    internal int Choices => new[] { Rotate, Password is not null, SourceToken is not null, Adopt is not null }.Count(chosen => chosen);
}
