using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ComfyAuth.Comfy;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Comfy;

public sealed class ServiceProberTests
{
    // How late a busy machine may be; whoever waits for what he should not waits longer.
    private static readonly TimeSpan AtOnce = TimeSpan.FromMinutes(2);
    private static readonly SampleCredential Credential = new();
    private readonly ServiceProber _prober = new() { Timeout = TimeSpan.FromMinutes(10) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<AuthKind, string, string, string, string> Answers()
    {
        var data = new TheoryData<AuthKind, string, string, string, string>();
        foreach (var row in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Comfy", "data", "readings.tsv")).Where(line => line[0] != '#').Select(line => line.Split('\t')))
            data.Add(Enum.Parse<AuthKind>(row[0]), row[1], row[2], $"live {row[3]}, protected {row[4]}, ready {row[5]}", row[6]);
        return data;
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task An_answer_is_read_in_three_ways(AuthKind auth, string without, string with, string expected, string what)
    {
        await using var server = new RawServer(head => Response(HasToken(head) ? with : without));

        var readings = await ProbeAsync(server.Url, auth);

        Assert.Equal((expected, what), (Words(readings), readings.Answer));
        Assert.Equal(int.Parse(without[..3]), readings.Status);
        Assert.Equal(with == "-" ? null : int.Parse(with[..3]), readings.TokenStatus);
        Assert.Equal(with == "-" ? [false] : [false, true], server.Requests.Select(HasToken));
        Assert.All(server.Requests, head => Assert.StartsWith("GET /system_stats HTTP/1.1\r\n", head, StringComparison.Ordinal));
        Assert.All(server.Requests, head => Assert.Contains("\r\nAccept: application/json\r\n", head, StringComparison.Ordinal));
        Assert.DoesNotContain(Credential.Text, readings.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_token_of_ours_it_is_not_known_whether_a_protected_service_is_ready()
    {
        await using var server = new RawServer(_ => RawServer.Status("401 Unauthorized"));

        var readings = await _prober.ProbeAsync(Service(server.Url), null, Stop);
        var emptyToken = await _prober.ProbeAsync(Service(server.Url), default(BcryptHash), Stop);

        Assert.Equal("live yes, protected yes, ready ?: 401 without a token", $"{Words(readings)}: {readings.Answer}");
        Assert.Equal(readings, emptyToken);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_redirect_is_not_followed_and_carries_no_token_away()
    {
        await using var thief = new RawServer(_ => RawServer.Status("200 OK"));
        await using var server = new RawServer(head => RawServer.Status(HasToken(head) ? "302 Found" : "401 Unauthorized", $"Location: {thief.Url}login\r\n"));

        var readings = await ProbeAsync(server.Url);

        Assert.Equal("live yes, protected yes, ready no", Words(readings));
        Assert.Empty(thief.Requests);
    }

    [Theory]
    [InlineData("//127.0.0.1:{0}/")]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("@127.0.0.1:{0}/")]
    [InlineData("\\\\127.0.0.1:{0}/")]
    [InlineData("/..//127.0.0.1:{0}/")]
    [InlineData("/x\r\nHost: 127.0.0.1:{0}\r\n\r\nGET /")]
    public async Task A_health_path_leads_to_no_other_address(string path)
    {
        await using var thief = new RawServer(_ => RawServer.Status("200 OK"));
        await using var server = new RawServer(_ => RawServer.Status("401 Unauthorized"));

        var readings = await _prober.ProbeAsync(Service(server.Url) with { HealthPath = string.Format(null, path, thief.Port) }, Credential.Hash, Stop);

        Assert.Equal((401, 401), (readings.Status, readings.TokenStatus));
        Assert.Equal(2, server.Requests.Count);
        Assert.All(server.Requests, head => Assert.EndsWith($"\r\nHost: 127.0.0.1:{server.Port}\r\n", head.Split("Accept")[0], StringComparison.Ordinal));
        Assert.Empty(thief.Requests);
    }

    [Theory]
    [InlineData("", "/system_stats", "/system_stats")]
    [InlineData("comfy", "/system_stats", "/comfy/system_stats")]
    [InlineData("comfy/", "system_stats?full=1", "/comfy/system_stats?full=1")]
    [InlineData("comfy?key=1#part", "/", "/comfy/")]
    [InlineData("", "", "/")]
    [InlineData("", "/a b/ü", "/a%20b/%C3%BC")]
    public async Task The_health_path_stands_below_the_path_of_the_address(string root, string path, string asked)
    {
        await using var server = new RawServer(_ => RawServer.Status("200 OK"));

        await _prober.ProbeAsync(Service(new(server.Url, root)) with { HealthPath = path }, null, Stop);

        Assert.StartsWith($"GET {asked} HTTP/1.1\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_in_the_address_is_not_sent()
    {
        await using var server = new RawServer(_ => RawServer.Status("401 Unauthorized", "WWW-Authenticate: Basic realm=x\r\n"));

        await ProbeAsync(new($"http://alice:secret@127.0.0.1:{server.Port}"));

        Assert.Equal([false, true], server.Requests.Select(HasToken));
        Assert.All(server.Requests, head => Assert.DoesNotContain("Basic", head, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Nothing_listens()
    {
        using var port = new ClosedPort();

        Assert.Equal("live no, protected ?, ready no: connection refused", await DescribeAsync(new($"http://127.0.0.1:{port.Number}")));
    }

    [Fact]
    public async Task A_published_port_in_front_of_nothing_resets()
    {
        await using var server = new RawServer((_, connection, _) => RawServer.Reset(connection));

        Assert.Equal("live no, protected ?, ready no: the connection was reset", await DescribeAsync(server.Url));
    }

    [Fact]
    public async Task A_published_port_in_front_of_nothing_replies_nothing()
    {
        await using var server = new RawServer((_, _, _) => Task.FromResult(false));

        Assert.Equal("live no, protected ?, ready no: an empty reply", await DescribeAsync(server.Url));
    }

    [Fact]
    public async Task A_service_that_fails_only_under_the_token_is_live_and_not_ready()
    {
        await using var server = new RawServer(async (head, connection, stop) =>
        {
            if (HasToken(head))
                return await RawServer.Reset(connection);
            await connection.SendAsync(Encoding.ASCII.GetBytes(RawServer.Status("401 Unauthorized")), stop);
            return true;
        });

        Assert.Equal("live yes, protected yes, ready no: 401 without a token, the connection was reset with ours", await DescribeAsync(server.Url));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", "an answer that is not HTTP")]
    [InlineData("\0\u0001\u0002\u00ff\r\n\r\n", "an answer that is not HTTP")]
    [InlineData("HTTP/1.1 200", "an empty reply")]
    [InlineData("HTTP/1.1 200 OK\r\nX: y", "an empty reply")]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n", "an answer that is not HTTP")]
    public async Task What_is_no_http_is_no_life(string answer, string what)
    {
        await using var server = new RawServer(async (_, connection, stop) =>
        {
            await connection.SendAsync(Encoding.Latin1.GetBytes(answer), stop);
            return false;
        });

        Assert.Equal($"live no, protected ?, ready no: {what}", await DescribeAsync(server.Url));
    }

    [Fact]
    public async Task Headers_without_an_end_are_read_for_a_while_only()
    {
        var sent = 0L;
        await using var server = new RawServer(async (_, connection, stop) =>
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\n"u8.ToArray(), stop);
            var header = Encoding.ASCII.GetBytes($"X-Noise: {new string('n', 1000)}\r\n");
            while (true)
            {
                // Before they are sent: what the other side has got is counted.
                Interlocked.Add(ref sent, header.Length);
                await connection.SendAsync(header, stop);
            }
        });

        Assert.Equal("live no, protected ?, ready no: an answer with more than 64 KB of headers", await DescribeAsync(server.Url));
        Assert.InRange(Interlocked.Read(ref sent), 64 * 1024, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task A_body_without_an_end_is_not_waited_for()
    {
        await using var server = new RawServer(async (_, connection, stop) =>
        {
            await connection.SendAsync("HTTP/1.1 200 OK\r\n\r\n"u8.ToArray(), stop);
            var flood = new byte[64 * 1024];
            while (true)
                await connection.SendAsync(flood, stop);
        });

        var clock = Stopwatch.StartNew();
        Assert.Equal("live yes, protected no, ready yes: 200", await DescribeAsync(server.Url));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, AtOnce);
    }

    [Fact]
    public async Task Silence_ends_at_the_deadline()
    {
        await using var server = new RawServer((_, _, stop) => Task.Delay(Timeout.Infinite, stop).ContinueWith(_ => false, TaskScheduler.Default));
        var prober = new ServiceProber { Timeout = TimeSpan.FromSeconds(0.25) };

        var clock = Stopwatch.StartNew();
        var readings = await prober.ProbeAsync(Service(server.Url), Credential.Hash, Stop);

        Assert.Equal("live no, protected ?, ready no: no answer within 0.25 s", $"{Words(readings)}: {readings.Answer}");
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.2), AtOnce);
    }

    [Fact]
    public async Task A_port_that_accepts_nobody_ends_at_the_deadline()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there a full queue refuses");

        // Its queue is full, so that a connection neither is made nor fails.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var address = (IPEndPoint)listener.LocalEndPoint!;
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(address, Stop);
        AssertHasArrived(listener);
        var prober = new ServiceProber { Timeout = TimeSpan.FromSeconds(0.25) };

        var clock = Stopwatch.StartNew();
        var readings = await prober.ProbeAsync(Service(new($"http://127.0.0.1:{address.Port}")), Credential.Hash, Stop);

        Assert.Equal("no answer within 0.25 s", readings.Answer);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.2), AtOnce);
    }

    [Fact]
    public async Task Giving_up_ends_it_at_once()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(async (_, _, stop) =>
        {
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, stop);
            return false;
        });
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var prober = new ServiceProber { Timeout = Timeout.InfiniteTimeSpan };

        var probing = prober.ProbeAsync(Service(server.Url), Credential.Hash, cancel.Token);
        await asked.Task.WaitAsync(AtOnce, Stop);
        await cancel.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probing.WaitAsync(AtOnce, Stop));
        Assert.Equal(cancel.Token, error.CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => prober.ProbeAsync(Service(server.Url), Credential.Hash, cancel.Token));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("http://no-such-machine.invalid:8188", "the name 'no-such-machine.invalid' is not known")]
    [InlineData("ftp://127.0.0.1/", "not asked, because url and health path make no http address")]
    public async Task Where_the_question_cannot_get_to_nothing_is_concluded(string url, string what)
    {
        Assert.Equal($"live ?, protected ?, ready ?: {what}", await DescribeAsync(new(url)));
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_gets_no_token()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var probing = DescribeAsync(new($"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"));
        using var connection = await listener.AcceptTcpClientAsync(Stop).AsTask().WaitAsync(AtOnce, Stop);
        await using var tls = new SslStream(connection.GetStream());
        var received = 0;
        try
        {
            await tls.AuthenticateAsServerAsync(certificate);
            received = await tls.ReadAsync(new byte[100], Stop);
        }
        catch (Exception error) when (error is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client refuses, as it should.
        }

        Assert.StartsWith("live ?, protected ?, ready ?: TLS failed: ", await probing, StringComparison.Ordinal);
        Assert.Equal(0, received);
    }

    [Fact]
    public async Task Tls_with_a_server_that_has_none_fails_as_tls()
    {
        await using var server = new RawServer(_ => "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("live ?, protected ?, ready ?: TLS failed: ", await DescribeAsync(new($"https://127.0.0.1:{server.Port}")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Localhost_is_found_at_either_of_its_addresses_without_a_pause(string address)
    {
        Assert.SkipUnless((await Dns.GetHostAddressesAsync("localhost", Stop)).Contains(IPAddress.Parse(address)), $"localhost is not {address} here");
        await using var server = new RawServer(_ => RawServer.Status("200 OK"), IPAddress.Parse(address));

        // Only on Windows a port with nothing behind it takes two seconds to say so. Where there is a pause, each time has it; on a busy
        // machine only some take as long.
        TimeSpan took;
        var times = 0;
        do
        {
            var clock = Stopwatch.StartNew();
            Assert.Equal("live yes, protected no, ready yes: 200", await DescribeAsync(new($"http://localhost:{server.Port}")));
            took = clock.Elapsed;
        }
        while (OperatingSystem.IsWindows() && took > TimeSpan.FromSeconds(1.5) && ++times < 20);
        Assert.InRange(took, TimeSpan.Zero, OperatingSystem.IsWindows() ? TimeSpan.FromSeconds(1.5) : AtOnce);
    }

    [Fact]
    public async Task An_address_that_refuses_or_says_nothing_does_not_hold_up_the_next()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only there the whole network 127 is the loopback");
        await using var server = new RawServer(_ => RawServer.Status("200 OK"), IPAddress.Parse("127.0.0.4"));
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Parse("127.0.0.3"), server.Port));
        silent.Listen(0);
        using var first = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await first.ConnectAsync(silent.LocalEndPoint!, Stop);
        AssertHasArrived(silent);

        var clock = Stopwatch.StartNew();
        await using var connection = await ServiceConnection.OpenAsync([IPAddress.Parse("127.0.0.2"), IPAddress.Parse("127.0.0.3"), IPAddress.Parse("127.0.0.4")], server.Port, Stop);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.2), AtOnce);

        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(0.1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ServiceConnection.OpenAsync([IPAddress.Parse("127.0.0.3")], server.Port, cancel.Token));
        await Assert.ThrowsAsync<SocketException>(() => ServiceConnection.OpenAsync([], server.Port, Stop));
    }

    [Fact]
    public async Task Garbage_is_a_reading_whatever_it_is()
    {
        const string good = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nLocation: /login\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        var seed = 0;
        await using var server = new RawServer(async (_, connection, stop) =>
        {
            var random = new Random(Interlocked.Increment(ref seed));
            var answer = Encoding.ASCII.GetBytes(good);
            for (var flips = random.Next(1, 20); flips > 0; flips--)
                answer[random.Next(answer.Length)] = (byte)random.Next(256);
            await connection.SendAsync(answer.AsMemory(0, random.Next(answer.Length + 1)), stop);
            return random.Next(4) != 0 ? false : await RawServer.Reset(connection);
        });

        for (var round = 0; round < 300; round++)
        {
            var readings = await ProbeAsync(server.Url);
            Assert.NotEqual("", readings.Answer);
            Assert.Equal(readings.IsLive == true, readings.Status is not null);
            Assert.DoesNotContain(Credential.Text, readings.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Many_are_asked_at_once()
    {
        await using var server = new RawServer(head => RawServer.Status(HasToken(head) ? "200 OK" : "401 Unauthorized"));

        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => ProbeAsync(server.Url)));

        Assert.All(all, readings => Assert.Equal("live yes, protected yes, ready yes", Words(readings)));
        Assert.Equal(400, server.Requests.Count);
    }

    private static ServiceDefinition Service(Uri url, AuthKind auth = AuthKind.ComfyUILogin) =>
        new() { Name = "comfyui", Container = "comfyui", Url = url, HealthPath = "/system_stats", Auth = auth };

    private static bool HasToken(string head) => head.Contains($"\r\nAuthorization: Bearer {Credential.Text}\r\n", StringComparison.Ordinal);

    /// <summary>A connection is made before it stands in the queue of its listener.</summary>
    private static void AssertHasArrived(Socket listener) => Assert.True(listener.Poll(AtOnce, SelectMode.SelectRead));

    /// <summary>The answer of a status line; of a redirection, the third word is where it leads.</summary>
    private static string Response(string status)
    {
        var words = status.Split(' ', 3);
        return words is [['3', ..], _, var location] ? RawServer.Status($"{words[0]} {words[1]}", $"Location: {location}\r\n") : RawServer.Status(status);
    }

    private static string Words(ServiceReadings readings)
    {
        return $"live {Word(readings.IsLive)}, protected {Word(readings.IsProtected)}, ready {Word(readings.IsReady)}";

        static string Word(bool? reading) => reading switch { true => "yes", false => "no", null => "?" };
    }

    private Task<ServiceReadings> ProbeAsync(Uri url, AuthKind auth = AuthKind.ComfyUILogin) => _prober.ProbeAsync(Service(url, auth), Credential.Hash, Stop);

    private async Task<string> DescribeAsync(Uri url)
    {
        var readings = await ProbeAsync(url);
        return $"{Words(readings)}: {readings.Answer}";
    }
}
