using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>Writes values so that given programs read them back. A form is only ever used after each program's own reader has read it back.</summary>
public static class DotEnvQuoting
{
    /// <summary>Gives the form of a value that is right for all the programs named.</summary>
    /// <param name="value">Any text without NUL and without lone surrogates.</param>
    /// <param name="consumers">Who will read it; at least one.</param>
    /// <returns>What to write behind <c>NAME=</c>.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>DotEnvValueInvalid</c>: no <c>.env</c> file can hold the value. <c>DotEnvValueCannotBeQuoted</c>: no form is right for all of them.
    /// </exception>
    public static string Quote(string value, DotEnvConsumer consumers)
    {
        var readers = DotEnvReader.For(consumers);
        Validate(value);
        return Find(readers) ?? throw CannotBeQuoted("the value", readers, reader => Find([reader]) is not null);

        string? Find(DotEnvReader[] asked) => Forms(value).FirstOrDefault(form => ReadsBack("K", $"K={form}", "\n", value, asked));
    }

    internal static void Validate(string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (value.Contains('\0', StringComparison.Ordinal))
            throw Invalid("it holds a NUL, which no environment variable can");
        for (var rest = value.AsSpan(); !rest.IsEmpty;)
        {
            if (Rune.DecodeFromUtf16(rest, out _, out var length) != System.Buffers.OperationStatus.Done)
                throw Invalid("it holds half of a surrogate pair, which UTF-8 cannot");
            rest = rest[length..];
        }

        static ComfyAuthException Invalid(string reason) => new(
            "DotEnvValueInvalid", $"The value cannot be put into a .env file: {reason}.", "Give text without that character.");
    }

    /// <summary>The ways to write a value, the preferred first.</summary>
    internal static IEnumerable<string> Forms(string value)
    {
        if (IsPlain(value))
            yield return value;

        var single = $"'{value}'";
        var hasControls = value.Any(char.IsControl);
        if (!hasControls)
            yield return single;

        // Escapes first: a raw line break or tab in a value is easily lost in an editor.
        foreach (var controls in hasControls ? new[] { true, false } : [false])
        {
            foreach (var dollar in value.Contains('$', StringComparison.Ordinal) ? new[] { "$", "\\$", "$$" } : ["$"])
            {
                foreach (var backquote in value.Contains('`', StringComparison.Ordinal) ? new[] { "`", "\\`" } : ["`"])
                    yield return DoubleQuoted(value, controls, dollar, backquote);
            }
        }

        if (hasControls)
            yield return single;
        yield return value;

        // An older Compose keeps the backslash of \', so what escapes a single quote comes last.
        yield return $"'{value.Replace("'", "\\'", StringComparison.Ordinal)}'";
        yield return $"'{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
    }

    /// <summary>
    /// Whether a line gives each program the value, whatever its environment holds, and leaves the lines behind it alone.
    /// </summary>
    internal static bool ReadsBack(string name, string line, string newline, string value, DotEnvReader[] readers)
    {
        // A form that swallows what follows meets both kinds of quotes here.
        var text = $"{line}{newline}{name}_1='v'{newline}{name}_2=\"v\"{newline}";
        return Array.TrueForAll(readers, reader =>
            IsGiven(reader.View(text, byteOrderMark: false, DotEnvReader.NoVariable))
            && IsGiven(reader.View(text, byteOrderMark: false, static _ => "any")));

        bool IsGiven(DotEnvView view) =>
            view.Gives(name, value) && view.Last(name + "_1") is not null && view.Last(name + "_2") is not null
            && view.Statements.TrueForAll(statement => statement.Failure is null);
    }

    internal static ComfyAuthException CannotBeQuoted(string subject, DotEnvReader[] readers, Predicate<DotEnvReader> canAlone)
    {
        var unable = Array.FindAll(readers, reader => !canAlone(reader));
        var message = unable.Length > 0
            ? $"No way of writing {subject} is right for {string.Join(" or ", unable.Select(reader => reader.Title))}."
            : $"No way of writing {subject} is right for {string.Join(" and ", readers.Select(reader => reader.Title))} at once.";
        return new ComfyAuthException(
            "DotEnvValueCannotBeQuoted", message, "Put the value into a token file, which needs no quoting, or give each program a file of its own.");
    }

    private static bool IsPlain(string value) =>
        value.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or ':' or '@' or '%' or '+' or ',' or '=');

    private static string DoubleQuoted(string value, bool escapeControls, string dollar, string backquote)
    {
        var text = new StringBuilder("\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' or '\\' => text.Append('\\').Append(c),
                '$' => text.Append(dollar),
                '`' => text.Append(backquote),
                '\n' when escapeControls => text.Append("\\n"),
                '\r' when escapeControls => text.Append("\\r"),
                '\t' when escapeControls => text.Append("\\t"),
                _ => text.Append(c),
            };
        }

        return text.Append('"').ToString();
    }
}
