using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Services;
using ComfyAuth.Emulator.Tests.Engine;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

/// <summary>The assertions of <c>.checks.yml</c> that ask somebody else.</summary>
public sealed class CustomChecksTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("/health", "", CheckStatus.Passed)]
    [InlineData("/health", ", contains: healthy", CheckStatus.Passed)]
    [InlineData("/health", ", contains: wealthy", CheckStatus.Failed)]
    [InlineData("/nowhere", "", CheckStatus.Failed)]
    [InlineData("/nowhere", ", status: 404", CheckStatus.Passed)]
    [InlineData("/health", ", status: 204", CheckStatus.Failed)]
    public async Task An_address_answers_as_it_is_described_or_not(string path, string more, CheckStatus expected)
    {
        await using var service = await EmulatedHealthService.StartAsync(TestContext.Current.CancellationToken);

        var result = await RunAsync($"http: {{ url: '{new Uri(service.Address, path)}'{more} }}");

        Assert.Equal(expected, result.Status);
    }

    [Fact]
    public async Task What_refuses_connections_has_failed_and_what_nobody_knows_could_not_be_checked()
    {
        using var port = new ClosedPort();

        Assert.Equal(CheckStatus.Failed, (await RunAsync($"http: {{ url: 'http://127.0.0.1:{port.Number}/' }}")).Status);
        Assert.Equal(CheckStatus.Error, (await RunAsync("http: { url: 'http://no-such-name.invalid/' }")).Status);
    }

    [Fact]
    public async Task The_token_of_a_service_goes_to_that_service_only()
    {
        var stop = TestContext.Current.CancellationToken;
        var hash = Bcrypt.Hash(new SecretText("password"), Bcrypt.MinimumCost, stop).Reveal();
        _folder.Write("PASSWORD", hash + "\nadmin\n");
        _folder.Write(".secrets/comfyui_auth_tokens.conf", $$"""{"version": "1.0", "raw_token": "password", "bcrypt_hash": "{{hash}}"}""");
        await using var comfy = await EmulatedComfyUI.StartAsync(new() { PasswordFile = _folder.PathOf("PASSWORD") }, stop);
        await using var stranger = await EmulatedHealthService.StartAsync(stop);
        var sent = 0;
        stranger.Faults = request =>
        {
            Interlocked.Add(ref sent, request.Headers.Authorization.Count);
            return null;
        };
        var stack = $"services: {{ comfyui-qwen: {{ url: '{comfy.Address}' }} }}";

        Assert.Equal(CheckStatus.Failed, (await RunAsync($"http: {{ url: '{new Uri(comfy.Address, "/system_stats")}' }}", stack)).Status);
        Assert.Equal(CheckStatus.Passed, (await RunAsync($"http: {{ url: '{new Uri(comfy.Address, "/system_stats")}', bearerOf: comfyui-qwen, contains: comfyui_version }}", stack)).Status);
        Assert.Equal(CheckStatus.Error, (await RunAsync($"http: {{ url: '{new Uri(stranger.Address, "/health")}', bearerOf: comfyui-qwen }}", stack)).Status);
        Assert.Equal(0, sent);
    }

    [Fact]
    public async Task An_address_that_hangs_could_not_be_checked_and_its_query_is_not_shown()
    {
        await using var service = await EmulatedHealthService.StartAsync(TestContext.Current.CancellationToken);
        service.Faults = _ => new() { Delay = TimeSpan.FromMinutes(10) };

        var result = await RunAsync($"within: 0.2s, http: {{ url: '{new Uri(service.Address, "/health?key=s3cr3t")}' }}");

        Assert.Equal(CheckStatus.Error, result.Status);
        Assert.DoesNotContain("s3cr3t", result.ToString() + string.Join(' ', result.Evidence), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name: well", CheckStatus.Passed)]
    [InlineData("name: well, image: 'python:*', healthy: true, mostRestarts: 0", CheckStatus.Passed)]
    [InlineData("name: well, image: 'nginx:*'", CheckStatus.Failed)]
    [InlineData("name: well, healthy: false", CheckStatus.Failed)]
    [InlineData("name: well, running: false", CheckStatus.Failed)]
    [InlineData("name: loop, mostRestarts: 4", CheckStatus.Failed)]
    [InlineData("name: loop, mostRestarts: 5", CheckStatus.Passed)]
    [InlineData("name: ended", CheckStatus.Failed)]
    [InlineData("name: ended, running: false", CheckStatus.Passed)]
    [InlineData("name: none", CheckStatus.Failed)]
    [InlineData("name: none, running: false", CheckStatus.Passed)]
    public async Task A_container_is_as_it_is_described_or_not(string container, CheckStatus expected)
    {
        var well = Sample.Up with { Name = "well", Image = "python:3.11", Health = ContainerHealthStatus.Healthy };
        await using var engine = await EmulatedEngine.StartAsync([well, Sample.Up with { Name = "loop", RestartCount = 5 }, Sample.Ended with { Name = "ended" }], overTcp: true, stop: TestContext.Current.CancellationToken);
        await using var client = new DockerClient(engine.Endpoint);

        Assert.Equal(expected, (await RunAsync($"container: {{ {container} }}", engine: client)).Status);
    }

    [Fact]
    public async Task Without_an_engine_nothing_is_known_of_a_container() =>
        Assert.Equal(CheckStatus.Error, (await RunAsync("container: { name: well }")).Status);

    private async Task<CheckResult> RunAsync(string assertion, string stack = "", DockerClient? engine = null)
    {
        _folder.Write("comfyauth.yml", $"version: 1\n{stack}\n");
        _folder.Write(CustomChecks.FileName, $"checks: {{ it: {{ {assertion} }} }}");
        var validator = new StackValidator(new(), new(), () => engine ?? throw new ComfyAuthException("DockerNotRunning", "There is none.", ""));
        var results = new List<CheckResult>();
        await foreach (var result in validator.RunAsync(GenAIStack.Find(_folder.Path), new() { Categories = ["custom"] }, TestContext.Current.CancellationToken))
            results.Add(result);
        return Assert.Single(results);
    }
}
