using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>What the server tells of itself, and how it goes wrong.</summary>
public sealed class ServerTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_describes_every_node_of_the_workflows()
    {
        await using var session = await ComfySession.StartAsync();
        var all = (await session.GetAsync("object_info")).AsObject();

        foreach (var (_, node) in ComfySession.Workflow("qwen-image-edit-2509").Concat(ComfySession.Workflow("smoke")))
        {
            var name = node!["class_type"]!.GetValue<string>();
            var one = (await session.GetAsync($"object_info/{name}"))[name]!.AsObject();
            Assert.Equal(all[name]!.ToJsonString(), one.ToJsonString());
            Assert.Equal(["input", "input_order", "output", "output_is_list", "output_name", "name", "display_name", "description", "python_module", "category", "output_node"], one.Select(property => property.Key).Where(key => key != "experimental"));
            Assert.Equal(name == "SaveImage", one["output_node"]!.GetValue<bool>());

            // Every input that the workflows give is described.
            var described = one["input"]!.AsObject().Where(kind => kind.Key != "hidden").SelectMany(kind => kind.Value!.AsObject()).Select(input => input.Key).ToHashSet();
            Assert.Subset(described, node["inputs"]!.AsObject().Select(input => input.Key).ToHashSet());
        }

        Assert.Equal("{}", (await session.GetAsync("object_info/Nowhere")).ToJsonString());
    }

    [Fact]
    public async Task Many_ask_for_the_nodes_at_once_from_the_first_moment_on()
    {
        await using var session = await ComfySession.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => session.Http.GetStringAsync("object_info", Stop)));

        Assert.Single(answers.Distinct());
    }

    [Fact]
    public async Task It_lists_the_models_that_it_was_given()
    {
        await using var session = await ComfySession.StartAsync(new() { Models = new Dictionary<string, IReadOnlyList<string>> { ["diffusion_models"] = ["a.safetensors", "b.safetensors"] } });

        Assert.Equal("[\"a.safetensors\",\"b.safetensors\"]", await ChoicesAsync("UNETLoader", "unet_name"));
        Assert.Equal("[]", await ChoicesAsync("VAELoader", "vae_name"));

        async Task<string> ChoicesAsync(string name, string input) => (await session.GetAsync($"object_info/{name}"))[name]!["input"]!["required"]![input]![0]!.ToJsonString();
    }

    [Fact]
    public async Task It_tells_its_memory_and_version()
    {
        await using var newer = await ComfySession.StartAsync(new() { GpuMemory = 12L << 30, FreeGpuMemory = 3L << 30 });
        await using var older = await ComfySession.StartAsync(new() { Version = "0.3.18", GpuMemory = null });

        var stats = await newer.GetAsync("system_stats");
        var device = Assert.Single(stats["devices"]!.AsArray())!;
        Assert.Equal(["name", "type", "index", "vram_total", "vram_free", "torch_vram_total", "torch_vram_free"], device.AsObject().Select(property => property.Key));
        Assert.Equal((0, 12L << 30, 3L << 30), (device["index"]!.GetValue<int>(), device["vram_total"]!.GetValue<long>(), device["vram_free"]!.GetValue<long>()));
        Assert.Equal("0.3.64", stats["system"]!["comfyui_version"]!.GetValue<string>());

        // Without a GPU: no index, and the memory is the machine's.
        var before = await older.GetAsync("system_stats");
        var cpu = before["devices"]![0]!.AsObject();
        Assert.Equal(("cpu", true), (cpu["type"]!.GetValue<string>(), cpu.ContainsKey("index") && cpu["index"] is null));
        Assert.Equal(before["system"]!["ram_total"]!.GetValue<long>(), cpu["vram_total"]!.GetValue<long>());
        Assert.Equal(3, stats["system"]!.AsObject().Count - before["system"]!.AsObject().Count);
        Assert.Equal(["os", "ram_total", "ram_free", "comfyui_version", "python_version", "pytorch_version", "embedded_python", "argv"], before["system"]!.AsObject().Select(property => property.Key));
    }

    [Theory]
    [InlineData("GET", "interrupt", 405)]
    [InlineData("DELETE", "queue", 405)]
    [InlineData("POST", "system_stats", 405)]
    [InlineData("POST", "history/a", 405)]
    [InlineData("GET", "nowhere", 404)]
    [InlineData("GET", "api", 404)]
    [InlineData("GET", "api/queue", 200)]
    [InlineData("HEAD", "queue", 200)]
    public async Task Paths_and_methods_are_those_of_the_real_one(string method, string target, int status)
    {
        await using var session = await ComfySession.StartAsync();
        using var request = new HttpRequestMessage(new(method), target);

        using var response = await session.Http.SendAsync(request, Stop);

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task While_it_boots_connections_are_accepted_and_then_reset_or_closed()
    {
        await using var session = await ComfySession.StartAsync();

        session.Server.Phase = ComfyUIPhase.Resetting;
        var reset = await Assert.ThrowsAsync<IOException>(() => TalkAsync(session.Server.Address));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(reset.InnerException).SocketErrorCode);
        session.Server.Phase = ComfyUIPhase.Silent;
        Assert.Equal("", await TalkAsync(session.Server.Address));
        session.Server.Phase = ComfyUIPhase.Listening;
        Assert.StartsWith("HTTP/1.1 200 OK", await TalkAsync(session.Server.Address), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_can_be_laid_over_any_answer()
    {
        await using var session = await ComfySession.StartAsync();
        session.Server.Faults = request => request.Path == "/queue" ? new() { Answer = new(500, "text/plain", "500 Internal Server Error") } : null;

        Assert.Equal(500, await session.StatusAsync("queue"));
        Assert.Equal(200, await session.StatusAsync("history"));
    }

    [Fact]
    public async Task A_step_takes_as_long_as_the_clock_says()
    {
        var clock = new SteppedClock();
        await using var session = await ComfySession.StartAsync(new() { StepTime = TimeSpan.FromMinutes(1), Clock = clock });
        await session.UploadAsync(ComfySession.Reference(), "comfyauth_reference.png");
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        await session.SubmitAsync(ComfySession.Workflow("qwen-image-edit-2509"), "me");

        for (var step = 1; step <= 20; step++)
        {
            // A timer for each step, and no step before it rings.
            await clock.NextTimerAsync(TimeSpan.FromMinutes(1), Stop);
            Assert.Equal(step, (await listener.UntilAsync("progress"))[^1].Data["value"]!.GetValue<int>());
        }

        await listener.UntilDoneAsync();
    }

    [Fact]
    public async Task Its_folder_goes_with_it_unless_it_was_given()
    {
        using var given = new TemporaryFolder();
        string own;
        await using (var session = await ComfySession.StartAsync())
        {
            own = session.Server.Folder;
            Assert.True(Directory.Exists(own));
        }

        Assert.False(Directory.Exists(own));
        await using (var session = await ComfySession.StartAsync(new() { Folder = given.Path }))
            await session.RunAsync(ComfySession.Smoke());
        Assert.Equal(["comfyauth_smoke_00001_.png"], Directory.GetFiles(given.PathOf("output")).Select(Path.GetFileName));
    }

    [Fact]
    public async Task It_ends_at_once_whatever_is_under_way()
    {
        var session = await ComfySession.StartAsync();
        session.Server.NodeFaults = (_, _) => NodeFault.Hang;
        await using var listener = await ComfyListener.ConnectAsync(session.Server.Address, "me");
        await session.SubmitAsync(ComfySession.Smoke(), "me");
        await listener.UntilAsync("executing");
        var folder = session.Server.Folder;

        await session.DisposeAsync();

        Assert.False(Directory.Exists(folder));
        await Assert.ThrowsAnyAsync<Exception>(() => listener.UntilDoneAsync());
    }

    [Fact]
    public async Task It_ends_cleanly_in_the_midst_of_uploads_and_prompts()
    {
        for (var round = 0; round < 5; round++)
        {
            var session = await ComfySession.StartAsync();
            var content = new byte[1 << 20];
            var under = Enumerable.Range(0, 12).Select(number => number % 3 == 0
                ? session.SubmitAsync(ComfySession.Smoke(number))
                : (Task)session.UploadAsync(content, $"{number}.bin", ("subfolder", $"{number}"))).ToList();
            await Task.WhenAny(under);

            await session.Server.DisposeAsync();

            Assert.False(Directory.Exists(session.Server.Folder));
            await Task.WhenAll(under).ContinueWith(_ => { }, Stop, TaskContinuationOptions.None, TaskScheduler.Default);
            Assert.False(Directory.Exists(session.Server.Folder));
            session.Http.Dispose();
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_or_a_version_that_is_none_is_refused_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        await using var session = await ComfySession.StartAsync(new() { Folder = folder.Path });

        await Assert.ThrowsAsync<IOException>(() => EmulatedComfyUI.StartAsync(new() { Port = session.Server.Address.Port, Folder = folder.Path }, Stop));
        await Assert.ThrowsAsync<ArgumentException>(() => EmulatedComfyUI.StartAsync(new() { Version = "newest" }, Stop));
        Assert.Equal(200, await session.StatusAsync("queue"));
    }

    [Fact]
    public async Task Garbage_on_every_path_does_not_end_it()
    {
        await using var session = await ComfySession.StartAsync();
        string[] bodies = ["", "null", "[]", "{}", "7", "\"x\"", "{", "{\"delete\":7}", "{\"delete\":[null,{}]}", "{\"clear\":{}}", "{\"prompt\":{\"1\":{\"class_type\":\"SaveImage\",\"inputs\":[]}}}", "{\"prompt\":{},\"number\":\"x\"}", new('[', 100_000)];
        foreach (var path in new[] { "prompt", "queue", "history", "interrupt", "free", "upload/image" })
        {
            foreach (var body in bodies)
                Assert.InRange((await session.PostAsync(path, body)).Status, 200, 500);
        }

        Assert.Equal("success", (await session.RunAsync(ComfySession.Smoke()))["status"]!["status_str"]!.GetValue<string>());
    }

    /// <summary>Everything that comes for a request, below HTTP.</summary>
    private static async Task<string> TalkAsync(Uri server)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port, Stop);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /queue HTTP/1.1\r\nHost: {server.Authority}\r\nConnection: close\r\n\r\n"), Stop);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(Stop);
    }
}
