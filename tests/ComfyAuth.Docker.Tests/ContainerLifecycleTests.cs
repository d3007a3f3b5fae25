using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Docker;

public sealed class ContainerLifecycleTests(TestEngine engine)
{
    private const string Patient = """command: sh -c "trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done" """;
    private const string Stubborn = "command: sh -c \"trap '' TERM; while :; do sleep 0.1; done\"";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_is_made_stopped_started_and_restarted_and_nothing_is_done_twice()
    {
        await using var stack = new ComposeStack(engine);
        Assert.SkipUnless(ComposeStack.HasCompose, "docker-compose is not installed");
        stack.WriteCompose(Patient);

        Assert.Equal((ContainerChangeAction.None, null, null, "There is no such container."), Told(await stack.StopAsync()));
        var created = await stack.StartAsync();
        Assert.Equal((ContainerChangeAction.Created, null, ContainerState.Running, "It was made and started."), Told(created));
        Assert.Equal((stack.Folder, "comfyui", stack.Name), (created.Stack, created.Service, created.Container));
        Assert.Equal((ContainerChangeAction.None, ContainerState.Running, ContainerState.Running, "It runs already."), Told(await stack.StartAsync()));

        var id = (await stack.InspectAsync())!.Id;
        var container = new TestContainer(engine.Client, id, stack.Name);
        await container.PrintedAsync("ready");
        Assert.Equal((ContainerChangeAction.Restarted, ContainerState.Running, ContainerState.Running, "It was restarted."), Told(await stack.RestartAsync()));

        // The first process of a container does not hear the signal before it has said what is to happen then.
        await container.PrintedAsync("ready", times: 2);
        var stopped = await stack.StopAsync(TimeSpan.FromMinutes(5));
        Assert.Equal((ContainerChangeAction.Stopped, ContainerState.Running, ContainerState.Exited, "It was stopped."), Told(stopped));
        Assert.Equal(5, stopped.ExitCode);
        Assert.Equal((ContainerChangeAction.None, ContainerState.Exited, ContainerState.Exited, "It does not run."), Told(await stack.StopAsync()));
        Assert.Equal((ContainerChangeAction.Started, ContainerState.Exited, ContainerState.Running, "It was started."), Told(await stack.StartAsync()));
        await stack.StopAsync(TimeSpan.Zero);
        Assert.Equal((ContainerChangeAction.Started, ContainerState.Exited, ContainerState.Running, "It was started."), Told(await stack.RestartAsync()));
        Assert.Equal(id, (await stack.InspectAsync())!.Id);
    }

    [Fact]
    public async Task A_paused_container_goes_on_is_stopped_and_is_restarted()
    {
        await using var stack = new ComposeStack(engine);
        await using var container = await engine.RunAsync("trap 'exit 5' TERM; while :; do sleep 0.1; done");
        stack.Service = stack.Service with { Container = container.Name, ComposeFile = null };
        await engine.Client.PauseAsync(container.Id, Stop);

        var plan = await stack.Lifecycle.PlanStartAsync(stack.Stack, stack.Service, Stop);
        Assert.Equal((container.Name, "Unpause", ContainerChangeAction.Started), (plan.Change!.Target, plan.Change.Action, plan.Change.Kind));
        Assert.Equal((ContainerChangeAction.Started, ContainerState.Paused, ContainerState.Running, "It was unpaused."), Told(await plan.ApplyAsync(stop: Stop)));

        await engine.Client.PauseAsync(container.Id, Stop);
        Assert.Equal((ContainerChangeAction.Restarted, ContainerState.Paused, ContainerState.Running, "It was restarted."), Told(await stack.RestartAsync()));
        await engine.Client.PauseAsync(container.Id, Stop);
        Assert.Equal(ContainerState.Exited, (await stack.StopAsync(TimeSpan.FromSeconds(1))).After);
    }

    [Fact]
    public async Task A_container_that_does_not_end_by_itself_is_killed_and_the_message_says_so()
    {
        await using var stack = new ComposeStack(engine);
        await using var container = await engine.RunAsync("trap '' TERM; while :; do sleep 0.1; done", creation => creation with { RestartPolicy = "always" });
        stack.Service = stack.Service with { Container = container.Name, ComposeFile = null };

        var change = await stack.StopAsync(TimeSpan.FromSeconds(1));

        Assert.Equal((ContainerState.Exited, 137), (change.After, change.ExitCode));
        Assert.Contains("killed", change.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerState.Exited, (await container.InspectAsync()).State);
    }

    [Fact]
    public async Task A_container_that_has_the_name_that_Compose_gives_is_found_by_its_labels()
    {
        await using var stack = new ComposeStack(engine);
        Assert.SkipUnless(ComposeStack.HasCompose, "docker-compose is not installed");
        stack.Write("docker-compose.yml", "services: { comfyui: { image: '@IMAGE@', network_mode: none, command: sleep 600 } }\n");

        Assert.Equal((ContainerChangeAction.Created, null, ContainerState.Running, "It was made and started."), Told(await stack.StartAsync()));
        Assert.Equal($"{stack.Name}_comfyui_1", (await stack.PlanRestartAsync()).Change!.Target);
        Assert.Equal((ContainerChangeAction.Restarted, ContainerState.Running, ContainerState.Running, "It was restarted."), Told(await stack.RestartAsync()));
        Assert.Equal(ContainerState.Exited, (await stack.StopAsync(TimeSpan.Zero)).After);
        stack.Write("docker-compose.yml", "services: { comfyui: { image: '@IMAGE@', network_mode: none, command: sleep 601 } }\n");
        Assert.Equal((ContainerChangeAction.Recreated, ContainerState.Exited, ContainerState.Running, "It was recreated."), Told(await stack.RestartAsync()));
    }

    [Fact]
    public async Task A_container_whose_identifier_begins_with_the_name_is_another_one()
    {
        await using var stack = new ComposeStack(engine);
        await using var container = await engine.RunAsync("sleep 600");
        stack.Service = stack.Service with { Container = container.Id[..6], ComposeFile = null };

        Assert.Equal((ContainerChangeAction.None, null, null, "There is no such container."), Told(await stack.StopAsync(TimeSpan.Zero)));
        Assert.Equal("ContainerAbsent", (await Assert.ThrowsAsync<ComfyAuthException>(stack.RestartAsync)).Code);
        Assert.Equal(ContainerState.Running, (await container.InspectAsync()).State);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(" ")]
    [InlineData("a b?c#d")]
    public async Task A_name_that_no_container_can_have_is_that_of_none(string name)
    {
        await using var stack = new ComposeStack(engine);
        stack.Service = stack.Service with { Container = name, ComposeFile = null };

        Assert.Equal("There is no such container.", (await stack.StopAsync()).Message);
        Assert.Equal("ContainerAbsent", (await Assert.ThrowsAsync<ComfyAuthException>(stack.RestartAsync)).Code);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(86401)]
    public async Task A_grace_period_that_cannot_be_waited_for_is_refused(int seconds)
    {
        await using var stack = new ComposeStack(engine);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => stack.StopAsync(TimeSpan.FromSeconds(seconds)));

        Assert.Equal("GracePeriodInvalid", error.Code);
    }

    [Fact]
    public async Task A_container_that_ends_at_once_is_told_with_its_exit_code()
    {
        await using var stack = new ComposeStack(engine);
        await using var container = await engine.RunAsync("exit 3", start: false);
        stack.Service = stack.Service with { Container = container.Name, ComposeFile = null };
        var plan = await stack.Lifecycle.PlanStartAsync(stack.Stack, stack.Service, Stop);

        var change = await plan.ApplyAsync(stop: Stop);

        // Whether it has ended by the time that it is looked at is a race; what is told is what was seen.
        Assert.Equal(change.After == ContainerState.Exited ? 3 : null, change.ExitCode);
        Assert.Equal(change.After == ContainerState.Exited, change.Message.Contains("exit code 3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_restart_of_a_container_whose_environment_changed_recreates_it_once()
    {
        const string secret = "a-token-nobody-may-see";
        await using var stack = new ComposeStack(engine);
        Assert.SkipUnless(ComposeStack.HasCompose, "docker-compose is not installed");
        stack.Write(".env", $"COMFYUI_BEARER_TOKEN={secret}\n");
        stack.WriteCompose("command: sleep 600\nenvironment: [COMFYUI_BEARER_TOKEN]");
        await stack.StartAsync();
        var old = await stack.InspectAsync();
        stack.Write(".env", $"COMFYUI_BEARER_TOKEN={secret}-2\n");
        stack.WriteCompose("command: sleep 600\nenvironment: ['COMFYUI_BEARER_TOKEN=${COMFYUI_BEARER_TOKEN}', 'NEW=1']");
        var heard = new Lines();

        var plan = await stack.PlanRestartAsync();
        var change = await plan.ApplyAsync(approved => Task.FromResult(approved == plan.Change), heard, Stop);
        var container = await stack.InspectAsync();

        Assert.Equal($"Recreate: COMFYUI_BEARER_TOKEN and NEW differ from docker-compose.yml", plan.Change!.Action);
        Assert.Equal((ContainerChangeAction.Recreated, ContainerState.Running, ContainerState.Running, "It was recreated."), Told(change));
        Assert.Equal(["COMFYUI_BEARER_TOKEN", "NEW"], change.Reasons);
        Assert.NotEqual(old!.Id, container!.Id);
        Assert.Equal(secret + "-2", container.Environment.Single(variable => variable.Name == "COMFYUI_BEARER_TOKEN").Reveal());
        Assert.NotEmpty(heard.Said);
        Assert.DoesNotContain(secret, $"{plan.Change.Action}{change}{string.Join('\n', heard.Said)}", StringComparison.Ordinal);

        // docker-compose 1 leaves a variable of its own in what it recreates.
        Assert.Equal(ContainerChangeAction.Restarted, (await stack.RestartAsync()).Action);
        Assert.Equal(container.Id, (await stack.InspectAsync())!.Id);
    }

    [Fact]
    public async Task A_tag_that_moved_is_a_reason_to_recreate()
    {
        await using var stack = new ComposeStack(engine);
        var tag = $"{stack.Name}:latest";
        await engine.Client.ImportImageAsync(await EngineProcess.ArchiveAsync(), stack.Name, "latest", Stop);
        stack.Write("docker-compose.yml", $"services: {{ comfyui: {{ image: {stack.Name}, container_name: {stack.Name}, network_mode: none, command: sleep 600 }} }}\n");
        await stack.UpAsync("-d");
        Assert.Equal("Restart", (await stack.PlanRestartAsync()).Change!.Action);

        // The date of an import makes another image of it.
        await engine.Client.ImportImageAsync(await EngineProcess.ArchiveAsync(), stack.Name, "latest", Stop);
        Assert.Equal("Recreate: the image differs from docker-compose.yml", (await stack.PlanRestartAsync()).Change!.Action);
        Assert.Equal(["the image"], (await stack.RestartAsync()).Reasons);
        Assert.Equal("Restart", (await stack.PlanRestartAsync()).Change!.Action);

        await engine.Client.RemoveContainerAsync(stack.Name, force: true, Stop);
        await engine.Client.RemoveImageAsync(tag, Stop);
    }

    [Fact]
    public async Task A_container_that_compose_did_not_make_is_only_restarted_and_the_message_says_so()
    {
        await using var stack = new ComposeStack(engine);
        await using var container = await engine.RunAsync("sleep 600");
        stack.Service = stack.Service with { Container = container.Name };

        Assert.Equal("It was restarted.", (await stack.RestartAsync()).Message);
        stack.WriteCompose("environment: [A=1]");
        var change = await stack.RestartAsync();

        Assert.Equal(ContainerChangeAction.Restarted, change.Action);
        Assert.Equal(["A", "the entry point", "the command"], change.Reasons);
        Assert.Contains("Compose did not make it", change.Message, StringComparison.Ordinal);
        Assert.Equal(container.Id, (await container.InspectAsync()).Id);
    }

    [Theory]
    [InlineData("docker-compose.yml", "services: [", "docker-compose.yml")]
    [InlineData("docker-compose.yml", "services: {}", "no service 'comfyui' any more")]
    [InlineData("docker-compose.yml", "services: { comfyui: { extends: { file: other.yml, service: x } } }", "stands elsewhere")]
    [InlineData("docker-compose.yml", "include: [other.yml]\nservices: { comfyui: {} }", "stands elsewhere")]
    [InlineData("docker-compose.yml", "services: { comfyui: { env_file: nowhere.env } }", "nowhere.env")]
    [InlineData("docker-compose.yml", "services: { comfyui: { image: '${NONE:?is needed}' } }", "docker-compose.yml")]
    [InlineData(".env", "BROKEN='open", ".env")]
    [InlineData("docker-compose.yml", null, "docker-compose.yml")]
    public async Task What_cannot_be_compared_is_restarted_as_it_is_and_the_message_says_why(string file, string? text, string why)
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose("command: sleep 600");
        await stack.UpAsync("-d");
        var old = await stack.InspectAsync();
        if (text is null)
            File.Delete(Path.Combine(stack.Folder, file));
        else
            stack.Write(file, text);

        var change = await stack.RestartAsync();

        Assert.Equal((ContainerChangeAction.Restarted, old!.Id), (change.Action, (await stack.InspectAsync())!.Id));
        Assert.Empty(change.Reasons);
        Assert.Contains("could not be told", change.Message, StringComparison.Ordinal);
        Assert.Contains(why, change.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'TOKEN=${TOKEN_OF_THE_SHELL}'", "TOKEN")]
    [InlineData("TOKEN_OF_THE_SHELL", "TOKEN_OF_THE_SHELL")]
    public async Task A_container_is_not_recreated_where_it_would_lose_what_only_the_shell_that_made_it_knew(string variable, string lost)
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose($"command: sleep 600\nenvironment: [{variable}]");
        stack.Write(".env", "TOKEN_OF_THE_SHELL=known\n");
        await stack.UpAsync("-d");
        File.Delete(Path.Combine(stack.Folder, ".env"));
        stack.Edit("docker-compose.yml", "sleep 600", "sleep 601");

        var change = await stack.RestartAsync();

        Assert.Equal(ContainerChangeAction.Restarted, change.Action);
        Assert.Contains($"it would lose {lost}, which nothing defines here", change.Message, StringComparison.Ordinal);
        Assert.Contains("the command", change.Reasons);
        stack.Write(".env", "TOKEN_OF_THE_SHELL=known\n");
        Assert.Equal(["the command"], (await stack.RestartAsync()).Reasons);
    }

    [Fact]
    public async Task A_container_is_not_recreated_from_files_that_are_not_the_stacks()
    {
        await using var stack = new ComposeStack(engine);
        await using var other = new ComposeStack(engine);
        stack.WriteCompose("command: sleep 600");
        other.Write("more.yml", "services: { comfyui: { mem_limit: 64m } }");
        await stack.ComposeAsync("--file", "docker-compose.yml", "--file", Path.Combine(other.Folder, "more.yml"), "up", "-d");
        stack.WriteCompose("command: sleep 601");

        var change = await stack.RestartAsync();

        Assert.Equal(ContainerChangeAction.Restarted, change.Action);
        Assert.Contains("more.yml' too, which is not the stack's", change.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_made_from_other_files_than_the_stacks_is_not_recreated_from_them()
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose("command: sleep 600");
        stack.Write("other.yml", File.ReadAllText(Path.Combine(stack.Folder, "docker-compose.yml")));
        await stack.ComposeAsync("--file", "other.yml", "up", "-d");
        stack.WriteCompose("command: sleep 601");

        var change = await stack.RestartAsync();

        Assert.Equal(ContainerChangeAction.Restarted, change.Action);
        Assert.Contains("other.yml", change.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_compose_command_nothing_is_changed()
    {
        await using var stack = new ComposeStack(engine, composeSearchPath: "/nowhere");
        stack.WriteCompose("command: sleep 600");
        var create = await Assert.ThrowsAsync<ComfyAuthException>(stack.StartAsync);
        Assert.Null(await stack.InspectAsync());
        await stack.UpAsync("-d");
        var old = await stack.InspectAsync();
        stack.WriteCompose("command: sleep 601");

        var recreate = await Assert.ThrowsAsync<ComfyAuthException>(stack.RestartAsync);

        var container = await stack.InspectAsync();
        Assert.Equal(("ComposeNotInstalled", "ComposeNotInstalled"), (create.Code, recreate.Code));
        Assert.Equal((old!.Id, old.StartedAt, ContainerState.Running), (container!.Id, container.StartedAt, container.State));
    }

    [Fact]
    public async Task Without_a_compose_file_an_absent_container_is_an_error()
    {
        await using var stack = new ComposeStack(engine);
        stack.Service = stack.Service with { ComposeFile = null };

        Assert.Equal("ContainerAbsent", (await Assert.ThrowsAsync<ComfyAuthException>(stack.StartAsync)).Code);
        Assert.Equal("ContainerAbsent", (await Assert.ThrowsAsync<ComfyAuthException>(stack.RestartAsync)).Code);
    }

    [Theory]
    [InlineData("services: { web: { image: x } }")]
    [InlineData("services: { comfyui: { image: x, container_name: another } }")]
    public async Task A_compose_file_that_makes_no_container_of_the_name_is_an_error(string text)
    {
        await using var stack = new ComposeStack(engine);
        stack.Write("docker-compose.yml", text);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(stack.StartAsync);

        Assert.Equal("ComposeServiceNotFound", error.Code);
        Assert.Contains($"container_name: {stack.Name}", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_recreation_that_fails_half_way_tells_what_is_left_and_what_to_do()
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose("command: sleep 600");
        await stack.UpAsync("-d");
        stack.WriteCompose("command: sleep 600\ndeploy: { resources: { reservations: { devices: [{ driver: nvidia, capabilities: [gpu] }] } } }");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(stack.RestartAsync);

        Assert.Equal("ComposeCommandFailed", error.Code);
        Assert.Contains("could not select device driver", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{stack.Name}' is {(await stack.InspectAsync())!.State.ToString().ToLowerInvariant()}", error.Message, StringComparison.Ordinal);
        Assert.Contains("NVIDIA Container Toolkit", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_refuses_to_start_a_container_says_what_to_do()
    {
        await using var stack = new ComposeStack(engine);
        await using var gpu = await engine.RunAsync("sleep 600", creation => creation with { DeviceRequests = [new("nvidia", -1, [], ["gpu"])] }, start: false);
        var file = Path.Combine(stack.Folder, "file");
        stack.Write("file", "");
        await using var mount = await engine.RunAsync("sleep 600", creation => creation with { Binds = [$"{file}:/tmp"] }, start: false);
        foreach (var (container, remedy) in new[] { (gpu, "NVIDIA Container Toolkit"), (mount, "both ends of the mount") })
        {
            stack.Service = stack.Service with { Container = container.Name, ComposeFile = null };

            var error = await Assert.ThrowsAsync<DockerException>(stack.StartAsync);

            Assert.Equal("DockerRequestFailed", error.Code);
            Assert.Contains(remedy, error.Remedy, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_container_that_vanishes_before_the_change_is_an_error_and_its_successor_is_left_alone()
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose("command: sleep 600");
        await stack.UpAsync("-d");
        var stop = await stack.Lifecycle.PlanStopAsync(stack.Stack, stack.Service, null, Stop);
        stack.Edit("docker-compose.yml", "sleep 600", "sleep 601");
        var recreate = await stack.PlanRestartAsync();
        await engine.Client.RemoveContainerAsync(stack.Name, force: true, Stop);
        async Task<string> CodeAsync(ContainerChangePlan plan) => (await Assert.ThrowsAsync<ComfyAuthException>(() => plan.ApplyAsync(stop: Stop))).Code;

        Assert.Equal("ContainerChangedMeanwhile", await CodeAsync(stop));
        Assert.Equal("ContainerChangedMeanwhile", await CodeAsync(recreate));
        Assert.Null(await stack.InspectAsync());

        var create = await stack.Lifecycle.PlanStartAsync(stack.Stack, stack.Service, Stop);
        await stack.UpAsync("-d");
        Assert.Equal("ContainerChangedMeanwhile", await CodeAsync(stop));
        Assert.Equal("ContainerChangedMeanwhile", await CodeAsync(recreate));
        Assert.Equal("ContainerChangedMeanwhile", await CodeAsync(create));
        Assert.Equal(ContainerState.Running, (await stack.InspectAsync())!.State);
    }

    [Fact]
    public async Task Of_two_that_recreate_at_once_one_does_and_the_other_does_nothing()
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose("command: sleep 600");
        await stack.UpAsync("-d");
        stack.Edit("docker-compose.yml", "sleep 600", "sleep 601");
        var plans = new[] { await stack.PlanRestartAsync(), await stack.PlanRestartAsync() };

        var outcomes = await Task.WhenAll(plans.Select(async plan =>
        {
            try
            {
                return (await plan.ApplyAsync(stop: Stop)).Action.ToString();
            }
            catch (ComfyAuthException error)
            {
                return error.Code;
            }
        }));

        Assert.Equal(["ContainerChangedMeanwhile", "Recreated"], outcomes.Order(StringComparer.Ordinal));
        Assert.Single(await engine.Client.ListContainersAsync(labels: [$"com.docker.compose.project={stack.Name}"], stop: Stop));
    }

    [Fact]
    public async Task A_stack_that_nobody_may_write_to_is_no_obstacle()
    {
        await using var stack = new ComposeStack(engine);
        Assert.SkipUnless(engine.IsOurs, "mounting needs root");
        stack.WriteCompose("command: sleep 600");
        await stack.UpAsync("-d");
        stack.Edit("docker-compose.yml", "sleep 600", "sleep 601");
        static async Task RunAsync(string program, params string[] arguments)
        {
            using var process = System.Diagnostics.Process.Start(program, arguments);
            await process.WaitForExitAsync(Stop);
            Assert.Equal(0, process.ExitCode);
        }

        await RunAsync("mount", "--bind", stack.Folder, stack.Folder);
        try
        {
            await RunAsync("mount", "-o", "remount,ro,bind", stack.Folder);
            Assert.Throws<IOException>(() => stack.Write("new", ""));

            Assert.Equal(ContainerChangeAction.Recreated, (await stack.RestartAsync()).Action);
        }
        finally
        {
            await RunAsync("umount", "--lazy", stack.Folder);
        }
    }

    [Fact]
    public async Task A_cancelled_recreation_ends_the_command_and_tells_what_is_left()
    {
        await using var stack = new ComposeStack(engine);
        stack.WriteCompose(Stubborn);
        await stack.UpAsync("-d");
        stack.WriteCompose(Stubborn + "\nmem_limit: 64m");
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var plan = await stack.Lifecycle.PlanRestartAsync(stack.Stack, stack.Service, TimeSpan.FromHours(1), cancel.Token);

        // The old container does not end for an hour: the command is in the middle of its work.
        var error = await Assert.ThrowsAsync<OperationCanceledException>(() => plan.ApplyAsync(null, new Lines(line =>
        {
            if (line.Contains(stack.Name, StringComparison.Ordinal))
                cancel.Cancel();
        }), cancel.Token));

        Assert.Contains(stack.Name, error.Message, StringComparison.Ordinal);
        Assert.Contains("and is the old one", error.Message, StringComparison.Ordinal);
        Assert.Equal(ContainerState.Running, (await stack.InspectAsync())!.State);
    }

    [Fact]
    public async Task Nothing_is_done_and_nothing_is_asked_twice_when_the_change_is_declined()
    {
        await using var stack = new ComposeStack(engine);
        await using var container = await engine.RunAsync("sleep 600");
        stack.Service = stack.Service with { Container = container.Name, ComposeFile = null };
        var plan = await stack.Lifecycle.PlanStopAsync(stack.Stack, stack.Service, null, Stop);
        var asked = 0;

        var change = await plan.ApplyAsync(
            _ =>
            {
                asked++;
                return Task.FromResult(false);
            },
            stop: Stop);

        Assert.Equal((ContainerChangeAction.Declined, ContainerState.Running, ContainerState.Running, ""), Told(change));
        Assert.Equal((1, ContainerState.Running), (asked, (await container.InspectAsync()).State));
    }

    private static (ContainerChangeAction Action, ContainerState? Before, ContainerState? After, string Message) Told(ContainerChange change) =>
        (change.Action, change.Before, change.After, change.Message);

    private sealed class Lines(Action<string>? hear = null) : IProgress<ComposeProgress>
    {
        public List<string> Said { get; } = [];

        public void Report(ComposeProgress value)
        {
            Said.Add(value.Line);
            hear?.Invoke(value.Line);
        }
    }
}
