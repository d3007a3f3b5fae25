using System.Text.Json;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Benchmarks;

/// <summary>The process that is measured: every stack of a folder is audited or synchronised by one auditor or synchroniser.</summary>
internal static class StackRun
{
    public const string Verb = "stack-run";

    public static async Task RunAsync(string folder, string work)
    {
        var verifier = new PasswordVerifier();
        var redactor = new SecretRedactor();
        var auditor = new TokenAuditor(verifier, redactor, _ => null);
        var synchronizer = new TokenSynchronizer(verifier, redactor, _ => null);
        var (places, wrong, changed) = (0, 0, 0);
        foreach (var root in Directory.EnumerateDirectories(folder))
        {
            var stack = GenAIStack.Find(root);
            if (work == "audit")
            {
                var seen = auditor.Audit(stack);
                places += seen.Count;
                wrong += seen.Count(place => place.IsFault);
                continue;
            }

            var results = await synchronizer.Plan(stack, new()).ApplyAsync();
            places += results.Count;
            wrong += results.Count(place => place.State != TokenState.Match);
            changed += results.Count(place => place.Action != TokenAction.None);
        }

        var measured = new StackRunResult(places, wrong, changed, verifier.Computations, Environment.CpuUsage.TotalTime.TotalSeconds, GC.GetTotalAllocatedBytes(), GC.CollectionCount(0), Environment.WorkingSet);
        Console.WriteLine(JsonSerializer.Serialize(measured));
    }
}
