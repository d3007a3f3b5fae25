namespace ComfyAuth.Compose;

/// <summary>A compose command that ended with an error.</summary>
public sealed class ComposeCommandException : ComfyAuthException
{
    internal ComposeCommandException(string verb, int exitCode, string errorOutput)
        : base(
            "ComposeCommandFailed",
            $"'compose {verb}' ended with exit code {exitCode}{(errorOutput.Length == 0 ? "." : $": {errorOutput}")}",
            "Read what it says; 'docker compose config --quiet' checks the file, 'docker info' the engine.")
    {
        ExitCode = exitCode;
        ErrorOutput = errorOutput;
    }

    /// <summary>The exit code.</summary>
    public int ExitCode { get; }

    /// <summary>The last lines of the error output, without secrets.</summary>
    public string ErrorOutput { get; }
}
