using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using ComfyAuth.Files;
using Microsoft.Win32.SafeHandles;

namespace ComfyAuth.Notebooks;

/// <summary>
/// Reads notebooks one after the other, each in one pass and a piece at a time: what it holds at once is a piece, or the longest text of
/// the notebook. For one thread.
/// </summary>
/// <param name="secrets">Finds secrets.</param>
/// <param name="large">Lets one reader at a time hold a long text.</param>
internal sealed class NotebookReader(NotebookSecrets secrets, SemaphoreSlim large) : IDisposable
{
    /// <summary>As deep as the json module of Python goes.</summary>
    private const int MaximumDepth = 1000;

    private const int PieceSize = 256 * 1024;
    private const int LargePiece = 8 * 1024 * 1024;
    private const int LargestText = 256 * 1024 * 1024;
    private const int MostOfAKind = 20;

    private static readonly JsonReaderOptions Options = new() { MaxDepth = MaximumDepth };

    private readonly List<NotebookFault> _faults = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private byte[] _piece = ArrayPool<byte>.Shared.Rent(PieceSize);
    private byte[] _unescaped = ArrayPool<byte>.Shared.Rent(PieceSize);
    private string _name = "";
    private long _line;
    private int _imageDepth;
    private bool _isUtf8;
    private bool _isPieceUtf8;
    private int _nextTrigger;
    private NotebookStructure _structure = new();

    /// <summary>Reads a notebook.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What to call it.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>What is wrong with it, at most 20 of a kind; valid until the next call. And its length.</returns>
    public (IReadOnlyList<NotebookFault> Faults, long Length) Read(string path, string name, CancellationToken stop)
    {
        _faults.Clear();
        _seen.Clear();
        _name = name;
        _line = 1;
        _imageDepth = -1;
        _isUtf8 = true;
        _structure = new();
        try
        {
            // To open a pipe is to wait for somebody who writes.
            if (!OperatingSystem.IsWindows() && Posix.Status(path) is { IsRegularFile: false })
            {
                Add(NotebookFaultKind.Unreadable, 0, "a device, pipe or socket, not a file");
                return (_faults, 0);
            }

            using var file = File.OpenHandle(path, options: FileOptions.SequentialScan, share: FileShare.ReadWrite | FileShare.Delete);
            return (_faults, Scan(file, stop));
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            Add(NotebookFaultKind.Unreadable, 0, error.Message.TrimEnd('.'));
            return (_faults, 0);
        }
        finally
        {
            if (_piece.Length > LargePiece)
            {
                Exchange(ref _piece, PieceSize, 0);
                Exchange(ref _unescaped, PieceSize, 0);
                large.Release();
            }
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_piece);
        ArrayPool<byte>.Shared.Return(_unescaped);
    }

    private long Scan(SafeFileHandle file, CancellationToken stop)
    {
        var state = new JsonReaderState(Options);
        var filled = 0;
        var position = 0L;
        var isFirst = true;
        for (var isLast = false; !isLast;)
        {
            stop.ThrowIfCancellationRequested();
            while (filled < _piece.Length)
            {
                var count = RandomAccess.Read(file, _piece.AsSpan(filled), position);
                filled += count;
                position += count;
                isLast = count == 0;
                if (isLast)
                    break;
            }

            var start = 0;
            if (isFirst)
            {
                isFirst = false;
                if (Encoding(_piece.AsSpan(0, filled)) is not { } mark)
                    return position;
                start = mark;
            }

            if (!Parse(_piece.AsSpan(start, filled - start), isLast, ref state, out var consumed))
                return position;
            consumed += start;
            if (consumed == 0 && !isLast && !Grow(filled, stop))
                return position;
            _piece.AsSpan(consumed, filled - consumed).CopyTo(_piece);
            filled -= consumed;
        }

        foreach (var (kind, what) in _structure.Faults())
            Add(kind, 0, what);
        return position;
    }

    /// <summary>The length of the byte order mark; null where the rest cannot be read.</summary>
    private int? Encoding(ReadOnlySpan<byte> beginning)
    {
        if (beginning.StartsWith(System.Text.Encoding.UTF8.Preamble))
        {
            Add(NotebookFaultKind.Encoding, 1, "begins with a byte order mark");
            return System.Text.Encoding.UTF8.Preamble.Length;
        }

        if (beginning.IsEmpty)
        {
            Add(NotebookFaultKind.Json, 1, "is empty");
            return null;
        }

        // No text of JSON holds a NUL, and one in UTF-16 begins with an ASCII character (RFC 4627, section 3).
        if (beginning is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] || beginning[..Math.Min(4, beginning.Length)].Contains((byte)0))
        {
            Add(NotebookFaultKind.Encoding, 1, "is UTF-16 or UTF-32, not UTF-8");
            return null;
        }

        return 0;
    }

    private bool Parse(ReadOnlySpan<byte> piece, bool isLast, ref JsonReaderState state, out int consumed)
    {
        // Of all texts of a piece at once, which is much faster; a piece may end within a character.
        _isPieceUtf8 = Utf8.IsValid(piece);
        _nextTrigger = -1;
        var reader = new Utf8JsonReader(piece, isLast, state);
        consumed = 0;
        try
        {
            while (reader.Read())
                Take(ref reader, piece);
        }
        catch (JsonException error)
        {
            // What the reader says may quote what stands there.
            var what = reader.CurrentDepth >= MaximumDepth - 1 ? $"is nested deeper than {MaximumDepth} levels" : isLast && EndsTooSoon(piece, state) ? "ends too soon" : "is not JSON from here on";
            Add(NotebookFaultKind.Json, (error.LineNumber ?? 0) + 1, what);
            return false;
        }
        catch (InvalidOperationException)
        {
            Add(NotebookFaultKind.Json, LineOf(ref reader, piece), "has a name with half of a surrogate pair");
            return false;
        }

        consumed = (int)reader.BytesConsumed;
        state = reader.CurrentState;
        _line += piece[..consumed].Count((byte)'\n');
        return true;
    }

    /// <summary>Whether nothing is wrong but that there is no more.</summary>
    private static bool EndsTooSoon(ReadOnlySpan<byte> piece, JsonReaderState state)
    {
        var reader = new Utf8JsonReader(piece, isFinalBlock: false, state);
        try
        {
            while (reader.Read())
            {
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void Take(ref Utf8JsonReader reader, ReadOnlySpan<byte> piece)
    {
        var token = reader.TokenType;
        var depth = reader.CurrentDepth;
        _structure.Take(ref reader);
        switch (token)
        {
            case JsonTokenType.PropertyName:
                if (_imageDepth < 0 || depth <= _imageDepth)
                    _imageDepth = IsImage(reader.ValueSpan) ? depth : -1;
                break;
            case JsonTokenType.EndObject when depth < _imageDepth:
                _imageDepth = -1;
                break;
            case JsonTokenType.String:
                TakeText(ref reader, piece);
                break;
        }
    }

    /// <summary>What is stored under such a name is the picture in base64, in which no secret can be seen.</summary>
    private static bool IsImage(ReadOnlySpan<byte> name) => name.StartsWith("image/"u8) && !name.StartsWith("image/svg"u8);

    private void TakeText(ref Utf8JsonReader reader, ReadOnlySpan<byte> piece)
    {
        var text = reader.ValueSpan;
        if (!_isPieceUtf8 && !Utf8.IsValid(text))
        {
            if (_isUtf8)
                Add(NotebookFaultKind.Encoding, LineOf(ref reader, piece), "is not UTF-8");
            _isUtf8 = false;
            return;
        }

        if (_imageDepth >= 0 || text.IsEmpty)
            return;

        // What announces a secret is looked for in the piece, not in each text: most have nothing of it for many texts on.
        var start = (int)reader.TokenStartIndex;
        if (_nextTrigger < start)
            _nextTrigger = secrets.Next(piece, start);
        if (_nextTrigger > start + text.Length)
            return;
        if (reader.ValueIsEscaped && Unescape(ref reader) is { } length)
            text = _unescaped.AsSpan(0, length);
        TakeSecrets(text, LineOf(ref reader, piece));
    }

    private void TakeSecrets(ReadOnlySpan<byte> text, long line)
    {
        List<(NotebookFaultKind Kind, string What)>? found = null;
        secrets.Find(text, (isCertain, what) => (found ??= []).Add((isCertain ? NotebookFaultKind.Secret : NotebookFaultKind.SecretLook, what)));
        foreach (var (kind, what) in found ?? [])
        {
            // One secret stands in a notebook many times, once in each output.
            if (_seen.Add(what))
                Add(kind, line, _structure.Place is { } place ? $"{place} holds {what}" : $"holds {what}");
        }
    }

    /// <summary>Undoes the escapes of a text; null where that makes no text.</summary>
    private int? Unescape(ref Utf8JsonReader reader)
    {
        if (_unescaped.Length < reader.ValueSpan.Length)
            Exchange(ref _unescaped, reader.ValueSpan.Length, 0);
        try
        {
            return reader.CopyString(_unescaped);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: Python writes it, and nothing else reads it.
            return null;
        }
    }

    private long LineOf(ref Utf8JsonReader reader, ReadOnlySpan<byte> piece) => _line + piece[..(int)reader.TokenStartIndex].Count((byte)'\n');

    /// <summary>Makes room for a text that is longer than the piece.</summary>
    private bool Grow(int filled, CancellationToken stop)
    {
        if (_piece.Length >= LargestText)
        {
            Add(NotebookFaultKind.Unreadable, _line, "one text in it has more than 256 MB");
            return false;
        }

        var size = _piece.Length * 2;
        if (_piece.Length <= LargePiece && size > LargePiece)
            large.Wait(stop);
        Exchange(ref _piece, size, filled);
        return true;
    }

    private static void Exchange(ref byte[] buffer, int size, int kept)
    {
        // What is too large to be of use to the next notebook is not kept in a pool.
        var next = size > LargePiece ? GC.AllocateUninitializedArray<byte>(size) : ArrayPool<byte>.Shared.Rent(size);
        buffer.AsSpan(0, kept).CopyTo(next);
        if (buffer.Length <= LargePiece)
            ArrayPool<byte>.Shared.Return(buffer);
        buffer = next;
    }

    private void Add(NotebookFaultKind kind, long line, string what)
    {
        var count = 0;
        foreach (ref readonly var fault in CollectionsMarshal.AsSpan(_faults))
            count += fault.Kind == kind ? 1 : 0;
        if (count < MostOfAKind)
            _faults.Add(new(_name, kind, line, what));
    }
}
