using System.Collections.Concurrent;
using System.Diagnostics;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Tests.Faults;

namespace ComfyAuth.Tests.Docker;

/// <summary>Answers that are spoilt below HTTP, where the emulated engine cannot spoil them.</summary>
[Collection(nameof(Storms))]
public sealed class ProtocolStormTests
{
    private const int Faults = 600;
    private const int AtOnce = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    // The probe of an engine that broke off takes at most a second more; the rest is for a busy machine. Whoever waits for what he should not
    // waits longer.
    private static readonly TimeSpan Limit = Patience + Patience + TimeSpan.FromSeconds(1 + 24);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Six_hundred_faults_end_in_time_in_errors_of_ours_and_leave_no_handle_open()
    {
        // What is made once and kept is made before the count.
        await RunAsync(20);
        var before = OpenHandles.Count();

        var codes = await RunAsync(Faults);

        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", codes.GroupBy(code => code).Select(group => $"{group.Key} {group.Count()}")));
        Assert.True(codes.Distinct().Count() >= 4, "the faults are too alike");
        Assert.InRange(await OpenHandles.FallToAsync(before, Stop), 0, before);
    }

    private static async Task<IReadOnlyCollection<string>> RunAsync(int count)
    {
        var codes = new ConcurrentBag<string>();
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Stop }, async (seed, stop) =>
        {
            var fault = new Fault(seed);
            await using var server = new ScriptedServer(fault.AnswerAsync);
            var clock = Stopwatch.StartNew();
            string code;
            await using (var client = new DockerClient(DockerEndpoint.Parse("unix://" + server.Path, "the test"), new() { RequestTimeout = Patience }))
                code = await fault.UseAsync(client, stop);
            Assert.True(clock.Elapsed < Limit, $"seed {seed}: {code} after {clock.Elapsed}");
            codes.Add(code);
        });
        return codes;
    }
}
