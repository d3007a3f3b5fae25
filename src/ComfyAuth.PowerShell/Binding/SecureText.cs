using System.Net;
using System.Security;
using ComfyAuth.Secrets;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>Takes a secret out of what PowerShell carries it in.</summary>
internal static class SecureText
{
    /// <summary>Gives the secret; <c>SecretEmpty</c> where there is none.</summary>
    public static SecretText Of(SecureString secret, string name) => secret.Length > 0
        ? new SecretText(new NetworkCredential("", secret).Password)
        : throw new ComfyAuthException("SecretEmpty", $"{name} is empty.", "Give one; an empty password would let anybody in.");
}
