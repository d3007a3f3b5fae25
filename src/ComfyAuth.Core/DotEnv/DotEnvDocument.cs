using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ComfyAuth.DotEnv;

/// <summary>
/// A <c>.env</c> file of which every byte is kept: what is not changed is written as it was read. Its lines are those that
/// Compose v2 sees (Compose specification, ".env file syntax"); how other programs see it, <see cref="Read"/> tells.
/// Not safe for use by several threads at once.
/// </summary>
public sealed class DotEnvDocument
{
    private readonly bool _byteOrderMark;
    private readonly string? _path;
    private readonly Dictionary<DotEnvConsumer, DotEnvView> _views = [];
    private string _text;
    private List<EntrySpan> _spans;
    private LineMap _lines;
    private Dictionary<string, int> _lastByName;
    private DotEnvEntry[]? _entries;

    private DotEnvDocument(string text, bool byteOrderMark, string? path)
    {
        _text = text;
        _byteOrderMark = byteOrderMark;
        _path = path;
        _spans = ComposeV2Reader.Split(text, path);
        _lines = new LineMap(text);
        _lastByName = IndexLast(_spans);
    }

    /// <summary>The keys in the order in which they stand, duplicates included.</summary>
    public IReadOnlyList<DotEnvEntry> Entries => _entries ??= [.. _spans.Select(span =>
    {
        var (line, column) = _lines.Locate(span.NameStart);
        return new DotEnvEntry(_text, span, line, column);
    })];

    /// <summary>Reads a file's bytes.</summary>
    /// <param name="bytes">UTF-8, with or without a byte order mark.</param>
    /// <param name="path">The file's name, for the errors.</param>
    /// <exception cref="DotEnvSyntaxException">The bytes are not UTF-8 text, or Compose v2 would refuse a line.</exception>
    public static DotEnvDocument Parse(ReadOnlySpan<byte> bytes, string? path = null)
    {
        var byteOrderMark = bytes.StartsWith(Encoding.UTF8.Preamble);
        if (byteOrderMark)
            bytes = bytes[Encoding.UTF8.Preamble.Length..];

        var characters = new char[bytes.Length];
        var status = Utf8.ToUtf16(bytes, characters, out var read, out var written, replaceInvalidSequences: false);
        var nul = Array.IndexOf(characters, '\0', 0, written);
        if (status == OperationStatus.Done && nul < 0)
            return new DotEnvDocument(new string(characters, 0, written), byteOrderMark, path);

        var (line, column) = new LineMap(new string(characters, 0, written)).Locate(nul < 0 ? written : nul);
        throw nul >= 0
            ? new DotEnvSyntaxException(path, line, column, "there is a NUL character", "Save the file as plain UTF-8 text.")
            : read == 0 && bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]
                ? new DotEnvSyntaxException(path, line, column, "the file is UTF-16", "Save it as UTF-8; in Windows PowerShell, write it with -Encoding utf8.")
                : new DotEnvSyntaxException(path, line, column, "a byte is not valid UTF-8", "Save the file as UTF-8.");
    }

    /// <summary>The file's bytes.</summary>
    public byte[] ToBytes()
    {
        var start = _byteOrderMark ? Encoding.UTF8.Preamble.Length : 0;
        var bytes = new byte[start + Encoding.UTF8.GetByteCount(_text)];
        if (_byteOrderMark)
            Encoding.UTF8.Preamble.CopyTo(bytes);
        Encoding.UTF8.GetBytes(_text, bytes.AsSpan(start));
        return bytes;
    }

    /// <summary>
    /// The value of a key as Compose v2 passes it on when its environment is empty; the last duplicate wins. Null when there
    /// is no such key, when it only inherits, or when its own line cannot be expanded.
    /// </summary>
    public string? Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return View(DotEnvReader.For(DotEnvConsumer.ComposeV2)[0]).Last(name)?.Value;
    }

    /// <summary>How one program sees one key.</summary>
    /// <param name="name">The key.</param>
    /// <param name="consumer">Exactly one program.</param>
    /// <param name="lookup">The program's environment: the value of a variable, or null; empty if not given.</param>
    /// <returns>Null when neither Compose v2 nor this program sees the key in the file.</returns>
    public DotEnvReading? Read(string name, DotEnvConsumer consumer, Func<string, string?>? lookup = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return ReadFrom(View(consumer, lookup), name, consumer);
    }

    /// <summary>The whole file as one program sees it, to read several keys from.</summary>
    internal DotEnvView View(DotEnvConsumer consumer, Func<string, string?>? lookup)
    {
        if (DotEnvReader.For(consumer) is not [var reader])
            throw new ArgumentOutOfRangeException(nameof(consumer), consumer, "Name exactly one consumer.");
        return lookup is null ? View(reader) : reader.View(_text, _byteOrderMark, lookup);
    }

    /// <summary>How one program sees every key of the file; each key once, in the order in which they first stand.</summary>
    /// <param name="consumer">Exactly one program.</param>
    /// <param name="lookup">The program's environment: the value of a variable, or null.</param>
    internal IEnumerable<DotEnvReading> ReadAll(DotEnvConsumer consumer, Func<string, string?> lookup)
    {
        var view = View(consumer, lookup);
        return _lastByName.Keys.Select(name => ReadFrom(view, name, consumer)!);
    }

    /// <summary>How one program sees one key, from a view that was taken since the last change.</summary>
    internal DotEnvReading? ReadFrom(DotEnvView view, string name, DotEnvConsumer consumer)
    {
        var statement = view.Last(name);
        var offset = statement?.NameStart;
        var cause = statement?.Failure is null ? null : statement;
        var isListed = _lastByName.TryGetValue(name, out var index);
        if (statement is null)
        {
            if (!isListed)
                return null;

            offset = _spans[index].NameStart;
            cause = view.Statements.FindLast(candidate => candidate.Start <= offset && offset < candidate.End)
                ?? new DotEnvStatement(offset.Value, offset.Value);
            if (cause.Failure is null)
                cause = cause with { Failure = "takes the line for something else", FailureOffset = offset.Value };
        }
        else if (isListed && view.Stop is { } stop && stop.Start <= _spans[index].NameStart)
        {
            // A later duplicate stands where nothing can be said any more.
            cause ??= stop;
        }

        // A program that refuses the file passes on none of its values.
        cause = view.Refusal ?? cause;

        var (line, column) = _lines.Locate(offset!.Value);
        return new DotEnvReading
        {
            Name = name,
            Consumer = consumer,
            Value = statement?.Value,
            Line = line,
            Column = column,
            IsInherited = statement?.IsInherited ?? false,
            Dropped = statement is null ? [] : [.. statement.Dropped.Select(_lines.Locate)],
            Failure = cause?.Failure,
            FailureLine = cause is null ? null : _lines.Locate(cause.FailureOffset).Line,
        };
    }

    /// <summary>
    /// Gives a key a value, in a form that each of the named programs reads back. Where the key stands, only the value of
    /// its last duplicate is rewritten; spaces around the separator, <c>export</c> and an inline comment stay unless one of
    /// the programs cannot read the value with them. A missing key gets a line of its own.
    /// </summary>
    /// <param name="name">The key: letters, digits and <c>_ . - [ ]</c>.</param>
    /// <param name="value">Any text without NUL and without lone surrogates.</param>
    /// <param name="consumers">Who must read the value back; at least one.</param>
    /// <param name="after">A missing key is added below this one; at the end of the file if it is null or missing too.</param>
    /// <param name="commentLines">Lines to put above a key that is added: each blank or starting with <c>#</c>.</param>
    /// <returns>False when the file already gives the value to all of them; it is then unchanged.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>DotEnvNameInvalid</c>, <c>DotEnvValueInvalid</c>; <c>DotEnvValueCannotBeQuoted</c> when no form is right for all
    /// the programs. The document is then unchanged.
    /// </exception>
    public bool Set(
        string name, string value, DotEnvConsumer consumers, string? after = null, IReadOnlyList<string>? commentLines = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        ValidateName(name);
        DotEnvQuoting.Validate(value);
        commentLines ??= [];
        ValidateComments(commentLines);

        var readers = DotEnvReader.For(consumers);
        if (Array.TrueForAll(readers, reader => View(reader).Gives(name, value)))
            return false;

        var change = FindChange(name, value, readers, after, commentLines)
            ?? throw DotEnvQuoting.CannotBeQuoted(
                $"this value of {name}", readers, reader => FindChange(name, value, [reader], after, commentLines) is not null);
        Replace(change);
        return true;
    }

    /// <summary>Removes a key with all its duplicates; a line that holds nothing else goes with it.</summary>
    /// <returns>False when there is no such key.</returns>
    public bool Remove(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_lastByName.ContainsKey(name))
            return false;

        var kept = new StringBuilder(_text.Length);
        var position = 0;
        foreach (var span in _spans.Where(span => span.Name == name))
        {
            var lineStart = span.Start == 0 ? 0 : _text.LastIndexOf('\n', span.Start - 1) + 1;
            var tail = TailOf(span);
            var isAlone = tail.IsDisposable && string.IsNullOrWhiteSpace(_text[lineStart..span.Start]);
            kept.Append(_text, position, (isAlone ? lineStart : span.Start) - position);
            position = isAlone ? tail.LineEnd : span.ValueEnd;
        }

        Replace(kept.Append(_text, position, _text.Length - position).ToString());
        return true;
    }

    private static void ValidateName(string name)
    {
        try
        {
            if (ComposeV2Reader.Split(name + "=", path: null) is [{ Start: 0 } span] && span.Name == name && span.NameStart == 0 && name.Length > 0
                && !name.Any(char.IsWhiteSpace))
            {
                return;
            }
        }
        catch (DotEnvSyntaxException)
        {
            // Refused below, with the name instead of a position.
        }

        throw new ComfyAuthException(
            "DotEnvNameInvalid", $"'{name}' cannot be the name of a variable in a .env file.", "Use letters, digits and _, with no digit first.");
    }

    private static void ValidateComments(IReadOnlyList<string> commentLines)
    {
        foreach (var line in commentLines)
        {
            DotEnvQuoting.Validate(line);
            if (line.AsSpan().ContainsAny('\r', '\n') || !(line.AsSpan().TrimStart() is [] or ['#', ..]))
                throw new ArgumentException("A comment line must be one line, blank or starting with #.", nameof(commentLines));
        }
    }

    private static Dictionary<string, int> IndexLast(List<EntrySpan> spans)
    {
        var index = new Dictionary<string, int>(spans.Count);
        for (var i = 0; i < spans.Count; i++)
            index[spans[i].Name] = i;
        return index;
    }

    private DotEnvView View(DotEnvReader reader)
    {
        if (!_views.TryGetValue(reader.Consumer, out var view))
            _views[reader.Consumer] = view = reader.View(_text, _byteOrderMark, DotEnvReader.NoVariable);
        return view;
    }

    /// <summary>The text with the value set, in the first form that all the readers read back; null when there is none.</summary>
    private string? FindChange(
        string name, string value, DotEnvReader[] readers, string? after, IReadOnlyList<string> commentLines) =>
        Slots(name, after, commentLines).Select(slot => Fill(slot, name, value, readers)).FirstOrDefault(change => change is not null);

    /// <summary>The ways to place the key, the one that changes least first.</summary>
    private IEnumerable<Slot> Slots(string name, string? after, IReadOnlyList<string> commentLines)
    {
        if (!_lastByName.TryGetValue(name, out var index))
        {
            var newline = DominantNewline();
            var position = InsertionPoint(after);
            var lineStart = position > 0 && _text[position - 1] != '\n' ? newline : "";
            var comments = string.Concat(commentLines.Select(line => line + newline));
            yield return new(_text[..position] + lineStart + comments, "", "=", "", newline, _text[position..], _spans.Count + 1);
            yield break;
        }

        var span = _spans[index];
        var tail = TailOf(span);
        var export = _text[span.Start..span.NameStart];
        var separator = span.IsBare ? "=" : _text[span.NameEnd..span.ValueStart];
        var slot = new Slot(
            _text[..span.Start], export, separator, _text[span.ValueEnd..tail.BreakStart], _text[tail.BreakStart..tail.LineEnd],
            _text[tail.LineEnd..], _spans.Count);
        foreach (var head in new[] { slot, slot with { Separator = "=" }, slot with { Separator = "=", Export = "" } })
        {
            yield return head;
            if (tail.IsDisposable)
                yield return head with { Tail = "" };
        }
    }

    /// <summary>
    /// Tries the forms of a value in one place: first on a line alone, then in the whole file, because other lines may
    /// reach into this one.
    /// </summary>
    private string? Fill(Slot slot, string name, string value, DotEnvReader[] readers)
    {
        var nameStart = slot.Before.Length + slot.Export.Length;
        var newline = slot.LineBreak.Length > 0 ? slot.LineBreak : "\n";
        foreach (var form in DotEnvQuoting.Forms(value))
        {
            var line = slot.Export + name + slot.Separator + form + slot.Tail;
            if (!DotEnvQuoting.ReadsBack(name, line, newline, value, readers))
                continue;

            var changed = slot.Before + line + slot.LineBreak + slot.Rest;
            if (StaysReadable(changed, nameStart, changed.Length - slot.Rest.Length, slot.EntryCount) && Array.TrueForAll(readers, reader =>
            {
                var view = reader.View(changed, _byteOrderMark, DotEnvReader.NoVariable);
                return view.Gives(name, value) && view.Last(name)!.NameStart == nameStart;
            }))
            {
                return changed;
            }
        }

        return null;
    }

    /// <summary>Whether the lines below are still entries of their own, and not a part of a value that was opened above them.</summary>
    private static bool StaysReadable(string changed, int nameStart, int lineEnd, int entryCount)
    {
        try
        {
            var changedSpans = ComposeV2Reader.Split(changed, path: null);
            return changedSpans.Count == entryCount && changedSpans.Exists(span => span.NameStart == nameStart && span.ValueEnd <= lineEnd);
        }
        catch (DotEnvSyntaxException)
        {
            return false;
        }
    }

    /// <summary>What stands between a value and the end of its line, and whether it is only a comment or white space.</summary>
    private (int BreakStart, int LineEnd, bool IsDisposable) TailOf(EntrySpan span)
    {
        var newline = _text.IndexOf('\n', span.ValueEnd);
        var lineEnd = newline < 0 ? _text.Length : newline + 1;
        var breakStart = newline < 0 ? _text.Length : newline > span.ValueEnd && _text[newline - 1] == '\r' ? newline - 1 : newline;
        var content = _text.AsSpan(span.ValueEnd, breakStart - span.ValueEnd).TrimStart();
        return (breakStart, lineEnd, content is [] or ['#', ..]);
    }

    /// <summary>The start of the line below a key, or the end of the file; never inside a value of several lines.</summary>
    private int InsertionPoint(string? after)
    {
        if (after is null || !_lastByName.TryGetValue(after, out var index))
            return _text.Length;

        var newline = _text.IndexOf('\n', _spans[index].ValueEnd);
        while (newline >= 0 && ++index < _spans.Count && _spans[index].Start < newline)
        {
            if (_spans[index].ValueEnd > newline)
                newline = _text.IndexOf('\n', _spans[index].ValueEnd);
        }

        return newline < 0 ? _text.Length : newline + 1;
    }

    private string DominantNewline()
    {
        int lineFeeds = 0, pairs = 0;
        for (var i = _text.IndexOf('\n', StringComparison.Ordinal); i >= 0; i = _text.IndexOf('\n', i + 1))
        {
            lineFeeds++;
            if (i > 0 && _text[i - 1] == '\r')
                pairs++;
        }

        return pairs * 2 > lineFeeds ? "\r\n" : "\n";
    }

    private void Replace(string changed)
    {
        _spans = ComposeV2Reader.Split(changed, _path);
        _text = changed;
        _lines = new LineMap(_text);
        _lastByName = IndexLast(_spans);
        _entries = null;
        _views.Clear();
    }

    /// <summary>A place for a key: what stands before its line's own text, around its name and value, and behind.</summary>
    private sealed record Slot(
        string Before, string Export, string Separator, string Tail, string LineBreak, string Rest, int EntryCount);
}
