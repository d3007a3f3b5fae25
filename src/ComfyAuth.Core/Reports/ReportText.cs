using System.Text;

namespace ComfyAuth.Reports;

/// <summary>Texts that may hold anything, made fit for a document that people open.</summary>
internal static class ReportText
{
    /// <summary>The most lines of evidence that are shown of one check; JSON has all of them.</summary>
    private const int MostLines = 100;

    private const int LongestLine = 2000;

    /// <summary>
    /// Replaces by U+FFFD what is no character, or would move the cursor of a terminal: halves of surrogate pairs, control
    /// characters but tab and line feed, and what XML 1.0 (production 2, Char) does not allow. Line ends become line feeds.
    /// </summary>
    public static string Printable(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').EnumerateRunes())
            result.Append(rune.Value is '\t' or '\n' || (!Rune.IsControl(rune) && rune.Value is not (0xFFFE or 0xFFFF)) ? rune.ToString() : "\uFFFD");
        return result.ToString();
    }

    /// <summary>A text on one line, no longer than a reader takes in.</summary>
    public static string Line(string text) => Shorten(text.ReplaceLineEndings(" ").Trim());

    /// <summary>Evidence as it is shown: not all of what is very much.</summary>
    public static IReadOnlyList<string> Lines(IReadOnlyList<string> evidence)
    {
        var lines = evidence.SelectMany(item => item.ReplaceLineEndings("\n").Split('\n')).Take(MostLines + 1).Select(Shorten).ToList();
        return lines.Count > MostLines ? [.. lines.Take(MostLines), "\u2026 The report as JSON has all of it."] : lines;
    }

    private static string Shorten(string line)
    {
        if (line.Length <= LongestLine)
            return line;

        // Not in the middle of a character.
        var end = char.IsHighSurrogate(line[LongestLine - 1]) ? LongestLine - 1 : LongestLine;
        return $"{line.AsSpan(0, end)}\u2026";
    }
}
