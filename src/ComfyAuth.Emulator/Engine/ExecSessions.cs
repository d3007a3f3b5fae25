using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>Programs that are run in containers: made, started, and asked how they ended.</summary>
internal sealed class ExecSessions(EngineState state)
{
    private readonly ConcurrentDictionary<string, (string Container, string[] Command, string User, EmulatedExit? Exit)> _sessions = new(StringComparer.Ordinal);

    public async Task CreateAsync(HttpContext context, EmulatedContainer container)
    {
        if (!container.IsRunning)
            throw EngineError.NotRunning(container);
        if (state.Executing is null)
            throw EngineError.NotEmulated("exec");
        var asked = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted))!.AsObject();
        if (asked["Cmd"]?.AsArray().Select(part => part!.GetValue<string>()).ToArray() is not { Length: > 0 } command)
            throw new EngineError(StatusCodes.Status400BadRequest, "No exec command specified");
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        _sessions[id] = (container.Name, command, asked["User"]?.GetValue<string>() ?? "", null);
        await context.WriteJsonAsync(new JsonObject { ["Id"] = id }, StatusCodes.Status201Created);
    }

    public async Task StartAsync(HttpContext context, string id)
    {
        var session = Session(id);
        var container = state.Find(session.Container) ?? throw EngineError.NoContainer(session.Container);
        var exit = state.Executing?.Invoke(new(container, session.Command, session.User)) ?? EmulatedExit.NoSuchProgram;
        _sessions[id] = session with { Exit = exit };
        context.Response.ContentType = "application/vnd.docker.raw-stream";
        await WriteAsync(context, 1, exit.Output);
        await WriteAsync(context, 2, exit.Error);
    }

    public Task InspectAsync(HttpContext context, string id)
    {
        var session = Session(id);
        return context.WriteJsonAsync(new JsonObject { ["ID"] = id, ["Running"] = session.Exit is null, ["ExitCode"] = session.Exit?.ExitCode });
    }

    private (string Container, string[] Command, string User, EmulatedExit? Exit) Session(string id) =>
        _sessions.TryGetValue(id, out var session) ? session : throw new EngineError(StatusCodes.Status404NotFound, $"No such exec instance: {id}");

    private static async Task WriteAsync(HttpContext context, byte stream, string text)
    {
        if (text.Length == 0)
            return;
        var payload = Encoding.UTF8.GetBytes(text);
        var frame = new byte[8 + payload.Length];
        frame[0] = stream;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), payload.Length);
        payload.CopyTo(frame, 8);
        await context.Response.Body.WriteAsync(frame, context.RequestAborted);
    }
}
