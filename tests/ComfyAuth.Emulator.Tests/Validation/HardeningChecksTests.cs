using ComfyAuth.Docker;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class HardeningChecksTests
{
    [Fact]
    public async Task A_container_that_can_do_no_harm_passes()
    {
        await using var bench = await StackBench.StartAsync(container => container with
        {
            Mounts = [new("bind", "", "/srv/stack/models", "/models", true), new("volume", "cache", "/var/lib/docker/volumes/cache/_data", "/cache", false), new("bind", "", "/etc/localtime", "/etc/localtime", true)],
        });

        var results = await bench.RunAsync(new() { Ids = ["hardening.*"] });

        Assert.Equal(5, results.Count);
        Assert.All(results, result => Assert.Equal(CheckStatus.Passed, result.Status));
    }

    [Theory]
    [InlineData("", CheckStatus.Warning)]
    [InlineData("root", CheckStatus.Warning)]
    [InlineData("0:1000", CheckStatus.Warning)]
    [InlineData("1000", CheckStatus.Passed)]
    [InlineData("comfy:comfy", CheckStatus.Passed)]
    public async Task Root_is_told(string user, CheckStatus status)
    {
        await using var bench = await StackBench.StartAsync(container => container with { User = user });

        Assert.Equal(status, (await bench.CheckAsync("hardening.user")).Status);
    }

    [Fact]
    public async Task A_privileged_container_without_a_limit_is_told()
    {
        await using var bench = await StackBench.StartAsync(container => container with { Privileged = true, MemoryLimit = null });

        Assert.Equal(CheckStatus.Failed, (await bench.CheckAsync("hardening.privileged")).Status);
        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("hardening.limits")).Status);
    }

    [Theory]
    [InlineData("", true, CheckStatus.Warning)]
    [InlineData("0.0.0.0", true, CheckStatus.Warning)]
    [InlineData("0.0.0.0", false, CheckStatus.Failed)]
    [InlineData("::", false, CheckStatus.Failed)]
    [InlineData("192.168.1.7", true, CheckStatus.Warning)]
    [InlineData("127.0.0.1", false, CheckStatus.Passed)]
    [InlineData("::1", true, CheckStatus.Passed)]
    public async Task A_port_that_others_reach_is_told(string address, bool hasLogin, CheckStatus status)
    {
        await using var bench = await StackBench.StartAsync(
            container => container with { Ports = [container.Ports[0] with { HostAddress = address }, new(9000, "tcp", "", null)] },
            options => hasLogin ? options : options with { PasswordFile = null });

        Assert.Equal(status, (await bench.CheckAsync("hardening.ports")).Status);
    }

    [Fact]
    public async Task The_network_of_the_host_is_open_to_others()
    {
        await using var bench = await StackBench.StartAsync(container => container with { Network = "host" });

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("hardening.ports")).Status);
    }

    [Theory]
    [InlineData("/var/run/docker.sock", true, CheckStatus.Failed)]
    [InlineData("/", true, CheckStatus.Failed)]
    [InlineData("C:\\", false, CheckStatus.Failed)]
    [InlineData("/run/desktop/mnt/host/c", false, CheckStatus.Failed)]
    [InlineData("/run/desktop/mnt/host/c/stack/models", false, CheckStatus.Passed)]
    [InlineData("/etc", false, CheckStatus.Failed)]
    [InlineData("/etc/", true, CheckStatus.Warning)]
    [InlineData("/etc/shadow", true, CheckStatus.Warning)]
    [InlineData("/home", false, CheckStatus.Failed)]
    [InlineData("/home/alice/stack/models", false, CheckStatus.Passed)]
    [InlineData("D:\\stack\\models", false, CheckStatus.Passed)]
    public async Task Mounts_of_the_machine_are_told(string source, bool readOnly, CheckStatus status)
    {
        await using var bench = await StackBench.StartAsync(container => container with { Mounts = [new("bind", "", source, "/mnt", readOnly)] });

        Assert.Equal(status, (await bench.CheckAsync("hardening.mounts")).Status);
    }
}
