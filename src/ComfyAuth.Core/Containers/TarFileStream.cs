using System.Buffers.Binary;
using System.Text;

namespace ComfyAuth.Containers;

/// <summary>A tar archive of one file, made while it is read: neither in memory nor on the disk is there a second copy of the file.</summary>
/// <remarks>
/// In the GNU format, whose base-256 numbers hold sizes of 8 GiB and more, which the octal digits of ustar do not. The engine's own library
/// (Go's archive/tar) and every tar read it.
/// </remarks>
internal sealed class TarFileStream : Stream
{
    private const int Block = 512;
    private const int LongestName = 100;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly byte[] _header = new byte[Block];
    private readonly Stream _file;
    private readonly long _size;
    private readonly long _length;
    private readonly IProgress<long>? _progress;
    private long _at;

    /// <summary>Makes one.</summary>
    /// <param name="name">The name in the archive, with <c>/</c>.</param>
    /// <param name="file">The file; is disposed with the archive.</param>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="modifiedAt">When it was last written.</param>
    /// <param name="progress">Is told how many bytes of the file were read.</param>
    /// <exception cref="ComfyAuthException"><c>ModelDownloadInvalid</c>: the name is too long for an archive.</exception>
    public TarFileStream(string name, Stream file, long size, DateTimeOffset modifiedAt, IProgress<long>? progress = null)
    {
        if (Encoding.UTF8.GetByteCount(name) > LongestName)
            throw new ComfyAuthException("ModelDownloadInvalid", $"The name {name} is too long to be sent into a container.", "Give the model a name of at most 100 characters, its folder included.");
        (_file, _size, _progress) = (file, size, progress);

        // Two blocks of zeros end an archive.
        _length = Block + ((size + Block - 1) / Block * Block) + (2 * Block);
        Encoding.UTF8.GetBytes(name, _header);
        Octal(100, 8, (long)Mode);
        Octal(108, 8, 0);
        Octal(116, 8, 0);
        _header[124] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(_header.AsSpan(128), size);
        Octal(136, 12, modifiedAt.ToUnixTimeSeconds());
        _header[156] = (byte)'0';
        "ustar  \0"u8.CopyTo(_header.AsSpan(257));

        // The sum is of the header with spaces in the place of the sum.
        _header.AsSpan(148, 8).Fill((byte)' ');
        Octal(148, 7, _header.Sum(value => (long)value));
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => _length;

    public override long Position
    {
        get => _at;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_at >= Block && _at < Block + _size)
        {
            var count = await _file.ReadAsync(buffer[..(int)Math.Min(buffer.Length, Block + _size - _at)], cancellationToken).ConfigureAwait(false);
            if (count == 0)
                throw new EndOfStreamException("The file was cut while it was sent into the container.");
            _at += count;
            _progress?.Report(_at - Block);
            return count;
        }

        return Around(buffer.Span);
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("It is read asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>What stands before and behind the file.</summary>
    private int Around(Span<byte> buffer)
    {
        if (_at < Block)
        {
            var header = _header.AsSpan((int)_at);
            var count = Math.Min(header.Length, buffer.Length);
            header[..count].CopyTo(buffer);
            _at += count;
            return count;
        }

        var zeros = (int)Math.Min(buffer.Length, _length - _at);
        buffer[..zeros].Clear();
        _at += zeros;
        return zeros;
    }

    private void Octal(int at, int length, long value) =>
        Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(length - 1, '0'), _header.AsSpan(at, length - 1));
}
