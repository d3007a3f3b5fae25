using System.Text.Json.Nodes;
using ComfyAuth.Emulator.Comfy;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>Prompts that wait, run and have run.</summary>
public sealed class QueueTests
{
    [Fact]
    public async Task A_finished_prompt_is_in_the_history_with_its_messages_and_images()
    {
        await using var session = await ComfySession.StartAsync();

        var history = await session.RunAsync(ComfySession.Smoke());

        var status = history["status"]!;
        Assert.Equal(("success", true), (status["status_str"]!.GetValue<string>(), status["completed"]!.GetValue<bool>()));
        Assert.Equal(["execution_start", "execution_cached", "execution_success"], Messages(history));
        Assert.All(status["messages"]!.AsArray(), message => Assert.True(message![1]!["timestamp"]!.GetValue<long>() > 0));
        Assert.Equal("""{"2":{"images":[{"filename":"comfyauth_smoke_00001_.png","subfolder":"","type":"output"}]}}""", history["outputs"]!.ToJsonString());
        Assert.Equal(5, history["prompt"]!.AsArray().Count);
        Assert.Equal("2", history["meta"]!["2"]!["display_node"]!.GetValue<string>());
    }

    [Fact]
    public async Task What_is_unknown_pending_or_running_is_an_empty_object_in_the_history()
    {
        await using var session = await HangingAsync();

        var running = await session.SubmitForIdAsync(ComfySession.Smoke());
        var pending = await session.SubmitForIdAsync(ComfySession.Smoke(1));

        foreach (var id in new[] { running, pending, "nobody" })
            Assert.Equal("{}", (await session.GetAsync($"history/{id}")).ToJsonString());
        Assert.Equal("{}", (await session.GetAsync("history")).ToJsonString());
    }

    [Fact]
    public async Task One_prompt_runs_at_a_time_and_the_queue_shows_the_others_in_order()
    {
        await using var session = await HangingAsync();
        Assert.Equal("""{"queue_running":[],"queue_pending":[]}""", (await session.GetAsync("queue")).ToJsonString());
        Assert.Equal("""{"exec_info":{"queue_remaining":0}}""", (await session.GetAsync("prompt")).ToJsonString());

        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        var running = await session.SubmitForIdAsync(ComfySession.Smoke(), "me");
        await listener.UntilAsync("executing");
        var second = await session.SubmitAsync(ComfySession.Smoke(2));
        var front = await session.SubmitAsync(ComfySession.Smoke(3), toFront: true);

        var queue = await session.GetAsync("queue");
        Assert.Equal("""{"exec_info":{"queue_remaining":3}}""", (await session.GetAsync("prompt")).ToJsonString());
        var item = Assert.Single(queue["queue_running"]!.AsArray())!.AsArray();
        Assert.Equal((0, running, "{\"client_id\":\"me\"}", "[\"2\"]"), (item[0]!.GetValue<int>(), item[1]!.GetValue<string>(), item[3]!.ToJsonString(), item[4]!.ToJsonString()));
        Assert.Equal(ComfySession.Smoke().ToJsonString(), item[2]!.ToJsonString());
        Assert.Equal([Id(front), Id(second)], queue["queue_pending"]!.AsArray().Select(one => one![1]!.GetValue<string>()));
        Assert.Equal((1, -2), (second["number"]!.GetValue<int>(), front["number"]!.GetValue<int>()));
    }

    [Fact]
    public async Task What_waits_can_be_deleted_or_cleared_and_what_runs_stays()
    {
        await using var session = await HangingAsync();
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        await session.SubmitAsync(ComfySession.Smoke(), "me");
        await listener.UntilAsync("executing");
        var first = await session.SubmitForIdAsync(ComfySession.Smoke(1));
        await session.SubmitForIdAsync(ComfySession.Smoke(2));
        await session.SubmitForIdAsync(ComfySession.Smoke(3));

        Assert.Equal((200, ""), await session.PostAsync("queue", new JsonObject { ["delete"] = new JsonArray(first, "nobody") }.ToJsonString()));
        Assert.Equal((1, 2), await CountsAsync(session));
        Assert.Equal((200, ""), await session.PostAsync("queue", """{"clear":true}"""));
        Assert.Equal((1, 0), await CountsAsync(session));
        Assert.Equal(500, (await session.PostAsync("queue", "clear")).Status);
    }

    [Theory]
    [InlineData("0.3.18", "")]
    [InlineData("0.3.64", "")]
    [InlineData("0.3.64", "{}")]
    public async Task A_prompt_that_hangs_ends_when_it_is_interrupted(string version, string body)
    {
        await using var session = await HangingAsync(version);
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        var id = await session.SubmitForIdAsync(ComfySession.Smoke(), "me");
        await listener.UntilAsync("executing");

        Assert.Equal((200, ""), await session.PostAsync("interrupt", body));

        var interrupted = (await listener.UntilAsync("execution_interrupted"))[^1].Data;
        Assert.Equal((id, "1", "EmptyImage"), (Id(interrupted), interrupted["node_id"]!.GetValue<string>(), interrupted["node_type"]!.GetValue<string>()));
        await listener.UntilDoneAsync();
        var history = (await session.GetAsync($"history/{id}"))[id]!;
        Assert.Equal(("error", false), (history["status"]!["status_str"]!.GetValue<string>(), history["status"]!["completed"]!.GetValue<bool>()));
        Assert.Equal(["execution_start", "execution_cached", "execution_interrupted"], Messages(history));
    }

    [Fact]
    public async Task The_newer_version_interrupts_the_prompt_that_is_named_and_the_older_whatever_runs()
    {
        foreach (var version in new[] { "0.3.18", "0.3.64" })
        {
            await using var session = await HangingAsync(version);
            await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
            var id = await session.SubmitForIdAsync(ComfySession.Smoke(), "me");
            await listener.UntilAsync("executing");

            await session.PostAsync("interrupt", """{"prompt_id":"another"}""");
            if (version == "0.3.64")
            {
                Assert.Equal((1, 0), await CountsAsync(session));
                await session.PostAsync("interrupt", new JsonObject { ["prompt_id"] = id }.ToJsonString());
            }

            await listener.UntilAsync("execution_interrupted");
        }
    }

    [Fact]
    public async Task An_interruption_while_nothing_runs_has_no_effect_on_the_next_prompt()
    {
        await using var session = await ComfySession.StartAsync();

        await session.PostAsync("interrupt", "");

        Assert.Equal("success", (await session.RunAsync(ComfySession.Smoke()))["status"]!["status_str"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_prompt_that_fails_says_where_and_why_and_the_next_one_runs()
    {
        await using var session = await ComfySession.StartAsync();
        session.Server.NodeFaults = (_, name) => name == "SaveImage" ? NodeFault.OutOfMemory : null;
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        var id = await session.SubmitForIdAsync(ComfySession.Smoke(), "me");

        var error = (await listener.UntilAsync("execution_error"))[^1].Data;
        Assert.Equal(("2", "SaveImage", "torch.OutOfMemoryError", "Allocation on device\n"), (Text(error, "node_id"), Text(error, "node_type"), Text(error, "exception_type"), Text(error, "exception_message")));
        Assert.Contains("in SaveImage", error["traceback"]!.AsArray()[^1]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("[\"1\"]", error["executed"]!.ToJsonString());
        await listener.UntilDoneAsync();
        var history = (await session.GetAsync($"history/{id}"))[id]!;
        Assert.Equal(("error", false, "{}"), (Text(history["status"]!, "status_str"), history["status"]!["completed"]!.GetValue<bool>(), history["outputs"]!.ToJsonString()));
        Assert.Equal(["execution_start", "execution_cached", "execution_error"], Messages(history));

        session.Server.NodeFaults = null;
        Assert.Equal("success", Text((await session.RunAsync(ComfySession.Smoke()))["status"]!, "status_str"));
    }

    [Fact]
    public async Task An_image_outside_the_output_folder_fails_when_it_is_written()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        workflow["2"]!["inputs"]!["filename_prefix"] = "../../outside";

        var history = await session.RunAsync(workflow);

        Assert.Contains("outside the output folder", history["status"]!["messages"]!.AsArray()[^1]![1]!["exception_message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_that_cannot_be_written_to_fails_the_prompt_and_not_the_server()
    {
        await using var session = await ComfySession.StartAsync();
        var output = Path.Combine(session.Server.Folder, "output");
        Directory.Delete(output);
        File.WriteAllText(output, "");

        var history = await session.RunAsync(ComfySession.Smoke());
        Assert.Equal("OSError", history["status"]!["messages"]!.AsArray()[^1]![1]!["exception_type"]!.GetValue<string>());

        File.Delete(output);
        Assert.Equal("success", Text((await session.RunAsync(ComfySession.Smoke()))["status"]!, "status_str"));
    }

    [Fact]
    public async Task An_identical_prompt_is_served_from_the_cache_with_the_old_file()
    {
        await using var session = await ComfySession.StartAsync();
        var first = await session.RunAsync(ComfySession.Smoke());
        var second = await session.RunAsync(ComfySession.Smoke());

        Assert.Equal("[\"1\",\"2\"]", second["status"]!["messages"]![1]![1]!["nodes"]!.ToJsonString());
        Assert.Equal(first["outputs"]!.ToJsonString(), second["outputs"]!.ToJsonString());
        Assert.Single(Directory.GetFiles(Path.Combine(session.Server.Folder, "output")));

        // The file that it names may be gone.
        File.Delete(Path.Combine(session.Server.Folder, "output", "comfyauth_smoke_00001_.png"));
        Assert.Equal(404, await session.StatusAsync(ComfySession.Target(await session.RunAsync(ComfySession.Smoke()), "2")));

        // What has changed is made again, and only the last prompt is remembered.
        Assert.Equal("[]", Cached(await session.RunAsync(ComfySession.Smoke(1))));
        Assert.Equal("[]", Cached(await session.RunAsync(ComfySession.Smoke())));
        await session.PostAsync("free", """{"unload_models":true,"free_memory":true}""");
        Assert.Equal("[]", Cached(await session.RunAsync(ComfySession.Smoke())));
    }

    [Fact]
    public async Task A_node_is_served_from_the_cache_where_only_what_follows_it_has_changed()
    {
        await using var session = await ComfySession.StartAsync();
        await session.RunAsync(ComfySession.Smoke());
        var other = ComfySession.Smoke();
        other["2"]!["inputs"]!["filename_prefix"] = "other";

        Assert.Equal("[\"1\"]", Cached(await session.RunAsync(other)));
    }

    [Fact]
    public async Task Another_picture_under_the_old_name_is_loaded_again()
    {
        await using var session = await ComfySession.StartAsync();
        var workflow = ComfySession.Smoke();
        workflow["1"] = new JsonObject { ["class_type"] = "LoadImage", ["inputs"] = new JsonObject { ["image"] = "a.png" } };
        await session.UploadAsync(ComfySession.Reference(16, 16), "a.png");
        await session.RunAsync(workflow);
        await session.UploadAsync(ComfySession.Reference(24, 16), "a.png", ("overwrite", "true"));

        var history = await session.RunAsync(workflow);

        Assert.Equal(("[]", 24), (Cached(history), (await session.PictureAsync(history, "2")).Width));
    }

    [Fact]
    public async Task The_history_can_be_cut_deleted_and_cleared()
    {
        await using var session = await ComfySession.StartAsync();
        var ids = new List<string>();
        foreach (var color in new[] { 1, 2, 3 })
            ids.Add(Id((await session.RunAsync(ComfySession.Smoke(color)))["status"]!["messages"]![0]![1]!));

        Assert.Equal(ids, await IdsAsync("history"));
        Assert.Equal(ids[1..], await IdsAsync("history?max_items=2"));
        Assert.Equal(ids[..2], await IdsAsync("history?max_items=2&offset=0"));
        Assert.Equal(500, await session.StatusAsync("history?max_items=two"));
        await session.PostAsync("history", new JsonObject { ["delete"] = new JsonArray(ids[0]) }.ToJsonString());
        Assert.Equal(ids[1..], await IdsAsync("history"));
        await session.PostAsync("history", """{"clear":true}""");
        Assert.Empty(await IdsAsync("history"));

        async Task<List<string>> IdsAsync(string target) => [.. (await session.GetAsync(target)).AsObject().Select(entry => entry.Key)];
    }

    [Fact]
    public async Task A_restart_loses_what_ran_waited_and_was_done_and_drops_who_listens()
    {
        await using var session = await ComfySession.StartAsync();
        var done = Id((await session.RunAsync(ComfySession.Smoke()))["status"]!["messages"]![0]![1]!);
        session.Server.NodeFaults = (_, _) => NodeFault.Hang;
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        await session.SubmitAsync(ComfySession.Smoke(1), "me");
        await session.SubmitAsync(ComfySession.Smoke(2));
        await listener.UntilAsync("executing");

        session.Server.Restart();

        await Assert.ThrowsAnyAsync<Exception>(() => listener.UntilDoneAsync());
        Assert.Equal("{}", (await session.GetAsync($"history/{done}")).ToJsonString());
        Assert.Equal((0, 0), await CountsAsync(session));
        session.Server.NodeFaults = null;
        var again = await session.RunAsync(ComfySession.Smoke());
        Assert.Equal(("[]", 0), (Cached(again), again["prompt"]![0]!.GetValue<int>()));
    }

    [Fact]
    public async Task A_flood_of_prompts_from_many_sides_is_worked_off_one_by_one()
    {
        const int Count = 60;
        await using var session = await ComfySession.StartAsync();
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");

        var ids = await Task.WhenAll(Enumerable.Range(0, Count).Select(color => session.SubmitForIdAsync(ComfySession.Smoke(color), "me")));
        var started = new List<string>();
        for (var ended = 0; ended < Count; ended++)
        {
            var messages = await listener.UntilDoneAsync();
            started.Add(Id(Assert.Single(messages, message => message.Type == "execution_start").Data));
            Assert.All(messages.Where(message => message.Type is "executing" or "executed"), message => Assert.Equal(started[^1], Id(message.Data)));
        }

        Assert.Equal(ids.Order(), started.Order());
        Assert.Equal(Count, Directory.GetFiles(Path.Combine(session.Server.Folder, "output")).Length);
    }

    private static Task<ComfySession> HangingAsync(string version = "0.3.64") => StartAsync(new() { Version = version }, NodeFault.Hang);

    private static async Task<ComfySession> StartAsync(ComfyUIOptions options, NodeFault fault)
    {
        var session = await ComfySession.StartAsync(options);
        session.Server.NodeFaults = (_, _) => fault;
        return session;
    }

    private static async Task<(int Running, int Pending)> CountsAsync(ComfySession session)
    {
        var queue = await session.GetAsync("queue");
        return (queue["queue_running"]!.AsArray().Count, queue["queue_pending"]!.AsArray().Count);
    }

    private static IEnumerable<string> Messages(JsonNode history) => history["status"]!["messages"]!.AsArray().Select(message => message![0]!.GetValue<string>());

    private static string Cached(JsonNode history) => history["status"]!["messages"]![1]![1]!["nodes"]!.ToJsonString();

    private static string Id(JsonNode node) => node["prompt_id"]!.GetValue<string>();

    private static string Text(JsonNode node, string name) => node[name]!.GetValue<string>();
}
