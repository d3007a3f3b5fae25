using System.Diagnostics;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Services;
using ComfyAuth.Emulator.Tests.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Faults;

/// <summary>Whole looks at the containers of a stack, and what is concluded from them, while engine and services answer anything.</summary>
[Collection(nameof(Storms))]
public sealed class ObservationStormTests(ITestOutputHelper output)
{
    private const int Observations = 300;
    private const int Lanes = 8;
    private const string Password = "hunter2-of-the-emulated-environment";
    private static readonly string Hash = Bcrypt.Hash(new SecretText("another"), Bcrypt.MinimumCost).Reveal();
    private static readonly string Leak = $"cannot start: COMFYUI_RAW_TOKEN={Password} Authorization: Bearer {Hash}";
    private static readonly DockerClientOptions Impatient = new() { ConnectTimeout = TimeSpan.FromSeconds(1), RequestTimeout = TimeSpan.FromMilliseconds(300) };
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    // What hangs does so for ever; what is only slow may be so on a machine that is busy.
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task No_fault_of_an_engine_or_a_service_makes_an_observation_hang_leak_or_throw_what_it_should_not()
    {
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        folder.Write("PASSWORD", Hash + "\nadmin\n");
        await RunAsync(folder, Lanes, stop);
        var before = OpenHandles.Count();

        var outcomes = await RunAsync(folder, Observations, stop);

        foreach (var outcome in outcomes.GroupBy(outcome => outcome.Code).OrderByDescending(group => group.Count()))
            output.WriteLine($"{outcome.Count(),5} {outcome.Key}");
        output.WriteLine($"requests: {outcomes.Sum(outcome => outcome.Requests)}, slowest: {outcomes.Max(outcome => outcome.Time).TotalMilliseconds:0} ms");
        Assert.True(outcomes.All(outcome => outcome.Fault.Length == 0), string.Join("\n\n", outcomes.Select(outcome => outcome.Fault).Where(fault => fault.Length > 0)));

        // A storm that lets nothing be seen, or in which no secret was on its way, proves nothing.
        Assert.InRange(outcomes.Count(outcome => outcome.Code == "seen"), Observations / 20, Observations);
        Assert.InRange(outcomes.Count(outcome => outcome.HadSecret), Observations / 20, Observations);
        Assert.InRange(await OpenHandles.FallToAsync(before, stop), 0, before);
    }

    private static async Task<IReadOnlyList<Outcome>> RunAsync(TemporaryFolder folder, int count, CancellationToken stop)
    {
        var lanes = Enumerable.Range(0, Lanes).Select(async lane =>
        {
            await using var comfy = await EmulatedComfyUI.StartAsync(new() { PasswordFile = folder.PathOf("PASSWORD") }, stop);
            await using var health = await EmulatedHealthService.StartAsync(stop);
            await using var engine = await EmulatedEngine.StartAsync([.. Sample.All.Append(Secretive).Select(container => container.Name is "up" or "secretive" ? container with { Ports = [new(8188, "tcp", "127.0.0.1", comfy.Address.Port)] } : container)], overTcp: lane % 2 == 0 || OperatingSystem.IsWindows(), stop: stop);
            var stack = new GenAIStack
            {
                Root = folder.Path,
                Definition = new()
                {
                    Source = "none",
                    Services =
                    [
                        new() { Name = "up", Container = "up", Url = comfy.Address, HealthPath = "/system_stats", Auth = AuthKind.ComfyUILogin },
                        new() { Name = "secretive", Container = "secretive", Url = comfy.Address, HealthPath = "/system_stats", Auth = AuthKind.ComfyUILogin },
                        new() { Name = "ended", Container = "ended", Url = health.Address, HealthPath = "/health" },
                        new() { Name = "absent", Container = "absent", Url = new("http://127.0.0.1:9") },
                    ],
                },
            };
            var outcomes = new List<Outcome>();
            for (var seed = lane; seed < count; seed += Lanes)
            {
                engine.Faults = Fault.Seeded(seed, share: 0.25, Leak);
                comfy.Faults = health.Faults = Fault.Seeded(seed, share: 0.2, Leak);
                var requests = engine.Requests + comfy.Requests + health.Requests;
                var outcome = await ObserveAsync(engine.Endpoint, stack, seed, stop);
                outcomes.Add(outcome with { Requests = engine.Requests + comfy.Requests + health.Requests - requests });
            }

            return outcomes;
        });
        return [.. (await Task.WhenAll(lanes)).SelectMany(outcomes => outcomes)];
    }

    /// <summary>One that tells its secrets wherever it can.</summary>
    private static EmulatedContainer Secretive { get; } = Sample.Up with
    {
        Name = "secretive",
        Environment = [$"COMFYUI_RAW_TOKEN={Password}", $"COMFYUI_API_TOKEN={Hash}"],
        HealthLog = [new(Sample.Start, Sample.Start.AddSeconds(1), 1, Leak)],
        Healthcheck = new() { Test = ["CMD-SHELL", $"curl -f -H 'Authorization: Bearer {Hash}' http://localhost:8188/"] },
        Log = [new(ContainerLogStream.StandardError, Sample.Start, $"For direct API calls, use token={Hash}"), new(ContainerLogStream.StandardError, Sample.Start, "Error: " + Leak)],
        Processes = [$"python main.py --password={Password}"],
        Error = Leak,
    };

    private static async Task<Outcome> ObserveAsync(DockerEndpoint endpoint, GenAIStack stack, int seed, CancellationToken stop)
    {
        var redactor = new SecretRedactor();
        var began = Stopwatch.GetTimestamp();
        var (code, fault, hadSecret) = ("seen", "", false);
        await using (var client = new DockerClient(endpoint, Impatient))
        {
            var observer = new ContainerObserver(client, redactor, (_, service) => service.Auth == AuthKind.ComfyUILogin ? BcryptHash.Parse(Hash) : null) { Patience = Patience };
            try
            {
                var told = await Task.Run(() => TellAsync(observer, stack, redactor, stop), stop).WaitAsync(Hang, stop);
                fault = Reveals(told) ? "a secret: " + told : "";
                hadSecret = told.Contains(BcryptHash.Parse(Hash).ToString(), StringComparison.Ordinal);
            }
            catch (ComfyAuthException error)
            {
                code = error.Code;
                fault = Reveals(error + error.Remedy) ? "a secret: " + error : "";
            }
            catch (TimeoutException)
            {
                (code, fault) = ("hang", "hangs");
            }
            catch (Exception error) when (!stop.IsCancellationRequested)
            {
                (code, fault) = (error.GetType().Name, error.ToString());
            }
        }

        return new(code, Stopwatch.GetElapsedTime(began), 0, hadSecret, fault.Length == 0 ? "" : $"seed {seed}: {fault}");
    }

    /// <summary>Everything that a person is told of the containers.</summary>
    private static async Task<string> TellAsync(ContainerObserver observer, GenAIStack stack, SecretRedactor redactor, CancellationToken stop)
    {
        var told = "";
        await foreach (var snapshot in observer.ObserveAsync(stack, stack.Definition.Services, stop))
        {
            var diagnosis = ContainerDiagnostician.Diagnose(snapshot, redactor);
            told += string.Join('\n', [diagnosis.Message, .. diagnosis.Evidence, diagnosis.Remedy, diagnosis.Package ?? "", .. diagnosis.Ports, diagnosis.Image ?? "", .. snapshot.NotSeen, snapshot.Readings.Answer]);
        }

        return told;
    }

    private static bool Reveals(string text) => text.Contains(Password, StringComparison.Ordinal) || text.Contains(Hash[7..], StringComparison.Ordinal);

    private sealed record Outcome(string Code, TimeSpan Time, int Requests, bool HadSecret, string Fault);
}
