using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Engine;

/// <summary>Looks at containers whose ports a test engine without networks cannot publish.</summary>
public sealed class ObserverTests
{
    [Theory]
    [InlineData("up", "the address", "", "up", true)]
    [InlineData("up", "the address", "the address", "up", true)]
    [InlineData("up", "none", "", "up", true)]
    [InlineData("up", "none", "the address", "up", true)] // a reverse proxy in a container
    [InlineData("up", "another", "", "up", false)] // a program that is in no container
    [InlineData("up", "another", "the address", "up", false)]
    [InlineData("up", "another", "the address", "ended", false)]
    [InlineData("ended", "the address", "", "up", false)] // a program that took the port of a container that ended
    [InlineData("ended", "none", "the address", "up", false)]
    public async Task The_token_is_for_nobody_but_the_container_of_the_service(string own, string port, string portOfOther, string other, bool isSent)
    {
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var hash = Bcrypt.Hash(new SecretText("password"), Bcrypt.MinimumCost, stop);
        folder.Write("PASSWORD", hash.Reveal() + "\nadmin\n");
        var tokens = 0;
        await using var comfy = await EmulatedComfyUI.StartAsync(new() { PasswordFile = folder.PathOf("PASSWORD") }, stop);
        comfy.Faults = request =>
        {
            Interlocked.Add(ref tokens, request.Headers.Authorization.Count);
            return null;
        };
        await using var engine = await EmulatedEngine.StartAsync([Publishing(own == "up" ? Sample.Up : Sample.Ended, "ours", port), Publishing(other == "up" ? Sample.Up : Sample.Ended, "another", portOfOther)], overTcp: true, stop: stop);
        await using var client = new DockerClient(engine.Endpoint);
        var service = new ServiceDefinition { Name = "ours", Container = "ours", Url = comfy.Address, HealthPath = "/system_stats", Auth = AuthKind.ComfyUILogin };
        var stack = new GenAIStack { Root = folder.Path, Definition = new() { Source = "none", Services = [service] } };

        await foreach (var snapshot in new ContainerObserver(client, new(), (_, _) => hash).ObserveAsync(stack, [service], stop))
        {
            Assert.Equal(isSent ? true : null, snapshot.Readings.IsReady);

            // The diagnosis and the check ask the same question, and know no other answer.
            if (own == "up")
                Assert.Equal(isSent ? ContainerCondition.HealthcheckCannotPass : ContainerCondition.PortConflict, ContainerDiagnostician.Diagnose(snapshot, new()).Condition);
            Assert.Equal(isSent ? CheckStatus.Passed : CheckStatus.Failed, ServiceChecks.IsLive(service, snapshot.Readings, snapshot).Status);
        }

        Assert.Equal(isSent ? 1 : 0, tokens);

        EmulatedContainer Publishing(EmulatedContainer container, string name, string address) => container with
        {
            Name = name,
            Ports = address switch
            {
                "the address" => [new(8188, "tcp", "127.0.0.1", comfy.Address.Port)],
                "another" => [new(8188, "tcp", "127.0.0.1", 1), new(comfy.Address.Port, "udp", "127.0.0.1", comfy.Address.Port)],
                _ => [new(8188, "tcp", "", null)],
            },
        };
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
