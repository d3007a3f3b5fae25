using System.Diagnostics;
using System.Text.Json;
using ComfyAuth.Guidance;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Benchmarks;

/// <summary>The process that is measured: one stack's documents are indexed and searched.</summary>
internal static class GuidanceRun
{
    public const string Verb = "guidance-run";

    private const int Searches = 20;

    public static void Run(string root)
    {
        var start = Stopwatch.GetTimestamp();
        var stack = GenAIStack.Find(root);
        var redactor = new SecretRedactor();
        StackSecrets.Register(stack, redactor);
        var index = GuidanceIndex.Build(stack, redactor);
        var built = Stopwatch.GetElapsedTime(start).TotalSeconds;

        var queries = new DocumentSet();
        start = Stopwatch.GetTimestamp();
        for (var i = 0; i < Searches; i++)
            index.Search(queries.Query(), 5);
        var searched = Stopwatch.GetElapsedTime(start).TotalMilliseconds / Searches;

        using var self = Process.GetCurrentProcess();
        var peak = self.PeakWorkingSet64;
        var cpu = self.TotalProcessorTime.TotalSeconds;
        var allocated = GC.GetTotalAllocatedBytes();
        queries = null;
        var held = GC.GetTotalMemory(forceFullCollection: true);
        Console.WriteLine(JsonSerializer.Serialize(new GuidanceRunResult(index.DocumentCount, index.PassageCount, built, searched, cpu, allocated, held, peak)));
        GC.KeepAlive(index);
    }
}
