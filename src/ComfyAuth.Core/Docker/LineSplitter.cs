namespace ComfyAuth.Docker;

/// <summary>Cuts a stream of bytes into lines. A character that is split between two pieces is whole again in the line.</summary>
internal sealed class LineSplitter(LineSplitter.LineAction onLine)
{
    /// <summary>A line that is longer comes in pieces of about this size, so that no stream can fill the memory.</summary>
    public const int LongestLine = 1024 * 1024;

    private byte[] _kept = [];
    private int _length;

    public delegate void LineAction(ReadOnlySpan<byte> line);

    /// <summary>Whether a line has begun.</summary>
    public bool IsInLine => _length > 0;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.IndexOf((byte)'\n') is >= 0 and var end)
        {
            if (_length == 0 && end <= LongestLine)
            {
                onLine(bytes[..end]);
            }
            else
            {
                Keep(bytes[..end]);
                onLine(_kept.AsSpan(0, _length));
                _length = 0;
            }

            bytes = bytes[(end + 1)..];
        }

        Keep(bytes);
    }

    /// <summary>Gives the last line, if it has no end of its own.</summary>
    public void Complete()
    {
        if (_length > 0)
            onLine(_kept.AsSpan(0, _length));
        _length = 0;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        while (_length + bytes.Length > LongestLine)
        {
            var taken = LongestLine - _length;
            Copy(bytes[..taken]);
            bytes = bytes[taken..];

            // The last character may not be whole yet: it goes to the next piece.
            var cut = _length;
            while (cut > _length - 3 && (_kept[cut - 1] & 0xC0) == 0x80)
                cut--;
            cut = (_kept[cut - 1] & 0xC0) == 0xC0 ? cut - 1 : _length;

            onLine(_kept.AsSpan(0, cut));
            _kept.AsSpan(cut, _length - cut).CopyTo(_kept);
            _length -= cut;
        }

        Copy(bytes);
    }

    private void Copy(ReadOnlySpan<byte> bytes)
    {
        if (_length + bytes.Length > _kept.Length)
            Array.Resize(ref _kept, Math.Min(LongestLine, Math.Max(_length + bytes.Length, Math.Max(256, _kept.Length * 2))));
        bytes.CopyTo(_kept.AsSpan(_length));
        _length += bytes.Length;
    }
}
