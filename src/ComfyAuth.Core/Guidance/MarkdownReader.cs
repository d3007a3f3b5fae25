namespace ComfyAuth.Guidance;

/// <summary>A part of a document that stands under one heading.</summary>
/// <param name="Heading">The path of headings.</param>
/// <param name="Line">The line of the heading or, without one and further down in a long section, of the text; from 1.</param>
/// <param name="Text">The text below the heading; never blank.</param>
internal sealed record MarkdownPassage(string Heading, int Line, string Text);

/// <summary>
/// Cuts Markdown into passages at its headings, as CommonMark 0.31 has them: ATX (<c>## Heading</c>) and setext (underlined).
/// </summary>
internal static class MarkdownReader
{
    private const string Separator = " > ";
    private const int LongestHeading = 160;
    private const int LongestPassage = 2000;

    // CommonMark has no limit. More lines of text above a rule were not meant to be a heading.
    private const int MostLinesOfSetext = 3;

    private readonly record struct Heading(int Level, string Text, int FirstLine, int BodyLine);

    /// <summary>The passages of a document, in its order.</summary>
    /// <param name="text">The document, with lines that end in <c>\n</c>.</param>
    public static IEnumerable<MarkdownPassage> Read(string text)
    {
        var lines = text.Split('\n');
        var path = new List<Heading>();
        var start = EndOfFrontMatter(lines);
        var line = start;
        foreach (var heading in Headings(lines, start).Append(new(1, "", lines.Length, lines.Length)))
        {
            foreach (var passage in Passages(lines, start, heading.FirstLine, line, PathText(path)))
                yield return passage;

            path.RemoveAll(outer => outer.Level >= heading.Level);
            path.Add(heading);
            (start, line) = (heading.BodyLine, heading.FirstLine);
        }
    }

    private static string PathText(List<Heading> path) => string.Join(Separator, path.Select(heading => heading.Text).Where(text => text.Length > 0));

    /// <summary>The first line behind the front matter: YAML between <c>---</c> lines at the very start.</summary>
    private static int EndOfFrontMatter(string[] lines)
    {
        if (lines[0].TrimEnd() != "---")
            return 0;
        var end = Array.FindIndex(lines, 1, line => line.TrimEnd() is "---" or "...");
        return end + 1;
    }

    private static IEnumerable<Heading> Headings(string[] lines, int start)
    {
        var fence = default(string);
        var paragraph = -1;
        for (var i = start; i < lines.Length; i++)
        {
            var content = lines[i].AsSpan().TrimStart(" \t");
            if (fence is not null)
            {
                if (content.StartsWith(fence) && content.TrimStart(fence[0]).IsWhiteSpace())
                    fence = null;
                continue;
            }

            // The fences of a list are indented as its items are, so any indentation is taken for one.
            fence = FenceOf(content);
            var isIndented = Indentation(lines[i]) > 3;
            if (fence is not null || content.IsWhiteSpace())
            {
                paragraph = -1;
            }
            else if (!isIndented && AtxLevel(content) is var level and > 0)
            {
                yield return new(level, Cut(AtxText(content[level..])), i, i + 1);
                paragraph = -1;
            }
            else if (!isIndented && paragraph >= 0 && SetextLevel(content) is var underline and > 0)
            {
                if (i - paragraph <= MostLinesOfSetext)
                    yield return new(underline, Cut(string.Join(' ', lines[paragraph..i].Select(part => part.Trim()))), paragraph, i + 1);
                paragraph = -1;
            }
            else if (!isIndented && IsThematicBreak(content))
            {
                paragraph = -1;
            }
            else if (BeginsOtherBlock(content))
            {
                // Up to the next blank line, what follows belongs to the list, quotation or table.
                paragraph = -2;
            }
            else if (paragraph == -1 && !isIndented)
            {
                paragraph = i;
            }
        }
    }

    private static int Indentation(string line)
    {
        var columns = 0;
        foreach (var character in line)
        {
            if (character == ' ')
                columns++;
            else if (character == '\t')
                columns += 4 - (columns % 4);
            else
                break;
        }

        return columns;
    }

    /// <summary>What closes the fence that a line opens; null when it opens none.</summary>
    private static string? FenceOf(ReadOnlySpan<char> content)
    {
        if (content.IsEmpty || content[0] is not ('`' or '~'))
            return null;

        var length = content.Length - content.TrimStart(content[0]).Length;
        return length < 3 || (content[0] == '`' && content[length..].Contains('`')) ? null : new string(content[0], length);
    }

    private static int AtxLevel(ReadOnlySpan<char> content)
    {
        var level = content.Length - content.TrimStart('#').Length;
        return level is > 0 and <= 6 && (level == content.Length || content[level] is ' ' or '\t') ? level : 0;
    }

    private static string AtxText(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        var withoutClosing = text.TrimEnd('#');
        return (withoutClosing.IsEmpty || withoutClosing[^1] is ' ' or '\t' ? withoutClosing.TrimEnd() : text).ToString();
    }

    private static int SetextLevel(ReadOnlySpan<char> content)
    {
        content = content.TrimEnd();
        if (content.TrimStart('=').IsEmpty)
            return 1;
        return content.TrimStart('-').IsEmpty ? 2 : 0;
    }

    private static bool IsThematicBreak(ReadOnlySpan<char> content) =>
        content[0] is '-' or '*' or '_' && content.Count(content[0]) >= 3 && !content.ContainsAnyExcept(content[0], ' ', '\t');

    /// <summary>Whether a line begins a quotation, a list or a table, whose lines are no paragraph that could be underlined.</summary>
    private static bool BeginsOtherBlock(ReadOnlySpan<char> content)
    {
        if (content[0] is '>' or '|')
            return true;
        if (content[0] is '-' or '*' or '+' && (content.Length == 1 || content[1] is ' ' or '\t'))
            return true;

        var rest = content.TrimStart("0123456789");
        return rest.Length < content.Length && rest.Length > 0 && rest[0] is '.' or ')' && (rest.Length == 1 || rest[1] is ' ' or '\t');
    }

    private static string Cut(string heading) => heading.Length <= LongestHeading ? heading : heading[..LongestHeading] + "\u2026";

    /// <summary>A section as passages: one, or several where it is long, cut at blank lines where there are some.</summary>
    private static IEnumerable<MarkdownPassage> Passages(string[] lines, int start, int end, int line, string heading)
    {
        var isFirst = heading.Length > 0;
        while (true)
        {
            while (start < end && string.IsNullOrWhiteSpace(lines[start]))
                start++;
            if (start == end)
                yield break;

            var (cut, length, blank) = (start, 0, -1);
            while (cut < end && (cut == start || length + lines[cut].Length <= LongestPassage))
            {
                if (string.IsNullOrWhiteSpace(lines[cut]))
                    blank = cut;
                length += lines[cut++].Length + 1;
            }

            if (cut < end && blank > start)
                cut = blank;
            var text = string.Join('\n', lines[start..cut]).TrimEnd();
            for (int from = 0, to; from < text.Length; from = to)
            {
                // A character of two halves stays whole.
                to = Math.Min(from + LongestPassage, text.Length);
                to -= to < text.Length && char.IsLowSurrogate(text[to]) ? 1 : 0;
                yield return new(heading, (isFirst ? line : start) + 1, text[from..to]);
                isFirst = false;
            }

            start = cut;
        }
    }
}
