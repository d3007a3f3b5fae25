using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Installation;
using ComfyAuth.Installation.Steps;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>The second step: files, credential, image and container, and how all of it is taken back.</summary>
public sealed class ContainerStepTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_an_empty_folder_everything_is_made_and_the_server_asks_for_the_token()
    {
        await using var site = await InstallSite.StartAsync();

        var report = await site.InstallAsync(null, new ContainerStep());

        AssertDone(report, InstallOutcome.Installed);
        Assert.Equal(["build", "up"], site.Deployer.Calls);
        Assert.Equal(["container", "image", "network", "volume"], site.EngineSnapshot().Select(line => line.Split(' ')[0]));
        Assert.True(BcryptHash.TryParse(site.Read(InstallSite.PasswordFile).Split('\n')[0], out var token));
        using var http = new HttpClient();
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await http.GetAsync($"http://127.0.0.1:{site.Port}/system_stats?token=", Stop)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.Reveal());
        Assert.Equal(System.Net.HttpStatusCode.OK, (await http.GetAsync($"http://127.0.0.1:{site.Port}/system_stats", Stop)).StatusCode);
        Assert.DoesNotContain(site.Results.SelectMany(result => result.Changes.Concat(result.Evidence).Append(result.Message)), line => line.Contains("$2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_run_changes_nothing()
    {
        await using var site = await InstallSite.StartAsync();
        await site.InstallAsync(null, new ContainerStep());
        var (files, engine) = (site.Snapshot(), site.EngineSnapshot());
        site.Deployer.Calls.Clear();

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(StepStatus.Unchanged, report.Steps[0].Status);
        Assert.Equal(files, site.Snapshot());
        Assert.Equal(engine, site.EngineSnapshot());
        Assert.Empty(site.Deployer.Calls);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stack_without_files_of_a_deployment_gets_the_PASSWORD_that_its_container_reads(bool hasCredential)
    {
        await using var site = await InstallSite.StartAsync();
        site.Write(GenAIStack.FileName, $"version: 1\nservices: {{ {InstallSite.Service}: {{ url: 'http://localhost:{site.Port}' }} }}\n");
        var token = Bcrypt.Hash(new("correct horse battery"), Bcrypt.MinimumCost, Stop).Reveal();
        if (hasCredential)
            site.Write(".secrets/comfyui_auth_tokens.conf", $$"""{"version": "1.0", "raw_token": "correct horse battery", "bcrypt_hash": "{{token}}"}""");

        var report = await site.InstallAsync(null, new ContainerStep());

        AssertDone(report, InstallOutcome.Installed);
        Assert.True(BcryptHash.TryParse(site.Read(InstallSite.PasswordFile).Split('\n')[0], out var read));
        Assert.Equal(hasCredential, read.Reveal() == token);
    }

    [Fact]
    public async Task The_name_and_the_password_that_are_asked_for_are_the_credential()
    {
        await using var site = await InstallSite.StartAsync();

        await site.InstallAsync(site.Options with { UserName = "alice", Password = new("correct horse battery") }, new ContainerStep());

        var lines = site.Read(InstallSite.PasswordFile).Split('\n');
        Assert.Equal("alice", lines[1]);
        Assert.True(site.Verifier.Verify(new("correct horse battery"), BcryptHash.Parse(lines[0]), Stop));
    }

    [Theory]
    [InlineData("build")]
    [InlineData("up")]
    public async Task What_fails_is_taken_back_to_the_last_byte(string call)
    {
        await using var site = await InstallSite.StartAsync();
        site.Write("notes.txt", "mine");
        var before = site.Snapshot();
        site.Deployer.Before = now => now == call ? throw new ComfyAuthException("ComposeCommandFailed", "no space", "Make room.") : Task.CompletedTask;

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(("ComposeCommandFailed", true), (report.Steps[0].ErrorCode, report.Steps[0].IsUndone));
        Assert.Equal(before, site.Snapshot());
        Assert.Empty(site.EngineSnapshot());
        Assert.Empty(report.Kept);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_told_with_its_diagnosis_and_taken_back()
    {
        await using var site = await InstallSite.StartAsync();
        site.IsServing = false;
        site.Engine.Starting = container => site.Engine.Change(container.Name, now => now with { State = ContainerState.Exited, ExitCode = 78, RestartPolicy = "no", Log = [new(ContainerLogStream.StandardError, DateTimeOffset.UtcNow, "Not started: no PASSWORD")] });

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal("ContainerWaitFailed", report.Steps[0].ErrorCode);
        Assert.Contains("78", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.NotEmpty(report.Steps[0].Remedy);
        Assert.Empty(site.Snapshot());
        Assert.Empty(site.EngineSnapshot());
    }

    [Fact]
    public async Task Without_rollback_the_next_run_goes_on_where_the_first_failed()
    {
        await using var site = await InstallSite.StartAsync();
        site.Deployer.Before = now => now == "up" ? throw new ComfyAuthException("ComposeCommandFailed", "no", "Again.") : Task.CompletedTask;
        Assert.Equal(InstallOutcome.Failed, (await site.InstallAsync(site.Options with { NoRollback = true }, new ContainerStep())).Outcome);
        var password = site.Read(InstallSite.PasswordFile);
        site.Deployer.Before = null;

        var report = await site.InstallAsync(null, new ContainerStep());

        AssertDone(report, InstallOutcome.Installed);
        Assert.True(report.IsResumed);
        Assert.Equal(["build", "up", "up"], site.Deployer.Calls);
        Assert.Equal(password, site.Read(InstallSite.PasswordFile));
        Assert.Single(report.Steps[0].Changes);
    }

    [Fact]
    public async Task A_cancelled_run_goes_on_and_a_failure_then_takes_back_what_both_made()
    {
        await using var site = await InstallSite.StartAsync();
        using var cancel = new CancellationTokenSource();
        site.Deployer.Before = now => now == "up" ? cancel.CancelAsync() : Task.CompletedTask;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => site.RunAsync(site.NewInstaller(null, new ContainerStep()), stop: cancel.Token));
        Assert.NotEmpty(site.Snapshot());
        site.Deployer.Before = now => throw new ComfyAuthException("ComposeCommandFailed", "no", "Again.");

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Empty(site.Snapshot());
        Assert.Empty(site.EngineSnapshot());
    }

    [Fact]
    public async Task A_plan_makes_nothing_and_names_every_change()
    {
        await using var site = await InstallSite.StartAsync();
        List<PlannedChange> planned = [];

        var report = await site.NewInstaller(null, new ContainerStep()).PlanAsync(site.Stack, site.Options, change =>
        {
            planned.Add(change);
            return Task.CompletedTask;
        }, site.Results.Add, Stop);

        Assert.Equal(StepStatus.Planned, report.Steps[0].Status);
        Assert.Equal(["Lay out", "Make a", "Build the", "Create the"], planned.Select(change => string.Join(' ', change.Action.Split(' ').Take(2))));
        Assert.False(Directory.Exists(site.Root));
        Assert.Empty(site.EngineSnapshot());
        Assert.Empty(site.Deployer.Calls);
    }

    [Fact]
    public async Task A_stopped_container_is_started_and_stopped_again_when_it_fails()
    {
        await using var site = await InstallSite.StartAsync();
        await site.InstallAsync(null, new ContainerStep());
        await site.Client.StopAsync(InstallSite.Service, stop: Stop);
        var files = site.Snapshot();

        var report = await site.InstallAsync(null, new ContainerStep(), new FailingStep());

        Assert.Equal(InstallOutcome.RolledBack, report.Outcome);
        Assert.Equal(["Start the container"], report.Steps[0].Changes.Select(change => change.Split(": ")[1]));
        Assert.Equal(ContainerState.Exited, site.Engine.Containers[0].State);
        Assert.Equal(files, site.Snapshot());

        AssertDone(await site.InstallAsync(null, new ContainerStep()), InstallOutcome.Installed);
        Assert.Equal(files, site.Snapshot());
        Assert.Equal(ContainerState.Running, site.Engine.Containers[0].State);
    }

    [Fact]
    public async Task A_container_that_runs_is_left_running_whatever_its_compose_file_says_by_now()
    {
        await using var site = await InstallSite.StartAsync();
        await site.InstallAsync(null, new ContainerStep());
        site.Write($"{InstallSite.ServiceFolder}/docker-compose.yml", site.Read($"{InstallSite.ServiceFolder}/docker-compose.yml").Replace("mem_limit: ${COMFYUI_MEMORY_LIMIT:-32g}", "mem_limit: 5g", StringComparison.Ordinal));
        var engine = site.EngineSnapshot();

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(StepStatus.Unchanged, report.Steps[0].Status);
        Assert.Contains(report.Steps[0].Evidence, line => line.Contains("left as it is", StringComparison.Ordinal));
        Assert.Equal(engine, site.EngineSnapshot());
    }

    [Fact]
    public async Task Nothing_is_started_without_a_credential_where_authentication_is_left_out()
    {
        await using var site = await InstallSite.StartAsync();

        var report = await site.InstallAsync(site.Options with { Skip = InstallParts.Auth }, new ContainerStep());

        Assert.Equal("InstallCredentialMissing", report.Steps[0].ErrorCode);
        Assert.Empty(site.Snapshot());
        Assert.Empty(site.EngineSnapshot());
    }

    [Fact]
    public async Task A_container_made_by_hand_is_used_as_it_is()
    {
        await using var site = await InstallSite.StartAsync();
        site.Engine.Add(ByHand(site));
        await site.Client.StartAsync(InstallSite.Service, Stop);

        // The default address is not the site's: where nobody answers there, that is waited for.
        var report = await site.InstallAsync(site.Options with { Timeout = TimeSpan.FromSeconds(1) }, new ContainerStep());

        Assert.DoesNotContain(site.Snapshot(), line => !line.EndsWith('/'));
        Assert.DoesNotContain(report.Steps[0].Changes, change => change.Contains("Lay out", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_container_of_another_installation_is_not_taken_over()
    {
        await using var site = await InstallSite.StartAsync();
        site.Engine.Add(ByHand(site) with { Labels = new Dictionary<string, string> { ["com.docker.compose.project"] = "x", ["com.docker.compose.service"] = "y", ["com.docker.compose.project.working_dir"] = "/elsewhere" } });

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal("InstallContainerForeign", report.Steps[0].ErrorCode);
        Assert.Contains("/elsewhere", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Single(site.EngineSnapshot());
        Assert.Empty(site.Snapshot());
    }

    [Fact]
    public async Task The_container_of_another_folder_is_not_taken_for_the_one_of_a_copy_of_its_stack()
    {
        await using var site = await InstallSite.StartAsync();
        await site.InstallAsync(null, new ContainerStep());
        await site.Client.RemoveContainerAsync(InstallSite.Service, force: true, Stop);
        site.Engine.Add(ByHand(site) with { Labels = MadeIn(AppContext.BaseDirectory) });
        var (files, made) = (site.Snapshot(), site.EngineSnapshot());

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal("InstallContainerForeign", report.Steps[0].ErrorCode);
        Assert.Equal(made, site.EngineSnapshot());
        Assert.Equal(files, site.Snapshot());
    }

    [Fact]
    public async Task A_container_that_compose_would_replace_is_left_alone_whatever_its_name()
    {
        await using var site = await InstallSite.StartAsync();
        site.Engine.Add(ByHand(site) with { Name = "another", Labels = MadeIn("/elsewhere") });

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal("InstallContainerForeign", report.Steps[0].ErrorCode);
        Assert.Contains("/elsewhere", report.Steps[0].Message, StringComparison.Ordinal);
        Assert.Single(site.EngineSnapshot());
        Assert.Empty(site.Snapshot());
    }

    [Fact]
    public async Task A_container_that_another_installation_makes_while_the_image_is_built_is_not_replaced()
    {
        await using var site = await InstallSite.StartAsync();
        site.Deployer.Before = call =>
        {
            if (call == "build")
                site.Engine.Add(ByHand(site) with { Name = "another", Labels = MadeIn("/elsewhere") });
            return Task.CompletedTask;
        };

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal("InstallContainerForeign", report.Steps[0].ErrorCode);
        Assert.DoesNotContain("up", site.Deployer.Calls);
        Assert.StartsWith("container another", Assert.Single(site.EngineSnapshot()), StringComparison.Ordinal);
        Assert.Empty(site.Snapshot());
    }

    [Fact]
    public async Task Through_a_link_to_the_stack_it_is_installed_left_alone_and_removed_as_without()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "a link needs a right there");
        await using var site = await InstallSite.StartAsync();
        Directory.CreateDirectory(site.Root);
        var link = site.Root + "-link";
        Directory.CreateSymbolicLink(link, site.Root);
        Task<InstallReport> InstallAsync() => site.NewInstaller(null, new ContainerStep()).RunAsync(Installer.StackAt(link), site.Options, null, _ => { }, null, Stop);

        Assert.Equal(InstallOutcome.Installed, (await InstallAsync()).Outcome);
        Assert.Equal(InstallOutcome.Unchanged, (await InstallAsync()).Outcome);

        // Compose notes the folder without links.
        site.Engine.Change(InstallSite.Service, container => container with { Labels = MadeIn(site.PathOf(InstallSite.ServiceFolder)) });
        await foreach (var undone in new Uninstaller(site.Client, site.Redactor, site.Verifier) { RemoveData = true }.RunAsync(Uninstaller.StackAt(link), null, null, Stop))
            Assert.Equal((UndoOutcome.Undone, undone.Target), (undone.Outcome, undone.Target));
        Assert.Empty(site.Snapshot());
        Assert.DoesNotContain(site.EngineSnapshot(), line => line.StartsWith("container", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_journal_that_came_with_the_stack_removes_nothing_of_others()
    {
        await using var site = await InstallSite.StartAsync();
        await site.InstallAsync(null, new ContainerStep());
        site.Engine.Add(ByHand(site) with { Name = "precious", Mounts = [], Image = "precious:1" });
        site.Engine.AddImage("other:1");
        site.Engine.AddVolume("precious");
        site.Engine.AddNetwork("precious", new Dictionary<string, string> { ["com.docker.compose.project"] = "another" });
        var before = site.EngineSnapshot();
        site.Write(".comfyauth/install.json", """
            { "version": 1, "phase": "Undoing", "run": 1, "changes": [
              { "run": 1, "step": "Container", "kind": "Image", "target": "other:1" },
              { "run": 1, "step": "Container", "kind": "Network", "target": "precious" },
              { "run": 1, "step": "Container", "kind": "Volume", "target": "precious" },
              { "run": 1, "step": "Container", "kind": "Container", "target": "precious" },
              { "run": 1, "step": "Container", "kind": "Started", "target": "precious" },
              { "run": 1, "step": "Container", "kind": "Restarted", "target": "precious" } ] }
            """);

        await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(before, site.EngineSnapshot());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_compose_file_of_the_user_is_used_as_it_is(bool fails)
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Write($"{InstallSite.ServiceFolder}/docker-compose.yml", $$"""
            name: mine
            services:
              qwen:
                image: python:3.11
                container_name: comfyui-qwen
                networks: [front]
                ports: ["{{site.Port}}:8188"]
                volumes: ["./workspace:/workspace"]
            networks:
              front: {}
            """);
        var before = site.Snapshot();
        if (fails)
            site.Deployer.Before = call => call == "up" ? throw new ComfyAuthException("ComposeCommandFailed", "no", "Again.") : Task.CompletedTask;

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal(["Make a credential", "Make the folder", "Pull the image", "Create the container"], report.Steps[0].Changes.Select(change => string.Join(' ', change.Split(": ")[1].Replace(",", "", StringComparison.Ordinal).Split(' ').Take(3))));
        Assert.False(Path.Exists(site.PathOf($"{InstallSite.ServiceFolder}/Dockerfile")));
        if (fails)
        {
            Assert.Equal(before, site.Snapshot());
            Assert.Empty(site.EngineSnapshot());
        }
        else
        {
            AssertDone(report, InstallOutcome.Installed);
            Assert.True(Directory.Exists(site.PathOf($"{InstallSite.ServiceFolder}/workspace")));
        }
    }

    [Fact]
    public async Task A_folder_in_the_place_of_a_secret_is_told_and_nothing_is_changed()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        Directory.CreateDirectory(site.PathOf(InstallSite.PasswordFile));
        var before = site.Snapshot();

        var report = await site.InstallAsync(null, new ContainerStep());

        Assert.Equal((InstallOutcome.RolledBack, "TokenLocationUnusable"), (report.Outcome, report.Steps[0].ErrorCode));
        Assert.Equal(before, site.Snapshot());
        Assert.Empty(site.EngineSnapshot());
    }

    [Fact]
    public async Task Which_of_several_hashes_is_right_is_not_guessed()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Write($"{InstallSite.ServiceFolder}/.env", "COMFYUI_BEARER_TOKEN='$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW'\n");
        site.Write(".secrets/qwen-api-user.token", "$2b$04$FixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW");
        var before = site.Snapshot();

        var step = (await site.InstallAsync(null, new ContainerStep())).Steps[0];

        Assert.Equal("AdoptAmbiguous", step.ErrorCode);
        Assert.DoesNotContain("ixZaYVK1", step.Message, StringComparison.Ordinal);
        Assert.Equal(before, site.Snapshot());
    }

    [Fact]
    public async Task A_hash_that_is_in_use_is_kept()
    {
        const string hash = "$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
        await using var site = await InstallSite.StartAsync(withModels: true);
        site.Write(".secrets/qwen-api-user.token", hash);

        AssertDone(await site.InstallAsync(null, new ContainerStep()), InstallOutcome.Installed);

        Assert.Equal(hash, site.Read(InstallSite.PasswordFile).Split('\n')[0]);
        Assert.Contains(hash, site.Read($"{InstallSite.ServiceFolder}/.env"), StringComparison.Ordinal);
    }

    private static Dictionary<string, string> MadeIn(string folder) => new()
    {
        ["com.docker.compose.project"] = InstallSite.Service,
        ["com.docker.compose.service"] = InstallSite.Service,
        ["com.docker.compose.project.working_dir"] = folder,
    };

    private static EmulatedContainer ByHand(InstallSite site) => new()
    {
        Name = InstallSite.Service,
        Image = "mine:1",
        CreatedAt = DateTimeOffset.UtcNow,
        State = ContainerState.Created,
        Ports = [new(8188, "tcp", "127.0.0.1", site.Port)],
    };

    private static void AssertDone(InstallReport report, InstallOutcome outcome)
    {
        Assert.True(report.Outcome == outcome, string.Join('\n', report.Steps.Select(step => $"{step.Step} {step.Status} {step.ErrorCode}: {step.Message} {step.Remedy}")));
        Assert.Equal(StepStatus.Done, report.Steps[0].Status);
    }

    private sealed class FailingStep : InstallStep
    {
        public override InstallStepName Name => InstallStepName.Login;

        public override Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => throw new ComfyAuthException("DockerRequestFailed", "no", "Again.");
    }
}
