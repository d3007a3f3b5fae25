using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using ComfyAuth.Docker;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>The log of a container: frames, or the bare text where it has a terminal.</summary>
internal static class LogStream
{
    public static async Task WriteAsync(HttpContext context, EngineState state, EmulatedContainer container, CancellationToken stop)
    {
        var query = context.Request.Query;
        var (output, error) = (EngineQuery.IsTrue(query["stdout"]), EngineQuery.IsTrue(query["stderr"]));
        if (!output && !error)
            throw new EngineError(StatusCodes.Status400BadRequest, "Bad parameters: you must choose at least one stream");

        var (follow, timestamps) = (EngineQuery.IsTrue(query["follow"]), EngineQuery.IsTrue(query["timestamps"]));
        var (since, until) = (EngineQuery.Moment(query["since"]), EngineQuery.Moment(query["until"]));

        // What is no number means all.
        var tail = int.TryParse(query["tail"], NumberStyles.None, CultureInfo.InvariantCulture, out var lines) ? lines : int.MaxValue;
        bool IsWanted(ContainerLogLine line) =>
            (line.Stream == ContainerLogStream.StandardError ? error : output)
            && (since is null || line.Timestamp >= since) && (until is null || line.Timestamp <= until);

        if (container.Tty)
            context.Response.ContentType = null;
        await context.Response.Body.FlushAsync(stop);
        var seen = 0;
        for (var first = true; ; first = false)
        {
            // Gone while it was followed: then its log has ended.
            var changed = state.Changed;
            if (state.Find(container.Name) is not { } now)
                return;
            var wanted = now.Log.Skip(seen).Where(IsWanted);
            seen = now.Log.Count;
            foreach (var line in first ? wanted.TakeLast(tail) : wanted)
                await context.Response.Body.WriteAsync(Bytes(line, timestamps, container.Tty), stop);
            await context.Response.Body.FlushAsync(stop);
            if (!follow || !now.IsRunning)
                return;
            await changed.WaitAsync(stop);
        }
    }

    private static byte[] Bytes(ContainerLogLine line, bool timestamps, bool tty)
    {
        var prefix = timestamps ? EngineJson.LogTime(line.Timestamp ?? DateTimeOffset.UnixEpoch) + " " : "";
        var text = Encoding.UTF8.GetBytes(prefix + line.Text + (tty ? "\r\n" : "\n"));
        if (tty)
            return text;

        var frame = new byte[8 + text.Length];
        frame[0] = line.Stream == ContainerLogStream.StandardError ? (byte)2 : (byte)1;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), text.Length);
        text.CopyTo(frame, 8);
        return frame;
    }
}
