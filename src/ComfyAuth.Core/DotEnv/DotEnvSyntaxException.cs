namespace ComfyAuth.DotEnv;

/// <summary>A <c>.env</c> file that cannot be read: where, why, and what to do. Never says what the value is.</summary>
public sealed class DotEnvSyntaxException : ComfyAuthException
{
    internal DotEnvSyntaxException(string? path, int line, int column, string reason, string remedy)
        : base("DotEnvSyntax", $"{path ?? ".env"}:{line}:{column}: {reason}.", remedy)
    {
        Path = path;
        Line = line;
        Column = column;
        Reason = reason;
    }

    /// <summary>The file, if it was named when it was parsed.</summary>
    public string? Path { get; }

    /// <summary>1-based line.</summary>
    public int Line { get; }

    /// <summary>1-based column in UTF-16 code units.</summary>
    public int Column { get; }

    /// <summary>What is wrong there, as a clause without a full stop.</summary>
    public string Reason { get; }
}
