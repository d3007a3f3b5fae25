using System.Diagnostics;
using System.Text.Json;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Tests.Tokens;
using ComfyAuth.Reports;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Faults;

/// <summary>Whole live audits while engine and server answer anything.</summary>
[Collection(nameof(Storms))]
public sealed class LiveTokenStormTests(ITestOutputHelper output)
{
    private const int Audits = 200;
    private static readonly DockerClientOptions Impatient = new() { ConnectTimeout = TimeSpan.FromSeconds(1), RequestTimeout = TimeSpan.FromMilliseconds(300) };
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task No_fault_of_an_engine_or_a_server_makes_a_live_audit_hang_leak_or_throw()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var live = await LayeredStack.StartAsync();
        live.SetVariable("COMFYUI_API_TOKEN", live.Older.Text);
        var leak = $"cannot start: COMFYUI_RAW_TOKEN={live.Credential.Password} Authorization: Bearer {live.Credential.Text}";
        await using var client = new DockerClient(live.Engine.Endpoint, Impatient);
        var states = new List<(TokenLayer, TokenState)>();
        var slowest = TimeSpan.Zero;
        for (var seed = 0; seed < Audits; seed++)
        {
            live.Engine.Faults = Fault.Seeded(seed, share: 0.15, leak);
            live.Comfy!.Faults = Fault.Seeded(seed, share: 0.1, leak);
            var auditor = new LiveTokenAuditor(new(live.Files.Verifier, live.Redactor, _ => null), client, live.Redactor) { Patience = TimeSpan.FromMilliseconds(600) };
            var began = Stopwatch.GetTimestamp();

            var audit = await auditor.LookAsync(live.Files.Stack, null, stop).WaitAsync(Hang, stop);

            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(began).Ticks));
            states.AddRange(audit.Observations.Where(seen => seen.Layer != TokenLayer.File).Select(seen => (seen.Layer, seen.State)));
            var told = JsonSerializer.Serialize(audit.Observations, ReportJsonContext.Default.IReadOnlyListTokenObservation) + string.Join('\n', audit.Validations.SelectMany(validation => validation.Findings));
            Assert.All(
                [live.Credential.Password, live.Credential.Text[7..], live.Older.Text[7..]],
                secret => Assert.False(told.Contains(secret, StringComparison.Ordinal), $"seed {seed}: a secret in {told}"));
            Assert.All(Enum.GetValues<TokenLayer>(), layer => Assert.Contains(audit.Observations, seen => seen.Layer == layer));
        }

        foreach (var group in states.GroupBy(state => state).OrderByDescending(group => group.Count()))
            output.WriteLine($"{group.Count(),5} {group.Key}");
        output.WriteLine($"slowest: {slowest.TotalMilliseconds:0} ms");

        // A storm that lets nothing be seen proves nothing.
        Assert.InRange(states.Count(state => state == (TokenLayer.ContainerFile, TokenState.Match)), Audits / 20, Audits);
        Assert.InRange(states.Count(state => state == (TokenLayer.Server, TokenState.Match)), Audits / 20, Audits);
    }
}
