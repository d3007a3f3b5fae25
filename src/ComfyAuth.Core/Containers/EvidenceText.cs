using System.Globalization;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;

namespace ComfyAuth.Containers;

/// <summary>Makes text that came out of a container fit to be looked at, and to be shown.</summary>
internal static partial class EvidenceText
{
    /// <summary>How long a line is shown.</summary>
    public const int LongestLine = 200;

    // More of a line tells nothing. A secret that the cut leaves a part of is not recognised any more: so much is cut again.
    private const int LongestLookedAt = 2048, LongestSecret = 1024;

    /// <summary>
    /// A line as a terminal shows it in the end: what follows the last carriage return, with which progress bars begin anew, and
    /// without control characters.
    /// </summary>
    private static string Visible(string? line)
    {
        var end = (line ?? "").AsSpan().TrimEnd();
        end = end[(end.LastIndexOf('\r') + 1)..];
        var text = (end.Length > LongestLookedAt ? end[..LongestLookedAt] : end).ToString();
        text = EscapeSequence().Replace(text, "");
        return text.Any(IsUnprintable) ? string.Concat(text.Select(character => character is '\t' or '\n' ? ' ' : character).Where(character => !IsUnprintable(character))) : text;
    }

    /// <summary>A line as a terminal shows it, without secrets.</summary>
    public static string Clean(string? line, SecretRedactor redactor)
    {
        var visible = Visible(line);
        var clean = redactor.Redact(visible);
        return visible.Length < LongestLookedAt ? clean : clean[..Math.Max(0, clean.Length - LongestSecret)];
    }

    /// <summary>The last line of a text that says something, without secrets; empty when there is none.</summary>
    public static string LastLine(string? text, SecretRedactor redactor) =>
        (text ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Clean(line, redactor)).LastOrDefault(line => !string.IsNullOrWhiteSpace(line))?.Trim() ?? "";

    /// <summary>A line without secrets, and no longer than fits.</summary>
    public static string Show(string text, SecretRedactor redactor, int longest = LongestLine)
    {
        var shown = Clean(text, redactor);
        if (shown.Length <= longest)
            return shown;
        var cut = longest - 3;
        return string.Concat(shown.AsSpan(0, char.IsHighSurrogate(shown[cut - 1]) ? cut - 1 : cut), "...");
    }

    /// <summary>What an exit code says, as a clause.</summary>
    public static string ExitCode(int code)
    {
        var meaning = code switch
        {
            0 => "without an error",
            1 => "an error of the program",
            2 => "wrong use of the program",
            126 => "the command is there and cannot be run",
            127 => "there is no such command",
            128 => "the engine could not start it",
            130 => "interrupted, SIGINT",
            132 => "an instruction that this processor does not know, SIGILL",
            134 => "the program gave up, SIGABRT",
            135 => "a fault in shared memory, SIGBUS",
            137 => "killed, SIGKILL",
            139 => "a fault in memory, SIGSEGV",
            143 => "asked to end, SIGTERM",
            > 128 and < 193 => string.Create(CultureInfo.InvariantCulture, $"signal {code - 128}"),
            _ => "an error of the program",
        };
        return string.Create(CultureInfo.InvariantCulture, $"exit code {code} ({meaning})");
    }

    // What reverses the direction of writing could make a line look like another one.
    private static bool IsUnprintable(char character) =>
        char.IsControl(character) || character is >= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069' or '\u2028' or '\u2029';

    [GeneratedRegex(@"\x1B(\[[0-9;?]{0,32}[ -/]{0,4}[@-~]|[@-Z\\^_])", RegexOptions.CultureInvariant)]
    private static partial Regex EscapeSequence();
}
