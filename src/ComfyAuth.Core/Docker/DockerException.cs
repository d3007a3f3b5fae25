namespace ComfyAuth.Docker;

/// <summary>
/// An error of the Docker Engine, or on the way to it. The message names the endpoint; it never holds the value of an
/// environment variable or an authentication header.
/// </summary>
/// <param name="code">One of the <c>Docker...</c> codes, stable.</param>
/// <param name="message">What is wrong and where, in one sentence.</param>
/// <param name="remedy">What the user can do about it.</param>
/// <param name="innerException">The cause, if another exception was.</param>
public sealed class DockerException(string code, string message, string remedy, Exception? innerException = null)
    : ComfyAuthException(code, message, remedy, innerException);
