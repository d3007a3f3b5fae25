using System.Buffers.Binary;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>What is told on the websocket.</summary>
public sealed class SocketTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_messages_come_in_the_order_of_the_older_version()
    {
        await using var session = await ComfySession.StartAsync(new() { Version = "0.3.18" });
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

        await session.SubmitAsync(ComfySession.Smoke(), "me");

        Assert.Equal(
            ["status 1", "status 1", "execution_start", "execution_cached", "executing 1", "executing 2", "executed 2", "execution_success", "status 0", "executing none"],
            (await listener.UntilDoneAsync()).Select(Summary));
    }

    [Fact]
    public async Task The_newer_version_tells_the_progress_of_each_node_besides()
    {
        await using var session = await ComfySession.StartAsync();
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

        await session.SubmitAsync(ComfySession.Smoke(), "me");

        Assert.Equal(
            [
                "status 1", "status 1", "execution_start", "execution_cached",
                "progress_state 1 running", "executing 1", "progress_state 1 finished",
                "progress_state 1 finished 2 running", "executing 2", "executed 2", "progress_state 1 finished 2 finished",
                "execution_success", "status 0", "executing none",
            ],
            (await listener.UntilDoneAsync()).Select(Summary));
    }

    [Fact]
    public async Task Each_step_of_the_sampler_is_told_and_shown_where_previews_are_wanted()
    {
        foreach (var previews in new[] { false, true })
        {
            await using var session = await ComfySession.StartAsync(new() { Previews = previews });
            await session.UploadAsync(ComfySession.Reference(), "comfyauth_reference.png");
            await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

            await session.SubmitAsync(ComfySession.Workflow("qwen-image-edit-2509"), "me");

            var messages = await listener.UntilDoneAsync();
            var steps = messages.Where(message => message.Type == "progress").Select(message => message.Data).ToList();
            Assert.Equal(Enumerable.Range(1, 20), steps.Select(step => step["value"]!.GetValue<int>()));
            Assert.All(steps, step => Assert.Equal((20, "11"), (step["max"]!.GetValue<int>(), step["node"]!.GetValue<string>())));
            Assert.Equal(previews ? 20 : 0, listener.Frames.Count);
            foreach (var frame in listener.Frames)
            {
                Assert.Equal((1u, 2u), (BinaryPrimitives.ReadUInt32BigEndian(frame), BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4))));
                Assert.Equal(64, PngFile.Read(frame.AsSpan(8)).Width);
            }
        }
    }

    [Fact]
    public async Task What_comes_from_the_cache_is_told_as_done_and_never_as_executing()
    {
        await using var session = await ComfySession.StartAsync(new() { Version = "0.3.18" });
        await session.RunAsync(ComfySession.Smoke());
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

        await session.SubmitAsync(ComfySession.Smoke(), "me");

        Assert.Equal(["status 1", "status 1", "execution_start", "execution_cached", "executed 2", "execution_success", "status 0", "executing none"], (await listener.UntilDoneAsync()).Select(Summary));
    }

    [Fact]
    public async Task Of_what_comes_from_the_cache_the_newer_version_tells_the_progress_of_the_outputs_only()
    {
        await using var session = await ComfySession.StartAsync();
        await session.RunAsync(ComfySession.Smoke());
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

        await session.SubmitAsync(ComfySession.Smoke(), "me");

        Assert.Equal(
            ["status 1", "status 1", "execution_start", "execution_cached", "executed 2", "progress_state 2 finished", "execution_success", "status 0", "executing none"],
            (await listener.UntilDoneAsync()).Select(Summary));
    }

    [Fact]
    public async Task A_node_without_steps_is_told_in_fractions()
    {
        await using var session = await ComfySession.StartAsync();
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

        await session.SubmitAsync(ComfySession.Smoke(), "me");

        var told = (await listener.UntilDoneAsync()).First(message => message.Type == "progress_state").Data["nodes"]!["1"]!;
        Assert.Equal(("0.0", "1.0"), (told["value"]!.ToJsonString(), told["max"]!.ToJsonString()));
    }

    [Fact]
    public async Task Others_are_told_of_the_queue_only()
    {
        await using var session = await ComfySession.StartAsync();
        await using var other = await ComfyListener.ConnectAsync(session.Server.Address, "other");

        await session.RunAsync(ComfySession.Smoke());

        Assert.Equal(["status 1", "status 1", "status 0"], (await other.UntilAsync("status", data => Remaining(data) == 0)).Select(Summary));
    }

    [Fact]
    public async Task Who_has_no_id_gets_one()
    {
        await using var session = await ComfySession.StartAsync();
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "");
    }

    [Fact]
    public async Task Who_comes_back_is_told_where_the_prompt_is_and_how_it_ends()
    {
        await using var session = await ComfySession.StartAsync();
        session.Server.NodeFaults = (_, _) => NodeFault.Hang;
        await using (var before = await ComfyListener.ConnectAsync(session.Server.Address, "me"))
        {
            await session.SubmitAsync(ComfySession.Smoke(), "me");
            await before.UntilAsync("executing");
        }

        await using var after = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        Assert.Equal("executing 1", Summary(Assert.Single(await after.UntilAsync("executing"))));
        await session.PostAsync("interrupt", "");
        Assert.Equal(["execution_interrupted", "status 0", "executing none"], (await after.UntilDoneAsync()).Select(Summary));
    }

    [Fact]
    public async Task The_token_opens_it_as_header_or_in_the_query_and_nothing_else_does()
    {
        using var folder = new TemporaryFolder();
        var hash = Bcrypt.Hash(new SecretText("password"), Bcrypt.MinimumCost, Stop).Reveal();
        await using var session = await ComfySession.StartAsync(new() { PasswordFile = folder.Write("login/PASSWORD", hash + "\nadmin\n") });
        var server = session.Server.Address;

        await (await ComfyListener.ConnectAsync(server, "a", bearer: hash)).DisposeAsync();
        await (await ComfyListener.ConnectAsync(server, "b", query: "&token=" + Uri.EscapeDataString(hash))).DisposeAsync();

        foreach (var (query, bearer) in new[] { ("", null), ("", "wrong"), ("&token=wrong", (string?)null) })
        {
            using var refused = new ClientWebSocket();
            refused.Options.CollectHttpResponseDetails = true;
            if (bearer is not null)
                refused.Options.SetRequestHeader("Authorization", $"Bearer {bearer}");
            await Assert.ThrowsAsync<WebSocketException>(() => refused.ConnectAsync(new Uri($"ws://{server.Authority}/ws?clientId=c{query}"), Stop));
            Assert.Equal(HttpStatusCode.Unauthorized, refused.HttpStatusCode);
        }
    }

    [Fact]
    public async Task A_plain_request_is_refused()
    {
        await using var session = await ComfySession.StartAsync();

        Assert.Equal(400, await session.StatusAsync("ws?clientId=a"));
    }

    [Fact]
    public async Task Who_goes_without_a_word_or_never_reads_does_not_hold_up_the_others()
    {
        await using var session = await ComfySession.StartAsync(new() { Previews = true });
        await session.UploadAsync(ComfySession.Reference(), "comfyauth_reference.png");
        using var rude = new ClientWebSocket();
        using var idle = new ClientWebSocket();
        await rude.ConnectAsync(new Uri($"ws://{session.Server.Address.Authority}/ws?clientId=rude"), Stop);
        await idle.ConnectAsync(new Uri($"ws://{session.Server.Address.Authority}/ws?clientId=idle"), Stop);
        rude.Abort();
        var workflow = ComfySession.Workflow("qwen-image-edit-2509");
        foreach (var client in new[] { "rude", "idle" })
        {
            for (var seed = 0; seed < 5; seed++)
            {
                workflow["11"]!["inputs"]!["seed"] = seed;
                workflow["11"]!["inputs"]!["steps"] = 500;
                await session.SubmitAsync(workflow, client);
            }
        }

        Assert.Equal("success", (await session.RunAsync(ComfySession.Smoke()))["status"]!["status_str"]!.GetValue<string>());
    }

    private static string Summary((string Type, JsonNode Data) message) => message.Type switch
    {
        "status" => $"status {Remaining(message.Data)}",
        "executing" => $"executing {message.Data["node"]?.GetValue<string>() ?? "none"}",
        "executed" => $"executed {message.Data["node"]}",
        "progress_state" => $"progress_state {string.Join(' ', message.Data["nodes"]!.AsObject().Select(node => $"{node.Key} {node.Value!["state"]}"))}",
        _ => message.Type,
    };

    private static int Remaining(JsonNode data) => data["status"]!["exec_info"]!["queue_remaining"]!.GetValue<int>();
}
