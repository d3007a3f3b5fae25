using System.Net;
using System.Net.Http.Headers;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Emulator.Hub;

namespace ComfyAuth.Emulator.Tests.Hub;

public sealed class HubFaultTests
{
    private static readonly HostedFile Model = new("Comfy-Org/Qwen-Image_ComfyUI", "model.safetensors", HubContent.Safetensors(100_000, seed: 5));

    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ContentFaultKind.IgnoresRange, 200, null, 100_000)]
    [InlineData(ContentFaultKind.OtherContent, 206, "bytes 5000-5999/100000", 1000)]
    [InlineData(ContentFaultKind.WrongBytes, 206, "bytes 5000-5999/100000", 1000)]
    [InlineData(ContentFaultKind.ShorterRange, 206, "bytes 5000-5899/100000", 900)]
    [InlineData(ContentFaultKind.ShiftedRange, 206, "bytes 5100-5999/100000", 900)]
    [InlineData(ContentFaultKind.MisplacedBytes, 206, "bytes 5000-5999/100000", 1000)]
    public async Task Content_can_be_other_than_what_was_asked_for(ContentFaultKind kind, int status, string? range, int length)
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var address = await LocateAsync(hub);
        using var right = await GetAsync(address);
        hub.Storage.Faults = _ => new() { Content = new(kind, 100) };

        using var answer = await GetAsync(address);

        var bytes = await answer.Content.ReadAsByteArrayAsync(Stop);
        var whole = kind is ContentFaultKind.IgnoresRange;
        var place = whole ? 0 : (int)(answer.Content.Headers.ContentRange!.From ?? 0);
        Assert.Equal((status, range, length), ((int)answer.StatusCode, answer.Content.Headers.ContentRange?.ToString(), bytes.Length));
        Assert.Equal(
            kind is ContentFaultKind.OtherContent or ContentFaultKind.WrongBytes or ContentFaultKind.MisplacedBytes,
            !bytes.SequenceEqual(Model.Content.Read(place, bytes.Length)));
        Assert.Equal(kind is ContentFaultKind.OtherContent, answer.Headers.ETag!.Tag != right.Headers.ETag!.Tag);
    }

    [Fact]
    public async Task Only_the_end_may_tell_the_length()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var address = await LocateAsync(hub);
        hub.Storage.Faults = _ => new() { Content = new(ContentFaultKind.Unsized) };

        using var answer = await GetAsync(address, HttpCompletionOption.ResponseHeadersRead);

        Assert.Null(answer.Content.Headers.ContentLength);
        Assert.Equal(Model.Content.Read(5000, 1000), await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task A_few_wrong_bytes_are_wrong_alone()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var address = await LocateAsync(hub);
        hub.Storage.Faults = _ => new() { Content = new(ContentFaultKind.WrongBytes, 7) };

        using var answer = await GetAsync(address);

        var bytes = await answer.Content.ReadAsByteArrayAsync(Stop);
        Assert.InRange(bytes.Zip(Model.Content.Read(5000, 1000)).Count(pair => pair.First != pair.Second), 1, 3);
    }

    [Fact]
    public async Task A_change_of_the_file_is_answered_with_the_whole_to_whoever_has_a_part()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var address = await LocateAsync(hub);
        using var first = await GetAsync(address);
        hub.Storage.Faults = _ => new() { Content = new(ContentFaultKind.OtherContent, 9) };

        using var request = Request(address);
        request.Headers.IfRange = new(first.Headers.ETag!);
        using var answer = await Http.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(HubContent.Generated(100_000, 9).Read(0, 100_000), await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public async Task An_answer_can_fall_silent_in_its_middle()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var address = await LocateAsync(hub);
        hub.Storage.Faults = _ => new() { StallAfter = 600 };

        using var answer = await GetAsync(address, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync(Stop);
        var buffer = new byte[1000];
        var taken = await body.ReadAsync(buffer, Stop);

        // The rest of what it says is there at once, or a little later; more than that never comes.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (true)
                taken += await body.ReadAsync(buffer, patience.Token);
        });

        Assert.InRange(taken, 1, 599);
    }

    [Fact]
    public async Task An_address_expires_after_requests_or_bytes()
    {
        await using var byRequests = await EmulatedHub.StartAsync(new() { RequestsPerAddress = 2 }, Stop);
        await using var byBytes = await EmulatedHub.StartAsync(new() { BytesPerAddress = 1500 }, Stop);
        foreach (var hub in new[] { byRequests, byBytes })
        {
            var address = await LocateAsync(hub);
            Assert.Equal((206, 206, 403), (await StatusAsync(address), await StatusAsync(address), await StatusAsync(address)));
            Assert.Equal(206, await StatusAsync(await LocateAsync(hub)));
        }

        static async Task<int> StatusAsync(Uri address)
        {
            using var answer = await GetAsync(address);
            await answer.Content.ReadAsByteArrayAsync(Stop);
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task Refusals_and_redirects_have_the_headers_that_tell_them()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        var address = hub.Add(Model);

        Assert.Equal((429, "7"), await WithAsync(HubFaults.TooManyRequests("7"), "Retry-After"));
        Assert.Equal((416, "bytes */12"), await WithAsync(HubFaults.RangeRefused(12), "Content-Range"));
        Assert.Equal((302, "?again"), await WithAsync(HubFaults.RedirectLoop, "Location"));
        Assert.Equal((302, null), await WithAsync(HubFaults.RedirectToNowhere, "Location"));
        Assert.Equal((403, "GatedRepo"), await WithAsync(HubFaults.Gated, "X-Error-Code"));
        Assert.Equal((401, null), await WithAsync(HubFaults.StaleToken, "X-Error-Code"));
        Assert.Equal((404, "EntryNotFound"), await WithAsync(HubFaults.EntryNotFound, "X-Error-Code"));
        Assert.Equal((200, "text/html"), await WithAsync(HubFaults.WebPage, "Content-Type"));

        async Task<(int Status, string? Value)> WithAsync(Fault fault, string header)
        {
            hub.Faults = _ => fault;
            using var answer = await Http.GetAsync(address, Stop);
            return ((int)answer.StatusCode, answer.Headers.Concat(answer.Content.Headers).FirstOrDefault(item => item.Key == header).Value?.Single());
        }
    }

    [Fact]
    public async Task The_same_seed_gives_the_same_faults_in_each_run()
    {
        var runs = new List<string>();
        for (var run = 0; run < 2; run++)
        {
            await using var hub = await EmulatedHub.StartAsync(stop: Stop);
            var chosen = new List<string>();
            var choose = HubFaults.Seeded(11, 0.5);
            hub.Faults = hub.Storage.Faults = request =>
            {
                chosen.Add($"{request.Method} {request.Path} {choose(request)}");
                return null;
            };
            for (var round = 0; round < 20; round++)
            {
                using var answer = await GetAsync(await LocateAsync(hub));
            }

            runs.Add(string.Join('\n', chosen));
        }

        Assert.Equal(runs[0], runs[1]);
        Assert.InRange(runs[0].Split("Fault {").Length, 10, 31);
    }

    private static async Task<Uri> LocateAsync(EmulatedHub hub)
    {
        using var answer = await Http.GetAsync(hub.Add(Model), Stop);
        return answer.Headers.Location!;
    }

    private static HttpRequestMessage Request(Uri address) => new(HttpMethod.Get, address) { Headers = { Range = new(5000, 5999) } };

    private static async Task<HttpResponseMessage> GetAsync(Uri address, HttpCompletionOption until = HttpCompletionOption.ResponseContentRead)
    {
        using var request = Request(address);
        var answer = await Http.SendAsync(request, until, Stop);
        return answer;
    }
}
