using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Engine;

/// <summary>Looks at containers whose ports a test engine without networks cannot publish.</summary>
public sealed class ObserverTests
{
    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    [InlineData(false, false, true)]
    [InlineData(false, true, false)]
    public async Task The_token_is_not_for_who_answers_at_the_port_of_another_container(bool hasPort, bool anotherHasPort, bool isSent)
    {
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var hash = Bcrypt.Hash(new SecretText("password"), Bcrypt.MinimumCost, stop);
        folder.Write("PASSWORD", hash.Reveal() + "\nadmin\n");
        var tokens = 0;
        await using var comfy = await EmulatedComfyUI.StartAsync(new() { PasswordFile = folder.PathOf("PASSWORD") }, stop);
        comfy.Faults = request =>
        {
            tokens += request.Headers.Authorization.Count;
            return null;
        };
        await using var engine = await EmulatedEngine.StartAsync([With("ours", hasPort), With("another", anotherHasPort)], overTcp: true, stop: stop);
        await using var client = new DockerClient(engine.Endpoint);
        var service = new ServiceDefinition { Name = "ours", Container = "ours", Url = comfy.Address, HealthPath = "/system_stats", Auth = AuthKind.ComfyUILogin };
        var stack = new GenAIStack { Root = folder.Path, Definition = new() { Source = "none", Services = [service] } };

        await foreach (var snapshot in new ContainerObserver(client, new(), (_, _) => hash).ObserveAsync(stack, [service], stop))
            Assert.Equal(isSent ? true : null, snapshot.Readings.IsReady);

        Assert.Equal(isSent ? 1 : 0, tokens);

        EmulatedContainer With(string name, bool port) => Sample.Up with { Name = name, Ports = port ? [new(8188, "tcp", "127.0.0.1", comfy.Address.Port)] : [] };
    }

    [Fact]
    public async Task An_engine_whose_clock_is_behind_is_not_waited_for_until_it_has_caught_up()
    {
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        await using var engine = await EmulatedEngine.StartAsync([Sample.Ended], overTcp: true, clock: new HourBehind(), stop: stop);
        await using var client = new DockerClient(engine.Endpoint);
        var service = new ServiceDefinition { Name = "ended", Container = "ended", Url = new("http://127.0.0.1:9") };
        var stack = new GenAIStack { Root = folder.Path, Definition = new() { Source = "none", Services = [service] } };

        await foreach (var snapshot in new ContainerObserver(client, new(), (_, _) => null).ObserveAsync(stack, [service], stop))
            Assert.DoesNotContain(snapshot.NotSeen, line => line.Contains("events", StringComparison.Ordinal));
    }

    private sealed class HourBehind : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UtcNow.AddHours(-1);
    }
}
