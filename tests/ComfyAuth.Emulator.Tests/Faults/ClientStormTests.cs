using System.Diagnostics;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Tests.Engine;
using ComfyAuth.Secrets;

namespace ComfyAuth.Emulator.Tests.Faults;

/// <summary>Every use of the client, against an engine whose answers are spoilt in every way.</summary>
[Collection(nameof(Storms))]
public sealed class ClientStormTests(ITestOutputHelper output)
{
    private const int Faults = 2000;
    private const int Lanes = 8;
    private const string Password = "hunter2-of-the-emulated-environment";
    private const string Hash = "$2b$12$abcdefghijklmnopqrstuuE9KZ1cFfD4GgYcJ4m3l0M5mKQ1nO7i6";
    private const string Leak = "cannot start: COMFYUI_RAW_TOKEN=" + Password + " Authorization: Bearer " + Hash;
    private static readonly DockerClientOptions Impatient = new() { ConnectTimeout = TimeSpan.FromSeconds(1), RequestTimeout = TimeSpan.FromMilliseconds(300) };

    // What hangs does so for ever; what is only slow may be so on a machine that is busy.
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    private static readonly (string Name, Func<DockerClient, CancellationToken, Task> RunAsync)[] Uses =
    [
        ("ping", (client, stop) => client.PingAsync(stop)),
        ("version", (client, stop) => client.VersionAsync(stop)),
        ("info", (client, stop) => client.InfoAsync(stop)),
        ("list", (client, stop) => client.ListContainersAsync(names: ["up"], stop: stop)),
        ("inspect", (client, stop) => client.InspectContainerAsync("up", stop)),
        ("log", (client, stop) => ReadAsync(client.LogsAsync("up", new() { Tail = 100 }, stop))),
        ("log that is followed", (client, stop) => ReadForAWhileAsync(until => client.LogsAsync("up", new() { Follow = true, Tty = false }, until), stop)),
        ("statistics", (client, stop) => client.StatsAsync("up", stop)),
        ("processes", (client, stop) => client.TopAsync("up", stop)),
        ("events", (client, stop) => ReadForAWhileAsync(until => client.EventsAsync(new() { Since = DateTimeOffset.UnixEpoch.AddSeconds(1), Until = DateTimeOffset.UtcNow }, until), stop)),
        ("events without end", (client, stop) => ReadForAWhileAsync(until => client.EventsAsync(new() { Since = DateTimeOffset.UnixEpoch.AddSeconds(1) }, until), stop)),
        ("what a path is", (client, stop) => client.HeadArchiveAsync("up", "/etc/motd", stop)),
        ("read", (client, stop) => client.ReadFileAsync("up", "/etc/motd", stop: stop)),
        ("write", (client, stop) => ForAWhileAsync(until => client.WriteFileAsync("up", "/etc/motd", new(new byte[5000]), until), stop)),
        ("stop", (client, stop) => client.StopAsync("up", TimeSpan.Zero, stop)),
        ("start", (client, stop) => client.StartAsync("up", stop)),
        ("restart", (client, stop) => client.RestartAsync("up", TimeSpan.Zero, stop)),
        ("kill", (client, stop) => client.KillAsync("up", stop: stop)),
        ("pause", (client, stop) => client.PauseAsync("up", stop)),
        ("exec", (client, stop) => client.ExecAsync("up", ["true"], stop: stop)),
        ("images", (client, stop) => client.ListImagesAsync(stop)),
    ];

    [Fact]
    public async Task No_fault_of_an_engine_makes_the_client_hang_leak_or_throw_what_it_should_not()
    {
        var stop = TestContext.Current.CancellationToken;

        // What is made once and kept is made before the count.
        await RunAsync(Lanes * 2, stop);
        var before = OpenHandles.Count();

        var outcomes = await RunAsync(Faults, stop);

        foreach (var outcome in outcomes.GroupBy(outcome => outcome.Code).OrderByDescending(group => group.Count()))
            output.WriteLine($"{outcome.Count(),5} {outcome.Key}");
        output.WriteLine($"slowest: {outcomes.Max(outcome => outcome.Time).TotalMilliseconds:0} ms");
        Assert.True(outcomes.All(outcome => outcome.Fault.Length == 0), string.Join("\n\n", outcomes.Select(outcome => outcome.Fault).Where(fault => fault.Length > 0)));

        // A storm that spoils nothing, or everything, or in which no secret was on its way, proves nothing.
        Assert.InRange(outcomes.Count(outcome => outcome.HadSecret), Faults / 50, Faults);
        Assert.InRange(outcomes.Count(outcome => outcome.Code == "fine"), Faults / 50, Faults * 9 / 10);
        Assert.InRange(await OpenHandles.FallToAsync(before, stop), 0, before);
    }

    private static async Task<IReadOnlyList<Outcome>> RunAsync(int count, CancellationToken stop)
    {
        var lanes = Enumerable.Range(0, Lanes).Select(async lane =>
        {
            await using var engine = await EmulatedEngine.StartAsync(Sample.All, overTcp: lane % 2 == 0 || OperatingSystem.IsWindows(), stop: stop);
            var outcomes = new List<Outcome>();
            for (var seed = lane; seed < count; seed += Lanes)
                outcomes.Add(await UseAsync(engine, seed, stop));
            return outcomes;
        });
        return [.. (await Task.WhenAll(lanes)).SelectMany(outcomes => outcomes)];
    }

    private static async Task<Outcome> UseAsync(EmulatedEngine engine, int seed, CancellationToken stop)
    {
        var (name, run) = Uses[seed % Uses.Length];
        var which = $"seed {seed}, {name}: ";
        engine.Change("up", _ => Sample.Up);
        engine.Faults = Fault.Seeded(seed, share: 0.7, Leak);
        var began = Stopwatch.GetTimestamp();
        var (code, fault, hadSecret) = ("fine", "", false);
        await using (var client = new DockerClient(engine.Endpoint, Impatient))
        {
            try
            {
                await Task.Run(() => run(client, stop), stop).WaitAsync(Hang, stop);
            }
            catch (ComfyAuthException error)
            {
                code = error.Code;
                hadSecret = error.Message.Contains(SecretRedactor.Mark, StringComparison.Ordinal);
                fault = Reveals(error) ? which + "a secret: " + error : "";
            }
            catch (TimeoutException)
            {
                (code, fault) = ("hang", which + "hangs");
            }
            catch (Exception error) when (!stop.IsCancellationRequested)
            {
                (code, fault) = (error.GetType().Name, which + error);
            }
        }

        return new(code, Stopwatch.GetElapsedTime(began), hadSecret, fault);
    }

    private static bool Reveals(ComfyAuthException error)
    {
        var text = error + error.Remedy;
        return text.Contains(Password, StringComparison.Ordinal) || text.Contains(Hash[7..], StringComparison.Ordinal);
    }

    private static async Task ReadAsync<T>(IAsyncEnumerable<T> items)
    {
        await foreach (var _ in items)
        {
        }
    }

    private static Task ReadForAWhileAsync<T>(Func<CancellationToken, IAsyncEnumerable<T>> items, CancellationToken stop) => ForAWhileAsync(until => ReadAsync(items(until)), stop);

    /// <summary>What may go on for ever is ended by whoever uses it.</summary>
    private static async Task ForAWhileAsync(Func<CancellationToken, Task> run, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromMilliseconds(200));
        try
        {
            await run(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
        }
    }

    private sealed record Outcome(string Code, TimeSpan Time, bool HadSecret, string Fault);
}
