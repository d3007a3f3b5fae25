using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ComfyAuth.Comfy;
using ComfyAuth.Secrets;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Comfy;

public sealed class ComfyClientTests
{
    private const string Stats = """
        {"system":{"os":"posix","ram_total":33554432000,"ram_free":1000,"comfyui_version":"0.3.64","python_version":"3.11.9 (main)","pytorch_version":"2.8.0+cu128","embedded_python":false,"argv":["main.py","--listen"],"new_field":1},
         "devices":[{"name":"cuda:0 NVIDIA GeForce RTX 3090","type":"cuda","index":0,"vram_total":25769803776,"vram_free":24000000000,"torch_vram_total":1000000,"torch_vram_free":500}]}
        """;

    private static readonly SampleCredential Credential = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_machine_and_its_devices_are_told_in_bytes()
    {
        await using var server = new RawServer(_ => Json(Stats));
        await using var client = new ComfyClient(server.Url, ComfyCredential.Bearer(Credential.Hash));

        var system = await client.SystemStatsAsync(Stop);

        Assert.Equal(("posix", "0.3.64", "2.8.0+cu128", 33554432000, 1000), (system.OperatingSystem, system.ComfyUIVersion, system.PyTorchVersion, system.MemoryTotal, system.MemoryFree));
        Assert.Equal(["main.py", "--listen"], system.Arguments);
        var device = Assert.Single(system.Devices);
        Assert.Equal((0, 25769803776, 24000000000, 1000000, 500, true), (device.Index, device.VramTotal, device.VramFree, device.TorchVramTotal, device.TorchVramFree, device.IsGpu));
        var head = Assert.Single(server.Requests);
        Assert.StartsWith("GET /system_stats HTTP/1.1\r\n", head, StringComparison.Ordinal);
        Assert.Contains($"\r\nAuthorization: Bearer {Credential.Text}\r\n", head, StringComparison.Ordinal);
        Assert.Contains("\r\nAccept: application/json\r\n", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"system":{},"devices":[{"name":"cpu","type":"cpu","index":null,"vram_total":-1,"vram_free":1e400,"torch_vram_total":"x"}]}""")]
    [InlineData("""{"system":{"ram_total":{},"os":7,"argv":"x"},"devices":[null,1,{"type":"cpu","index":99999999999}]}""")]
    public async Task What_has_another_form_is_not_known(string body)
    {
        await using var server = new RawServer(_ => Json(body));
        await using var client = new ComfyClient(server.Url);

        var system = await client.SystemStatsAsync(Stop);

        Assert.Equal((null, null), (system.MemoryTotal, system.OperatingSystem));
        var device = Assert.Single(system.Devices);
        Assert.Equal((null, null, null, null, false), (device.Index, device.VramTotal, device.VramFree, device.TorchVramTotal, device.IsGpu));
    }

    [Fact]
    public async Task Texts_are_told_without_secrets_and_without_what_a_terminal_obeys()
    {
        await using var server = new RawServer(_ => Json(Stats.Replace("\"posix\"", "\"a\\u001b[2Jb\\r\\nc\"", StringComparison.Ordinal).Replace("--listen", $"--token={Credential.Text}", StringComparison.Ordinal)));
        await using var client = new ComfyClient(server.Url, ComfyCredential.Bearer(Credential.Hash));

        var system = await client.SystemStatsAsync(Stop);

        Assert.Equal("a [2Jb c", system.OperatingSystem);
        Assert.DoesNotContain(Credential.Text, system.Arguments[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Classes_of_nodes_are_read_in_the_forms_of_both_versions()
    {
        const string info = """
            {"KSampler":{"input":{"required":{"model":["MODEL",{}],"seed":["INT",{"default":0,"min":0,"max":18446744073709551615}],"sampler_name":[["euler","heun"]],"scheduler":["COMBO",{"options":["simple",1,1.5,true]}]},
              "optional":{"mask":["MASK"],"odd":7},"hidden":{"prompt":"PROMPT"}},"output":["LATENT",["a","b"]],"output_node":false,"display_name":"K","python_module":"nodes"},
             "LoadImage":{"input":{"required":{"image":[["x.png"],{"image_upload":true}]}},"output":["IMAGE","MASK"],"output_node":true},
             "Broken":7}
            """;
        await using var server = new RawServer(_ => Json(info));
        await using var client = new ComfyClient(server.Url);

        var classes = (await client.ObjectInfoAsync(Stop)).Classes;

        Assert.Equal(["KSampler", "LoadImage"], classes.Keys);
        var sampler = classes["KSampler"];
        Assert.Equal(["model", "seed", "sampler_name", "scheduler", "mask", "odd"], sampler.Inputs.Keys);
        Assert.Equal(["MODEL", "INT", "COMBO", "COMBO", "MASK", "*"], sampler.Inputs.Values.Select(input => input.Type));
        Assert.Equal([true, true, true, true, false, false], sampler.Inputs.Values.Select(input => input.IsRequired));
        Assert.Equal((0, 18446744073709551615), (sampler.Inputs["seed"].Minimum, sampler.Inputs["seed"].Maximum));
        Assert.Equal(["euler", "heun"], sampler.Inputs["sampler_name"].Choices);
        Assert.Equal(["simple", "1", "1.5", "True"], sampler.Inputs["scheduler"].Choices);
        Assert.Equal(["LATENT", "COMBO"], sampler.Outputs);
        Assert.True(classes["LoadImage"].Inputs["image"].TakesUpload);
        Assert.True(classes["LoadImage"].IsOutput);
    }

    [Fact]
    public async Task A_class_that_the_server_does_not_know_is_none()
    {
        await using var server = new RawServer(head => Json(head.StartsWith("GET /object_info/My%20Node%2F..%3Fx HTTP", StringComparison.Ordinal) ? """{"My Node/..?x":{}}""" : "{}"));
        await using var client = new ComfyClient(server.Url);

        Assert.Equal("My Node/..?x", (await client.ObjectInfoAsync("My Node/..?x", Stop))?.Name);
        Assert.Null(await client.ObjectInfoAsync("Nothing", Stop));
    }

    [Theory]
    [InlineData("401 Unauthorized", "", false, "ServiceWantsToken")]
    [InlineData("401 Unauthorized", "", true, "ServiceRefusedToken")]
    [InlineData("403 Forbidden", "", true, "ServiceRefusedToken")]
    [InlineData("302 Found", "Location: /login\r\n", true, "ServiceRefusedToken")]
    [InlineData("302 Found", "Location: /elsewhere\r\n", true, "ServiceAnswerInvalid")]
    [InlineData("404 Not Found", "", true, "ServiceAnswerInvalid")]
    [InlineData("500 Internal Server Error", "", true, "ServiceFailed")]
    [InlineData("200 OK", "", true, "ServiceAnswerInvalid")]
    public async Task An_answer_that_is_none_is_an_error_of_its_kind(string status, string headers, bool withToken, string code)
    {
        await using var server = new RawServer(_ => RawServer.Status(status, headers));
        await using var client = new ComfyClient(server.Url, withToken ? ComfyCredential.Bearer(Credential.Hash) : null);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop));

        Assert.Equal(code, error.Code);
        Assert.NotEmpty(error.Remedy);
        Assert.DoesNotContain(Credential.Text, error.ToString(), StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task What_a_failing_service_says_is_told_without_the_token()
    {
        await using var server = new RawServer(_ => $"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\n{("Traceback: " + Credential.Text).PadRight(100)}");
        await using var client = new ComfyClient(server.Url, ComfyCredential.Bearer(Credential.Hash));

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop));

        Assert.Contains("Traceback: bcrypt:", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Credential.Text, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nothing")]
    [InlineData("{\"system\":")]
    [InlineData("{\"system\":{\"os\":\"\\ud800\"}}")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task What_is_no_JSON_of_ComfyUI_is_an_error(string body)
    {
        await using var server = new RawServer(_ => Json(body));
        await using var client = new ComfyClient(server.Url);

        Assert.Equal("ServiceAnswerInvalid", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);
    }

    [Fact]
    public async Task Nesting_that_would_exhaust_the_stack_is_an_error()
    {
        await using var server = new RawServer(_ => Json(new string('[', 100_000)));
        await using var client = new ComfyClient(server.Url);

        Assert.Equal("ServiceAnswerInvalid", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);
    }

    [Theory]
    [InlineData("Content-Length: 1073741824\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n")]
    public async Task A_gigabyte_is_not_read(string length)
    {
        var sent = 0L;
        await using var server = new RawServer(async (_, connection, stop) =>
        {
            await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\n{length}\r\n"), stop);
            var part = Encoding.ASCII.GetBytes("10000\r\n" + new string(' ', 65536) + "\r\n");
            for (; sent < 1073741824; sent += part.Length)
                await connection.SendAsync(part, stop);
            return false;
        });
        await using var client = new ComfyClient(server.Url);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop));

        Assert.Equal("ServiceAnswerInvalid", error.Code);
        Assert.True(sent < 64 * 1024 * 1024, $"{sent} bytes were taken.");
    }

    [Fact]
    public async Task A_service_that_hangs_is_given_up()
    {
        await using var server = new RawServer(async (_, _, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return false;
        });
        await using var client = new ComfyClient(server.Url) { Timeout = TimeSpan.FromMilliseconds(100) };

        Assert.Equal("ServiceTimedOut", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);

        using var cancelled = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        await using var patient = new ComfyClient(server.Url);
        var asking = patient.SystemStatsAsync(cancelled.Token);
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task A_service_that_drips_is_given_up_too()
    {
        await using var server = new RawServer(async (_, connection, stop) =>
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"u8.ToArray(), stop);
            while (true)
            {
                await connection.SendAsync(" "u8.ToArray(), stop);
                await Task.Delay(10, stop);
            }
        });
        await using var client = new ComfyClient(server.Url) { Timeout = TimeSpan.FromMilliseconds(200) };

        Assert.Equal("ServiceTimedOut", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);
    }

    [Fact]
    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "RFC 6455 asks for it.")]
    public async Task News_of_something_else_is_no_news_of_the_prompt()
    {
        var questions = 0;
        await using var server = new RawServer(async (head, connection, stop) =>
        {
            if (!head.StartsWith("GET /ws?", StringComparison.Ordinal))
            {
                var waits = head.StartsWith("GET /queue ", StringComparison.Ordinal) && Interlocked.Increment(ref questions) == 1 ? """[1,"p"]""" : "";
                await connection.SendAsync(Encoding.Latin1.GetBytes(Json($$"""{"queue_running":[],"queue_pending":[{{waits}}]}""")), stop);
                return true;
            }

            // RFC 6455, sections 4.2.2 and 5.2: what a custom node tells all of the load, and nothing else.
            var key = head.Split("Sec-WebSocket-Key: ")[1].Split("\r\n")[0];
            var accept = Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
            await connection.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"), stop);
            var text = """{"type":"crystools.monitor","data":{"cpu":1}}"""u8.ToArray();
            while (true)
            {
                await connection.SendAsync((byte[])[0x81, (byte)text.Length, .. text], stop);
                await Task.Delay(10, stop);
            }
        });
        await using var client = new ComfyClient(server.Url) { LongestSilence = TimeSpan.FromMilliseconds(300), PauseBetweenQuestions = TimeSpan.FromMilliseconds(10) };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(2));

        var error = await Assert.ThrowsAsync<ComfyAuthException>(async () =>
        {
            await foreach (var happened in client.FollowAsync(new() { Id = "p", ClientId = "c" }, deadline.Token))
                Assert.Equal(PromptEventKind.Queued, happened.Kind);
        });

        Assert.Equal("WorkflowLost", error.Code);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_an_error_that_says_how()
    {
        await using var resetting = new RawServer(async (_, connection, stop) =>
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"u8.ToArray(), stop);
            return await RawServer.Reset(connection);
        });
        await using var client = new ComfyClient(resetting.Url);
        Assert.Equal("ServiceUnreachable", (await Assert.ThrowsAsync<ComfyAuthException>(() => client.SystemStatsAsync(Stop))).Code);

        using var port = new ClosedPort();
        await using var nobody = new ComfyClient(new($"http://127.0.0.1:{port.Number}"));
        Assert.Contains("connection refused", (await Assert.ThrowsAsync<ComfyAuthException>(() => nobody.SystemStatsAsync(Stop))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost:8188/?token=geheim-1234")]
    [InlineData("http://alice:geheim-1234@localhost:8188/")]
    [InlineData("http://localhost:8188/#geheim-1234")]
    [InlineData("ftp://geheim-1234/")]
    public void An_address_that_may_hold_a_secret_is_refused_without_telling_it(string address)
    {
        var error = Assert.Throws<ComfyAuthException>(() => new ComfyClient(new(address)).Dispose());

        Assert.Equal("ServiceAddressInvalid", error.Code);
        Assert.DoesNotContain("geheim", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_credential_does_not_tell_itself()
    {
        Assert.Equal($"the token {Credential.Hash.Fingerprint}", ComfyCredential.Bearer(Credential.Hash).ToString());
        Assert.Equal("the web password", ComfyCredential.Session("alice", new SecretText("correct horse")).ToString());
        Assert.Same(ComfyCredential.None, ComfyCredential.Bearer(default(BcryptHash)));
    }

    private static string Json(string body) => $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Encoding.Latin1.GetByteCount(body)}\r\n\r\n{body}";
}
