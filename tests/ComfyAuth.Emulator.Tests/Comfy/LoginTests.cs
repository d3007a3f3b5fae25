using System.Net.Http.Headers;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Comfy;

public sealed class LoginTests : IDisposable
{
    private const string Password = "correct-horse";
    private static readonly string Hash = Bcrypt.Hash(new SecretText(Password), Bcrypt.MinimumCost).Reveal();

    private readonly TemporaryFolder _folder = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    private string PasswordFile => _folder.PathOf("login/PASSWORD");

    public void Dispose()
    {
        _http.Dispose();
        _folder.Dispose();
    }

    public static TheoryData<string, string, string, string, string, int, string, string> Authorisation =>
        [.. Table.Rows("Comfy/data/authorisation.tsv").Select(row => (row[0], row[1], row[2], row[3], row[4], int.Parse(row[5]), row[6], row.Length > 7 ? row[7] : ""))];

    public static TheoryData<string, string, string, string, int, string, bool> Logins =>
        [.. Table.Rows("Comfy/data/login.tsv").Select(row => (row[0], row[1], row[2], row[3], int.Parse(row[4]), row[5], row[6] == "yes"))];

    [Theory]
    [MemberData(nameof(Authorisation))]
    public async Task It_lets_in_whom_the_real_one_lets_in(string name, string file, string method, string target, string headers, int status, string location, string text)
    {
        foreach (var version in new[] { "0.3.18", "0.3.64" })
            await AssertAsync(version, name, file, method, target, headers, status, location, text);
    }

    private async Task AssertAsync(string version, string name, string file, string method, string target, string headers, int status, string location, string text)
    {
        await using var server = await StartAsync(file, version);
        using var request = new HttpRequestMessage(new(method), server.Address + Filled(target, server)[1..]);
        foreach (var header in headers.Split('|', StringSplitOptions.RemoveEmptyEntries))
            Assert.True(request.Headers.TryAddWithoutValidation(header[..header.IndexOf(':')], Filled(header[(header.IndexOf(':') + 1)..].TrimStart(), server)), name);

        using var response = await _http.SendAsync(request, _stop);

        Assert.Equal((status, location), ((int)response.StatusCode, response.Headers.Location?.ToString() ?? "-"));
        Assert.Contains(text, await response.Content.ReadAsStringAsync(_stop), StringComparison.Ordinal);
        Assert.Empty(response.Headers.WwwAuthenticate);
        if (status == 401 && method == "GET")
            Assert.Equal("""{"error": "Authentication required."}""", await response.Content.ReadAsStringAsync(_stop));
        if (status == 500)
            Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [MemberData(nameof(Logins))]
    public async Task It_logs_in_whom_the_real_one_logs_in(string name, string file, string type, string body, int status, string location, bool session)
    {
        await using var server = await StartAsync(file);

        using var response = await LogInAsync(server, type, body);

        Assert.Equal((name, status, location), (name, (int)response.StatusCode, response.Headers.Location?.ToString() ?? "-"));
        Assert.Equal(session, response.Headers.TryGetValues("Set-Cookie", out var cookies));
        if (session)
        {
            Assert.Matches("^AIOHTTP_SESSION=\"[^\"]+\"; HttpOnly; Path=/$", Assert.Single(cookies!));
            Assert.Equal(200, await StatusAsync(server, "/system_stats", ("Cookie", cookies!.Single().Split(';')[0])));
            Assert.Equal(302, await StatusAsync(server, "/login", ("Cookie", cookies!.Single().Split(';')[0])));
        }
    }

    [Fact]
    public async Task A_new_password_counts_for_the_bearer_after_a_restart_only()
    {
        await using var server = await StartAsync("set");
        var other = Bcrypt.Hash(new SecretText("other"), Bcrypt.MinimumCost, _stop).Reveal();
        _folder.Write("login/PASSWORD", other + "\nadmin\n");

        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(Hash)));
        Assert.Equal(401, await StatusAsync(server, "/system_stats", Bearer(other)));

        // The web login had not looked yet: the two expect different passwords now.
        Assert.Equal("/", (await LogInAsync(server, "form", "password=other")).Headers.Location?.ToString());

        server.Restart();

        Assert.Equal(401, await StatusAsync(server, "/system_stats", Bearer(Hash)));
        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(other)));
    }

    [Fact]
    public async Task The_web_login_keeps_what_it_saw_when_somebody_first_came()
    {
        await using var server = await StartAsync("set");
        Assert.Equal(200, await StatusAsync(server, "/login"));
        _folder.Write("login/PASSWORD", Bcrypt.Hash(new SecretText("other"), Bcrypt.MinimumCost, _stop).Reveal() + "\nadmin\n");

        Assert.Equal("/", (await LogInAsync(server, "form", "password={password}")).Headers.Location?.ToString());
        Assert.Equal("/login?wrong_password=1", (await LogInAsync(server, "form", "password=other")).Headers.Location?.ToString());
    }

    [Fact]
    public async Task A_session_survives_a_new_password_and_a_restart()
    {
        await using var server = await StartAsync("set");
        var cookie = (await LogInAsync(server, "form", "password={password}")).Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        _folder.Write("login/PASSWORD", "another\n");

        server.Restart();

        Assert.Equal(200, await StatusAsync(server, "/system_stats", ("Cookie", cookie)));
        Assert.Equal(401, await StatusAsync(server, "/system_stats", ("Cookie", cookie + "x")));
    }

    [Fact]
    public async Task A_session_ends_when_the_container_is_made_anew()
    {
        await using var server = await StartAsync("set");
        var cookie = (await LogInAsync(server, "form", "password={password}")).Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        server.Recreate();

        Assert.Equal(401, await StatusAsync(server, "/system_stats", ("Cookie", cookie)));
        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(Hash)));
    }

    [Fact]
    public async Task A_guest_may_look_at_everything_and_make_images()
    {
        await using var server = await StartAsync("set");
        Assert.Equal("/login?wrong_password=1", (await LogInAsync(server, "form", "guest_mode=1&password=")).Headers.Location?.ToString());
        _folder.Write("login/GUEST_MODE", "");

        // The real one looks for the password before it looks for the guest.
        Assert.Equal(500, (int)(await LogInAsync(server, "form", "guest_mode=1")).StatusCode);
        Assert.False((await LogInAsync(server, "form", "guest_mode=0&password=")).Headers.Contains("Set-Cookie"));
        var response = await LogInAsync(server, "form", "guest_mode=1&password=");
        Assert.Equal("/", response.Headers.Location?.ToString());
        var cookie = ("Cookie", response.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);

        Assert.Contains("comfyui_version", await SendAsync(server, HttpMethod.Get, "/system_stats", cookie), StringComparison.Ordinal);
        Assert.Contains("queue_running", await SendAsync(server, HttpMethod.Get, "/queue", cookie), StringComparison.Ordinal);
        Assert.Contains("prompt_no_outputs", await SendAsync(server, HttpMethod.Post, "/prompt", cookie), StringComparison.Ordinal);
        Assert.Equal("", await SendAsync(server, HttpMethod.Post, "/upload/image", cookie));

        // The rest has an answer, but no effect; and a guest has not logged in.
        foreach (var path in new[] { "/queue", "/interrupt", "/free", "/history", "/api/prompt" })
            Assert.Equal("{}", await SendAsync(server, HttpMethod.Post, path, cookie));
        Assert.Equal(200, await StatusAsync(server, "/login", cookie));
    }

    [Fact]
    public async Task The_log_holds_the_token_and_says_when_there_is_none()
    {
        await using var server = await StartAsync("none");
        Assert.Equal(["Please set up your password before use. The token will be a hashed string derived from your password.", "Starting server", "To see the GUI go to: http://0.0.0.0:8188"], server.Log);
        _folder.Write("login/PASSWORD", Hash);

        server.Restart();

        Assert.Equal($"For direct API calls, use token={Hash}", server.Log[3]);
    }

    [Fact]
    public async Task A_file_in_the_old_place_takes_the_place_of_the_new_one_at_the_start()
    {
        await using var server = await StartAsync("set");
        var other = Bcrypt.Hash(new SecretText("other"), Bcrypt.MinimumCost, _stop).Reveal();
        _folder.Write("PASSWORD", other + "\nadmin\n");
        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(Hash)));

        server.Restart();

        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(other)));
        Assert.Equal((false, other + "\nadmin\n"), (File.Exists(_folder.PathOf("PASSWORD")), _folder.Read("login/PASSWORD")));
    }

    [Fact]
    public async Task A_file_that_is_mounted_read_only_is_enough()
    {
        _folder.Write("login/PASSWORD", $"{Hash}\nadmin\n");
        File.SetAttributes(PasswordFile, FileAttributes.ReadOnly);
        await using var server = await EmulatedComfyUI.StartAsync(new() { PasswordFile = PasswordFile }, _stop);

        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(Hash)));
        Assert.Equal("/", (await LogInAsync(server, "form", "password={password}")).Headers.Location?.ToString());
        File.SetAttributes(PasswordFile, FileAttributes.Normal);
    }

    [Theory]
    [InlineData("folder")]
    [InlineData("UTF-16")]
    public async Task A_file_that_the_node_cannot_read_at_the_start_leaves_everything_open(string file)
    {
        // What Docker makes of a missing source of a mount; what an old PowerShell writes with ">".
        if (file == "folder")
            Directory.CreateDirectory(PasswordFile);
        else
            File.WriteAllText(_folder.Write("login/PASSWORD", ""), $"{Hash}\nadmin\n", System.Text.Encoding.Unicode);
        await using var server = await EmulatedComfyUI.StartAsync(new() { PasswordFile = PasswordFile }, _stop);

        Assert.Equal(200, await StatusAsync(server, "/system_stats"));
        Assert.StartsWith("Cannot import", server.Log[0], StringComparison.Ordinal);
        Assert.Equal(500, (int)(await LogInAsync(server, "form", "password={password}")).StatusCode);
    }

    [Fact]
    public async Task A_prompt_without_nodes_tells_a_good_token_from_a_bad_one_and_runs_nothing()
    {
        await using var server = await StartAsync("set");

        Assert.Contains("prompt_no_outputs", await SendAsync(server, HttpMethod.Post, "/prompt", Bearer(Hash)), StringComparison.Ordinal);
        Assert.Equal("""{"error": "Authentication required."}""", await SendAsync(server, HttpMethod.Post, "/prompt", Bearer("wrong")));
    }

    [Fact]
    public async Task Who_follows_redirects_takes_the_login_page_for_an_answer()
    {
        await using var server = await StartAsync("set");
        using var follower = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + "system_stats") { Headers = { { "Accept", "text/html" } } };

        using var response = await follower.SendAsync(request, _stop);

        Assert.Equal((200, "/login"), ((int)response.StatusCode, response.RequestMessage!.RequestUri!.AbsolutePath));
    }

    [Fact]
    public async Task Nobody_is_locked_out_however_often_they_try()
    {
        await using var server = await StartAsync("set");

        for (var attempt = 0; attempt < 20; attempt++)
            Assert.Equal("/login?wrong_password=1", (await LogInAsync(server, "form", "password=wrong")).Headers.Location?.ToString());

        Assert.Equal("/", (await LogInAsync(server, "form", "password={password}")).Headers.Location?.ToString());
    }

    [Fact]
    public async Task The_first_visitor_sets_the_password_and_closes_the_hole()
    {
        await using var server = await StartAsync("none");
        Assert.Equal(200, await StatusAsync(server, "/system_stats?token="));

        await LogInAsync(server, "form", "username=admin&password=first");

        var lines = _folder.Read("login/PASSWORD").Split('\n');
        Assert.True(Bcrypt.Verify(new SecretText("first"), BcryptHash.Parse(lines[0]), _stop));
        Assert.Equal("admin", lines[1]);
        Assert.Equal(401, await StatusAsync(server, "/system_stats?token="));
        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(lines[0])));
    }

    [Fact]
    public async Task The_first_login_with_the_hash_only_adds_the_user_name()
    {
        await using var server = await StartAsync("hash");

        await LogInAsync(server, "form", "username=admin&password={password}");

        Assert.Equal(Hash + "\nadmin", _folder.Read("login/PASSWORD"));
    }

    [Fact]
    public async Task Without_the_node_everything_is_open()
    {
        await using var server = await EmulatedComfyUI.StartAsync(stop: _stop);

        Assert.Equal(200, await StatusAsync(server, "/system_stats"));
        Assert.Equal(200, await StatusAsync(server, "/"));
        Assert.Equal(404, await StatusAsync(server, "/login"));
    }

    [Fact]
    public async Task Garbage_does_not_end_it()
    {
        await using var server = await StartAsync("set");
        string[] types = ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "application/json", "x"];
        foreach (var type in types)
        {
            using var content = new ByteArrayContent([0, 255, 13, 10, 61, 38, 37, 37]);
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            using var response = await _http.PostAsync(new Uri(server.Address, "/login"), content, _stop);
            Assert.InRange((int)response.StatusCode, 302, 500);
        }

        Assert.Equal(200, await StatusAsync(server, "/system_stats", Bearer(Hash)));
    }

    private static (string, string) Bearer(string token) => ("Authorization", "Bearer " + token);

    private static string Filled(string text, EmulatedServer? server = null) => text
        .Replace("{hash}", Hash).Replace("{2a}", "$2a" + Hash[3..]).Replace("{escaped}", Hash.Replace("$", "%24")).Replace("{password}", Password).Replace("{origin}", server?.Address.GetLeftPart(UriPartial.Authority));

    private async Task<int> StatusAsync(EmulatedComfyUI server, string target, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Address + target[1..]);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request, _stop);
        return (int)response.StatusCode;
    }

    private async Task<string> SendAsync(EmulatedComfyUI server, HttpMethod method, string target, (string Name, string Value) header)
    {
        using var request = new HttpRequestMessage(method, server.Address + target[1..]);
        request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        if (method == HttpMethod.Post)
            request.Content = new StringContent("""{"prompt":{}}""", new MediaTypeHeaderValue("application/json"));
        using var response = await _http.SendAsync(request, _stop);
        return await response.Content.ReadAsStringAsync(_stop);
    }

    private Task<HttpResponseMessage> LogInAsync(EmulatedComfyUI server, string type, string body)
    {
        HttpContent? content = type switch
        {
            "form" => new StringContent(Filled(body), new MediaTypeHeaderValue("application/x-www-form-urlencoded")),
            "json" => new StringContent(Filled(body), new MediaTypeHeaderValue("application/json")),
            "multipart" => new MultipartFormDataContent { { new StringContent(Filled(body)["password=".Length..]), "password" } },
            _ => null,
        };
        return _http.PostAsync(new Uri(server.Address, "/login"), content, _stop);
    }

    private Task<EmulatedComfyUI> StartAsync(string file, string version = "0.3.64")
    {
        var text = file switch
        {
            "set" or "cors" => $"{Hash}\nadmin\n",
            "hash" => Hash,
            "crlf" => $"{Hash}\r\nadmin\r\n",
            "bom" => $"\uFEFF{Hash}\nadmin\n",
            "word" => "plainword\nadmin\n",
            "2a" => $"$2a{Hash[3..]}\nadmin\n",
            "empty" => "",
            _ => null,
        };
        if (text is not null)
            _folder.Write("login/PASSWORD", text);
        return EmulatedComfyUI.StartAsync(new() { PasswordFile = PasswordFile, Version = version, CorsOrigin = file == "cors" ? "https://site.example" : null }, _stop);
    }
}
