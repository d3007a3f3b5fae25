namespace ComfyAuth;

/// <summary>
/// An error with a stable code and a remedy: what is wrong, where, and what to do about it.
/// Its message never holds a secret; show a fingerprint instead.
/// </summary>
public class ComfyAuthException : Exception
{
    /// <summary>Makes an error.</summary>
    /// <param name="code">Stable, in Pascal case, one per code path; the shells use it as the error id.</param>
    /// <param name="message">What is wrong and where, in one sentence.</param>
    /// <param name="remedy">What the user can do about it, in one sentence; empty when nothing can be done.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public ComfyAuthException(string code, string message, string remedy = "", Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        Remedy = remedy;
    }

    /// <summary>Stable identifier of the error, in Pascal case.</summary>
    public string Code { get; }

    /// <summary>What the user can do about it; empty when nothing can be done.</summary>
    public string Remedy { get; }
}
