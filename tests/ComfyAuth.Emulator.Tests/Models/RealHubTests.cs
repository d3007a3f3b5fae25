using System.Globalization;
using System.Net;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Models;
using ComfyAuth.Secrets;

namespace ComfyAuth.Emulator.Tests.Models;

/// <summary>How huggingface.co, its storage and its mirrors are known to answer.</summary>
public sealed class RealHubTests
{
    private static CancellationToken Stop => DownloadBench.Stop;

    [Theory]
    [InlineData("gpt-2.safetensors", "main")]
    [InlineData("split files/ünï (1)+#%41&'=;@.safetensors", "refs/pr/1")]
    public async Task A_name_and_a_revision_of_any_letters_are_found(string path, string branch)
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Add(new HostedFile("Some-Org/Some_Model.v1", path, bench.Content) { Branch = branch });
        using var downloader = new ModelDownloader(new(), bench.Options);

        await downloader.DownloadAsync(new ModelDownload { Source = new("Some-Org/Some_Model.v1", path, branch), Target = bench.Target }, null, Stop);

        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_repository_that_was_renamed_is_found_under_its_old_name(bool isGated)
    {
        await using var bench = await DownloadBench.StartAsync(new() { Tokens = ["hf_valid"] }, isGated ? new SecretText("hf_valid") : null, isGated);
        bench.Hub.Rename("Old/Name", DownloadBench.Repository);
        using var downloader = new ModelDownloader(new(), bench.Options);

        await downloader.DownloadAsync(bench.Download() with { Source = new("Old/Name", bench.Download().Source.Path) }, null, Stop);

        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mirror_that_leads_to_another_hub_is_followed_and_the_token_is_not_taken_there(bool isPinned)
    {
        await using var bench = await DownloadBench.StartAsync();
        await using var mirror = await EmulatedHub.StartAsync(new() { OtherHub = bench.Hub.Address }, Stop);

        var result = await bench.RunAsync(isPinned, options => options with { Endpoint = mirror.Address, Token = new SecretText("hf_of_the_mirror") });

        Assert.Equal((null, 1, 0, 0), (result.Note, mirror.TokensSeen, bench.Hub.TokensSeen, bench.Hub.Storage.TokensSeen));

        // The other hub is asked once, not for each part.
        Assert.Equal((1, 1), (mirror.Requests, bench.Hub.Requests));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_refusal_of_another_hub_says_that_no_token_was_sent()
    {
        await using var bench = await DownloadBench.StartAsync(isGated: true);
        await using var mirror = await EmulatedHub.StartAsync(new() { OtherHub = bench.Hub.Address }, Stop);

        var error = await bench.FailAsync(change: options => options with { Endpoint = mirror.Address, Token = new SecretText("hf_of_the_mirror") });

        Assert.Equal("HubFileGated", error.Code);
        Assert.Contains("no token was sent", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Servers_of_the_storage_may_tag_the_same_content_each_its_own_way(bool isPinned)
    {
        await using var bench = await DownloadBench.StartAsync(new() { StorageServers = 3, RequestsPerAddress = 5 });

        var result = await bench.RunAsync(isPinned);

        Assert.Equal((ModelDownloadOutcome.Downloaded, bench.Content.Length), (result.Outcome, result.BytesDownloaded));
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mirror_that_tells_no_length_is_asked_for_the_first_byte(bool isPinned)
    {
        await using var bench = await DownloadBench.StartAsync(new() { HasLinkedHeaders = false, Redirects = false, TellsLength = false });

        await bench.RunAsync(isPinned);

        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_download_that_one_mirror_began_goes_on_from_another(bool beginsAtMirror)
    {
        await using var bench = await DownloadBench.StartAsync(new() { HasLinkedHeaders = !beginsAtMirror });
        await using var other = await DownloadBench.StartAsync(new() { HasLinkedHeaders = beginsAtMirror });
        await bench.InterruptAsync(10 * DownloadBench.Chunk);

        var result = await bench.RunAsync(change: options => options with { Endpoint = other.Hub.Address });

        Assert.Equal((ModelDownloadOutcome.Resumed, null), (result.Outcome, result.Note));
        Assert.InRange(result.BytesDownloaded, 1, bench.Content.Length - (9 * DownloadBench.Chunk));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_small_file_lies_behind_a_relative_redirect_whose_query_counts()
    {
        await using var bench = await DownloadBench.StartAsync(new() { Tokens = ["hf_valid"], TellsLength = false }, new SecretText("hf_valid"));
        var content = HubContent.Of("{}"u8.ToArray());
        bench.Hub.Add(new HostedFile(DownloadBench.Repository, "config.json", content) { IsStored = false });
        using var downloader = new ModelDownloader(new(), bench.Options);

        var result = await downloader.DownloadAsync(new ModelDownload { Source = new(DownloadBench.Repository, "config.json"), Target = Path.Combine(bench.Folder, "config.json") }, null, Stop);

        Assert.Equal(content.Sha256, result.Sha256);
    }

    [Fact]
    public async Task What_the_hub_and_its_storage_say_of_a_refusal_is_told()
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Storage.Faults = _ => HubFaults.UnknownKey;
        var storage = await bench.FailAsync();
        bench.Hub.Storage.Faults = _ => new() { Answer = new(403, "application/xml", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>No. Signature=secret&amp;x</Message></Error>") };
        var xml = await bench.FailAsync();
        bench.Hub.Faults = _ => HubFaults.Disabled;
        var hub = await bench.FailAsync();

        Assert.Equal(("HubRefused", "HubRefused", "HubRefused"), (storage.Code, xml.Code, hub.Code));
        Assert.Contains("it answers 403 and says 'SignatureError: invalid key pair id'.", storage.Message, StringComparison.Ordinal);
        Assert.Contains("it answers 403 and says 'AccessDenied No. Signature'.", xml.Message, StringComparison.Ordinal);
        Assert.Contains("it answers 403 and says 'Access to this resource is disabled'.", hub.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_that_is_never_said_to_its_end_holds_nothing_up()
    {
        await using var bench = await DownloadBench.StartAsync();
        var asked = 0;
        bench.Hub.Storage.Faults = _ => Interlocked.Increment(ref asked) == 1 ? HubFaults.UnknownKey with { StallAfter = 150 } : null;

        await bench.RunAsync(change: options => options with { StallTimeout = TimeSpan.FromSeconds(1), Attempts = 1000 });

        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task An_address_that_serves_nothing_is_asked_for_anew()
    {
        await using var bench = await DownloadBench.StartAsync();
        string? dead = null;
        bench.Hub.Storage.Faults = request => (dead ??= request.QueryString.Value) == request.QueryString.Value ? new() { Content = new(ContentFaultKind.Nothing) } : null;

        await bench.RunAsync();

        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData("Retry-After", "7", 7)]
    [InlineData("Retry-After", "soon", null)]
    [InlineData("Retry-After", "9999", 120)]
    [InlineData("RateLimit", "\"resolvers\";r=0;t=55", 56)]
    [InlineData("RateLimit", "\"api\"; r = 0; t = 290", 120)]
    [InlineData("RateLimit", "\"resolvers\";r=10;t=55", null)]
    [InlineData("RateLimit", "\"resolvers\";r=0;t=99999999999999", null)]
    [InlineData("RateLimit", "", null)]
    public void How_long_the_hub_asks_to_wait_is_heeded(string header, string value, int? seconds)
    {
        using var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests);
        response.Headers.TryAddWithoutValidation(header, value);

        var wait = HubErrors.Busy(response, new("https://hub.example/"), DateTimeOffset.UnixEpoch).RetryAfter;

        Assert.Equal(seconds, wait is { } time ? (int?)Convert.ToInt32(time.TotalSeconds, CultureInfo.InvariantCulture) : null);
    }

    [Fact]
    public async Task A_download_waits_until_the_hub_allows_more()
    {
        await using var bench = await DownloadBench.StartAsync();
        var asked = 0;
        bench.Hub.Faults = _ => Interlocked.Increment(ref asked) == 1 ? HubFaults.RateLimited(0) : null;

        await bench.RunAsync();

        Assert.Contains(bench.Log, line => line.Contains("(429)", StringComparison.Ordinal) && line.EndsWith("in 1.0 s", StringComparison.Ordinal));
        await bench.AssertIsWholeAsync();
    }

    [Fact]
    public async Task A_proxy_of_the_environment_is_used_but_where_it_is_not_to_be()
    {
        await using var bench = await DownloadBench.StartAsync();

        // The name is known to the proxy alone; the storage is not known to it.
        var (code, told) = await LoadAsync(bench, new("http://hub.invalid/"), ("http_proxy", bench.Hub.Address.AbsoluteUri), ("no_proxy", "127.0.0.1"));

        Assert.Equal((0, ""), (code, told));
        Assert.Equal(1, bench.Hub.Requests);
        await bench.AssertIsWholeAsync();
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_proxy_that_asks_for_a_password_is_named_at_once_and_its_password_is_not(string scheme)
    {
        await using var bench = await DownloadBench.StartAsync();
        bench.Hub.Faults = _ => new() { Answer = new(407, "text/html", "") { Headers = new Dictionary<string, string> { ["Proxy-Authenticate"] = "Basic realm=\"proxy\"" } } };
        var proxy = $"http://user:wrongpassword@{bench.Hub.Address.Authority}";

        var (code, told) = await LoadAsync(bench, new($"{scheme}://hub.invalid/"), ("http_proxy", proxy), ("https_proxy", proxy));

        Assert.Equal(1, code);
        Assert.StartsWith("HubRefused: The proxy asks for a user name and a password", told, StringComparison.Ordinal);
        Assert.DoesNotContain("wrongpassword", told, StringComparison.Ordinal);

        // Once without the password, once with it; never again.
        Assert.InRange(bench.Hub.Requests, 1, 2);
    }

    private static async Task<(int Code, string Told)> LoadAsync(DownloadBench bench, Uri endpoint, params (string Name, string Value)[] environment)
    {
        using var child = DownloadChild.Start(endpoint, bench.Download(), null, environment);
        var told = await child.StandardError.ReadToEndAsync(Stop);
        await child.WaitForExitAsync(Stop);
        return (child.ExitCode, told);
    }
}
