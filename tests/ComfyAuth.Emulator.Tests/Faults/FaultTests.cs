using System.Net.Sockets;
using System.Text;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Services;

namespace ComfyAuth.Emulator.Tests.Faults;

/// <summary>What each fault does to the bytes of an answer.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;
    private EmulatedHealthService _service = null!;
    private string _whole = "";

    public async ValueTask InitializeAsync()
    {
        _service = await EmulatedHealthService.StartAsync(_stop);
        (_whole, _) = await AskAsync();
        Assert.EndsWith("{\"status\":\"healthy\"}", _whole, StringComparison.Ordinal);
    }

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(12)]
    [InlineData(40)]
    public async Task A_cut_answer_ends_after_so_many_bytes(int bytes)
    {
        _service.Faults = _ => new() { CutAfter = bytes };
        var (text, reset) = await AskAsync();
        Assert.Equal((bytes, false), (text.Length, reset));

        _service.Faults = _ => new() { CutAfter = _whole.Length - bytes };
        Assert.Equal(_whole.Length - bytes, (await AskAsync()).Text.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(100)]
    public async Task A_reset_answer_has_no_more_than_so_many_bytes(int bytes)
    {
        _service.Faults = _ => new() { CutAfter = bytes, Reset = true };

        var (text, reset) = await AskAsync();

        Assert.True(reset);
        Assert.InRange(text.Length, 0, bytes);
    }

    [Fact]
    public async Task A_trickled_answer_is_whole()
    {
        _service.Faults = _ => new() { Trickle = TimeSpan.FromTicks(1) };
        var (text, _) = await AskAsync();
        Assert.Equal(_whole.Length, text.Length);
    }

    [Fact]
    public async Task A_late_answer_comes_after_its_delay()
    {
        _service.Faults = _ => new() { Delay = TimeSpan.FromMilliseconds(200) };
        var began = TimeProvider.System.GetTimestamp();
        await AskAsync();

        // Timers count in coarser steps than this clock, and may ring some milliseconds early.
        Assert.True(TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromMilliseconds(100));
    }

    [Fact]
    public async Task An_endless_answer_goes_on_until_nobody_listens()
    {
        _service.Faults = _ => new() { Answer = new(200, "application/json", "chant", IsEndless: true) };
        using var http = new HttpClient();
        await using var body = await http.GetStreamAsync(new Uri(_service.Address, "/health"), _stop);
        var buffer = new byte[1_000_000];
        await body.ReadExactlyAsync(buffer, _stop);
        Assert.Equal("chantchantchant", Encoding.ASCII.GetString(buffer, 0, 15));
    }

    [Theory]
    [InlineData(500, "application/json", "{\"message\":\"no\"}")]
    [InlineData(500, "text/html", "<h1>no</h1>")]
    [InlineData(404, "application/json", "{\"message\":\"no\"}")]
    [InlineData(200, "application/json", "{")]
    public async Task Another_answer_takes_the_place_of_the_servers(int status, string type, string body)
    {
        _service.Faults = _ => new() { Answer = new(status, type, body) };
        using var http = new HttpClient();
        using var response = await http.GetAsync(new Uri(_service.Address, "/health"), _stop);
        Assert.Equal((status, type, body), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync(_stop)));
    }

    [Fact]
    public async Task A_distorted_answer_is_other_JSON()
    {
        using var http = new HttpClient();
        HashSet<string> seen = [];
        for (var seed = 0; seed < 50; seed++)
        {
            _service.Faults = _ => new() { DistortionSeed = seed };
            seen.Add(await http.GetStringAsync(new Uri(_service.Address, "/health"), _stop));
        }

        Assert.DoesNotContain("{\"status\":\"healthy\"}", seen);
        Assert.InRange(seen.Count, 10, 50);
        Assert.All(seen, text => Assert.True(text.Length == 0 || System.Text.Json.Nodes.JsonNode.Parse(text) is not null || text == "null"));
    }

    [Fact]
    public void The_nth_request_for_a_path_has_the_same_fault_in_each_run_whatever_comes_between()
    {
        static List<Fault?> Run(IEnumerable<string> paths)
        {
            var faults = Fault.Seeded(7, 0.5);
            return [.. paths.Select(path => (path, Fault: faults(Request(path)))).Where(item => item.path != "/b").Select(item => item.Fault)];
        }

        var alone = Run(Enumerable.Repeat("/a", 50));
        Assert.Equal(alone, Run(Enumerable.Range(0, 100).Select(index => index % 2 == 0 ? "/b" : "/a")));
        Assert.InRange(alone.Count(fault => fault is null), 10, 40);

        var prompts = Run(Enumerable.Range(0, 50).Select(_ => "/history/" + Guid.NewGuid()));
        Assert.Equal(Run(Enumerable.Range(0, 50).Select(_ => "/history/" + Guid.NewGuid())), prompts);
    }

    [Fact]
    public async Task A_fault_spoils_one_answer_and_not_the_next_on_the_same_connection()
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 });
        for (var round = 0; round < 3; round++)
        {
            // Longer than one answer, and shorter than two.
            _service.Faults = _ => new() { CutAfter = 200, Trickle = TimeSpan.FromTicks(1) };
            await http.GetStringAsync(new Uri(_service.Address, "/health"), _stop);
            _service.Faults = null;
            Assert.Equal("{\"status\":\"healthy\"}", await http.GetStringAsync(new Uri(_service.Address, "/health"), _stop));
        }
    }

    private static Microsoft.AspNetCore.Http.HttpRequest Request(string path) =>
        new Microsoft.AspNetCore.Http.DefaultHttpContext { Request = { Method = "GET", Path = path } }.Request;

    private async Task<(string Text, bool Reset)> AskAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", _service.Address.Port, _stop);
        var stream = client.GetStream();
        await stream.WriteAsync("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), _stop);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            for (int length; (length = await stream.ReadAsync(buffer, _stop)) > 0;)
                text.Append(Encoding.ASCII.GetString(buffer, 0, length));
            return (text.ToString(), false);
        }
        catch (IOException)
        {
            return (text.ToString(), true);
        }
    }
}
