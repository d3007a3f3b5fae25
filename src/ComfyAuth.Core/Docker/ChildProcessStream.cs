using System.Diagnostics;

namespace ComfyAuth.Docker;

/// <summary>The standard input and output of a child process as one stream; the process lives as long as the stream.</summary>
internal sealed class ChildProcessStream : Stream
{
    private const int KeptErrorText = 2048;

    private readonly Process _process;
    private readonly DockerEndpoint _endpoint;
    private readonly Stream _input;
    private readonly Stream _output;
    private readonly Task<string> _errorText;
    private bool _answered;
    private int _disposed;

    public ChildProcessStream(Process process, DockerEndpoint endpoint)
    {
        (_process, _endpoint) = (process, endpoint);
        (_input, _output) = (process.StandardInput.BaseStream, process.StandardOutput.BaseStream);
        _errorText = ReadErrorTextAsync(process.StandardError);
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // A read on a child's pipe cannot be cancelled: the end of the child ends it.
        int read;
        using (cancellationToken.UnsafeRegister(stream => ((ChildProcessStream)stream!).Dispose(), this))
            read = await _output.ReadAsync(buffer, CancellationToken.None).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();

        // An end before the first byte: what the child says is the reason.
        if (read == 0 && !_answered && buffer.Length > 0 && _disposed == 0)
            throw DockerErrors.Ssh(_endpoint, await _errorText.WaitAsync(cancellationToken).ConfigureAwait(false));
        _answered |= read > 0;
        return read;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await _input.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException) when (!_answered && _disposed == 0)
        {
            throw DockerErrors.Ssh(_endpoint, await _errorText.WaitAsync(cancellationToken).ConfigureAwait(false));
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _input.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException) when (!_answered && _disposed == 0)
        {
            throw DockerErrors.Ssh(_endpoint, await _errorText.WaitAsync(cancellationToken).ConfigureAwait(false));
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => _input.Flush();

    public override int Read(byte[] buffer, int offset, int count) => _output.Read(buffer, offset, count);

    public override void Write(byte[] buffer, int offset, int count) => _input.Write(buffer, offset, count);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (!disposing || Interlocked.Exchange(ref _disposed, 1) != 0)
            return;

        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended already.
        }

        _process.Dispose();
        base.Dispose(disposing);
    }

    private static async Task<string> ReadErrorTextAsync(StreamReader reader)
    {
        // Read to its end, lest the child block; the beginning is kept.
        var kept = new char[KeptErrorText];
        var length = 0;
        var buffer = new char[KeptErrorText];
        try
        {
            while (await reader.ReadAsync(buffer.AsMemory()).ConfigureAwait(false) is > 0 and var read)
            {
                var taken = Math.Min(read, kept.Length - length);
                buffer.AsSpan(0, taken).CopyTo(kept.AsSpan(length));
                length += taken;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The child was killed.
        }

        return new string(kept, 0, length).Trim();
    }
}
