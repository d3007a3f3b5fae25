using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>
/// The file as bash sees it after <c>set -a; source file</c>. Assignments are followed through quotes, backslashes and
/// plain variables; whatever would run a command or can be known only at run time is a failure with its reason.
/// </summary>
internal sealed class ShellReader : DotEnvReader
{
    public override DotEnvConsumer Consumer => DotEnvConsumer.Shell;

    public override string Title => "bash";

    protected override List<DotEnvStatement> Read(string text, bool byteOrderMark, Func<string, string?> lookup)
    {
        if (!byteOrderMark)
            return new Scan(text, lookup).Run();

        // To bash the mark is a letter of the first word.
        return new Scan('\uFEFF' + text, lookup).Run().ConvertAll(statement => statement with
        {
            Start = Math.Max(statement.Start - 1, 0),
            End = statement.End - 1,
            NameStart = Math.Max(statement.NameStart - 1, 0),
            FailureOffset = Math.Max(statement.FailureOffset - 1, 0),
            Dropped = [.. statement.Dropped.Select(run => run with { Offset = run.Offset - 1 })],
        });
    }

    private sealed class Scan(string text, Func<string, string?> lookup)
    {
        private const string CommandReason = "takes the line, or a part of it, for a command";
        private const string UnclosedReason = "meets a quote or bracket that it never sees closed";
        private const string RunTimeReason = "runs a command or works out an expression here";
        private const string LateReason = "uses a variable whose value is known only when it runs";
        private const string OwnVariableReason = "sets this variable itself";

        /// <summary>Commands after which nothing can be said about later lines.</summary>
        private static readonly HashSet<string> FarReaching =
        [
            "!", ".", "[[", "alias", "break", "builtin", "case", "command", "continue", "coproc", "declare", "do", "done", "elif",
            "else", "enable", "esac", "eval", "exec", "exit", "fi", "for", "function", "getopts", "if", "in", "let", "local",
            "logout", "mapfile", "printf", "read", "readarray", "readonly", "return", "select", "set", "shopt", "source", "then",
            "time", "trap", "typeset", "unalias", "unset", "until", "wait", "while", "]]", "{", "}",
        ];

        /// <summary>Variables that bash sets whatever the environment says.</summary>
        private static readonly HashSet<string> OwnVariables =
        [
            "_", "COLUMNS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "HOSTNAME",
            "HOSTTYPE", "IFS", "LINENO", "LINES", "MACHTYPE", "OLDPWD", "OPTERR", "OPTIND", "OSTYPE", "PATH", "PIPESTATUS", "PPID",
            "PS4", "PWD", "RANDOM", "SECONDS", "SHELL", "SHELLOPTS", "SHLVL", "SRANDOM", "TERM", "UID",
        ];

        /// <summary>Of those, the ones that do not keep what is assigned to them.</summary>
        private static readonly HashSet<string> Unassignable =
        [
            "_", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "PIPESTATUS",
            "PPID", "RANDOM", "SECONDS", "SHELLOPTS", "SRANDOM", "UID",
        ];

        private readonly List<DotEnvStatement> _statements = [];

        /// <summary>What the file has assigned so far; null where that cannot be known.</summary>
        private readonly Dictionary<string, string?> _values = [];

        private readonly StringBuilder _value = new();
        private List<DroppedAt> _dropped = [];
        private string? _wordFailure;
        private bool _hasBrace;
        private string? _stop;
        private FailureReach _stopReach = FailureReach.Rest;
        private int _position;

        public List<DotEnvStatement> Run()
        {
            while (_stop is null)
            {
                SkipBlanks();
                if (_position == text.Length)
                    break;
                if (text[_position] == '\n')
                    _position++;
                else
                    ReadLine();
            }

            return _statements;
        }

        /// <summary>Reads the commands of a line. Bash runs none of them if one does not parse.</summary>
        private void ReadLine()
        {
            var first = _statements.Count;
            while (_stop is null && ReadCommand())
                SkipBlanks();

            if (_stop is null)
                return;
            for (var i = first; i < _statements.Count; i++)
                _statements[i] = _statements[i] with { Failure = _statements[i].Failure ?? _stop, Value = null };
        }

        /// <summary>Reads a command; true when another one follows it on the line.</summary>
        private bool ReadCommand()
        {
            var start = _position;
            var words = new List<DotEnvStatement>();
            string? failure = null;
            bool isExport = false, isCommand = false, ended = false;
            while (!ended && _stop is null)
            {
                SkipBlanks();
                if (_position == text.Length || text[_position] == '\n')
                    break;

                switch (text[_position])
                {
                    case ';' or '&' or '|' when _position == start:
                        _stop = "meets an operator where a line should start";
                        break;
                    case ';':
                        _position++;
                        ended = true;
                        if (_position < text.Length && text[_position] is ';' or '&')
                            _stop = "meets two operators in a row";
                        break;
                    case '&' or '|' or '<' or '>':
                        failure = "takes an unquoted & | < or > for an operator";
                        ended = ReadOperator();
                        break;
                    case '(' or ')':
                        _stop = "meets an unquoted bracket";
                        break;
                    default:
                        ReadWord(words, ref isExport, ref isCommand);
                        break;
                }
            }

            if (isCommand)
                failure = CommandReason;
            Emit(start, words, _stop ?? failure, isCommand || words.Count == 0 || _stop is not null);
            return ended;
        }

        /// <summary>Skips an operator; true when it ends the command, so that the next one is on its own.</summary>
        private bool ReadOperator()
        {
            var first = text[_position++];
            var second = _position < text.Length ? text[_position] : '\n';
            var isDouble = (first, second) is ('&', '&' or '>') or ('|', '|' or '&') or ('>', '>' or '&' or '|') or ('<', '&' or '>');
            if (first == '<' && second == '<')
            {
                _stop = "meets a here-document";
                return true;
            }

            if (first == '&' && !isDouble && second is not ('|' or ';'))
                return true;
            if (isDouble)
                _position++;

            // An operator that waits for a word takes it from the next line, or fails. Digits before an arrow are no word.
            SkipBlanks();
            var wordStart = _position;
            while (wordStart < text.Length && char.IsAsciiDigit(text[wordStart]))
                wordStart++;
            if (wordStart == text.Length || text[wordStart] is '<' or '>' || text[_position] is '\n' or '&' or '|' or ';' or '(' or ')')
                _stop = "meets an operator with nothing behind it";
            return false;
        }

        private void ReadWord(List<DotEnvStatement> words, ref bool isExport, ref bool isCommand)
        {
            var start = _position;
            _value.Clear();
            _dropped = [];
            _wordFailure = null;
            _hasBrace = false;

            var nameEnd = EndOfName(start);
            var name = text[start..nameEnd];
            if (!isCommand && nameEnd > start && nameEnd < text.Length && text[nameEnd] == '=')
            {
                _position = nameEnd + 1;
                ReadValue();
                // Only the arguments of a command, such as export, have their braces expanded.
                if (isExport && _hasBrace)
                    _wordFailure ??= RunTimeReason;
                if (Unassignable.Contains(name) || name.StartsWith("BASH", StringComparison.Ordinal))
                    _wordFailure ??= OwnVariableReason;

                var assigned = _wordFailure is null ? _value.ToString() : null;
                words.Add(new(start, _position) { Name = name, Value = assigned, Dropped = _dropped, Failure = _wordFailure });
                if (!isExport)
                    _values[name] = assigned;
                return;
            }

            if (nameEnd > start && nameEnd < text.Length && text[nameEnd] == '[')
                _stop = "meets an array subscript";
            ReadValue();
            var isPlain = _position == nameEnd && name.Length > 0;
            if (isExport && isPlain)
            {
                words.Add(new(start, _position) { Name = name, IsInherited = true });
            }
            else if (words.Count == 0 && !isExport && !isCommand && isPlain && name == "export")
            {
                isExport = true;
            }
            else
            {
                if (!isCommand && FarReaching.Contains(text[start.._position]))
                    _stop ??= CommandReason;
                isCommand = true;
            }
        }

        private void Emit(int start, List<DotEnvStatement> words, string? failure, bool needsStatement)
        {
            foreach (var word in words)
            {
                var isAssigned = _values.TryGetValue(word.Name!, out var assigned);
                var reason = failure ?? word.Failure ?? (word.IsInherited && isAssigned && assigned is null ? LateReason : null);
                var result = reason is not null ? null : !word.IsInherited ? word.Value : isAssigned ? assigned : lookup(word.Name!);
                if (result is not null || reason is not null)
                    _values[word.Name!] = result;
                _statements.Add(word with { End = _position, Value = result, Failure = reason });
            }

            if (needsStatement && failure is not null)
            {
                _statements.Add(new(start, _stop is null ? _position : text.Length)
                {
                    Failure = failure,
                    Reach = _stop is null ? FailureReach.Statement : _stopReach,
                });
            }
        }

        /// <summary>Reads a word from the current position on, taking quotes away and putting variables in.</summary>
        private void ReadValue()
        {
            var start = _position;
            while (_position < text.Length && _stop is null)
            {
                var c = text[_position];
                switch (c)
                {
                    case ' ' or '\t' or '\n' or ';' or '&' or '|' or '<' or '>' or '(' or ')':
                        return;
                    case '\'':
                        ReadSingleQuoted();
                        break;
                    case '"':
                        ReadDoubleQuoted();
                        break;
                    case '\\':
                        ReadBackslash();
                        break;
                    case '$':
                        ReadDollar(isQuoted: false);
                        break;
                    case '`':
                        SkipTo('`');
                        break;
                    case '~' when _position == start || text[_position - 1] == ':':
                        _wordFailure ??= "takes an unquoted ~ for a home directory";
                        _position++;
                        break;
                    default:
                        _hasBrace |= c == '{';
                        _value.Append(c);
                        _position++;
                        break;
                }
            }
        }

        private void ReadBackslash()
        {
            _position++;
            if (_position == text.Length)
                _value.Append('\\');
            else if (text[_position] != '\n')
                _value.Append(text[_position++]);
            else
                _position++;
        }

        private void ReadSingleQuoted()
        {
            var close = text.IndexOf('\'', _position + 1);
            if (close < 0)
            {
                _stop = UnclosedReason;
                return;
            }

            _value.Append(text, _position + 1, close - _position - 1);
            _position = close + 1;
        }

        private void ReadDoubleQuoted()
        {
            _position++;
            while (_position < text.Length && _stop is null)
            {
                switch (text[_position])
                {
                    case '"':
                        _position++;
                        return;
                    case '\\' when _position + 1 < text.Length && text[_position + 1] is '$' or '`' or '"' or '\\' or '\n':
                        ReadBackslash();
                        break;
                    case '$':
                        ReadDollar(isQuoted: true);
                        break;
                    case '`':
                        SkipTo('`');
                        break;
                    default:
                        _value.Append(text[_position++]);
                        break;
                }
            }

            _stop ??= UnclosedReason;
        }

        private void ReadDollar(bool isQuoted)
        {
            var start = _position;
            var next = _position + 1 < text.Length ? text[_position + 1] : '\0';
            var nameEnd = EndOfName(_position + 1);
            if (nameEnd > _position + 1)
            {
                _position = nameEnd;
                Substitute(text[(start + 1)..nameEnd], start);
                FailOnContinuation();
            }
            else if (next is (>= '1' and <= '9') or '@' or '*')
            {
                // The arguments of a sourced file, of which there are none.
                _position += 2;
                _dropped.Add(new(next.ToString(), text[start.._position], start));
            }
            else if (next == '{')
            {
                var braceEnd = EndOfName(_position + 2);
                if (braceEnd > _position + 2 && braceEnd < text.Length && text[braceEnd] == '}')
                {
                    _position = braceEnd + 1;
                    Substitute(text[(start + 2)..braceEnd], start);
                }
                else
                {
                    SkipTo('}');
                }
            }
            else if (next == '(')
            {
                SkipTo(')');
            }
            else if (next == '[')
            {
                _stop = RunTimeReason;
            }
            else if (next is '0' or '#' or '?' or '-' or '!' or '$')
            {
                _wordFailure ??= "takes a $ and what follows it for a variable of its own";
                _position += 2;
            }
            else if (!isQuoted && next == '\'')
            {
                _position++;
                SkipTo('\'');
            }
            else if (!isQuoted && next == '"')
            {
                // A translated string; without a catalogue it is the string itself.
                _position++;
            }
            else
            {
                _value.Append('$');
                _position++;
                FailOnContinuation();

                // Bash marks characters with these two while it reads, and does not see its marks from theirs: a bracket behind them is one behind the $.
                if (isQuoted && text.AsSpan(_position).TrimStart("\u0001\u007F") is ['(' or '{' or '[', ..])
                    _stop = RunTimeReason;
            }
        }

        /// <summary>A name may go on behind a backslash and a line break.</summary>
        private void FailOnContinuation()
        {
            if (string.CompareOrdinal(text, _position, "\\\n", 0, 2) == 0)
                _wordFailure ??= RunTimeReason;
        }

        private void Substitute(string name, int start)
        {
            var isAssigned = _values.TryGetValue(name, out var found);
            if (isAssigned ? found is null : OwnVariables.Contains(name) || name.StartsWith("BASH", StringComparison.Ordinal))
                _wordFailure ??= LateReason;
            else if ((found ?? lookup(name)) is { } known)
                _value.Append(known);
            else
                _dropped.Add(new(name, text[start.._position], start));
        }

        /// <summary>
        /// Skips a substitution that only bash can work out. One that is not plain may assign, fail and end the reading, or
        /// hold further quotes: nothing can be said about what follows it.
        /// </summary>
        private void SkipTo(char close)
        {
            _wordFailure ??= RunTimeReason;
            _position += text[_position] == '$' ? 2 : 1;
            while (_position < text.Length && (char.IsAsciiLetterOrDigit(text[_position]) || text[_position] is ' ' or '_' or '.' or '/' or '-' or '+' or ':'))
                _position++;
            if (_position < text.Length && text[_position] == close)
            {
                _position++;
                return;
            }

            _stop = RunTimeReason;
            // ${NAME?} ends the shell itself.
            if (text.AsSpan(_position).TrimStart(':') is ['?', ..])
                _stopReach = FailureReach.File;
        }

        private void SkipBlanks()
        {
            while (_position < text.Length)
            {
                if (text[_position] is ' ' or '\t')
                    _position++;
                else if (text[_position] == '\\' && _position + 1 < text.Length && text[_position + 1] == '\n')
                    _position += 2;
                else if (text[_position] == '#')
                    _position = text.IndexOf('\n', _position) is >= 0 and var end ? end : text.Length;
                else
                    return;
            }
        }

        private int EndOfName(int start)
        {
            var i = start;
            while (i < text.Length && (char.IsAsciiLetter(text[i]) || text[i] == '_' || (i > start && char.IsAsciiDigit(text[i]))))
                i++;
            return i;
        }
    }
}
