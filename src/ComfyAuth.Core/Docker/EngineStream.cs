namespace ComfyAuth.Docker;

/// <summary>The body of an answer. What goes wrong with it becomes a <see cref="DockerException"/>; closing it drops the connection unless it was read to its end.</summary>
/// <param name="response">The answer.</param>
/// <param name="body">Its body.</param>
/// <param name="silence">How long the engine may be silent.</param>
/// <param name="translate">Makes an error of an exception; gets the caller's token too.</param>
internal sealed class EngineStream(HttpResponseMessage response, Stream body, TimeSpan silence, Func<Exception, CancellationToken, Task<Exception>> translate) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            if (silence == Timeout.InfiniteTimeSpan)
                return await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);

            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(silence);
            return await body.ReadAsync(buffer, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            throw await translate(error, cancellationToken).ConfigureAwait(false);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read it asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            response.Dispose();
        base.Dispose(disposing);
    }
}
