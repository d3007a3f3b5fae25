using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ComfyAuth.Emulator.Faults;

/// <summary>What a connection sends, below HTTP: here an answer can be slow, or end, at any of its bytes.</summary>
internal sealed class FaultyOutput(PipeWriter inner, ConnectionContext connection) : PipeWriter
{
    private readonly ArrayBufferWriter<byte> _held = new();
    private Fault? _fault;
    private CancellationToken _aborted;
    private int _sent;
    private bool _ended;

    /// <summary>Puts one under every connection of a listener.</summary>
    public static void Use(ListenOptions listener) => listener.Use(next => async connection =>
    {
        var output = new FaultyOutput(connection.Transport.Output, connection);
        connection.Transport = new Both(connection.Transport.Input, output);
        connection.Features.Set(output);
        await next(connection);
    });

    /// <summary>Lays a fault over what is sent from now on; null: none.</summary>
    public void Lay(Fault? fault, CancellationToken aborted)
    {
        (_fault, _aborted, _sent) = (fault is { CutAfter: null, Trickle: null, StallAfter: null } ? null : fault, aborted, 0);
        _held.ResetWrittenCount();
    }

    public override void Advance(int bytes)
    {
        if (_fault is null)
            inner.Advance(bytes);
        else
            _held.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _fault is null ? inner.GetMemory(sizeHint) : _held.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _fault is null ? inner.GetSpan(sizeHint) : _held.GetSpan(sizeHint);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _fault is null ? inner.UnflushedBytes : _held.WrittenCount;

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    public override async ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_fault is not { } fault)
            return await inner.FlushAsync(cancellationToken);

        var bytes = _held.WrittenMemory;
        while (!_ended && (bytes.Length > 0 || _sent >= fault.CutAfter))
        {
            if (_sent >= fault.StallAfter)
                await Task.Delay(Timeout.InfiniteTimeSpan, _aborted);

            var length = Math.Min(bytes.Length, Math.Min(fault.CutAfter ?? int.MaxValue, fault.StallAfter ?? int.MaxValue) - _sent);
            if (fault.Trickle is { } pause)
            {
                length = Math.Min(length, 1);
                await Task.Delay(pause, _aborted);
            }

            if (length > 0)
                await inner.WriteAsync(bytes[..length], _aborted);
            bytes = bytes[length..];
            _sent += length;
            if (_sent >= fault.CutAfter)
                End(fault.Reset);
        }

        _held.ResetWrittenCount();

        // Not "completed" at a cut: the server would reset the connection before what is sent has gone.
        return default;
    }

    private void End(bool reset)
    {
        _ended = true;
        if (reset)
            connection.Abort(new("A fault resets it here."));
        else
            inner.Complete();
    }

    private sealed record Both(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
