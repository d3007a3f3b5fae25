using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>Answers that a real engine cannot be made to give.</summary>
public sealed class ProtocolTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static DockerClient ClientOf(ScriptedServer server, double seconds = 60) =>
        new(DockerEndpoint.Parse("unix://" + server.Path, "the test"), new() { ConnectTimeout = TimeSpan.FromMinutes(1), RequestTimeout = TimeSpan.FromSeconds(seconds), ProbeTime = TimeSpan.FromMinutes(1) });

    private static async Task<DockerException> ErrorAsync(ScriptedServer server, Func<DockerClient, Task> action, double seconds = 60)
    {
        await using var client = ClientOf(server, seconds);
        return await Assert.ThrowsAsync<DockerException>(() => action(client));
    }

    [Fact]
    public async Task A_list_and_four_inspections_are_five_requests_on_one_connection()
    {
        await using var server = new ScriptedServer(request => ScriptedServer.Json(request.Contains("containers/json", StringComparison.Ordinal)
            ? "[" + string.Join(',', Enumerable.Range(0, 4).Select(number => $$"""{"Id":"{{number}}","Names":["/c{{number}}"]}""")) + "]"
            : """{"Id":"x","Name":"/x"}"""));
        await using var client = ClientOf(server);

        foreach (var container in await client.ListContainersAsync(stop: Stop))
            await client.InspectContainerAsync(container.Id, Stop);

        Assert.Equal((1 + 5, 1), (server.Requests, server.Connections));
    }

    [Theory]
    [InlineData("1.41", "1.41")]
    [InlineData("1.40", "1.40")]
    [InlineData("1.99", "1.51")]
    [InlineData("2.0", "1.51")]
    public async Task The_lower_of_the_two_newest_versions_is_spoken(string theirs, string spoken)
    {
        var paths = new List<string>();
        await using var server = new ScriptedServer(async (request, connection, stop) =>
        {
            paths.Add(request);
            var answer = request.Contains("_ping", StringComparison.Ordinal) ? ScriptedServer.Ping.Replace("1.43", theirs, StringComparison.Ordinal) : ScriptedServer.Json("{}");
            await connection.WriteAsync(Encoding.UTF8.GetBytes(answer), stop);
            return true;
        });
        await using var client = ClientOf(server);

        await client.VersionAsync(Stop);

        Assert.Equal(["GET /_ping HTTP/1.1", $"GET /v{spoken}/version HTTP/1.1"], paths);
    }

    [Theory]
    [InlineData("DockerApiTooOld", "HTTP/1.1 200 OK\r\nApi-Version: 1.12\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("DockerProtocolError", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("DockerProtocolError", "HTTP/1.1 200 OK\r\nApi-Version: one\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("DockerProtocolError", "SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("DockerTlsFailed", "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")]
    public async Task A_server_that_is_no_engine_for_us_is_told_by_its_ping(string code, string answer)
    {
        await using var server = new ScriptedServer(async (_, connection, stop) =>
        {
            await connection.WriteAsync(Encoding.UTF8.GetBytes(answer), stop);
            return false;
        });

        Assert.Equal(code, (await ErrorAsync(server, client => client.ListContainersAsync(stop: Stop))).Code);
    }

    [Theory]
    [InlineData("DockerApiTooNew", "400 Bad Request", "client version 1.43 is too old. Minimum supported API version is 1.60, please upgrade")]
    [InlineData("DockerApiTooOld", "400 Bad Request", "client version 1.43 is too new. Maximum supported API version is 1.12")]
    [InlineData("DockerNotFound", "404 Not Found", "No such container: x")]
    [InlineData("DockerConflict", "409 Conflict", "is not running")]
    [InlineData("DockerPermissionDenied", "403 Forbidden", "authorization denied by plugin")]
    [InlineData("DockerRequestFailed", "500 Internal Server Error", "driver failed")]
    public async Task What_the_engine_refuses_has_a_code_and_says_what_it_said(string code, string status, string message)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Json($$"""{"message":"{{message}}"}""", status));

        var error = await ErrorAsync(server, client => client.InspectContainerAsync("x", Stop));

        Assert.Equal(code, error.Code);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(server.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_text_error_of_a_proxy_is_shown_shortened_and_without_secrets()
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Json("<html>\n502 $2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234 " + new string('x', 50_000), "502 Bad Gateway"));

        var error = await ErrorAsync(server, client => client.InspectContainerAsync("x", Stop));

        Assert.Equal("DockerRequestFailed", error.Code);
        Assert.Contains("<html> 502", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("$2b$12$", error.Message, StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 100, 2000);
    }

    [Fact]
    public async Task Fields_that_are_missing_null_or_new_do_no_harm()
    {
        await using var server = new ScriptedServer(request => ScriptedServer.Json(request.Contains("containers/json", StringComparison.Ordinal)
            ? """[null, {"Id":"1"}, {"Id":"2","Names":null,"Labels":null,"Ports":[null],"State":"levitating","New":{"a":[1]}}]"""
            : """{"Id":"1","State":{"Health":{"Log":[null]}},"Config":{"Env":["A",null,"B=1=2"],"Cmd":null,"Healthcheck":{"Test":[]}},"HostConfig":{"PortBindings":{"x/y":null,"80":[null]},"DeviceRequests":[{"Capabilities":[null,["gpu",null]]}]},"Mounts":[null],"NetworkSettings":null}"""));
        await using var client = ClientOf(server);

        Assert.Equal([ContainerState.Unknown, ContainerState.Unknown], (await client.ListContainersAsync(stop: Stop)).Select(item => item.State));
        var details = await client.InspectContainerAsync("x", Stop);
        Assert.Equal([("A", null), ("B", "1=2")], details.Environment.Select(variable => (variable.Name, variable.Reveal())));
        Assert.Equal("gpu", Assert.Single(Assert.Single(details.DeviceRequests).Capabilities));
        Assert.Null(details.Healthcheck);
    }

    [Theory]
    [InlineData("""[{"Id":"1"},{}]""")]
    [InlineData("""[{"Id":"1"},{"Id":" "}]""")]
    [InlineData("""[{"Id":".."}]""")]
    public async Task What_has_no_identifier_cannot_be_asked_for_later_and_is_an_error_now(string list)
    {
        await using var server = new ScriptedServer(_ => ScriptedServer.Json(list));
        Assert.Equal("DockerProtocolError", (await ErrorAsync(server, client => client.ListContainersAsync(stop: Stop))).Code);

        await using var single = new ScriptedServer(_ => ScriptedServer.Json(list.Trim('[', ']').Split(',')[^1]));
        Assert.Equal("DockerProtocolError", (await ErrorAsync(single, client => client.InspectContainerAsync("x", Stop))).Code);
    }

    [Fact]
    public async Task An_error_inside_the_stream_of_a_pull_is_an_error()
    {
        const string stream = """{"status":"Pulling from library/x","id":"1"}""" + "\r\n" + """{"status":"Downloading","progressDetail":{"current":5,"total":9},"id":"a1"}""" + "\r\n"
            + """{"errorDetail":{"message":"toomanyrequests: slow down"},"error":"toomanyrequests: slow down"}""" + "\r\n";
        var requests = new List<string>();
        await using var server = new ScriptedServer(request =>
        {
            requests.Add(request);
            return ScriptedServer.Json(stream);
        });
        List<PullProgress> steps = [];

        var error = await ErrorAsync(server, async client =>
        {
            await foreach (var step in client.PullAsync("registry:5000/x", Stop))
                steps.Add(step);
        });

        Assert.Equal("DockerPullFailed", error.Code);
        Assert.Contains("toomanyrequests: slow down", error.Message, StringComparison.Ordinal);
        Assert.Equal([new("1", "Pulling from library/x", null, null), new("a1", "Downloading", 5, 9)], steps);
        Assert.Contains("fromImage=registry%3A5000%2Fx%3Alatest ", requests[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_log_that_breaks_off_gives_its_lines_and_then_an_error(bool insideFrame)
    {
        await using var server = new ScriptedServer(async (request, connection, stop) =>
        {
            byte[] answer = request.Contains("_ping", StringComparison.Ordinal)
                ? Encoding.UTF8.GetBytes(ScriptedServer.Ping)
                : [.. "HTTP/1.1 200 OK\r\n\r\n"u8, 1, 0, 0, 0, 0, 0, 0, 4, .. "one\n"u8, .. insideFrame ? [1, 0, 0, 0, 0, 0, 0, 4, .. "tw"u8] : "HTTP/1.1"u8];
            await connection.WriteAsync(answer, stop);
            return request.Contains("_ping", StringComparison.Ordinal);
        });
        List<string> lines = [];

        var error = await ErrorAsync(server, async client =>
        {
            await foreach (var line in client.LogsAsync("x", new() { Tty = false }, Stop))
                lines.Add(line.Text);
        });

        Assert.Equal("DockerProtocolError", error.Code);
        Assert.Equal(insideFrame ? ["one", "tw"] : ["one"], lines);
    }

    [Fact]
    public async Task A_silent_engine_is_a_timeout_at_the_deadline()
    {
        await using var server = new ScriptedServer(async (request, connection, stop) =>
        {
            if (request.Contains("_ping", StringComparison.Ordinal))
                await connection.WriteAsync(Encoding.UTF8.GetBytes(ScriptedServer.Ping), stop);
            return true;
        });
        var clock = Stopwatch.StartNew();

        var error = await ErrorAsync(server, client => client.ListContainersAsync(stop: Stop), seconds: 0.3);

        Assert.Equal("DockerTimeout", error.Code);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.25, 20);
    }

    [Fact]
    public async Task Nobody_on_the_socket_and_no_socket_are_told_apart_from_no_docker()
    {
        var path = Path.Combine(Path.GetTempPath(), $"comfyauth-{Guid.NewGuid():N}.sock");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            dead.Bind(new UnixDomainSocketEndPoint(path));
        await using (var client = new DockerClient(DockerEndpoint.Parse("unix://" + path, "the test")))
        {
            var error = await Assert.ThrowsAsync<DockerException>(() => client.PingAsync(Stop));
            Assert.Equal("DockerNotRunning", error.Code);
            Assert.Contains("(from the test)", error.Message, StringComparison.Ordinal);
        }

        File.Delete(path);
        await using (var client = new DockerClient(DockerEndpoint.Parse("unix://" + path, "the test")))
        {
            var error = await Assert.ThrowsAsync<DockerException>(() => client.PingAsync(Stop));
            Assert.True(error.Code is "DockerNotRunning" or "DockerNotInstalled", error.Code);
        }

        await using (var client = new DockerClient(DockerEndpoint.Parse("tcp://127.0.0.1:1", "the test")))
            Assert.Equal("DockerNotRunning", (await Assert.ThrowsAsync<DockerException>(() => client.PingAsync(Stop))).Code);
        await using (var client = new DockerClient(DockerEndpoint.Parse("unix:///" + new string('x', 300), "the test")))
            Assert.Equal("DockerHostInvalid", (await Assert.ThrowsAsync<DockerException>(() => client.PingAsync(Stop))).Code);
    }
}
