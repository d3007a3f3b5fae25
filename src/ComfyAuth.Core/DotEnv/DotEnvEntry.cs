namespace ComfyAuth.DotEnv;

/// <summary>One key of a <c>.env</c> file as it is written, before any unquoting.</summary>
public sealed class DotEnvEntry
{
    private readonly string _text;
    private readonly EntrySpan _span;

    internal DotEnvEntry(string text, EntrySpan span, int line, int column)
    {
        _text = text;
        _span = span;
        Line = line;
        Column = column;
    }

    /// <summary>The key; empty for a line that starts with <c>=</c>, which Compose accepts.</summary>
    public string Name => _span.Name;

    /// <summary>1-based line on which the key stands.</summary>
    public int Line { get; }

    /// <summary>1-based column of the key's first character, in UTF-16 code units, not counting a byte order mark.</summary>
    public int Column { get; }

    /// <summary>Whether <c>export</c> stands before the key.</summary>
    public bool IsExported => _span.Start != _span.NameStart;

    /// <summary>Whether the line is a key alone, which takes its value from the reader's environment.</summary>
    public bool IsInherited => _span.IsBare;

    /// <summary>The value as written, with its quotes and without an inline comment; null for a key alone. May hold a secret.</summary>
    public string? RawValue => _span.IsBare ? null : _text[_span.ValueStart.._span.ValueEnd];

    /// <summary>From <c>export</c> or the key to the end of the value, as written. May hold a secret.</summary>
    public string RawText => _text[_span.Start.._span.ValueEnd];

    /// <summary>The key and where it stands; not its value, which may be a secret.</summary>
    public override string ToString() => $"{Name} at {Line}:{Column}";
}
