using System.Collections.Concurrent;
using System.Net;
using ComfyAuth.Comfy;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Tests.Comfy;

public sealed class AuthProbeTests : IDisposable
{
    private static readonly IReadOnlyList<string> Log = ["Starting server", $"For direct API calls, use token={LoginSample.Hash.Reveal()}", "To see the GUI go to: http://0.0.0.0:8188"];

    private readonly TemporaryFolder _folder = new();
    private readonly AuthProbe _probe = new(new());
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string> Servers => [.. Table.Rows("Comfy/data/weaknesses.tsv").Select(row => (row[0], row[1]))];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Each_server_has_the_weaknesses_that_it_has(string state, string expected)
    {
        await using EmulatedServer server = state == "hardened" ? await HardenedServer.StartAsync(_stop) : await LoginSample.StartAsync(_folder, state == "guests" ? "set" : state, _stop);
        if (state == "guests")
            _folder.Write("login/GUEST_MODE", "");
        var before = LoginSample.FileOf(_folder);

        var findings = await _probe.ProbeAsync(
            LoginSample.Service(server.Address),
            new()
            {
                Token = LoginSample.Hash,
                Password = LoginSample.Password,
                Log = state == "hardened" ? ["Starting server"] : Log,
                Bindings = [new(state == "hardened" ? IPAddress.Loopback : IPAddress.Any, 8188)],
            },
            _stop);

        Assert.Equal(expected, string.Join(' ', findings.Select(finding => $"{finding.Id}:{LoginSample.Letter(finding.IsVulnerable)}")));
        Assert.Equal(AuthProbe.Rules.Select(rule => (rule.Id, rule.Title, rule.Severity)), findings.Select(finding => (finding.Id, finding.Title, finding.Severity)));
        Assert.All(findings, finding => Assert.Equal(finding.IsVulnerable == true, finding.Remedy.Length > 0));
        Assert.All(findings, finding => Assert.NotEmpty(finding.Evidence));
        Assert.DoesNotContain(LoginSample.Hash.Reveal(), string.Join(' ', findings), StringComparison.Ordinal);
        Assert.Equal(before, LoginSample.FileOf(_folder));
    }

    [Fact]
    public async Task User_data_is_what_the_rule_says()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = server.Address };
        using var content = new StringContent("secret workflow");
        using var written = new HttpRequestMessage(HttpMethod.Post, "/userdata/workflows%2Fmine.json") { Content = content, Headers = { { "Authorization", $"Bearer {LoginSample.Hash.Reveal()}" } } };
        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(written, _stop)).StatusCode);

        // A stranger: the name itself is guarded, and one that ends otherwise is not.
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync(new Uri("/userdata/workflows%2Fmine.json", UriKind.Relative), _stop)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.PostAsync(new Uri("/userdata/workflows%2Fmine.json/move/x.js", UriKind.Relative), null, _stop)).StatusCode);
        Assert.Equal("secret workflow", await http.GetStringAsync(new Uri("/api/userdata/x.js", UriKind.Relative), _stop));
    }

    [Fact]
    public async Task What_is_not_known_is_not_told_and_costs_no_login()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        server.Faults = request => request.Method == "POST" ? throw new InvalidOperationException("A login was tried.") : null;

        var findings = await _probe.ProbeAsync(LoginSample.Service(server.Address), new(), _stop);

        Assert.Equal(["published-in-the-clear", "token-in-log", "cookie-attributes"], findings.Where(finding => finding.IsVulnerable is null).Select(finding => finding.Id));
    }

    [Theory]
    [InlineData("wrong-horse", "the web login refuses the password")]
    [InlineData(null, "no password is known")]
    public async Task Without_a_login_nothing_is_known_of_its_cookie(string? password, string evidence)
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);

        var finding = await FindAsync("cookie-attributes", server.Address, new() { Password = password is null ? null : new(password) });

        Assert.Null(finding.IsVulnerable);
        Assert.Contains(evidence, finding.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_login_is_tried_where_it_would_write_a_user_name()
    {
        await using var server = await LoginSample.StartAsync(_folder, "hash", _stop);

        Assert.Null((await FindAsync("cookie-attributes", server.Address, new() { Password = LoginSample.Password })).IsVulnerable);
        Assert.Equal(LoginSample.Hash.Reveal(), LoginSample.FileOf(_folder));
        Assert.True((await FindAsync("cookie-attributes", server.Address, new() { Password = LoginSample.Password, UserName = "admin" })).IsVulnerable);
    }

    [Theory]
    [InlineData("https://127.0.0.1:8443", "192.0.2.1:8443", false)]
    [InlineData("https://127.0.0.1:8443", "0.0.0.0:8188", null)]
    [InlineData("http://127.0.0.1:8188", "0.0.0.0:8188", true)]
    [InlineData("http://127.0.0.1:8188", "[::]:8188", true)]
    [InlineData("http://127.0.0.1:8188", "192.0.2.1:8188", true)]
    [InlineData("http://127.0.0.1:8188", "127.0.0.2:8188", false)]
    [InlineData("http://127.0.0.1:8188", "[::1]:8188", false)]
    [InlineData("http://127.0.0.1:8188", "[::ffff:127.0.0.1]:8188", false)]
    [InlineData("http://127.0.0.1:8188", "", false)]
    public async Task A_port_is_in_the_clear_where_others_reach_it_without_tls(string url, string binding, bool? isVulnerable)
    {
        var finding = await FindAsync("published-in-the-clear", new(url), new() { Bindings = binding.Length == 0 ? [] : [IPEndPoint.Parse(binding)] });

        Assert.Equal(isVulnerable, finding.IsVulnerable);
    }

    [Theory]
    [InlineData("*", true)]
    [InlineData("null", true)]
    [InlineData("{origin}", true)]
    [InlineData("https://site.example", false)]
    [InlineData("{long}", false)]
    public async Task An_origin_is_foreign_where_no_one_owns_it(string allowed, bool isVulnerable)
    {
        await using var server = await HardenedServer.StartAsync(_stop, request => allowed.Replace("{origin}", request.Headers.Origin).Replace("{long}", new('x', 10_000)));

        var finding = await FindAsync("foreign-origin", server.Address, new());

        Assert.Equal(isVulnerable, finding.IsVulnerable);
        Assert.InRange(finding.Evidence.Length, 1, 500);
    }

    [Fact]
    public async Task The_log_is_searched_for_any_token()
    {
        async Task<string> EvidenceAsync(BcryptHash? token, params string[] log) =>
            (await FindAsync("token-in-log", new("http://127.0.0.1:1"), new() { Token = token, Log = log })).Evidence;

        Assert.Equal("of 3 lines of the log 1 hold the present token", await EvidenceAsync(LoginSample.Hash, [.. Log]));
        Assert.Equal("of 3 lines of the log 1 hold a bcrypt hash that is not the present token", await EvidenceAsync(LoginSample.OtherHash, [.. Log]));
        Assert.Equal("of 3 lines of the log 1 hold a bcrypt hash", await EvidenceAsync(null, [.. Log]));
        Assert.Equal("of 1 lines of the log none holds a token", await EvidenceAsync(LoginSample.Hash, "use token="));
        Assert.Equal("the log is empty", await EvidenceAsync(LoginSample.Hash));
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_asked_once()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        var asked = new ConcurrentDictionary<string, bool>();
        server.Faults = request =>
        {
            asked[$"{request.Method} {request.Path}{request.QueryString}"] = true;
            return new() { CutAfter = 0, Reset = true };
        };

        var findings = await _probe.ProbeAsync(LoginSample.Service(server.Address), new() { Password = LoginSample.Password }, _stop);

        Assert.All(findings, finding => Assert.Null(finding.IsVulnerable));

        // HTTP itself asks again, as the first connection may have been an old one.
        Assert.Single(asked);
    }

    [Fact]
    public async Task Only_what_is_about_bearer_tokens_is_asked_of_others()
    {
        await using var server = await LoginSample.StartAsync(_folder, "open", _stop);

        var bearer = await _probe.ProbeAsync(LoginSample.Service(server.Address, AuthKind.Bearer), new(), _stop);
        var none = await _probe.ProbeAsync(LoginSample.Service(server.Address, AuthKind.None), new(), _stop);

        Assert.Equal(["open:?", "published-in-the-clear:?", "foreign-origin:n", "token-in-log:?"], bearer.Select(finding => $"{finding.Id}:{LoginSample.Letter(finding.IsVulnerable)}"));
        Assert.Empty(none);
    }

    [Fact]
    public async Task Garbage_ends_nothing_and_leaks_nothing()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        var probe = new AuthProbe(new()) { Timeout = TimeSpan.FromMilliseconds(250) };
        for (var seed = 0; seed < 20; seed++)
        {
            server.Faults = Fault.Seeded(seed, 0.5, LoginSample.Hash.Reveal());

            var findings = await probe.ProbeAsync(LoginSample.Service(server.Address), new() { Token = LoginSample.Hash, Password = LoginSample.Password, Log = Log }, _stop);

            Assert.Equal(AuthProbe.Rules.Count, findings.Count);
            Assert.DoesNotContain(LoginSample.Hash.Reveal(), string.Join(' ', findings), StringComparison.Ordinal);
        }
    }

    private async Task<AuthFinding> FindAsync(string id, Uri url, AuthProbeInput input)
    {
        var probe = new AuthProbe(new()) { Timeout = TimeSpan.FromMinutes(1) };
        return (await probe.ProbeAsync(LoginSample.Service(url), input, _stop)).Single(finding => finding.Id == id);
    }

    /// <summary>A login behind a proxy that mends what can be mended.</summary>
    private sealed class HardenedServer(Func<HttpRequest, string?>? origin) : EmulatedServer
    {
        public static async Task<EmulatedServer> StartAsync(CancellationToken stop, Func<HttpRequest, string?>? origin = null)
        {
            var server = new HardenedServer(origin);
            await server.ListenAsync(stop);
            return server;
        }

        protected override Task AnswerAsync(HttpContext context)
        {
            var response = context.Response;
            if (origin?.Invoke(context.Request) is { } allowed)
                response.Headers.AccessControlAllowOrigin = allowed;
            switch (context.Request.Method, context.Request.Path.Value)
            {
                case ("GET", "/login"):
                    return response.WriteAsync("<p>Welcome back, admin!</p>", context.RequestAborted);
                case ("POST", "/login"):
                    response.StatusCode = 302;
                    response.Headers.Location = "/";
                    response.Headers.SetCookie = "AIOHTTP_SESSION=\"x\"; Secure; HttpOnly; Path=/; SameSite=Lax";
                    return Task.CompletedTask;
                default:
                    response.StatusCode = 401;
                    return Task.CompletedTask;
            }
        }
    }
}
