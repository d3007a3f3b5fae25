using ComfyAuth.Emulator.Faults;
using ComfyAuth.Validation;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Tests.Validation;

/// <summary>Every check that is built in, against an engine and a ComfyUI whose answers are spoilt.</summary>
public sealed class CheckStormTests
{
    /// <summary>Not those that start programs, or ask services of others.</summary>
    private static readonly Check[] Chosen = [.. CheckCatalogue.All.Where(check => check.Category is not ("api" or "python" or "git" or "notebook") && check.Id != "compose.command")];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 3)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Spoilt_answers_end_no_run_and_bring_no_secret_out(int seed)
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Write(StackBench.Service, $"For direct API calls, use token={bench.Files.Credential.Text}");
        bench.Engine.Faults = Quick(seed, bench.Files.Credential.Text);
        bench.Comfy.Faults = Quick(seed + 1000, bench.Files.Credential.Password);

        // The bench looks for secrets in all that is told.
        var results = await bench.RunAsync(new() { Ids = [.. Chosen.Select(check => check.Id)] });

        Assert.Equal(
            Chosen.Where(check => check.AppliesTo?.Invoke(bench.Stack.Definition.Services[0]) ?? true).Select(check => check.Id).Order(StringComparer.Ordinal),
            results.Select(result => result.Id).Order(StringComparer.Ordinal));
        Assert.All(results, result => Assert.EndsWith(".", result.Message, StringComparison.Ordinal));
    }

    /// <summary>Faults that do not take until a deadline: these are waited for elsewhere.</summary>
    private static Func<HttpRequest, Fault?> Quick(int seed, string leak) => Fault.Seeded(seed, 0.4, (_, random) =>
    {
        while (true)
        {
            var fault = Fault.Next(random, leak);
            if (fault is { Trickle: null, Answer: null or { IsEndless: false } } && fault.Delay >= TimeSpan.Zero)
                return fault;
        }
    });
}
