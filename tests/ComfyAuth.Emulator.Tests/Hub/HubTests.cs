using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Models;

namespace ComfyAuth.Emulator.Tests.Hub;

public sealed class HubTests
{
    private const string Repository = "Comfy-Org/Qwen-Image_ComfyUI";
    private const string Token = "hf_valid";

    private static readonly HostedFile Model = new(Repository, "split_files/vae/model.safetensors", HubContent.Safetensors(9_000_001, seed: 3));

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_large_file_is_described_and_lies_at_a_signed_address_of_another_origin()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();
        var address = hub.Add(Model);

        using var head = await http.SendAsync(new(HttpMethod.Head, address), Stop);
        using var get = await http.GetAsync(address, Stop);

        Assert.Equal((HttpStatusCode.Found, HttpStatusCode.Found), (head.StatusCode, get.StatusCode));
        Assert.Equal(Model.Commit, Header(head, "X-Repo-Commit"));
        Assert.Equal($"\"{Model.Content.Sha256}\"", Header(head, "X-Linked-Etag"));
        Assert.Equal("9000001", Header(head, "X-Linked-Size"));
        Assert.NotEqual(hub.Address.Authority, head.Headers.Location!.Authority);
        Assert.Equal(hub.Storage.Address.Authority, head.Headers.Location.Authority);

        var bytes = await http.GetByteArrayAsync(get.Headers.Location, Stop);
        Assert.Equal(Model.Content.Sha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        Assert.Equal((9_000_001, 0), (hub.Storage.BytesServed, hub.Storage.TokensSeen));
    }

    [Fact]
    public async Task A_small_file_lies_at_a_relative_address_with_the_name_that_git_has_for_it()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();
        var address = hub.Add(new(Repository, "README.md", HubContent.Of("hello\n"u8.ToArray())) { IsStored = false });

        using var redirect = await http.GetAsync(address, Stop);
        using var answer = await http.GetAsync(new Uri(address, redirect.Headers.Location!), Stop);
        using var withoutQuery = await http.GetAsync(new Uri(answer.RequestMessage!.RequestUri!.GetLeftPart(UriPartial.Path)), Stop);

        // What `git hash-object` says of these six bytes.
        const string name = "\"ce013625030ba8dba906f756967f9e9ca394464a\"";
        Assert.Equal((HttpStatusCode.TemporaryRedirect, name, "6"), (redirect.StatusCode, Header(redirect, "X-Linked-Etag"), Header(redirect, "X-Linked-Size")));
        Assert.StartsWith("/api/resolve-cache/models/", redirect.Headers.Location!.OriginalString, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.OK, name, HttpStatusCode.NotFound), (answer.StatusCode, answer.Headers.ETag!.Tag, withoutQuery.StatusCode));
        Assert.Equal("hello\n", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task An_address_that_was_given_for_a_range_is_good_for_no_other()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();
        using var question = await GetAsync(http, hub.Add(Model), "bytes=0-9");

        using var same = await GetAsync(http, question.Headers.Location!, "bytes=0-9");
        using var other = await GetAsync(http, question.Headers.Location!, "bytes=10-19");

        Assert.Equal((HttpStatusCode.PartialContent, HttpStatusCode.Forbidden), (same.StatusCode, other.StatusCode));
        Assert.Equal("Auth failed: invalid range", await other.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task The_storage_has_a_name_of_its_own_for_a_file_that_looks_like_a_SHA_256()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();

        using var head = await http.SendAsync(new(HttpMethod.Head, hub.Add(Model)), Stop);
        using var part = await GetAsync(http, head.Headers.Location!, "bytes=0-9");

        Assert.Equal($"\"{Header(head, "X-Xet-Hash")}\"", part.Headers.ETag!.Tag);
        Assert.Matches("^\"[0-9a-f]{64}\"$", part.Headers.ETag.Tag);
        Assert.NotEqual(Header(head, "X-Linked-Etag"), part.Headers.ETag.Tag);
        Assert.Contains("rel=\"xet-auth\"", Header(head, "Link"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renamed_repository_and_a_mirror_of_another_hub_lead_on_with_the_same_method()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        await using var mirror = await EmulatedHub.StartAsync(new() { OtherHub = hub.Address }, Stop);
        using var http = Client();
        var address = hub.Add(Model);
        hub.Rename("Old/Name", Repository);

        using var renamed = await http.GetAsync(new Uri(hub.Address, "Old/Name/resolve/refs%2Fpr%2F1/a%20b.json"), Stop);
        using var mirrored = await http.GetAsync(new Uri(mirror.Address, address.AbsolutePath), Stop);

        Assert.Equal((HttpStatusCode.TemporaryRedirect, $"/{Repository}/resolve/refs%2Fpr%2F1/a%20b.json"), (renamed.StatusCode, renamed.Headers.Location!.OriginalString));
        Assert.Equal((HttpStatusCode.PermanentRedirect, address), (mirrored.StatusCode, mirrored.Headers.Location));
    }

    [Theory]
    [InlineData("bytes=0-99", 206, "bytes 0-99/9000001", 0, 100)]
    [InlineData("bytes=4194290-4194340", 206, "bytes 4194290-4194340/9000001", 4_194_290, 51)]
    [InlineData("bytes=8999999-", 206, "bytes 8999999-9000000/9000001", 8_999_999, 2)]
    [InlineData("bytes=8999999-99999999", 206, "bytes 8999999-9000000/9000001", 8_999_999, 2)]
    [InlineData("bytes=-3", 206, "bytes 8999998-9000000/9000001", 8_999_998, 3)]
    [InlineData("bytes=-99999999", 206, "bytes 0-9000000/9000001", 0, 9_000_001)]
    [InlineData("bytes=9000001-", 416, "bytes */9000001", 0, 0)]
    [InlineData("bytes=-0", 416, "bytes */9000001", 0, 0)]
    [InlineData("bytes=0-0,5-5", 200, null, 0, 9_000_001)]
    [InlineData("bytes=5-1", 200, null, 0, 9_000_001)]
    [InlineData("lines=1-5", 200, null, 0, 9_000_001)]
    public async Task The_storage_gives_the_range_that_is_asked_for(string range, int status, string? contentRange, int offset, int length)
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();
        var address = await LocateAsync(http, hub.Add(Model));

        using var answer = await GetAsync(http, address, range);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(contentRange, answer.Content.Headers.ContentRange?.ToString());
        Assert.Equal(Model.Content.Read(offset, length), await answer.Content.ReadAsByteArrayAsync(Stop));
        Assert.Equal([range], hub.Storage.Ranges);
    }

    [Fact]
    public async Task A_range_of_another_content_is_answered_with_the_whole()
    {
        await using var hub = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();
        var address = await LocateAsync(http, hub.Add(Model));
        using var first = await GetAsync(http, address, "bytes=0-9");

        using var same = await GetAsync(http, address, "bytes=10-19", first.Headers.ETag!.Tag);
        using var other = await GetAsync(http, address, "bytes=10-19", "\"other\"");

        Assert.Equal((HttpStatusCode.PartialContent, HttpStatusCode.OK), (same.StatusCode, other.StatusCode));
    }

    [Fact]
    public async Task An_address_that_has_expired_or_was_not_signed_is_refused()
    {
        await using var hub = await EmulatedHub.StartAsync(new() { AddressLifetime = TimeSpan.FromSeconds(-2) }, Stop);
        await using var other = await EmulatedHub.StartAsync(stop: Stop);
        using var http = Client();

        using var expired = await http.GetAsync(await LocateAsync(http, hub.Add(Model)), Stop);
        var valid = await LocateAsync(http, other.Add(Model));
        using var unsigned = await http.GetAsync(valid.GetLeftPart(UriPartial.Path), Stop);
        using var changed = await http.GetAsync(valid.AbsoluteUri.Replace("Expires=", "Expires=9", StringComparison.Ordinal), Stop);
        using var elsewhere = await http.GetAsync(valid.AbsoluteUri.Replace(valid.Segments[^1], new('0', 64), StringComparison.Ordinal), Stop);

        Assert.All([expired, unsigned, changed, elsewhere], answer => Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode));
    }

    [Theory]
    [InlineData("Comfy-Org/Nothing/resolve/main/x", null, 401, "RepoNotFound")]
    [InlineData("Comfy-Org/Nothing/resolve/main/x", Token, 404, "RepoNotFound")]
    [InlineData("Comfy-Org/Open/resolve/v9/model.safetensors", null, 404, "RevisionNotFound")]
    [InlineData("Comfy-Org/Open/resolve/main/nothing.safetensors", null, 404, "EntryNotFound")]
    [InlineData("Comfy-Org/Open/resolve/main/model.safetensors", null, 302, null)]
    [InlineData("Comfy-Org/Open/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors", null, 302, null)]
    [InlineData("Comfy-Org/Open/resolve/main/model.safetensors", "hf_stale", 401, null)]
    [InlineData("Comfy-Org/Gated/resolve/main/model.safetensors", null, 401, "GatedRepo")]
    [InlineData("Comfy-Org/Gated/resolve/main/model.safetensors", "hf_without_access", 403, "GatedRepo")]
    [InlineData("Comfy-Org/Gated/resolve/main/model.safetensors", Token, 302, null)]
    [InlineData("api/whoami-v2", null, 401, null)]
    [InlineData("api/whoami-v2", Token, 200, null)]
    [InlineData("", null, 404, null)]
    public async Task The_hub_refuses_as_the_real_one_does(string path, string? token, int status, string? code)
    {
        await using var hub = await EmulatedHub.StartAsync(new() { Tokens = [Token], TokensWithoutAccess = ["hf_without_access"] }, Stop);
        hub.Add(new("Comfy-Org/Open", "model.safetensors", HubContent.Safetensors(1000)));
        hub.Add(new("Comfy-Org/Gated", "model.safetensors", HubContent.Safetensors(1000)) { IsGated = true });
        using var http = Client();

        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Get })
        {
            using var request = new HttpRequestMessage(method, new Uri(hub.Address, path));
            request.Headers.Authorization = token is null ? null : new("Bearer", token);
            using var answer = await http.SendAsync(request, Stop);

            Assert.Equal((status, code), ((int)answer.StatusCode, Header(answer, "X-Error-Code")));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_mirror_may_tell_neither_hash_nor_size_and_may_serve_the_file_itself(bool redirects)
    {
        await using var hub = await EmulatedHub.StartAsync(new() { HasLinkedHeaders = false, Redirects = redirects }, Stop);
        using var http = Client();

        using var answer = await GetAsync(http, hub.Add(Model), "bytes=0-9");

        Assert.Equal(redirects ? HttpStatusCode.Found : HttpStatusCode.PartialContent, answer.StatusCode);
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("X-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_token_that_reaches_the_storage_is_noticed()
    {
        await using var hub = await EmulatedHub.StartAsync(new() { Tokens = [Token] }, Stop);
        using var http = Client();
        http.DefaultRequestHeaders.Authorization = new("Bearer", Token);

        await GetAsync(http, await LocateAsync(http, hub.Add(Model)), "bytes=0-0");

        Assert.Equal((1, 1), (hub.TokensSeen, hub.Storage.TokensSeen));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(5_000_000)]
    public async Task A_generated_model_is_a_whole_one(int length)
    {
        var header = await SafetensorsHeader.ReadAsync(new MemoryStream(HubContent.Safetensors(length).Read(0, length)), length, "generated", Stop);

        Assert.Equal(length, header.FileLength);
    }

    [Fact]
    public void A_generated_file_is_the_same_in_each_run_and_another_for_another_seed()
    {
        Assert.StartsWith("efe1629f2cb4c747", HubContent.Generated(10_000_000, seed: 1).Sha256, StringComparison.Ordinal);
        Assert.NotEqual(HubContent.Generated(100, seed: 1).Sha256, HubContent.Generated(100, seed: 2).Sha256);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void Any_number_is_a_seed(int seed) => Assert.NotEqual(HubContent.Generated(5_000_000).Sha256, HubContent.Generated(5_000_000, seed).Sha256);

    [Fact]
    public async Task A_file_as_large_as_the_largest_model_costs_nothing_and_has_its_end()
    {
        const long length = 20_430_698_424;
        var content = HubContent.Safetensors(length);

        Assert.Equal(length, (await SafetensorsHeader.ReadAsync(new MemoryStream(content.Read(0, 1000)), length, "generated", Stop)).FileLength);
        Assert.Equal(content.Read(length - 10, 10), content.Read(length - 100, 100)[90..]);
        Assert.Throws<ArgumentOutOfRangeException>(() => content.Read(length - 9, 10));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_of_and_nothing_is_left_listening()
    {
        await using var first = await EmulatedHub.StartAsync(stop: Stop);

        await Assert.ThrowsAsync<IOException>(() => EmulatedHub.StartAsync(new() { Port = first.Address.Port }, Stop));
    }

    private static HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false });

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;

    private static async Task<Uri> LocateAsync(HttpClient http, Uri address)
    {
        using var answer = await http.GetAsync(address, Stop);
        return answer.Headers.Location!;
    }

    private static Task<HttpResponseMessage> GetAsync(HttpClient http, Uri address, string range, string? ifRange = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.TryAddWithoutValidation("Range", range);
        if (ifRange is not null)
            request.Headers.IfRange = new(new EntityTagHeaderValue(ifRange));
        return http.SendAsync(request, Stop);
    }
}
