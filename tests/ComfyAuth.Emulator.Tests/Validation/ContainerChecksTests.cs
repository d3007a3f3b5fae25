using ComfyAuth.Docker;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Tests.Engine;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class ContainerChecksTests
{
    [Theory]
    [InlineData("container.running")]
    [InlineData("container.condition")]
    [InlineData("container.health")]
    [InlineData("service.live")]
    [InlineData("service.ready")]
    public async Task A_container_that_is_well_passes(string id)
    {
        await using var bench = await StackBench.StartAsync();

        var result = await bench.CheckAsync(id);

        Assert.Equal((CheckStatus.Passed, ""), (result.Status, result.Remedy));
    }

    [Fact]
    public async Task A_container_that_ended_fails_and_says_how_it_ended()
    {
        await using var bench = await StackBench.StartAsync(container => container with { State = ContainerState.Exited, ExitCode = 137, FinishedAt = DateTimeOffset.UtcNow });

        var running = await bench.CheckAsync("container.running");
        Assert.Equal(CheckStatus.Failed, running.Status);
        Assert.Contains("SIGKILL", running.Message, StringComparison.Ordinal);
        var condition = await bench.CheckAsync("container.condition");
        Assert.Equal(CheckStatus.Failed, condition.Status);
        Assert.StartsWith("Stopped: ", condition.Message, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("container.health")).Status);
    }

    [Fact]
    public async Task A_container_that_is_not_there_fails()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Remove(StackBench.Service);

        var result = await bench.CheckAsync("container.running");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains(StackBench.Compose, result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_that_starts_is_a_warning()
    {
        await using var bench = await StackBench.StartAsync(container => container with { StartedAt = DateTimeOffset.UtcNow, Health = ContainerHealthStatus.Starting });
        await bench.SilenceAsync();

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("container.condition")).Status);
        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("container.health")).Status);
    }

    [Fact]
    public async Task A_healthcheck_that_cannot_pass_fails_with_the_remedy_of_the_diagnosis()
    {
        await using var bench = await StackBench.StartAsync(container => container with
        {
            Health = ContainerHealthStatus.Unhealthy,
            HealthFailingStreak = 7,
            HealthLog = [new(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, 22, "curl: (22) The requested URL returned error: 401\n")],
            Healthcheck = container.Healthcheck! with { Test = ["CMD-SHELL", "curl -f http://localhost:8188/"] },
        });

        var condition = await bench.CheckAsync("container.condition");
        Assert.Equal(CheckStatus.Failed, condition.Status);
        Assert.StartsWith("HealthcheckCannotPass: ", condition.Message, StringComparison.Ordinal);
        var health = await bench.CheckAsync("container.health");
        Assert.Equal(CheckStatus.Failed, health.Status);
        Assert.Contains("although the service works", health.Message, StringComparison.Ordinal);
        Assert.Contains("401", health.Evidence[0], StringComparison.Ordinal);
        Assert.Equal(condition.Remedy, health.Remedy);
    }

    [Fact]
    public async Task Without_a_healthcheck_there_is_a_warning()
    {
        await using var bench = await StackBench.StartAsync(container => container with { Healthcheck = null, Health = ContainerHealthStatus.None, HealthLog = [] });

        Assert.Equal(CheckStatus.Warning, (await bench.CheckAsync("container.health")).Status);
    }

    [Fact]
    public async Task A_container_is_compared_with_its_compose_file()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Change(StackBench.Service, container => container with
        {
            Labels = new Dictionary<string, string>
            {
                ["com.docker.compose.project"] = "genai",
                ["com.docker.compose.service"] = "comfyui",
                ["com.docker.compose.project.working_dir"] = bench.Files.PathOf(SampleStack.Service),
                ["com.docker.compose.project.config_files"] = bench.Files.PathOf(StackBench.Compose),
            },
        });
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("container.drift")).Status);

        bench.Files.Replace(StackBench.Compose, "mem_limit: 48g", "mem_limit: 40g");
        var result = await bench.CheckAsync("container.drift");
        Assert.Equal(CheckStatus.Warning, result.Status);
        Assert.Equal(["differs: the memory limit"], result.Evidence);

        bench.Engine.Change(StackBench.Service, container => container with { Labels = new Dictionary<string, string>(container.Labels) { ["com.docker.compose.project.config_files"] = "/elsewhere/compose.yml" } });
        Assert.Equal(CheckStatus.Error, (await bench.CheckAsync("container.drift")).Status);
    }

    [Fact]
    public async Task What_cannot_be_inspected_is_neither_passed_nor_failed()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Faults = request => request.Path.Value!.EndsWith("/json", StringComparison.Ordinal) && !request.Path.Value.EndsWith("containers/json", StringComparison.Ordinal)
            ? new() { Answer = FaultAnswer.Error(500, "") }
            : null;

        Assert.Equal(CheckStatus.Error, (await bench.CheckAsync("container.health")).Status);
    }

    [Fact]
    public async Task A_service_that_does_not_answer_is_not_live_and_nothing_more_is_asked_of_it()
    {
        await using var bench = await StackBench.StartAsync();
        await bench.SilenceAsync();

        var result = await bench.CheckAsync("service.live");
        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("refused", result.Message, StringComparison.Ordinal);
        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("service.ready")).Status);
    }

    [Fact]
    public async Task Whoever_answers_in_place_of_a_container_that_is_down_is_not_the_service()
    {
        await using var bench = await StackBench.StartAsync(container => container with { State = ContainerState.Exited, FinishedAt = DateTimeOffset.UtcNow });

        var result = await bench.CheckAsync("service.live");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("does not run", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_container_that_has_the_port_is_named()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Add(Sample.Up with { Name = "squatter", Ports = [new(8188, "tcp", "127.0.0.1", bench.Comfy.Address.Port)] });
        bench.Engine.Change(StackBench.Service, container => container with { Ports = [new(8188, "tcp", "127.0.0.1", 1)] });

        var result = await bench.CheckAsync("service.live");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("'squatter'", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_without_a_port_answers_through_the_one_that_has_it()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Add(Sample.Up with { Name = "proxy", Ports = [new(443, "tcp", "127.0.0.1", bench.Comfy.Address.Port)] });
        bench.Engine.Change(StackBench.Service, container => container with { Ports = [] });

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("service.live")).Status);
    }

    [Fact]
    public async Task Without_an_engine_services_are_asked_all_the_same()
    {
        await using var bench = await StackBench.StartAsync();
        await bench.Engine.DisposeAsync();

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("service.ready")).Status);
    }

    [Fact]
    public async Task A_service_that_refuses_our_token_is_live_and_not_ready()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.PasswordFile, new SampleCredential().Text + "\nalice\n");
        bench.Comfy.Restart();

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("service.live")).Status);
        var result = await bench.CheckAsync("service.ready");
        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("refuses our token", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_401_is_no_fault_of_a_service_whose_token_nobody_knows()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Delete(SampleStack.Source);

        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("service.live")).Status);
        Assert.Equal(CheckStatus.Error, (await bench.CheckAsync("service.ready")).Status);
    }
}
