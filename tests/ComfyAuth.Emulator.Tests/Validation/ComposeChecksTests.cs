using ComfyAuth.Tests;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class ComposeChecksTests
{
    [Theory]
    [InlineData("compose.file.present")]
    [InlineData("compose.valid")]
    [InlineData("compose.lint")]
    public async Task A_sound_compose_file_passes(string id)
    {
        await using var bench = await StackBench.StartAsync();

        var result = await bench.CheckAsync(id);

        Assert.Equal((CheckStatus.Passed, ""), (result.Status, result.Remedy));
        Assert.Equal(StackBench.Service, result.Service);
    }

    [Fact]
    public async Task A_compose_file_that_is_missing_fails_once_and_the_rest_is_skipped()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(StackBench.Compose);

        Assert.Equal(CheckStatus.Failed, (await bench.CheckAsync("compose.file.present")).Status);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("compose.valid")).Status);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("compose.lint")).Status);
    }

    [Fact]
    public async Task A_folder_in_its_place_is_told()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(StackBench.Compose);
        Directory.CreateDirectory(bench.Files.PathOf(StackBench.Compose));

        var result = await bench.CheckAsync("compose.file.present");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("folder", result.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("services: [\n", "docker-compose.yml(")]
    [InlineData("", "comfyui-qwen")]
    [InlineData("services: { other: { image: x:1, container_name: another } }\n", "comfyui-qwen")]
    public async Task A_compose_file_that_makes_no_such_container_fails(string text, string told)
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(StackBench.Compose, text);

        var result = await bench.CheckAsync("compose.valid");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains(told, result.Message, StringComparison.Ordinal);
        Assert.NotEmpty(result.Remedy);
    }

    [Fact]
    public async Task Errors_of_the_rules_fail_and_are_told_with_their_lines()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Replace(StackBench.Compose, "8188/login", "8188/");

        var result = await bench.CheckAsync("compose.lint");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains(result.Evidence, line => line.StartsWith($"{StackBench.Compose}:12 Error healthcheck-cannot-pass", StringComparison.Ordinal));
        Assert.Contains("/login", result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warnings_of_the_rules_warn()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Replace(StackBench.Compose, "    restart: unless-stopped\n", "");

        var result = await bench.CheckAsync("compose.lint");

        Assert.Equal(CheckStatus.Warning, result.Status);
        Assert.Contains("1 warning and", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_services_in_one_file_each_is_told_its_own()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Describe($"  second: {{ url: 'http://127.0.0.1:9', compose: {StackBench.Compose} }}\n");
        bench.Files.Write(StackBench.Compose, bench.Files.Read(StackBench.Compose) + "  second: { image: x:1, init: true, restart: always, privileged: true, container_name: second, logging: { driver: local } }\n");

        var results = await bench.RunAsync(new() { Ids = ["compose.lint"] });

        Assert.Equal(CheckStatus.Passed, results.Single(result => result.Service == StackBench.Service).Status);
        Assert.Contains("privileged", results.Single(result => result.Service == "second").Evidence[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_compose_command_there_is_a_warning_only()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Shell["PATH"] = bench.Files.PathOf(SampleStack.Service);

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("compose.command")).Status);
    }

    [Fact]
    public async Task A_compose_command_is_found_on_the_path()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-in is a shell script.");
        await using var bench = await StackBench.StartAsync();
        using var programs = new TemporaryFolder();
        programs.WriteProgram("docker", "#!/bin/sh\n[ \"$1\" = compose ] && echo 2.29.1\n");
        bench.Shell["PATH"] = programs.Path;

        var result = await bench.CheckAsync("compose.command");

        Assert.Equal(CheckStatus.Passed, result.Status);
        Assert.Contains("2.29.1", result.Message, StringComparison.Ordinal);
    }
}
