using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Tokens;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Commands;

/// <summary>What a command does with the containers after a change of files.</summary>
internal static class RolloutChoice
{
    /// <summary>How long a change that was interrupted may take to go back: a container is given ten seconds to end, and Compose is slow.</summary>
    public static readonly TimeSpan TimeToGoBack = TimeSpan.FromMinutes(1);

    public static readonly Option<bool> Restart = new("--restart") { Description = "Also bring the change into the containers and prove it live; if that fails, everything goes back." };
    public static readonly Option<TimeSpan> Timeout = CommandSession.Time("--timeout", "With --restart: when to give up waiting for a container: 90s, 10m, 00:10:00, or seconds.", new ContainerWaitOptions().Timeout);

    /// <summary>How a change is brought into the containers; what is being done goes to standard error, each line once in a row.</summary>
    public static Rollout RolloutOf(DockerClient engine, ParseResult parsed, CommandSession session) => new(engine, session.Redactor, session.Logger)
    {
        Wait = new() { Timeout = parsed.GetValue(Timeout) },
        Progress = new Teller(session.Warn),
    };

    /// <summary>Prints what came of rollouts: one JSON document where it was asked for, else the results, the containers and the proofs.</summary>
    public static void Print<T>(CommandSession session, RolloutResult<T> result, JsonTypeInfo<RolloutResult<T>> type, Func<T, string> stackOf, Func<IReadOnlyList<T>, IRenderable> render)
    {
        if (session.IsJson)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(result, type));
            return;
        }

        session.Show(result.Results, stackOf, render);
        foreach (var change in result.Containers)
            session.Say($"{change.Container}: {change.Message}");
        if (result.Proofs.Count > 0)
            session.Show(result.Proofs, _ => "", ProofTables.Of);
    }

    private sealed class Teller(Action<string> tell) : IProgress<string>
    {
        private readonly Lock _lock = new();
        private string _last = "";

        public void Report(string value)
        {
            lock (_lock)
            {
                if (value == _last)
                    return;
                tell(_last = value);
            }
        }
    }
}
