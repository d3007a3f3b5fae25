using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>The grammar of Compose v2 (compose-go, package dotenv), which is also the grammar of a <see cref="DotEnvDocument"/>.</summary>
internal sealed class ComposeV2Reader : DotEnvReader
{
    /// <summary>What variables may insert into one file, in characters; lines that repeat each other would fill the memory.</summary>
    private const int MaximumInserted = 16_000_000;

    private const string QuoteRemedy = "Close the quote, or put a value that holds a quote into the other kind of quotes.";

    public override DotEnvConsumer Consumer => DotEnvConsumer.ComposeV2;

    public override string Title => "Compose v2";

    protected override List<DotEnvStatement> Read(string text, bool byteOrderMark, Func<string, string?> lookup)
    {
        var statements = new List<DotEnvStatement>();
        List<EntrySpan> spans;
        try
        {
            spans = Split(text, path: null);
        }
        catch (DotEnvSyntaxException exception)
        {
            return [new(0, text.Length) { Failure = exception.Reason, Reach = FailureReach.File }];
        }

        var values = new Dictionary<string, string>();
        var inserted = 0L;
        string? Find(string name)
        {
            var value = lookup(name) ?? values.GetValueOrDefault(name);
            return (inserted += value?.Length ?? 0) <= MaximumInserted ? value : null;
        }

        foreach (var span in spans)
        {
            var statement = Evaluate(text, span, Find);
            if (inserted > MaximumInserted)
            {
                statements.Add(statement with { Value = null, Failure = $"makes the values longer than {MaximumInserted} characters together", FailureOffset = span.NameStart, Reach = FailureReach.File });
                break;
            }

            if (statement.Value is not null)
                values[span.Name] = statement.Value;
            statements.Add(statement);
        }

        return statements;
    }

    /// <summary>Finds the entries of a file.</summary>
    /// <exception cref="DotEnvSyntaxException">A line that Compose refuses.</exception>
    public static List<EntrySpan> Split(string text, string? path)
    {
        var spans = new List<EntrySpan>();
        var position = 0;
        while (true)
        {
            while (position < text.Length && char.IsWhiteSpace(text[position]))
                position++;
            if (position == text.Length)
                return spans;

            if (text[position] == '#')
            {
                position = EndOfLine(text, position);
                continue;
            }

            var span = SplitEntry(text, position, path);
            // A bare "export" names nothing.
            if (span.Name.Length > 0 || !span.IsBare)
                spans.Add(span);
            position = span.End;
        }
    }

    private static EntrySpan SplitEntry(string text, int start, string? path)
    {
        var nameStart = AfterExport(text, start);
        if (nameStart == text.Length)
            throw Error(text, start, path, "export is followed by no name", "Name the variable, or remove the line.");

        var (separator, nameEnd) = SplitName(text, nameStart, path);
        var name = text[nameStart..nameEnd];
        if (separator == text.Length || text[separator] == '\n')
        {
            return new(name, start, nameStart, nameEnd, nameEnd, nameEnd, Math.Min(separator + 1, text.Length), IsBare: true)
            {
                IsOverlooked = separator == text.Length,
            };
        }

        var valueStart = separator + 1;
        while (valueStart < text.Length && IsBlank(text[valueStart]))
            valueStart++;

        if (valueStart < text.Length && text[valueStart] is '"' or '\'')
        {
            var close = ClosingQuote(text, valueStart);
            if (close < 0)
                throw Error(text, valueStart, path, $"the quote that opens the value of {name} is never closed", QuoteRemedy);
            return new(name, start, nameStart, nameEnd, valueStart, close + 1, close + 1, IsBare: false);
        }

        var lineEnd = EndOfLine(text, valueStart);
        var comment = text.IndexOf(" #", valueStart, lineEnd - valueStart, StringComparison.Ordinal);
        var valueEnd = comment < 0 ? lineEnd : comment;
        while (valueEnd > valueStart && char.IsWhiteSpace(text[valueEnd - 1]))
            valueEnd--;

        // The CR of a line break is no part of the separator.
        if (valueEnd == valueStart)
            valueStart = valueEnd = separator + 1;
        return new(name, start, nameStart, nameEnd, valueStart, valueEnd, Math.Min(lineEnd + 1, text.Length), IsBare: false);
    }

    private static int AfterExport(string text, int start)
    {
        const string Export = "export";
        var position = start + Export.Length;
        if (string.CompareOrdinal(text, start, Export, 0, Export.Length) != 0 || position >= text.Length
            || text[position] is not (' ' or '\t' or '\n' or '\f' or '\r'))
        {
            return start;
        }

        while (position < text.Length && IsBlank(text[position]))
            position++;
        return position;
    }

    /// <summary>Where the name's separator stands (the end of the text where there is none), and where the name ends.</summary>
    private static (int Separator, int NameEnd) SplitName(string text, int start, string? path)
    {
        var position = start;
        while (position < text.Length && text[position] is not ('=' or ':' or '\n'))
        {
            Rune.DecodeFromUtf16(text.AsSpan(position), out var rune, out var length);
            if (!(IsBlank(text[position]) || text[position] is '_' or '.' or '-' or '[' or ']'
                || Rune.IsLetter(rune) || Rune.IsNumber(rune)))
            {
                throw Error(text, position, path, "a name may not hold this character",
                    "Write NAME=value with letters, digits and _ in the name; a comment starts with #; a value of several lines needs quotes.");
            }

            position += length;
        }

        var nameEnd = position;
        while (nameEnd > start && char.IsWhiteSpace(text[nameEnd - 1]))
            nameEnd--;
        var space = text.IndexOf(' ', start, nameEnd - start);
        return space < 0
            ? (position, nameEnd)
            : throw Error(text, space, path, "a name may not hold a space", "Write NAME=value; a value of several lines needs quotes.");
    }

    /// <summary>The quote that closes the one at <paramref name="open"/>, or -1. A backslash hides the character behind it.</summary>
    private static int ClosingQuote(string text, int open)
    {
        for (var i = open + 1; i < text.Length; i++)
        {
            if (text[i] == text[open])
                return i;
            if (text[i] == '\\')
                i++;
        }

        return -1;
    }

    private static DotEnvStatement Evaluate(string text, EntrySpan span, Func<string, string?> find)
    {
        var statement = new DotEnvStatement(span.Start, span.End) { Name = span.Name, NameStart = span.NameStart };
        if (span.IsOverlooked)
        {
            return statement with
            {
                IsInherited = true,
                Failure = "overlooks a name alone on the last line when no newline follows it",
            };
        }

        if (span.IsBare)
            return statement with { IsInherited = true, Value = find(span.Name) };

        var quote = span.ValueStart < span.ValueEnd ? text[span.ValueStart] : '\0';
        if (quote is not ('"' or '\''))
            return Interpolate(statement, text[span.ValueStart..span.ValueEnd], find, offset => span.ValueStart + offset, runs =>
                [.. runs.Select(run => run with { Offset = span.ValueStart + run.Offset })]);

        var content = WithoutHiddenQuotes(text, span.ValueStart + 1, span.ValueEnd - 1, quote);
        if (quote == '\'')
            return statement with { Value = content.ToString() };

        var unescaped = Unescape(content);
        return Interpolate(statement, unescaped.ToString(), find, unescaped.OriginOf, unescaped.Locate);
    }

    private static DotEnvStatement Interpolate(
        DotEnvStatement statement, string value, Func<string, string?> find,
        Func<int, int> originOf, Func<IReadOnlyList<DroppedAt>, IReadOnlyList<DroppedAt>> locate)
    {
        var result = DotEnvInterpolation.Interpolate(value, find);
        if (result.Failure is not null)
        {
            var offset = originOf(result.FailureOffset);
            return statement with { Failure = result.Failure, FailureOffset = offset, Reach = FailureReach.File };
        }

        if (result.Value.Contains('\0', StringComparison.Ordinal))
            return statement with { Failure = "gets a NUL, which no environment can hold", Reach = FailureReach.File };
        return statement with { Value = result.Value, Dropped = locate(result.DroppedAt) };
    }

    /// <summary>The text between the quotes, in which a backslash before that kind of quote is dropped and all others stay.</summary>
    private static OriginText WithoutHiddenQuotes(string text, int start, int end, char quote)
    {
        var content = new OriginText();
        for (var i = start; i < end; i++)
        {
            if (text[i] == '\\' && text[i + 1] != quote)
                content.Append(text[i], i);
            if (text[i] == '\\')
                i++;
            content.Append(text[i], i);
        }

        return content;
    }

    /// <summary>The escapes of double quotes; <c>\$</c> becomes <c>$$</c>, which interpolation turns into a plain <c>$</c>.</summary>
    private static OriginText Unescape(OriginText source)
    {
        var result = new OriginText();
        for (var i = 0; i < source.Length; i++)
        {
            var origin = source.OriginOf(i);
            var next = source[i] == '\\' && i + 1 < source.Length ? source[i + 1] : '\0';
            switch (next)
            {
                case '$':
                    result.Append('$', origin);
                    result.Append('$', origin);
                    i++;
                    break;
                case '0':
                    i = UnescapeOctal(source, i, result);
                    break;
                case 'a' or 'b' or 'f' or 'n' or 'r' or 't' or 'v' or '"' or '\\':
                    result.Append(Escaped(next), origin);
                    i++;
                    break;
                default:
                    result.Append(source[i], origin);
                    break;
            }
        }

        return result;
    }

    /// <summary><c>\0</c> and three octal digits up to 377 are a character; of anything less only the zero is lost.</summary>
    private static int UnescapeOctal(OriginText source, int backslash, OriginText result)
    {
        var first = backslash + 2;
        var end = first;
        while (end < source.Length && end < first + 3 && char.IsAsciiDigit(source[end]))
            end++;

        if (end == first + 3 && source[first] <= '3' && source[first + 1] <= '7' && source[first + 2] <= '7')
        {
            var code = (source[first] - '0') * 64 + (source[first + 1] - '0') * 8 + (source[first + 2] - '0');
            result.Append((char)code, source.OriginOf(backslash));
            return end - 1;
        }

        result.Append('\\', source.OriginOf(backslash));
        for (var i = first; i < end; i++)
            result.Append(source[i], source.OriginOf(i));
        return end - 1;
    }

    internal static char Escaped(char letter) => letter switch
    {
        'a' => '\a',
        'b' => '\b',
        'f' => '\f',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\v',
        _ => letter,
    };

    private static int EndOfLine(string text, int position)
    {
        var end = text.IndexOf('\n', position);
        return end < 0 ? text.Length : end;
    }

    /// <summary>White space that does not end a line, as Compose sees it around names.</summary>
    private static bool IsBlank(char c) => c is ' ' or '\t' or '\v' or '\f' or '\r' or '\u0085' or '\u00A0';

    private static DotEnvSyntaxException Error(string text, int offset, string? path, string reason, string remedy)
    {
        var (line, column) = new LineMap(text).Locate(offset);
        return new DotEnvSyntaxException(path, line, column, reason, remedy);
    }
}
