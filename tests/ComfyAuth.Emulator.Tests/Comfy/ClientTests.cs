using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using ComfyAuth.Comfy;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>Our client on the emulated service: what runs, what is refused, what fails, and what happens when the service does.</summary>
public sealed class ClientTests(ITestOutputHelper output) : IDisposable
{
    private const string Password = "correct-horse";
    private static readonly string Hash = Bcrypt.Hash(new SecretText(Password), Bcrypt.MinimumCost).Reveal();
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    /// <summary>How long a step of the sampler takes by the clock, which may be a test's.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <summary>Longer than what surely comes takes on any machine.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _login = new();
    private readonly List<PromptEvent> _events = [];

    /// <summary>Hears each event, after it was added to the others.</summary>
    private Action<PromptEvent>? _heard;

    public void Dispose()
    {
        _folder.Dispose();
        _login.Dispose();
    }

    [Theory]
    [InlineData("0.3.18", false)]
    [InlineData("0.3.64", false)]
    [InlineData("0.3.18", true)]
    [InlineData("0.3.64", true)]
    public async Task A_workflow_runs_with_the_token_and_with_a_session(string version, bool withSession)
    {
        await using var server = await StartAsync(version);
        await using var client = Client(server, withSession ? ComfyCredential.Session("alice", new(Password)) : null);

        var image = Assert.Single(await RunAsync(client, Smoke(1)));

        Assert.Equal(Path.Combine(_folder.Path, "comfyauth_smoke_00001_.png"), image.Path);
        Assert.Equal((64, 64, "2", false, null), (image.Width, image.Height, image.Node, image.IsCached, image.Seed));
        Assert.Equal("It is one colour: #000001.", Assert.Single(image.Problems));
        Assert.Equal(PromptEventKind.Succeeded, _events[^1].Kind);
        Assert.DoesNotContain(_events, happened => happened.Kind == PromptEventKind.ConnectionLost);
        Assert.Equal(["comfyauth_smoke_00001_.png"], Files());
    }

    [Fact]
    public async Task Nodes_and_steps_are_told_while_it_runs()
    {
        var clock = new SteppedClock();
        await using var server = await StartAsync(stepTime: Step, clock: clock);
        await using var client = Client(server);
        await File.WriteAllBytesAsync(_folder.PathOf("photo.png"), ComfySession.Reference(), Stop);

        // It does not go on before somebody listens.
        var isExecuting = Hears(happened => happened is { Kind: PromptEventKind.Executing, Node: "11" });
        var running = RunAsync(client, Edit(), inputs: [new("6.image", "photo.png"), new("KSampler.seed", 7), new("steps", 10)]);
        await isExecuting;
        await StepAsync(clock, 10);
        var image = Assert.Single(await running);

        Assert.Equal(7, image.Seed);
        Assert.Empty(image.Problems);
        var check = await ImageCheck.CheckFileAsync(image.Path, _folder.PathOf("photo.png"), Stop);
        Assert.InRange(check.DifferenceFromReference!.Value, 0.01, 0.9);
        Assert.Contains(_events, happened => happened is { Kind: PromptEventKind.Progress, Node: "11", Total: 10 } && happened.Done > 1);

        var told = new List<string>();
        var words = new ComfyWorkflowProgress(Edit(), (what, thousandths) => told.Add($"{thousandths} {what}"), _ => { }, _ => { });
        _events.ForEach(words.Report);
        Assert.Contains(told, line => line.EndsWith("KSampler (node 11): step 10 of 10", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_picture_is_uploaded_under_a_name_that_replaces_nobody_elses()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        await File.WriteAllBytesAsync(_folder.PathOf("Bild ü.png"), ComfySession.Reference(), Stop);

        await RunAsync(client, Edit(), inputs: [new("LoadImage.image", _folder.PathOf("Bild ü.png"))]);

        var uploaded = Path.GetFileName(Assert.Single(Directory.GetFiles(Path.Combine(server.Folder, "input"))));
        Assert.Matches(@"\Acomfyauth_[0-9a-f]{8}_Bild _\.png\z", uploaded);
    }

    [Fact]
    public async Task What_the_server_cannot_run_is_told_before_and_nothing_is_sent()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);

        var error = await Assert.ThrowsAsync<ComfyWorkflowException>(() => RunAsync(client, Edit(), inputs: [new("1.unet_name", "nowhere.safetensors"), new("6.image", "nowhere.png")]));

        Assert.Equal("WorkflowInvalid", error.Code);
        Assert.Equal([("1", "UNETLoader", "unet_name"), ("6", "LoadImage", "image")], error.Problems.Select(problem => (problem.NodeId, problem.NodeClass, problem.Input)));
        Assert.Contains("models/diffusion_models", error.Remedy, StringComparison.Ordinal);
        Assert.Empty((await client.QueueAsync(Stop)).Running);
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Folder, "input")));
    }

    [Theory]
    [InlineData("0.3.18", """{"1":{"class_type":"Nothing","inputs":{}}}""", "", "")]
    [InlineData("0.3.64", """{"1":{"class_type":"Nothing","inputs":{}}}""", "", "")]
    [InlineData("0.3.18", """{"1":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":0}}}""", "", "")]
    [InlineData("0.3.64", """{"1":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":0}}}""", "", "")]
    [InlineData("0.3.18", """{"1":{"class_type":"EmptyImage","inputs":{"width":0,"height":8,"batch_size":1,"color":0}},"2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}}}""", "1", "width")]
    [InlineData("0.3.64", """{"1":{"class_type":"EmptyImage","inputs":{"width":0,"height":8,"batch_size":1,"color":0}},"2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}}}""", "1", "width")]
    public async Task A_refusal_names_the_node_and_the_input(string version, string workflow, string node, string input)
    {
        await using var server = await StartAsync(version);
        await using var client = Client(server);

        var error = await Assert.ThrowsAsync<ComfyWorkflowException>(() => client.SubmitAsync(ComfyWorkflow.Parse(workflow), Stop));

        Assert.Equal("WorkflowRefused", error.Code);
        var problem = error.Problems[0];
        if (node.Length > 0)
            Assert.Equal((node, "EmptyImage", input), (problem.NodeId, problem.NodeClass, problem.Input));
        Assert.NotEmpty(problem.Reason);
        Assert.DoesNotContain("does not say why", problem.Reason, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
    }

    [Theory]
    [InlineData("""{"error":"no prompt","node_errors":[]}""", "no prompt")]
    [InlineData("""{"error":{"type":"no_prompt","message":"No prompt provided","details":"No prompt provided","extra_info":{}},"node_errors":{}}""", "No prompt provided")]
    [InlineData("""{"error":{"type":"x"},"node_errors":7}""", "x")]
    [InlineData("""{"error":{},"node_errors":{"1":{"errors":[{"message":"Bad","details":"","extra_info":7}]}}}""", "node 1 (EmptyImage): Bad")]
    [InlineData("""{"error":{},"node_errors":{"1":{"class_type":"X","errors":[]}}}""", "node 1 (X): the server does not say why")]
    public async Task Every_form_of_refusal_is_read(string body, string told)
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        server.Faults = request => request.Path == "/prompt" ? new() { Answer = new(400, "application/json", body) } : null;

        var error = await Assert.ThrowsAsync<ComfyWorkflowException>(() => client.SubmitAsync(Smoke(), Stop));

        Assert.Equal(("WorkflowRefused", $": {told}."), (error.Code, error.Message[error.Message.LastIndexOf($": {told}.", StringComparison.Ordinal)..]));
    }

    [Fact]
    public async Task What_is_wrong_with_one_output_of_several_is_a_warning()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        var nodes = JsonNode.Parse("""{"1":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":5}},"2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}},"3":{"class_type":"SaveImage","inputs":{"filename_prefix":"y"}}}""")!;

        var prompt = await client.SubmitAsync(ComfyWorkflow.Parse(nodes.ToJsonString()), Stop);
        await foreach (var happened in client.FollowAsync(prompt, Stop))
            _events.Add(happened);

        Assert.Equal(("3", "SaveImage"), Assert.Single(prompt.Warnings) is var warning ? (warning.NodeId, warning.NodeClass) : default);
        Assert.Equal(PromptEventKind.Succeeded, _events[^1].Kind);
    }

    [Theory]
    [InlineData("0.3.18", true)]
    [InlineData("0.3.64", true)]
    [InlineData("0.3.64", false)]
    public async Task A_node_that_fails_ends_it_at_once_with_node_and_message(string version, bool withSocket)
    {
        await using var server = await StartAsync(version);
        await using var client = Client(server);
        server.NodeFaults = (_, name) => name == "SaveImage" ? NodeFault.Failure("RuntimeError", $"CUDA\u001b[31m broke over {Hash}") : null;
        if (!withSocket)
            server.Faults = request => request.Path == "/ws" ? new() { Answer = FaultAnswer.Error(500, "no") } : null;

        var error = await Assert.ThrowsAsync<ComfyWorkflowException>(() => RunAsync(client, Smoke()));

        Assert.Equal("WorkflowFailed", error.Code);
        Assert.Equal(("2", "SaveImage"), Assert.Single(error.Problems) is var problem ? (problem.NodeId, problem.NodeClass) : default);
        Assert.Contains("RuntimeError: CUDA [31m broke over bcrypt:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Hash, error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_preview_is_saved_where_nothing_else_is_given_out()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        var workflow = ComfySession.Smoke(1);
        workflow["3"] = new JsonObject { ["class_type"] = "PreviewImage", ["inputs"] = new JsonObject { ["images"] = new JsonArray("1", 0) } };
        var both = ComfyWorkflow.Parse(workflow.ToJsonString());
        workflow.Remove("2");

        var preview = Assert.Single(await RunAsync(client, ComfyWorkflow.Parse(workflow.ToJsonString())));
        var output = Assert.Single(await RunAsync(client, both));

        Assert.Equal((64, "3", "2"), (preview.Width, preview.Node, output.Node));
        Assert.Equal(["ComfyUI_temp_abcde_00001_.png", "comfyauth_smoke_00001_.png"], Files());
    }

    [Fact]
    public async Task Too_little_memory_is_told_with_a_remedy()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.OutOfMemory : null;

        var error = await Assert.ThrowsAsync<ComfyWorkflowException>(() => RunAsync(client, Smoke()));

        Assert.Contains("smaller picture", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_cancelled_while_it_runs_is_stopped_and_that_of_others_is_not()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var running = RunAsync(client, Smoke(1), stop: cancelled.Token);
        await UntilAsync(client, queue => queue.Running.Count == 1);
        var others = await client.SubmitAsync(Smoke(2), Stop);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        await UntilAsync(client, queue => queue.Running.SequenceEqual([others.Id]));
        Assert.True(await client.CancelAsync(others.Id, Stop));
        Assert.False(await client.CancelAsync("nobody's", Stop));
    }

    [Fact]
    public async Task What_is_cancelled_while_it_waits_leaves_the_queue_and_what_runs_goes_on()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);
        var others = await client.SubmitAsync(Smoke(1), Stop);
        await UntilAsync(client, queue => queue.Running.Count == 1);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var waiting = RunAsync(client, Smoke(2), stop: cancelled.Token);
        await UntilAsync(client, queue => queue.Pending.Count == 1);

        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        var queue = await client.QueueAsync(Stop);
        Assert.Equal([others.Id], queue.Running);
        Assert.Empty(queue.Pending);
    }

    [Fact]
    public async Task What_takes_too_long_is_stopped_and_told()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(client, Smoke(), timeout: TimeSpan.FromSeconds(3)));

        Assert.Equal("WorkflowTimedOut", error.Code);
        await UntilAsync(client, queue => queue.Running.Count == 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_could_not_be_told_to_stop_is_said(bool isCancelled)
    {
        await using var server = await StartAsync();
        var runs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.NodeFaults = (_, _) =>
        {
            runs.TrySetResult();
            return NodeFault.Hang;
        };
        server.Faults = request => request.Path == "/queue" ? new() { Answer = FaultAnswer.Error(500, "no") } : null;
        await using var client = Client(server);
        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var running = RunAsync(client, Smoke(), timeout: isCancelled ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds(1), stop: cancelled.Token);

        if (isCancelled)
        {
            await runs.Task.WaitAsync(Long, Stop);
            await cancelled.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }
        else
        {
            var error = await Assert.ThrowsAsync<ComfyAuthException>(() => running);
            Assert.Equal("WorkflowTimedOut", error.Code);
            Assert.Contains("may run on", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("was told to stop", error.Message, StringComparison.Ordinal);
        }

        Assert.Contains(_events, happened => happened.Kind == PromptEventKind.Warning && happened.Problem!.Reason.Contains("may run on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_runs_on_for_a_listener_that_fails()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);

        await Assert.ThrowsAsync<InvalidOperationException>(() => CollectAsync(client, Smoke(), new() { OutFolder = _folder.Path, Timeout = TimeSpan.FromMinutes(1) }, new FailingListener(), Stop));

        await UntilAsync(client, queue => queue.Running.Count + queue.Pending.Count == 0);
    }

    [Fact]
    public async Task A_submission_whose_answer_never_comes_is_taken_back()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);

        // The server takes it, and its answer is cut off before the first byte.
        server.Faults = request => request.Path == "/prompt" ? new() { Trickle = TimeSpan.FromMinutes(1) } : null;

        Assert.Equal("WorkflowTimedOut", (await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(client, Smoke(), timeout: TimeSpan.FromSeconds(3)))).Code);
        await UntilAsync(client, queue => queue.Running.Count + queue.Pending.Count == 0);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("silent")]
    [InlineData("cut")]
    public async Task Without_a_websocket_it_is_asked_for(string how)
    {
        var clock = new SteppedClock();
        await using var server = await StartAsync(stepTime: Step, clock: clock);
        server.Faults = request => request.Path != "/ws" ? null : how switch
        {
            "refused" => new() { Answer = FaultAnswer.Error(401, "no") },
            "silent" => new() { Delay = Timeout.InfiniteTimeSpan },

            // In the middle of the first message, which comes whenever it is connected.
            _ => new() { CutAfter = 200, Reset = true },
        };

        // Only the silent one is waited for in vain.
        await using (var patient = Client(server))
            await UploadReferenceAsync(patient);
        await using var client = Client(server, timeout: how == "silent" ? TimeSpan.FromSeconds(5) : null);

        // It does not end before somebody wanted to listen.
        var isLost = Hears(happened => happened.Kind == PromptEventKind.ConnectionLost);
        var running = RunAsync(client, Edit());
        await isLost;
        await StepAsync(clock, 20);

        Assert.Single(await running);
        Assert.Equal(PromptEventKind.Succeeded, _events[^1].Kind);
    }

    [Fact]
    public async Task A_websocket_that_was_lost_is_made_again()
    {
        var clock = new SteppedClock();
        await using var server = await StartAsync(stepTime: Step, clock: clock);
        var connections = 0;

        // In the middle of the first message, which comes whenever it is connected.
        server.Faults = request => request.Path == "/ws" && Interlocked.Increment(ref connections) == 1 ? new() { CutAfter = 200 } : null;
        await using var client = Client(server);
        await UploadReferenceAsync(client);

        // Whoever comes back is told where the prompt is.
        var isBack = Hears(happened => happened.Kind == PromptEventKind.Executing && _events.Exists(before => before.Kind == PromptEventKind.ConnectionLost));
        var running = RunAsync(client, Edit());
        await isBack;
        await StepAsync(clock, 20);

        Assert.Single(await running);
        Assert.Equal(2, connections);
        var lost = _events.FindIndex(happened => happened.Kind == PromptEventKind.ConnectionLost);
        Assert.Contains(_events.Skip(lost), happened => happened.Kind == PromptEventKind.Progress);
    }

    [Fact]
    public async Task A_service_that_was_restarted_has_lost_it()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);
        var running = RunAsync(client, Smoke());
        await UntilAsync(client, queue => queue.Running.Count == 1);

        server.Restart();

        Assert.Equal("WorkflowLost", (await Assert.ThrowsAsync<ComfyAuthException>(() => running)).Code);
    }

    [Fact]
    public async Task A_service_that_is_away_for_a_moment_is_waited_for_and_one_that_stays_away_is_not()
    {
        await using var server = await StartAsync(stepTime: TimeSpan.FromMilliseconds(50));
        await using var client = Client(server);
        await using var impatient = Client(server, absence: TimeSpan.FromSeconds(2));
        await UploadReferenceAsync(client);
        var away = 0;
        server.Faults = request => request.Path == "/ws" || (request.Path.StartsWithSegments("/history") && Interlocked.Increment(ref away) < 4) ? new() { CutAfter = 0, Reset = true } : null;
        Assert.Single(await RunAsync(client, Edit()));

        var clock = Stopwatch.StartNew();
        server.Faults = request => request.Path == "/ws" || request.Path.StartsWithSegments("/history") ? new() { CutAfter = 0, Reset = true } : null;
        Assert.Equal("ServiceUnreachable", (await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(impatient, Smoke(3)))).Code);
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(1.5));
    }

    [Fact]
    public async Task What_was_there_already_is_told_and_what_was_deleted_meanwhile_too()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);

        Assert.False(Assert.Single(await RunAsync(client, Smoke())).IsCached);
        var second = Assert.Single(await RunAsync(client, Smoke()));
        Assert.True(second.IsCached);
        Assert.Equal(_folder.PathOf("comfyauth_smoke_00001__2.png"), second.Path);

        Directory.Delete(Path.Combine(server.Folder, "output"), recursive: true);
        Assert.Equal("ServiceFileMissing", (await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(client, Smoke()))).Code);
        Assert.Equal(2, Files().Count);
    }

    [Fact]
    public async Task A_name_of_a_file_that_leads_elsewhere_stays_in_the_folder()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        server.Faults = request => request.Path == "/view" ? new() { Answer = new(200, "image/png", "no picture") }
            : request.Path.StartsWithSegments("/history", out var id) ? new()
            {
                Answer = new(200, "application/json", new JsonObject
                {
                    [id.Value![1..]] = JsonNode.Parse("""{"outputs":{"2\u001b":{"images":[{"filename":"../../evil.png"},{"filename":"..\\..\\evil.png"},{"filename":"/etc/cron.d/evil"},{"filename":"CON"},{"filename":7},null,{"filename":""}]}},"status":{"status_str":"success","completed":true,"messages":[[7],["execution_cached",{"nodes":["2\u001b"]}],null]}}"""),
                }.ToJsonString()),
            }
            : null;
        var folder = _folder.PathOf("a/b");

        var images = await RunAsync(client, Smoke(), folder: folder);

        Assert.Equal(["evil.png", "evil_2.png", "evil", "_CON"], images.Select(image => Path.GetRelativePath(folder, image.Path)));
        Assert.All(images, image => Assert.Equal(("2", true, "It cannot be decoded: it is no PNG."), (image.Node, image.IsCached, Assert.Single(image.Problems))));
        Assert.Equal(4, Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Count(File.Exists));
    }

    [Theory]
    [InlineData("a\u001b[2Jb")]
    [InlineData("the token")]
    public async Task An_id_of_a_prompt_that_cannot_be_shown_is_none(string id)
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        var answer = new JsonObject { ["prompt_id"] = id.Replace("the token", Hash, StringComparison.Ordinal), ["number"] = 1, ["node_errors"] = new JsonObject() };
        server.Faults = request => request.Path == "/prompt" ? new() { Answer = new(200, "application/json", answer.ToJsonString()) } : null;

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(client, Smoke()));

        Assert.Equal("ServiceAnswerInvalid", error.Code);
        Assert.DoesNotContain(Hash, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_that_breaks_leaves_no_file()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        server.Faults = request => request.Path == "/view" ? new() { CutAfter = 300 } : null;

        Assert.Equal("ServiceUnreachable", (await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(client, Smoke()))).Code);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task Where_nothing_can_be_saved_nothing_is_run()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);
        _folder.Write("file", "");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => RunAsync(client, Smoke(), folder: _folder.PathOf("file")));

        Assert.Equal("FileOperationFailed", error.Code);
        Assert.Empty(Directory.GetFiles(Path.Combine(server.Folder, "output")));
    }

    [Fact]
    public async Task A_full_disk_is_told_and_leaves_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/dev/full"), "no /dev/full");
        await using var server = await StartAsync();
        await using var client = Client(server);
        var prompt = await client.SubmitAsync(Smoke(), Stop);
        await foreach (var happened in client.FollowAsync(prompt, Stop))
            _events.Add(happened);
        var file = (await client.HistoryAsync(prompt.Id, Stop))!.Outputs[0].File;

        await using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.None, bufferSize: 0);
        await Assert.ThrowsAsync<IOException>(() => client.ViewAsync(file, full, Stop));
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_a_session_that_is_gone_is_made_anew()
    {
        await using var server = await StartAsync();
        await using var wrong = Client(server, ComfyCredential.Session("alice", new("wrong")));
        Assert.Equal("ServiceRefusedPassword", (await Assert.ThrowsAsync<ComfyAuthException>(() => wrong.SystemStatsAsync(Stop))).Code);

        await using var client = Client(server, ComfyCredential.Session("alice", new(Password)));
        await client.SystemStatsAsync(Stop);
        server.Recreate();
        Assert.NotEmpty((await client.SystemStatsAsync(Stop)).Devices);
    }

    [Fact]
    public async Task A_password_is_not_posted_where_it_would_become_the_password()
    {
        var passwordFile = _folder.PathOf("login/PASSWORD");
        await using var server = await EmulatedComfyUI.StartAsync(new() { PasswordFile = passwordFile }, Stop);
        await using var client = Client(server, ComfyCredential.Session("alice", new(Password)));

        Assert.Equal("ServiceHasNoPassword", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);
        Assert.False(File.Exists(passwordFile) && File.ReadAllText(passwordFile).Length > 0);
    }

    [Fact]
    public async Task A_service_without_a_login_has_none()
    {
        await using var server = await EmulatedComfyUI.StartAsync(new(), Stop);
        await using var client = Client(server, ComfyCredential.Session("alice", new(Password)));
        Assert.Equal("ServiceHasNoLogin", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);
    }

    [Fact]
    public async Task Many_run_at_once_on_one_client_and_each_gets_its_own()
    {
        await using var server = await StartAsync();
        await using var client = Client(server);

        var images = await Task.WhenAll(Enumerable.Range(1, 12).Select(number => CollectAsync(client, Smoke(number), new() { OutFolder = _folder.Path, Timeout = TimeSpan.FromMinutes(2) }, null, Stop)));

        Assert.Equal(
            Enumerable.Range(1, 12).Select(number => $"It is one colour: #{number:X6}."),
            images.Select(of => Assert.Single(Assert.Single(of).Problems)));
        Assert.Equal(12, images.SelectMany(of => of).Select(image => image.Path).Distinct().Count());
    }

    [Fact]
    public async Task Memory_is_given_back_when_asked_for_and_an_interruption_is_told_to_whom_it_hits()
    {
        await using var server = await StartAsync();
        server.NodeFaults = (_, name) => name == "EmptyImage" ? NodeFault.Hang : null;
        await using var client = Client(server);
        await client.FreeAsync(Stop);
        var running = RunAsync(client, Smoke());
        await UntilAsync(client, queue => queue.Running.Count == 1);

        await client.InterruptAsync(Stop);

        Assert.Equal("WorkflowInterrupted", (await Assert.ThrowsAsync<ComfyAuthException>(() => running)).Code);
    }

    [Fact]
    public async Task Whatever_goes_wrong_it_ends_soon_with_an_error_of_ours_that_tells_no_secret()
    {
        await using var server = await StartAsync();
        var ends = new ConcurrentDictionary<string, int>();
        for (var seed = 0; seed < 40; seed++)
        {
            server.Faults = Fault.Seeded(seed, 0.3, Hash);
            await using var client = new ComfyClient(server.Address, ComfyCredential.Bearer(BcryptHash.Parse(Hash)))
            {
                Timeout = TimeSpan.FromMilliseconds(600), PauseBetweenQuestions = TimeSpan.FromMilliseconds(20), LongestAbsence = TimeSpan.FromMilliseconds(500), LongestSilence = TimeSpan.FromMilliseconds(300),
            };
            var clock = Stopwatch.StartNew();
            try
            {
                await CollectAsync(client, Smoke(seed), new() { OutFolder = _folder.PathOf($"{seed}"), Timeout = TimeSpan.FromSeconds(5) }, null, Stop);
                ends.AddOrUpdate("fine", 1, (_, count) => count + 1);
            }
            catch (ComfyAuthException error)
            {
                Assert.DoesNotContain(Hash, error.ToString(), StringComparison.Ordinal);
                Assert.DoesNotContain(Hash[30..], error.ToString(), StringComparison.Ordinal);
                ends.AddOrUpdate(error.Code, 1, (_, count) => count + 1);
            }

            Assert.True(clock.Elapsed < Long, $"seed {seed}: {clock.Elapsed}");
        }

        Assert.True(ends.Count > 3, string.Join(", ", ends));
        output.WriteLine(string.Join(", ", ends));

        // After all of that the server is as it was.
        server.Faults = null;
        await using (var patient = Client(server))
            Assert.Single(await RunAsync(patient, Smoke()));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.partial", SearchOption.AllDirectories));
    }

    private static async Task<List<ComfyImage>> CollectAsync(ComfyClient client, ComfyWorkflow workflow, ComfyWorkflowOptions options, IProgress<PromptEvent>? progress, CancellationToken stop)
    {
        var images = new List<ComfyImage>();
        await foreach (var image in new ComfyWorkflowRunner(client).RunAsync(workflow, options, progress, stop))
            images.Add(image);
        return images;
    }

    private static ComfyWorkflow Smoke(int color = 0x336699) => ComfyWorkflow.Parse(ComfySession.Smoke(color).ToJsonString());

    private static ComfyWorkflow Edit() => ComfyWorkflow.Parse(ComfySession.Workflow("qwen-image-edit-2509").ToJsonString());

    private static ComfyClient Client(EmulatedComfyUI server, ComfyCredential? credential = null, TimeSpan? timeout = null, TimeSpan? absence = null) =>
        new(server.Address, credential ?? ComfyCredential.Bearer(BcryptHash.Parse(Hash)))
        {
            Timeout = timeout ?? TimeSpan.FromSeconds(30),
            PauseBetweenQuestions = TimeSpan.FromMilliseconds(100),
            LongestAbsence = absence ?? TimeSpan.FromSeconds(30),
        };

    private static Task<ComfyFile> UploadReferenceAsync(ComfyClient client) => client.UploadImageAsync("comfyauth_reference.png", ComfySession.Reference(), Stop);

    /// <summary>Ends with the first event that is so.</summary>
    private Task Hears(Predicate<PromptEvent> isSo)
    {
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _heard = happened =>
        {
            if (isSo(happened))
                heard.TrySetResult();
        };
        return heard.Task.WaitAsync(Long, Stop);
    }

    private static async Task StepAsync(SteppedClock clock, int steps)
    {
        for (var step = 0; step < steps; step++)
            await clock.NextTimerAsync(Step, Stop);
    }

    private static async Task UntilAsync(ComfyClient client, Func<ComfyQueue, bool> isSo)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(Long);
        while (!isSo(await client.QueueAsync(deadline.Token)))
            await Task.Yield();
    }

    private Task<List<ComfyImage>> RunAsync(
        ComfyClient client, ComfyWorkflow workflow, IReadOnlyList<KeyValuePair<string, object?>>? inputs = null, string? folder = null, TimeSpan? timeout = null, CancellationToken? stop = null) =>
        CollectAsync(
            client,
            workflow,
            new() { OutFolder = folder ?? _folder.Path, LocalFolder = _folder.Path, Inputs = inputs ?? [], Timeout = timeout ?? TimeSpan.FromMinutes(1) },
            new Listener(this),
            stop ?? Stop);

    private async Task<EmulatedComfyUI> StartAsync(string version = "0.3.64", TimeSpan stepTime = default, TimeProvider? clock = null)
    {
        var passwordFile = _login.Write("PASSWORD", $"{Hash}\nalice\n");
        return await EmulatedComfyUI.StartAsync(new() { PasswordFile = passwordFile, Version = version, StepTime = stepTime, Clock = clock ?? TimeProvider.System }, Stop);
    }

    private List<string> Files() => [.. Directory.EnumerateFiles(_folder.Path).Select(path => Path.GetFileName(path)!).Where(name => name.EndsWith(".png", StringComparison.Ordinal) || name.EndsWith(".partial", StringComparison.Ordinal)).Where(name => name != "photo.png").Order(StringComparer.Ordinal)];

    private sealed class FailingListener : IProgress<PromptEvent>
    {
        public void Report(PromptEvent value) => throw new InvalidOperationException("Nobody is there any more.");
    }

    private sealed class Listener(ClientTests test) : IProgress<PromptEvent>
    {
        public void Report(PromptEvent value)
        {
            test._events.Add(value);
            test._heard?.Invoke(value);
        }
    }
}
