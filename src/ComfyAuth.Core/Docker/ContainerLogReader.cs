using System.Buffers.Text;
using System.Text;

namespace ComfyAuth.Docker;

/// <summary>Reads the lines of a log out of the engine's bytes.</summary>
internal sealed class ContainerLogReader
{
    // 2026-11-22T13:25:55.341339907Z and at most an offset instead of the Z.
    private const int ShortestTimestamp = 20, LongestTimestamp = 36;

    private readonly FrameReader? _frames;
    private readonly bool _timestamps;
    private readonly LineSplitter _output;
    private readonly LineSplitter _error;
    private readonly LineSplitter _engine;
    private readonly byte[] _stamp = new byte[LongestTimestamp];
    private int _stampLength = -1;
    private List<ContainerLogLine> _lines = [];

    /// <summary>Begins at the first byte.</summary>
    /// <param name="tty">Whether the container has a terminal: then the bytes are its output as it is.</param>
    /// <param name="timestamps">Whether the engine puts a timestamp before each of its messages.</param>
    public ContainerLogReader(bool tty, bool timestamps)
    {
        _timestamps = timestamps;
        _frames = tty ? null : new(OnPayload);
        _output = new(line => Add(ContainerLogStream.StandardOutput, line));
        _error = new(line => Add(ContainerLogStream.StandardError, line));
        _engine = new(line => throw new InvalidDataException($"the engine says: {Encoding.UTF8.GetString(line)}"));
    }

    /// <summary>Takes bytes.</summary>
    /// <exception cref="InvalidDataException">These are no frames.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (_frames is null)
            _output.Append(bytes);
        else
            _frames.Append(bytes);
    }

    /// <summary>Says that there are no more bytes: the last lines have no end.</summary>
    /// <exception cref="InvalidDataException">The bytes ended inside a frame.</exception>
    public void Complete()
    {
        _output.Complete();
        _error.Complete();
        _engine.Complete();
        _frames?.Complete();
    }

    /// <summary>Gives the lines that have become whole since the last time.</summary>
    public IReadOnlyList<ContainerLogLine> Take()
    {
        var taken = _lines;
        _lines = [];
        return taken;
    }

    private void OnPayload(byte stream, ReadOnlySpan<byte> payload, bool isFrameStart)
    {
        var lines = FrameReader.IsEngineError(stream) ? _engine
            : FrameReader.StreamOf(stream) == ContainerLogStream.StandardError ? _error
            : _output;

        // A message of more than 16 KiB comes in several frames, each with a timestamp, which is not part of the line.
        if (isFrameStart)
            _stampLength = _timestamps && lines.IsInLine ? 0 : -1;
        if (_stampLength >= 0)
        {
            while (payload.Length > 0 && _stampLength is >= 0 and < LongestTimestamp)
            {
                var next = payload[0];
                payload = payload[1..];
                if (next == ' ')
                {
                    if (!TryReadTimestamp(_stamp.AsSpan(0, _stampLength), out _))
                        break;
                    _stampLength = -1;
                    lines.Append(payload);
                    return;
                }

                _stamp[_stampLength++] = next;
            }

            if (payload.Length == 0 && _stampLength < LongestTimestamp)
                return;
            lines.Append(_stamp.AsSpan(0, _stampLength));
            _stampLength = -1;
        }

        lines.Append(payload);
    }

    private void Add(ContainerLogStream stream, ReadOnlySpan<byte> line)
    {
        DateTimeOffset? timestamp = null;
        if (_timestamps)
        {
            var space = line[..Math.Min(line.Length, LongestTimestamp)].IndexOf((byte)' ');

            // An empty line is a timestamp alone.
            if (TryReadTimestamp(space < 0 ? line.TrimEnd((byte)'\r') : line[..space], out var time))
            {
                timestamp = time;
                line = space < 0 ? [] : line[(space + 1)..];
            }
        }

        // A terminal ends its lines with both.
        if (line is [.. var text, (byte)'\r'])
            line = text;
        _lines.Add(new(stream, timestamp, Encoding.UTF8.GetString(line)));
    }

    private static bool TryReadTimestamp(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length is < ShortestTimestamp or > LongestTimestamp || text[4] != '-' || text[10] != 'T')
            return false;

        // .NET reads seven digits of a second exactly; the engine writes nine.
        Span<byte> seven = stackalloc byte[LongestTimestamp + 8];
        text[..19].CopyTo(seven);
        var end = 19;
        var fraction = text[19] == '.' ? text[20..] : text[19..];
        seven[end++] = (byte)'.';
        var digits = 0;
        while (digits < fraction.Length && fraction[digits] is >= (byte)'0' and <= (byte)'9')
            digits++;
        for (var digit = 0; digit < 7; digit++)
            seven[end++] = digit < digits ? fraction[digit] : (byte)'0';
        var zone = fraction[digits..];
        zone.CopyTo(seven[end..]);
        end += zone.Length;
        return Utf8Parser.TryParse(seven[..end], out time, out var consumed, 'O') && consumed == end;
    }
}
