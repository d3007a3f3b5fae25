namespace ComfyAuth.Validation;

/// <summary>What git said.</summary>
/// <param name="ExitCode">0 when it could tell.</param>
/// <param name="Lines">What it printed.</param>
/// <param name="Error">What it printed as an error.</param>
internal sealed record GitAnswer(int ExitCode, IReadOnlyList<string> Lines, string Error)
{
    /// <summary>The exit code of a program that was not run.</summary>
    public const int NotStarted = 127;

    /// <summary>The first line of an answer; null where there is none.</summary>
    public string? First => ExitCode == 0 && Lines is [var first, ..] ? first : null;
}
