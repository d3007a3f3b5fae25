using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>
/// The grammar of docker-compose 1.29 (python-dotenv 0.17, read as text, so that CR and CRLF become LF). A line that it
/// cannot read is skipped with a warning; <c>${NAME}</c> and <c>${NAME:-word}</c> are expanded however they are quoted.
/// </summary>
internal sealed class ComposeV1Reader : DotEnvReader
{
    public override DotEnvConsumer Consumer => DotEnvConsumer.ComposeV1;

    public override string Title => "Compose v1";

    protected override List<DotEnvStatement> Read(string text, bool byteOrderMark, Func<string, string?> lookup) =>
        new Scan(text, lookup).Run();

    private sealed class Scan(string text, Func<string, string?> lookup)
    {
        private readonly List<DotEnvStatement> _statements = [];
        private readonly Dictionary<string, string?> _values = [];
        private int _position;

        public List<DotEnvStatement> Run()
        {
            while (true)
            {
                while (_position < text.Length && IsWhiteSpace(text[_position]))
                    _position++;
                if (_position == text.Length)
                    return _statements;

                var start = _position;
                if (ReadBinding(start) is { } statement)
                {
                    _statements.Add(statement);
                    continue;
                }

                SkipLine();
                _statements.Add(new(start, _position) { Failure = "cannot read the line and skips it with a warning" });
            }
        }

        /// <summary>Reads a binding or a comment; null when the line is none, with the position where the reading stopped.</summary>
        private DotEnvStatement? ReadBinding(int start)
        {
            SkipExport();
            if (_position < text.Length && text[_position] == '#')
            {
                SkipLine();
                return new(start, _position);
            }

            var nameStart = _position;
            if (ReadName() is not { } name)
                return null;

            SkipBlanks();
            var hasValue = _position < text.Length && text[_position] == '=';
            var value = new OriginText();
            if (hasValue)
            {
                _position++;
                SkipBlanks();
                if (!ReadValue(value))
                    return null;
            }

            if (!ReadEndOfLine())
                return null;

            var statement = new DotEnvStatement(start, _position) { Name = name, NameStart = nameStart };
            if (!hasValue)
            {
                _values[name] = null;
                return statement with { IsInherited = true, Value = lookup(name) };
            }

            var (expanded, dropped) = Expand(value.ToString());
            _values[name] = expanded;
            return statement with { Value = expanded, Dropped = value.Locate(dropped) };
        }

        private void SkipExport()
        {
            const string Export = "export";
            var end = _position + Export.Length;
            if (string.CompareOrdinal(text, _position, Export, 0, Export.Length) == 0 && end < text.Length && IsBlank(text[end]))
            {
                _position = end;
                SkipBlanks();
            }
        }

        private string? ReadName()
        {
            var start = _position;
            if (_position < text.Length && text[_position] == '\'')
            {
                var close = text.IndexOf('\'', start + 1);
                if (close <= start + 1)
                    return null;
                _position = close + 1;
                return Newlines(text[(start + 1)..close]);
            }

            while (_position < text.Length && text[_position] is not ('=' or '#') && !IsWhiteSpace(text[_position]))
                _position++;
            return _position == start ? null : text[start.._position];
        }

        private bool ReadValue(OriginText value)
        {
            if (_position < text.Length && text[_position] is '"' or '\'')
            {
                var close = ClosingQuote(_position);
                if (close < 0)
                    return false;
                Unescape(_position + 1, close, text[_position], value);
                _position = close + 1;
                return true;
            }

            var start = _position;
            while (_position < text.Length && text[_position] is not ('\r' or '\n'))
                _position++;

            var end = _position;
            for (var i = start + 1; i < _position; i++)
            {
                if (text[i] == '#' && IsWhiteSpace(text[i - 1]))
                {
                    end = i;
                    break;
                }
            }

            while (end > start && IsWhiteSpace(text[end - 1]))
                end--;
            for (var i = start; i < end; i++)
                value.Append(text[i], i);
            return true;
        }

        /// <summary>
        /// The first quote with no backslash directly before it, even if that backslash is itself escaped; where there is
        /// none in the rest of the file, the last quote of all.
        /// </summary>
        private int ClosingQuote(int open)
        {
            var last = -1;
            for (var i = text.IndexOf(text[open], open + 1); i >= 0; i = text.IndexOf(text[open], i + 1))
            {
                if (text[i - 1] != '\\')
                    return i;
                last = i;
            }

            return last;
        }

        private void Unescape(int start, int end, char quote, OriginText value)
        {
            for (var i = start; i < end; i++)
            {
                var next = text[i] == '\\' && i + 1 < end ? text[i + 1] : '\0';
                if (next is '\\' or '\'' || (quote == '"' && next is '"' or 'a' or 'b' or 'f' or 'n' or 'r' or 't' or 'v'))
                    value.Append(ComposeV2Reader.Escaped(next), i++);
                else if (text[i] != '\r')
                    value.Append(text[i], i);
                else if (i + 1 == text.Length || text[i + 1] != '\n')
                    value.Append('\n', i);
            }
        }

        private bool ReadEndOfLine()
        {
            SkipBlanks();
            if (_position < text.Length && text[_position] == '#')
            {
                SkipLine();
                return true;
            }

            if (_position < text.Length && text[_position] is not ('\r' or '\n'))
                return false;
            SkipLine();
            return true;
        }

        private (string Value, List<DroppedAt> Dropped) Expand(string value)
        {
            var dropped = new List<DroppedAt>();
            var output = new StringBuilder();
            var copied = 0;
            var mark = 0;
            for (var i = value.IndexOf("${", StringComparison.Ordinal); i >= 0; i = value.IndexOf("${", i, StringComparison.Ordinal))
            {
                // Kept from round to round, or many openings before one mark would be searched again and again.
                if (mark < i + 2)
                    mark = value.IndexOfAny(['}', ':'], i + 2);
                if (mark < 0)
                    break;

                var close = mark;
                if (value[mark] == ':')
                {
                    if (string.CompareOrdinal(value, mark, ":-", 0, 2) != 0)
                    {
                        i += 2;
                        continue;
                    }

                    close = value.IndexOf('}', mark + 2);
                    if (close < 0)
                        break;
                }

                output.Append(value, copied, i - copied);
                var name = value[(i + 2)..mark];
                if (_values.TryGetValue(name, out var found) || (found = lookup(name)) is not null)
                    output.Append(found);
                else if (close > mark)
                    output.Append(value, mark + 2, close - mark - 2);
                else
                    dropped.Add(new(name, value[i..(close + 1)], i));
                copied = i = close + 1;
            }

            output.Append(value, copied, value.Length - copied);
            return (output.ToString(), dropped);
        }

        private void SkipBlanks()
        {
            while (_position < text.Length && IsBlank(text[_position]))
                _position++;
        }

        private void SkipLine()
        {
            while (_position < text.Length && text[_position] is not ('\r' or '\n'))
                _position++;
            if (_position < text.Length && text[_position++] == '\r' && _position < text.Length && text[_position] == '\n')
                _position++;
        }

        private static string Newlines(string value) =>
            value.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');

        private static bool IsBlank(char c) => c is not ('\r' or '\n') && IsWhiteSpace(c);

        /// <summary>White space as Python sees it: the separators U+001C to U+001F belong to it.</summary>
        private static bool IsWhiteSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';
    }
}
