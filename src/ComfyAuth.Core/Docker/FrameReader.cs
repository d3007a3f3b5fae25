using System.Buffers.Binary;

namespace ComfyAuth.Docker;

/// <summary>
/// Takes the engine's multiplexed stream apart: frames of 8 bytes (stream, three zeros, length in big-endian) and a
/// payload. The frames keep to no border of lines or characters.
/// </summary>
internal sealed class FrameReader(FrameReader.PayloadAction onPayload)
{
    private const int HeaderLength = 8;
    private const byte StandardError = 2, EngineError = 3;

    private readonly byte[] _header = new byte[HeaderLength];
    private int _headerLength;
    private uint _remaining;
    private bool _isFrameStart;

    /// <summary>Takes a piece of a frame's payload.</summary>
    /// <param name="stream">1: output, 2: errors, 3: an error of the engine itself.</param>
    /// <param name="payload">A piece of the payload.</param>
    /// <param name="isFrameStart">Whether the piece begins a frame.</param>
    public delegate void PayloadAction(byte stream, ReadOnlySpan<byte> payload, bool isFrameStart);

    /// <summary>Takes the next bytes.</summary>
    /// <exception cref="InvalidDataException">These are no frames.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            if (_remaining == 0)
            {
                var taken = Math.Min(HeaderLength - _headerLength, bytes.Length);
                bytes[..taken].CopyTo(_header.AsSpan(_headerLength));
                _headerLength += taken;
                bytes = bytes[taken..];
                if (_headerLength < HeaderLength)
                    return;

                if (_header[0] > EngineError || _header[1] != 0 || _header[2] != 0 || _header[3] != 0)
                    throw new InvalidDataException("a frame of its multiplexed stream has no valid header");
                _remaining = BinaryPrimitives.ReadUInt32BigEndian(_header.AsSpan(4));
                _headerLength = 0;
                _isFrameStart = true;
                continue;
            }

            var length = (int)Math.Min(_remaining, (uint)bytes.Length);
            onPayload(_header[0], bytes[..length], _isFrameStart);
            _isFrameStart = false;
            _remaining -= (uint)length;
            bytes = bytes[length..];
        }
    }

    /// <summary>Says that there are no more bytes.</summary>
    /// <exception cref="InvalidDataException">The stream ended inside a frame.</exception>
    public void Complete()
    {
        if (_remaining > 0 || _headerLength > 0)
            throw new InvalidDataException("its multiplexed stream ends in the middle of a frame");
    }

    /// <summary>Which stream a frame's first byte means; 0 is standard input, which terminals echo to the output.</summary>
    public static ContainerLogStream StreamOf(byte stream) =>
        stream == StandardError ? ContainerLogStream.StandardError : ContainerLogStream.StandardOutput;

    public static bool IsEngineError(byte stream) => stream == EngineError;
}
