namespace ComfyAuth.Models;

/// <summary>A failure that may be gone at the next attempt.</summary>
internal sealed class TransientHubException(string code, string message, string remedy, TimeSpan? retryAfter = null, Exception? cause = null)
    : ComfyAuthException(code, message, remedy, cause)
{
    /// <summary>How long the server asks to wait; null: it does not say.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;
}
