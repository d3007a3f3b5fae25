using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Files;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Tokens;

public sealed class RolloutTests
{
    private static readonly TokenSyncRequest Rotation = new() { Rotate = true };

    [Fact]
    public async Task A_new_token_is_brought_into_the_container_and_proven()
    {
        await using var live = await RolloutStack.StartAsync();
        var old = live.Files.Credential.Hash;

        var result = await live.SynchronizeAsync(Rotation);

        Assert.All(result.Results, place => Assert.Equal(TokenState.Match, place.State));
        Assert.Equal((ContainerChangeAction.Restarted, "It was restarted."), (Assert.Single(result.Containers).Action, result.Containers[0].Message));
        var proof = Assert.Single(result.Proofs);
        Assert.Equal((true, true, true, true, true), (proof.IsProven, proof.AcceptsToken, proof.AcceptsPassword, proof.AcceptsWebSocket, proof.RefusesOldToken));
        Assert.Equal(["comfyui-qwen"], live.Starts);
        Assert.NotEqual(old, live.TokenOnDisk());
        Assert.True(await live.TakesAsync(live.TokenOnDisk()));
        Assert.False(await live.TakesAsync(old));
        Assert.False(FileTransaction.IsRecoveryPending(live.Stack.Root));
        Assert.Contains("Asking the login of 'comfyui-qwen'", live.Said);
    }

    [Fact]
    public async Task A_second_run_asks_for_nothing_and_touches_nothing()
    {
        await using var live = await RolloutStack.StartAsync();
        await live.SynchronizeAsync(Rotation);
        var before = live.Snapshot();

        var plan = await live.PlanAsync();
        var result = await plan.ApplyAsync(_ => throw new InvalidOperationException("Nothing is to be asked."), TestContext.Current.CancellationToken);

        Assert.Empty(plan.Changes);
        Assert.Equal(true, Assert.Single(result.Proofs).IsProven);
        Assert.Equal(ContainerChangeAction.None, Assert.Single(result.Containers).Action);
        Assert.Equal((before, 1), (live.Snapshot(), live.Starts.Count));
    }

    [Fact]
    public async Task A_token_that_was_written_before_is_brought_in_although_no_file_changes()
    {
        await using var live = await RolloutStack.StartAsync();
        await live.Files.SynchronizeAsync(Rotation);
        var before = live.Snapshot();
        Assert.False(await live.TakesAsync(live.TokenOnDisk()));

        var result = await live.SynchronizeAsync();

        Assert.Equal((true, ContainerChangeAction.Restarted), (Assert.Single(result.Proofs).IsProven, Assert.Single(result.Containers).Action));
        Assert.Equal((before, 1), (live.Snapshot(), live.Starts.Count));
    }

    [Fact]
    public async Task A_container_that_takes_the_token_already_is_not_restarted()
    {
        await using var live = await RolloutStack.StartAsync();
        live.Files.Write(SampleStack.NotebooksEnv, "COMFYUI_API_TOKEN=stale\n");

        var result = await live.SynchronizeAsync();

        Assert.Contains(result.Results, place => place.Action == TokenAction.Updated);
        Assert.Equal((ContainerChangeAction.None, "It works with what the files say; it was not restarted."), (Assert.Single(result.Containers).Action, result.Containers[0].Message));
        Assert.Equal(true, Assert.Single(result.Proofs).IsProven);
        Assert.Empty(live.Starts);
    }

    [Fact]
    public async Task Where_the_server_refuses_the_new_token_files_and_container_go_back()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        live.Reloads = (_, start) => start != 1;

        var error = await live.FailAsync();

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.Contains("401 with ours", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("The files are as before. The container 'comfyui-qwen' was restarted with them, and is ready as before.", error.Message, StringComparison.Ordinal);
        Assert.Contains("restart the container", error.Remedy, StringComparison.Ordinal);
        Assert.Equal((before, 2), (live.Snapshot(), live.Starts.Count));
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash));
        Assert.False(FileTransaction.IsRecoveryPending(live.Stack.Root));
    }

    [Fact]
    public async Task A_container_that_lets_everybody_in_after_it_went_back_is_not_called_ready()
    {
        await using var live = await RolloutStack.StartAsync();
        live.OnStart = _ => live.Server.Faults = _ => new() { Answer = FaultAnswer.Error(200, "{}") };

        var error = await live.FailAsync();

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.Contains("lets everybody in now", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ready as before", error.Message, StringComparison.Ordinal);
        Assert.Contains("Get-GenAIContainer", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_told_is_no_proof()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        live.OnStart = _ => live.Server.Faults = live.Starts.Count == 1 ? request => request.Path == "/ws" ? new() { Answer = FaultAnswer.Error(503, "busy") } : null : null;

        var error = await live.FailAsync();

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.Contains("200 with ours", error.Message, StringComparison.Ordinal);
        Assert.Contains("503 for a websocket", error.Message, StringComparison.Ordinal);
        Assert.Equal((before, 2), (live.Snapshot(), live.Starts.Count));
    }

    [Fact]
    public async Task Where_the_container_does_not_come_back_all_goes_back_and_the_rest_is_told()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        live.Engine.Change("comfyui-qwen", container => container with { StartError = "port is already allocated" });

        var error = await live.FailAsync();

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.Contains("The files are as before. The container 'comfyui-qwen' could not be given them back:", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, error.Message.Split("port is already allocated").Length - 1);
        Assert.Contains("Get-GenAIContainer", error.Remedy, StringComparison.Ordinal);
        Assert.Equal((before, ContainerState.Exited), (live.Snapshot(), live.Container().State));
    }

    [Fact]
    public async Task A_container_that_dies_with_the_new_token_is_brought_back_with_the_old()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        live.OnStart = name =>
        {
            if (live.Starts.Count == 1)
                live.Engine.Change(name, container => container with { State = ContainerState.Exited, ExitCode = 1, FinishedAt = DateTimeOffset.UtcNow }, "die");
        };

        var error = await live.FailAsync();

        Assert.Contains("was started with them, and is ready as before", error.Message, StringComparison.Ordinal);
        Assert.Equal((before, ContainerState.Running), (live.Snapshot(), live.Container().State));
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash));
    }

    [Fact]
    public async Task Where_the_engine_goes_away_in_the_middle_the_files_go_back_and_the_rest_is_told()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        live.OnStart = _ => live.Engine.Faults = _ => new() { CutAfter = 0, Reset = true };

        var error = await live.FailAsync();

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.Contains("could not be given them back", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, live.Snapshot());

        // As it was told, the container has the token that was given up. The next run brings the right one.
        (live.Engine.Faults, live.OnStart) = (null, null);
        Assert.Equal(true, Assert.Single((await live.SynchronizeAsync()).Proofs).IsProven);
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash));
    }

    [Fact]
    public async Task Cancelled_in_the_middle_files_and_container_go_back()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        using var cancel = new CancellationTokenSource();
        live.Server.Faults = request =>
        {
            // The server is being asked whether it takes the new token.
            if (live.Starts.Count == 1)
                cancel.Cancel();
            return null;
        };

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => live.SynchronizeAsync(Rotation, stop: cancel.Token));

        Assert.Equal("The proof was cancelled. The files are as before. The container 'comfyui-qwen' was restarted with them, and was not waited for.", error.Message);
        Assert.Equal((before, 2), (live.Snapshot(), live.Starts.Count));
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash));
    }

    [Theory]
    [InlineData(ContainerState.Exited, "it is exited and was left so")]
    [InlineData(ContainerState.Paused, "it is paused and was left so")]
    [InlineData(null, "there is no such container")]
    public async Task A_container_that_does_not_run_is_left_so_and_nothing_is_proven(ContainerState? state, string why)
    {
        await using var live = await RolloutStack.StartAsync();
        if (state is { } left)
            live.Engine.Change("comfyui-qwen", container => container with { State = left });
        else
            live.Engine.Remove("comfyui-qwen");

        var result = await live.SynchronizeAsync(Rotation);

        Assert.All(result.Results, place => Assert.Equal(TokenState.Match, place.State));
        Assert.Equal((null, state), (Assert.Single(result.Proofs).IsProven, Assert.Single(result.Containers).After));
        Assert.Contains(why, result.Containers[0].Message, StringComparison.Ordinal);
        Assert.Empty(live.Starts);
        Assert.NotEqual(live.Files.Credential.Hash, live.TokenOnDisk());
    }

    [Fact]
    public async Task Who_declines_the_restart_gets_the_files_and_no_proof()
    {
        await using var live = await RolloutStack.StartAsync();

        var result = await live.SynchronizeAsync(Rotation, change => Task.FromResult(change is not PlannedContainerChange));

        Assert.NotEqual(live.Files.Credential.Hash, live.TokenOnDisk());
        Assert.Equal((ContainerChangeAction.Declined, null), (Assert.Single(result.Containers).Action, Assert.Single(result.Proofs).IsProven));
        Assert.Contains("declined", result.Proofs[0].Evidence[0], StringComparison.Ordinal);
        Assert.Empty(live.Starts);
    }

    [Fact]
    public async Task Who_declines_the_files_is_not_asked_for_the_container()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();

        var result = await live.SynchronizeAsync(Rotation, change => change is PlannedContainerChange ? throw new InvalidOperationException() : Task.FromResult(false));

        Assert.Equal((before, 0), (live.Snapshot(), live.Starts.Count));
        Assert.Null(Assert.Single(result.Proofs).IsProven);
    }

    [Fact]
    public async Task Each_change_is_asked_for_before_anything_is_done()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        var plan = await live.PlanAsync(Rotation);
        var asked = new List<PlannedChange>();

        await plan.ApplyAsync(change =>
        {
            Assert.Equal((before, 0), (live.Snapshot(), live.Starts.Count));
            asked.Add(change);
            return Task.FromResult(true);
        }, TestContext.Current.CancellationToken);

        Assert.Equal(plan.Changes, asked);
        Assert.Equal("comfyui-qwen", Assert.IsType<PlannedContainerChange>(asked[^1]).Target);
        Assert.All(asked.SkipLast(1), change => Assert.IsType<PlannedTokenChange>(change));
    }

    [Fact]
    public async Task A_token_in_the_environment_of_a_container_that_Compose_did_not_make_is_refused_before_anything_is_done()
    {
        await using var live = await RolloutStack.StartAsync();
        live.Engine.Change("comfyui-qwen", container => container with { Environment = ["PATH=/bin", $"COMFYUI_BEARER_TOKEN={live.Files.Credential.Text}"] });
        var before = live.Snapshot();

        var error = await live.FailAsync();

        Assert.Equal("ContainerKeepsToken", error.Code);
        Assert.Contains("COMFYUI_BEARER_TOKEN", error.Message, StringComparison.Ordinal);
        Assert.Equal((before, 0), (live.Snapshot(), live.Starts.Count));

        // What is right there already keeps nobody from a restart.
        await live.Files.SynchronizeAsync(Rotation);
        live.Engine.Change("comfyui-qwen", container => container with { Environment = [$"COMFYUI_BEARER_TOKEN={live.TokenOnDisk().Reveal()}"] });
        Assert.Equal(true, Assert.Single((await live.SynchronizeAsync()).Proofs).IsProven);
    }

    [Fact]
    public async Task Of_two_services_with_one_credential_both_go_back()
    {
        await using var live = await RolloutStack.StartAsync("one", "two");
        var before = live.Snapshot();
        live.Reloads = (name, start) => name == "one" || start != 1;

        var error = await live.FailAsync();

        Assert.StartsWith("The login of 'two' was not proven live.", error.Message, StringComparison.Ordinal);
        Assert.Contains("'two' was restarted with them, and is ready as before. The container 'one' was restarted with them, and is ready as before.", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, live.Snapshot());
        Assert.Equal(["one", "two", "two", "one"], live.Starts);
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash, 0));
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash, 1));
    }

    [Theory]
    [InlineData(false, "The login of 'two' was not proven live.")]
    [InlineData(true, "Nobody foresaw 'Asking the login of 'two''.")]
    public async Task An_error_that_nobody_foresaw_while_going_back_is_told_and_keeps_back_nothing_else(bool inTheProofToo, string first)
    {
        await using var live = await RolloutStack.StartAsync("one", "two");
        var before = live.Snapshot();
        live.Reloads = (name, start) => name == "one" || start != 1;
        live.OnSaid = line =>
        {
            if (line.StartsWith("two: going back", StringComparison.Ordinal) || (inTheProofToo && live.Starts.Count == 2 && line == "Asking the login of 'two'"))
                throw new InvalidOperationException($"Nobody foresaw '{line}'.");
        };

        var error = await live.FailAsync();

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.StartsWith(first, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("The container 'two' could not be given them back: Nobody foresaw 'two: going back to the old files'. The container 'one' was restarted with them, and is ready as before.", error.Message, StringComparison.Ordinal);
        Assert.Contains("Get-GenAIContainer", error.Remedy, StringComparison.Ordinal);
        Assert.Equal(before, live.Snapshot());
        Assert.Equal(["one", "two", "one"], live.Starts);
    }

    [Fact]
    public async Task An_error_that_nobody_foresaw_in_the_proof_comes_out_as_it_is_where_all_is_as_before()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        live.OnSaid = line =>
        {
            if (live.Starts.Count == 1 && line.StartsWith("Asking", StringComparison.Ordinal))
                throw new InvalidOperationException("Nobody foresaw this.");
        };

        await Assert.ThrowsAsync<InvalidOperationException>(() => live.SynchronizeAsync(Rotation));

        Assert.Equal((before, 2), (live.Snapshot(), live.Starts.Count));
        Assert.True(await live.TakesAsync(live.Files.Credential.Hash));
    }

    [Fact]
    public async Task A_file_that_somebody_changed_after_it_was_planned_spares_the_container()
    {
        await using var live = await RolloutStack.StartAsync();
        var plan = await live.PlanAsync(Rotation);
        live.Files.Write(SampleStack.RootEnv, "MINE=1\n");
        var before = live.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => plan.ApplyAsync(stop: TestContext.Current.CancellationToken));

        Assert.Equal("FileChangedMeanwhile", error.Code);
        Assert.Equal((before, 0), (live.Snapshot(), live.Starts.Count));
    }

    [Fact]
    public async Task What_somebody_wrote_during_the_proof_is_kept_and_the_container_with_it()
    {
        await using var live = await RolloutStack.StartAsync();
        live.Reloads = (_, _) => false;
        live.OnStart = _ => File.WriteAllText(live.Files.PathOf(SampleStack.RootEnv), "MINE=1\n");

        var error = await live.FailAsync();

        Assert.Equal("RollbackIncomplete", error.Code);
        Assert.Contains("the container 'comfyui-qwen' keeps", error.Message, StringComparison.Ordinal);
        Assert.Contains($"Keep the one you want as {live.Files.PathOf(SampleStack.RootEnv)}", error.Remedy, StringComparison.Ordinal);
        Assert.Equal(("MINE=1\n", 1), (live.Files.Read(SampleStack.RootEnv), live.Starts.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_secret_goes_to_another_container_that_has_the_address(bool isNew)
    {
        await using var live = await RolloutStack.StartAsync();
        live.Engine.Add(live.Engine.Containers[0] with { Name = "another" });
        live.Engine.Change("comfyui-qwen", container => container with { Ports = [new(8188, "tcp", "127.0.0.1", 1)] });
        var (before, secrets) = (live.Snapshot(), 0);
        live.Server.Faults = request =>
        {
            if (request.Headers.Authorization.Count > 0 || request.Method == "POST")
                Interlocked.Increment(ref secrets);
            return null;
        };

        var error = await live.FailAsync(isNew ? Rotation : new());

        Assert.Equal(("TokenProofFailed", 0), (error.Code, secrets));
        Assert.Equal(before, live.Snapshot());
    }

    [Fact]
    public async Task A_restart_that_helps_nothing_changes_no_file_and_says_so()
    {
        await using var live = await RolloutStack.StartAsync();
        await live.Files.SynchronizeAsync(Rotation);
        live.Reloads = (_, _) => false;
        var before = live.Snapshot();

        var error = await live.FailAsync(new());

        Assert.Contains("No file was changed; the container 'comfyui-qwen' was restarted with the files as they are.", error.Message, StringComparison.Ordinal);
        Assert.Equal((before, 1), (live.Snapshot(), live.Starts.Count));
    }

    [Fact]
    public async Task Without_an_engine_nothing_is_changed()
    {
        await using var live = await RolloutStack.StartAsync();
        var before = live.Snapshot();
        await live.Engine.DisposeAsync();

        var error = await live.FailAsync();

        Assert.IsType<DockerException>(error);
        Assert.Equal(before, live.Snapshot());
    }
}
