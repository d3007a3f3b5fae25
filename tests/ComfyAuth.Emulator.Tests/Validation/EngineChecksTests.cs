using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class EngineChecksTests
{
    [Fact]
    public async Task An_engine_that_answers_is_reachable_and_says_how_old_it_is()
    {
        await using var bench = await StackBench.StartAsync();

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("engine.reachable")).Status);
        var version = await bench.CheckAsync("engine.version");
        Assert.Equal(CheckStatus.Warning, version.Status);
        Assert.Contains("20.10.24", version.Message, StringComparison.Ordinal);
        Assert.Contains("16 GiB", (await bench.CheckAsync("engine.resources")).Evidence[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_said_of_containers_where_no_engine_answers()
    {
        using var files = new SampleStack();
        using var client = new DockerClient(DockerEndpoint.Parse("tcp://127.0.0.1:9", "the test"));
        List<CheckResult> results = [];
        await foreach (var result in new StackValidator(new(), files.Verifier, () => client).RunAsync(files.Stack, new() { Ids = ["engine.*", "container.*"] }, TestContext.Current.CancellationToken))
            results.Add(result);

        var reachable = Assert.Single(results, result => result.Id == "engine.reachable");
        Assert.Equal(CheckStatus.Error, reachable.Status);
        Assert.NotEmpty(reachable.Remedy);
        Assert.All(results.Where(result => result != reachable), result => Assert.Equal(CheckStatus.Skipped, result.Status));
    }

    [Fact]
    public async Task An_engine_that_nobody_can_name_is_an_error_and_no_crash()
    {
        using var files = new SampleStack();
        var validator = new StackValidator(new SecretRedactor(), files.Verifier, () => throw new ComfyAuthException("DockerContextNotFound", "There is no such context.", "Choose another."));
        List<CheckResult> results = [];
        await foreach (var result in validator.RunAsync(files.Stack, new() { Ids = ["engine.reachable"] }, TestContext.Current.CancellationToken))
            results.Add(result);

        Assert.Equal((CheckStatus.Error, "There is no such context.", "Choose another."), (results[0].Status, results[0].Message, results[0].Remedy));
    }

    [Theory]
    [InlineData("28.3.0", "1.51", "1.24", CheckStatus.Passed)]
    [InlineData("25.0.0", "1.44", "1.24", CheckStatus.Passed)]
    [InlineData("24.0.9", "1.43", "1.12", CheckStatus.Warning)]
    [InlineData("18.09.1", "1.39", "1.12", CheckStatus.Failed)]
    [InlineData("99.0.0", "1.99", "1.90", CheckStatus.Failed)]
    [InlineData("dev", "", "", CheckStatus.Passed)]
    public void The_version_of_an_engine_is_judged(string version, string newest, string oldest, CheckStatus status) =>
        Assert.Equal(status, EngineChecks.Judge(new EngineVersion(version, newest, oldest, "linux", "amd64", "")).Status);

    [Theory]
    [InlineData(64, 100, 0, CheckStatus.Passed)]
    [InlineData(15, 20, 0, CheckStatus.Passed)]
    [InlineData(8, 100, 0, CheckStatus.Warning)]
    [InlineData(3, 100, 0, CheckStatus.Failed)]
    [InlineData(64, 19, 0, CheckStatus.Warning)]
    [InlineData(64, 40, 30, CheckStatus.Warning)]
    [InlineData(64, 30, 30, CheckStatus.Failed)]
    [InlineData(0, 0, 0, CheckStatus.Failed)]
    public void Memory_and_disk_are_judged(long memory, long free, long missing, CheckStatus status)
    {
        var outcome = EngineChecks.Judge(memory << 30, [new("the folder", free << 30, missing << 30)]);

        Assert.Equal(status, outcome.Status);
        Assert.EndsWith(".", outcome.Message, StringComparison.Ordinal);
    }
}
