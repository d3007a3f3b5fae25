using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>
/// What Compose v2 makes of the variables in a text: <c>$$</c>, <c>$name</c>, <c>${name}</c> and <c>${name:-word}</c> with
/// <c>-</c>, <c>+</c>, <c>?</c>, with and without the colon, nested (Compose specification, "Interpolation").
/// </summary>
public sealed class DotEnvInterpolation
{
    /// <summary>Deeper nesting than this is refused: it is no value anybody wrote, and it would exhaust the stack.</summary>
    private const int MaximumDepth = 200;

    private readonly string _text;
    private readonly Func<string, string?> _lookup;
    private readonly List<DroppedAt> _dropped = [];
    private string _value = "";

    private DotEnvInterpolation(string text, Func<string, string?> lookup)
    {
        _text = text;
        _lookup = lookup;
    }

    /// <summary>The text with its variables replaced; empty when <see cref="Failure"/> is set.</summary>
    public string Value => Failure is null ? _value : "";

    /// <summary>The runs that were replaced by nothing, in the order in which they stand.</summary>
    public IReadOnlyList<DroppedRun> Dropped
    {
        get
        {
            var lines = new LineMap(_text);
            return [.. _dropped.Select(lines.Locate)];
        }
    }

    /// <summary>Why Compose would refuse the text, as a clause without a full stop; null when it does not.</summary>
    public string? Failure { get; private set; }

    /// <summary>0-based index in the text of the substitution that fails.</summary>
    internal int FailureOffset { get; private set; }

    internal IReadOnlyList<DroppedAt> DroppedAt => _dropped;

    /// <summary>Replays the interpolation.</summary>
    /// <param name="text">The text, already unquoted.</param>
    /// <param name="lookup">Gives the value of a variable, or null for one that is not defined.</param>
    public static DotEnvInterpolation Interpolate(string text, Func<string, string?> lookup)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(lookup);

        var interpolation = new DotEnvInterpolation(text, lookup);
        if (!text.Contains('$', StringComparison.Ordinal))
        {
            interpolation._value = text;
            return interpolation;
        }

        var output = new StringBuilder();
        interpolation.Expand(0, text.Length, output, depth: 0);
        interpolation._value = output.ToString();
        return interpolation;
    }

    private void Expand(int start, int end, StringBuilder output, int depth)
    {
        var position = start;
        while (position < end && Failure is null)
        {
            var dollar = _text.IndexOf('$', position, end - position);
            if (dollar < 0)
            {
                output.Append(_text, position, end - position);
                return;
            }

            output.Append(_text, position, dollar - position);
            var next = dollar + 1 < end ? _text[dollar + 1] : '\0';
            if (next == '$')
            {
                output.Append('$');
                position = dollar + 2;
            }
            else if (next == '{')
            {
                position = ExpandBraced(dollar, end, output, depth);
            }
            else if (IsNameStart(next))
            {
                position = EndOfName(dollar + 1, end);
                Append(_text[(dollar + 1)..position], dollar, position, output);
            }
            else
            {
                output.Append('$');
                position = dollar + 1;
            }
        }
    }

    /// <summary>Expands <c>${...}</c> at <paramref name="dollar"/> and returns where the text goes on.</summary>
    private int ExpandBraced(int dollar, int end, StringBuilder output, int depth)
    {
        var nameStart = dollar + 2;
        var nameEnd = EndOfName(nameStart, end);
        if (nameEnd == nameStart || nameEnd == end)
            return Fail(dollar, "has a ${ that is no valid substitution");

        var name = _text[nameStart..nameEnd];
        if (_text[nameEnd] == '}')
        {
            Append(name, dollar, nameEnd + 1, output);
            return nameEnd + 1;
        }

        var emptyIsUnset = _text[nameEnd] == ':';
        var operatorAt = emptyIsUnset ? nameEnd + 1 : nameEnd;
        var close = operatorAt < end && _text[operatorAt] is '-' or '+' or '?' ? ClosingBrace(dollar, end) : -1;
        if (close < 0)
            return Fail(dollar, "has a ${ that is no valid substitution");
        if (depth == MaximumDepth)
            return Fail(dollar, "nests substitutions too deeply");

        var found = _lookup(name);
        var isSet = found is not null && !(emptyIsUnset && found.Length == 0);
        switch (_text[operatorAt])
        {
            case '-' when !isSet:
            case '+' when isSet:
                Expand(operatorAt + 1, close, output, depth + 1);
                break;
            case '?' when !isSet:
                return Fail(dollar, $"requires the variable {name}, which is not set");
            case '-' or '?':
                output.Append(found);
                break;
        }

        return close + 1;
    }

    /// <summary>
    /// The brace that closes the one behind <paramref name="dollar"/>. Compose counts every brace, not only those behind a
    /// <c>$</c>, does not look at the character behind an opening one, and stays on the line; where the braces do not
    /// balance it takes the line's last one.
    /// </summary>
    private int ClosingBrace(int dollar, int end)
    {
        var open = 1;
        var last = -1;
        for (var i = dollar + 3; i < end && _text[i] != '\n'; i++)
        {
            if (_text[i] == '}')
            {
                last = i;
                if (--open == 0)
                    return i;
            }
            else if (_text[i] == '{')
            {
                open++;
                i++;
                if (i < end && _text[i] == '\n')
                    break;
                if (i < end && _text[i] == '}')
                    last = i;
            }
        }

        return last;
    }

    private void Append(string name, int start, int end, StringBuilder output)
    {
        if (_lookup(name) is { } found)
            output.Append(found);
        else
            _dropped.Add(new DroppedAt(name, _text[start..end], start));
    }

    private int Fail(int offset, string reason)
    {
        Failure = reason;
        FailureOffset = offset;
        return _text.Length;
    }

    private int EndOfName(int start, int end)
    {
        var i = start;
        while (i < end && (IsNameStart(_text[i]) || (i > start && char.IsAsciiDigit(_text[i]))))
            i++;
        return i;
    }

    /// <summary>Compose matches <c>[_a-z]</c> without regard to case, which takes in the long s and the Kelvin sign.</summary>
    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c is '_' or '\u017F' or '\u212A';
}
