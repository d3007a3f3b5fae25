using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Faults;

/// <summary>A way in which an answer is spoilt. Its parts can be had together: late, slow and cut.</summary>
public sealed partial record Fault
{
    /// <summary>How long it keeps silent before the first byte.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Time between two bytes, the headers' included; null: at full speed.</summary>
    public TimeSpan? Trickle { get; init; }

    /// <summary>After how many bytes, counted from the first of the headers, the connection ends; null: it does not.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Whether the connection is reset where it is cut; else it is closed, as by a server that has no more to say.</summary>
    public bool Reset { get; init; }

    /// <summary>After how many bytes, counted from the first of the headers, it falls silent with the connection open; null: it does not.</summary>
    public int? StallAfter { get; init; }

    /// <summary>What is answered instead; null: the server's own answer.</summary>
    public FaultAnswer? Answer { get; init; }

    /// <summary>Gives JSON of the server another shape, chosen by this seed: it stays JSON; null: its own.</summary>
    public int? DistortionSeed { get; init; }

    /// <summary>How the content of a file is not what was asked for; null: it is.</summary>
    public Hub.ContentFault? Content { get; init; }

    /// <summary>A fault of any kind.</summary>
    /// <param name="random">Chooses.</param>
    /// <param name="leak">A text that errors quote, as careless servers do.</param>
    public static Fault Next(Random random, string leak = "")
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.Next(12) switch
        {
            0 => new() { Delay = Timeout.InfiniteTimeSpan },
            1 => new() { Delay = TimeSpan.FromMilliseconds(random.Next(100)) },
            2 => new() { Trickle = TimeSpan.FromMilliseconds(random.Next(1, 20)) },
            3 => new() { CutAfter = random.Next(2000) },
            4 => new() { CutAfter = random.Next(2000), Reset = true },
            5 => new() { CutAfter = random.Next(20), Reset = random.Next(2) == 0 },
            6 => new() { Answer = FaultAnswer.Error(random.Next(400, 600), leak) },
            7 => new() { Answer = new(500, "text/html", "<html><body><h1>Internal Server Error</h1>" + leak) },
            8 => new() { Answer = random.Next(2) == 0 ? FaultAnswer.Error(404, leak) : FaultAnswer.Error(409, leak) },
            9 => new() { Answer = FaultAnswer.Garbage(random) },
            10 => new() { Answer = FaultAnswer.Endless(random) },
            _ => new() { DistortionSeed = random.Next() },
        };
    }

    /// <summary>
    /// Chooses faults by a seed. The order in which requests come does not matter: the n-th request for a path has the same
    /// fault in each run, also where the path holds an identifier that the server made.
    /// </summary>
    /// <param name="seed">The seed.</param>
    /// <param name="share">Which part of the answers is spoilt, 0 to 1.</param>
    /// <param name="leak">A text that errors quote.</param>
    public static Func<HttpRequest, Fault?> Seeded(int seed, double share, string leak = "") => Seeded(seed, share, (_, random) => Next(random, leak));

    /// <summary>Chooses faults of other kinds by a seed, in the same way.</summary>
    internal static Func<HttpRequest, Fault?> Seeded(int seed, double share, Func<HttpRequest, Random, Fault> next)
    {
        var seen = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        return request =>
        {
            var path = RandomId().Replace($"{request.Method} {request.Path}", "*");
            var number = seen.AddOrUpdate(path, 1, (_, count) => count + 1);

            // string.GetHashCode differs from run to run.
            var random = new Random(path.Aggregate((seed * 31) + number, (hash, letter) => unchecked((hash * 31) + letter)));
            return random.NextDouble() < share ? next(request, random) : null;
        };
    }

    /// <summary>What the servers name by chance, anew in each run: prompts, and programs in containers.</summary>
    [GeneratedRegex("(?<=/(history|exec)/)[0-9a-f-]{32,}")]
    private static partial Regex RandomId();
}
