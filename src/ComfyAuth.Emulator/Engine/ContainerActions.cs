using System.Globalization;
using ComfyAuth.Docker;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>Starts, stops and freezes containers: changes their state and tells it.</summary>
internal sealed class ContainerActions(EngineState state)
{
    private const int Terminate = 15;
    private const int Kill = 9;
    private static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(10);

    private static readonly string[] Signals =
        ["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM"];

    public static bool Knows(string action) => action is "start" or "stop" or "restart" or "kill" or "pause" or "unpause";

    public async Task AnswerAsync(HttpContext context, EmulatedContainer container, string asked, string action, CancellationToken stop)
    {
        var changed = action switch
        {
            "start" => Start(container.Name),
            "stop" => await StopAsync(container, Grace(context), "stop", stop),
            "restart" => await RestartAsync(container, Grace(context), stop),
            "kill" => Signal(container.Name, asked, context.Request.Query["signal"].ToString()),
            "pause" => Pause(container.Name),
            _ => Unpause(container.Name),
        };
        context.Response.StatusCode = changed ? StatusCodes.Status204NoContent : StatusCodes.Status304NotModified;
    }

    private bool Start(string name)
    {
        var changed = true;
        state.Change(name, container =>
        {
            if (container.State == ContainerState.Paused)
                throw new EngineError(StatusCodes.Status409Conflict, "cannot start a paused container, try unpause instead");
            if (container.State == ContainerState.Running)
            {
                changed = false;
                return (container, []);
            }

            return container.StartError.Length > 0
                ? (container with { Error = container.StartError, ExitCode = 128 }, [])
                : (Started(container), [("start", "", "")]);
        });
        var now = state.Find(name);
        if (changed && now is { IsRunning: false, Error: { Length: > 0 } error })
            throw new EngineError(StatusCodes.Status500InternalServerError, error);
        if (changed && now is not null)
            state.Starting?.Invoke(now);
        return changed;
    }

    private EmulatedContainer Started(EmulatedContainer container) => container with
    {
        State = ContainerState.Running,
        StartedAt = state.Now,
        ExitCode = 0,
        Error = "",
        OutOfMemoryKilled = false,
        Health = container.Healthcheck is null ? ContainerHealthStatus.None : ContainerHealthStatus.Starting,
        HealthFailingStreak = 0,
    };

    private async Task<bool> StopAsync(EmulatedContainer container, TimeSpan grace, string action, CancellationToken stop)
    {
        if (!container.IsRunning && container.State != ContainerState.Restarting)
            return false;

        state.Record(container, "kill", "signal", Text(Terminate));

        // A frozen process does not hear that it should end.
        var obeys = container.State != ContainerState.Paused && container.StopTime <= grace;
        await Task.Delay(obeys ? container.StopTime : grace, state.Clock, stop);
        if (!obeys)
            state.Record(container, "kill", "signal", Text(Kill));
        state.Change(container.Name, now => now.IsRunning || now.State == ContainerState.Restarting
            ? (Ended(now, obeys ? Terminate : Kill), [("die", "exitCode", Text(128 + (obeys ? Terminate : Kill))), (action, "", "")])
            : (now, []));
        return true;
    }

    private async Task<bool> RestartAsync(EmulatedContainer container, TimeSpan grace, CancellationToken stop)
    {
        await StopAsync(container, grace, "stop", stop);
        Start(container.Name);
        state.Record(container, "restart");
        return true;
    }

    private bool Signal(string name, string asked, string signal)
    {
        var number = Number(signal);
        state.Change(name, container =>
        {
            if (!container.IsRunning)
                throw new EngineError(StatusCodes.Status409Conflict, $"Cannot kill container: {asked}: Container {container.Id} is not running");
            var kill = ("kill", "signal", Text(number));
            return number is Kill or Terminate
                ? (Ended(container, number), [kill, ("die", "exitCode", Text(128 + number))])
                : (container, [kill]);
        });
        return true;
    }

    private bool Pause(string name)
    {
        state.Change(name, container => container.State switch
        {
            ContainerState.Paused => throw new EngineError(StatusCodes.Status409Conflict, $"Container {container.Id} is already paused"),
            ContainerState.Running => (container with { State = ContainerState.Paused }, [("pause", "", "")]),
            _ => throw EngineError.NotRunning(container),
        });
        return true;
    }

    private bool Unpause(string name)
    {
        state.Change(name, container => container.State == ContainerState.Paused
            ? (container with { State = ContainerState.Running }, [("unpause", "", "")])
            : throw new EngineError(StatusCodes.Status500InternalServerError, $"Container {container.Id} is not paused"));
        return true;
    }

    private EmulatedContainer Ended(EmulatedContainer container, int signal) => container with
    {
        State = ContainerState.Exited,
        FinishedAt = state.Now,
        ExitCode = 128 + signal,
        Health = container.Health == ContainerHealthStatus.None ? ContainerHealthStatus.None : ContainerHealthStatus.Unhealthy,
    };

    private static TimeSpan Grace(HttpContext context) =>
        int.TryParse(context.Request.Query["t"], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : DefaultGrace;

    private static int Number(string signal)
    {
        var name = signal.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        var number = name.Length == 0 ? Kill
            : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given
            : Array.IndexOf(Signals, name) + 1;
        return number is > 0 and < 65 ? number : throw new EngineError(StatusCodes.Status400BadRequest, "Invalid signal: " + signal);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
