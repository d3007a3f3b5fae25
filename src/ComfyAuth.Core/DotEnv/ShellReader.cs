using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>
/// The file as bash sees it after <c>set -a; source file</c>. Assignments are followed through quotes, backslashes and
/// plain variables; whatever would run a command or can be known only at run time is a failure with its reason.
/// </summary>
internal sealed class ShellReader : DotEnvReader
{
    public override DotEnvConsumer Consumer => DotEnvConsumer.Shell;

    public override string Title => "bash source";

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

        private readonly List<DotEnvStatement> statements = [];

        /// <summary>What the file has assigned so far; null where that cannot be known.</summary>
        private readonly Dictionary<string, string?> values = [];

        private readonly StringBuilder value = new();
        private List<DroppedAt> dropped = [];
        private string? wordFailure;
        private bool hasBrace;
        private string? stop;
        private FailureReach stopReach = FailureReach.Rest;
        private int position;

        public List<DotEnvStatement> Run()
        {
            while (stop is null)
            {
                SkipBlanks();
                if (position == text.Length)
                    break;
                if (text[position] == '\n')
                    position++;
                else
                    ReadLine();
            }

            return statements;
        }

        /// <summary>Reads the commands of a line. Bash runs none of them if one does not parse.</summary>
        private void ReadLine()
        {
            var first = statements.Count;
            while (stop is null && ReadCommand())
                SkipBlanks();

            if (stop is null)
                return;
            for (var i = first; i < statements.Count; i++)
                statements[i] = statements[i] with { Failure = statements[i].Failure ?? stop, Value = null };
        }

        /// <summary>Reads a command; true when another one follows it on the line.</summary>
        private bool ReadCommand()
        {
            var start = position;
            var words = new List<DotEnvStatement>();
            string? failure = null;
            bool isExport = false, isCommand = false, ended = false;
            while (!ended && stop is null)
            {
                SkipBlanks();
                if (position == text.Length || text[position] == '\n')
                    break;

                switch (text[position])
                {
                    case ';' or '&' or '|' when position == start:
                        stop = "meets an operator where a line should start";
                        break;
                    case ';':
                        position++;
                        ended = true;
                        if (position < text.Length && text[position] is ';' or '&')
                            stop = "meets two operators in a row";
                        break;
                    case '&' or '|' or '<' or '>':
                        failure = "takes an unquoted & | < or > for an operator";
                        ended = ReadOperator();
                        break;
                    case '(' or ')':
                        stop = "meets an unquoted bracket";
                        break;
                    default:
                        ReadWord(words, ref isExport, ref isCommand);
                        break;
                }
            }

            if (isCommand)
                failure = CommandReason;
            Emit(start, words, stop ?? failure, isCommand || words.Count == 0 || stop is not null);
            return ended;
        }

        /// <summary>Skips an operator; true when it ends the command, so that the next one is on its own.</summary>
        private bool ReadOperator()
        {
            var first = text[position++];
            var second = position < text.Length ? text[position] : '\n';
            var isDouble = (first, second) is ('&', '&' or '>') or ('|', '|' or '&') or ('>', '>' or '&' or '|') or ('<', '&' or '>');
            if (first == '<' && second == '<')
            {
                stop = "meets a here-document";
                return true;
            }

            if (first == '&' && !isDouble && second is not ('|' or ';'))
                return true;
            if (isDouble)
                position++;

            // An operator that waits for a word takes it from the next line, or fails. Digits before an arrow are no word.
            SkipBlanks();
            var wordStart = position;
            while (wordStart < text.Length && char.IsAsciiDigit(text[wordStart]))
                wordStart++;
            if (wordStart == text.Length || text[wordStart] is '<' or '>' || text[position] is '\n' or '&' or '|' or ';' or '(' or ')')
                stop = "meets an operator with nothing behind it";
            return false;
        }

        private void ReadWord(List<DotEnvStatement> words, ref bool isExport, ref bool isCommand)
        {
            var start = position;
            value.Clear();
            dropped = [];
            wordFailure = null;
            hasBrace = false;

            var nameEnd = EndOfName(start);
            var name = text[start..nameEnd];
            if (!isCommand && nameEnd > start && nameEnd < text.Length && text[nameEnd] == '=')
            {
                position = nameEnd + 1;
                ReadValue();
                // Only the arguments of a command, such as export, have their braces expanded.
                if (isExport && hasBrace)
                    wordFailure ??= RunTimeReason;
                if (Unassignable.Contains(name) || name.StartsWith("BASH", StringComparison.Ordinal))
                    wordFailure ??= OwnVariableReason;

                var assigned = wordFailure is null ? value.ToString() : null;
                words.Add(new(start, position) { Name = name, Value = assigned, Dropped = dropped, Failure = wordFailure });
                if (!isExport)
                    values[name] = assigned;
                return;
            }

            if (nameEnd > start && nameEnd < text.Length && text[nameEnd] == '[')
                stop = "meets an array subscript";
            ReadValue();
            var isPlain = position == nameEnd && name.Length > 0;
            if (isExport && isPlain)
            {
                words.Add(new(start, position) { Name = name, IsInherited = true });
            }
            else if (words.Count == 0 && !isExport && !isCommand && isPlain && name == "export")
            {
                isExport = true;
            }
            else
            {
                if (!isCommand && FarReaching.Contains(text[start..position]))
                    stop ??= CommandReason;
                isCommand = true;
            }
        }

        private void Emit(int start, List<DotEnvStatement> words, string? failure, bool needsStatement)
        {
            foreach (var word in words)
            {
                var isAssigned = values.TryGetValue(word.Name!, out var assigned);
                var reason = failure ?? word.Failure ?? (word.IsInherited && isAssigned && assigned is null ? LateReason : null);
                var result = reason is not null ? null : !word.IsInherited ? word.Value : isAssigned ? assigned : lookup(word.Name!);
                if (result is not null || reason is not null)
                    values[word.Name!] = result;
                statements.Add(word with { End = position, Value = result, Failure = reason });
            }

            if (needsStatement && failure is not null)
            {
                statements.Add(new(start, stop is null ? position : text.Length)
                {
                    Failure = failure,
                    Reach = stop is null ? FailureReach.Statement : stopReach,
                });
            }
        }

        /// <summary>Reads a word from the current position on, taking quotes away and putting variables in.</summary>
        private void ReadValue()
        {
            var start = position;
            while (position < text.Length && stop is null)
            {
                var c = text[position];
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
                    case '~' when position == start || text[position - 1] == ':':
                        wordFailure ??= "takes an unquoted ~ for a home directory";
                        position++;
                        break;
                    default:
                        hasBrace |= c == '{';
                        value.Append(c);
                        position++;
                        break;
                }
            }
        }

        private void ReadBackslash()
        {
            position++;
            if (position == text.Length)
                value.Append('\\');
            else if (text[position] != '\n')
                value.Append(text[position++]);
            else
                position++;
        }

        private void ReadSingleQuoted()
        {
            var close = text.IndexOf('\'', position + 1);
            if (close < 0)
            {
                stop = UnclosedReason;
                return;
            }

            value.Append(text, position + 1, close - position - 1);
            position = close + 1;
        }

        private void ReadDoubleQuoted()
        {
            position++;
            while (position < text.Length && stop is null)
            {
                switch (text[position])
                {
                    case '"':
                        position++;
                        return;
                    case '\\' when position + 1 < text.Length && text[position + 1] is '$' or '`' or '"' or '\\' or '\n':
                        ReadBackslash();
                        break;
                    case '$':
                        ReadDollar(isQuoted: true);
                        break;
                    case '`':
                        SkipTo('`');
                        break;
                    default:
                        value.Append(text[position++]);
                        break;
                }
            }

            stop ??= UnclosedReason;
        }

        private void ReadDollar(bool isQuoted)
        {
            var start = position;
            var next = position + 1 < text.Length ? text[position + 1] : '\0';
            var nameEnd = EndOfName(position + 1);
            if (nameEnd > position + 1)
            {
                position = nameEnd;
                Substitute(text[(start + 1)..nameEnd], start);
                FailOnContinuation();
            }
            else if (next is (>= '1' and <= '9') or '@' or '*')
            {
                // The arguments of a sourced file, of which there are none.
                position += 2;
                dropped.Add(new(next.ToString(), text[start..position], start));
            }
            else if (next == '{')
            {
                var braceEnd = EndOfName(position + 2);
                if (braceEnd > position + 2 && braceEnd < text.Length && text[braceEnd] == '}')
                {
                    position = braceEnd + 1;
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
                stop = RunTimeReason;
            }
            else if (next is '0' or '#' or '?' or '-' or '!' or '$')
            {
                wordFailure ??= "takes a $ and what follows it for a variable of its own";
                position += 2;
            }
            else if (!isQuoted && next == '\'')
            {
                position++;
                SkipTo('\'');
            }
            else if (!isQuoted && next == '"')
            {
                // A translated string; without a catalogue it is the string itself.
                position++;
            }
            else
            {
                value.Append('$');
                position++;
                FailOnContinuation();
            }
        }

        /// <summary>A name may go on behind a backslash and a line break.</summary>
        private void FailOnContinuation()
        {
            if (string.CompareOrdinal(text, position, "\\\n", 0, 2) == 0)
                wordFailure ??= RunTimeReason;
        }

        private void Substitute(string name, int start)
        {
            var isAssigned = values.TryGetValue(name, out var found);
            if (isAssigned ? found is null : OwnVariables.Contains(name) || name.StartsWith("BASH", StringComparison.Ordinal))
                wordFailure ??= LateReason;
            else if ((found ?? lookup(name)) is { } known)
                value.Append(known);
            else
                dropped.Add(new(name, text[start..position], start));
        }

        /// <summary>
        /// Skips a substitution that only bash can work out. One that is not plain may assign, fail and end the reading, or
        /// hold further quotes: nothing can be said about what follows it.
        /// </summary>
        private void SkipTo(char close)
        {
            wordFailure ??= RunTimeReason;
            position += text[position] == '$' ? 2 : 1;
            while (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] is ' ' or '_' or '.' or '/' or '-' or '+' or ':'))
                position++;
            if (position < text.Length && text[position] == close)
            {
                position++;
                return;
            }

            stop = RunTimeReason;
            // ${NAME?} ends the shell itself.
            if (text.AsSpan(position).TrimStart(':') is ['?', ..])
                stopReach = FailureReach.File;
        }

        private void SkipBlanks()
        {
            while (position < text.Length)
            {
                if (text[position] is ' ' or '\t')
                    position++;
                else if (text[position] == '\\' && position + 1 < text.Length && text[position + 1] == '\n')
                    position += 2;
                else if (text[position] == '#')
                    position = text.IndexOf('\n', position) is >= 0 and var end ? end : text.Length;
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
