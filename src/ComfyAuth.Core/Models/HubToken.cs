using ComfyAuth.Secrets;

namespace ComfyAuth.Models;

/// <summary>A token of the model hub, and where it was found.</summary>
/// <param name="Secret">The token.</param>
/// <param name="Origin">Where it was found, in words, such as <c>the variable HF_TOKEN</c>.</param>
public sealed record HubToken(SecretText Secret, string Origin)
{
    /// <summary>
    /// Finds the token. The first of these that is given counts: the parameter, <c>HF_TOKEN</c>, <c>HUGGING_FACE_HUB_TOKEN</c>, the stack's
    /// <c>.secrets/.env.huggingface</c>, the hub's own <c>$HF_HOME/token</c>.
    /// </summary>
    /// <param name="given">An explicit token, or null.</param>
    /// <param name="stackRoot">The root of a stack, or null.</param>
    /// <param name="environment">Gives the value of an environment variable, or null; null: those of this process.</param>
    /// <returns>The token; null: there is none, and public files need none.</returns>
    public static HubToken? Find(SecretText? given = null, string? stackRoot = null, Func<string, string?>? environment = null) => throw new NotSupportedException();
}
