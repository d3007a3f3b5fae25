using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ComfyAuth.Comfy;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;

namespace ComfyAuth.Tests.Comfy;

/// <summary>What the prover makes of answers; those of the web login are the emulator's.</summary>
public sealed class LoginProverTests
{
    private static readonly BcryptHash Ours = BcryptHash.Parse(new SampleCredential().Text);
    private static readonly BcryptHash Old = LoginProver.WrongToken();
    private readonly LoginProver _prover = new(new()) { Timeout = TimeSpan.FromMinutes(1) };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, AuthKind, string[], string, string> Proofs()
    {
        var data = new TheoryData<string, AuthKind, string[], string, string>();
        foreach (var row in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Comfy", "data", "login-proofs.tsv")).Skip(1).Select(line => line.Split('\t')))
            data.Add(row[0], Enum.Parse<AuthKind>(row[1]), row[2..9], row[9], row[10]);
        return data;
    }

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task Each_answer_is_read_for_what_it_says(string name, AuthKind auth, string[] answers, string expected, string remedy)
    {
        await using var server = new RawServer(async (head, connection, stop) =>
        {
            var answer = answers[Asked(head)].Split(' ');
            Assert.NotEqual("-", answer[0]);
            if (answer[0] == "reset")
                return await RawServer.Reset(connection);
            await connection.SendAsync(Encoding.Latin1.GetBytes(Response(answer)), stop);
            return answer[0] != "101";
        });

        var proof = await _prover.ProveAsync(Service(server.Url, auth), new() { Token = Ours, OldToken = Old }, Stop);

        Assert.Equal((name, expected), (name, string.Join(' ', new[] { proof.IsProven, proof.RefusesNoToken, proof.RefusesWrongToken, proof.AcceptsToken, proof.AcceptsWebSocket, proof.RefusesOldToken }.Select(Letter))));
        Assert.Null(proof.AcceptsPassword);
        Assert.Contains(remedy, proof.Remedy, StringComparison.Ordinal);
        Assert.Equal(proof.IsProven == true || auth == AuthKind.None, proof.Remedy.Length == 0);
        Assert.NotEmpty(proof.Evidence);
        Assert.Equal(("comfyui-qwen", $"http://127.0.0.1:{server.Port}{(auth == AuthKind.ComfyUILogin ? "/system_stats" : "/health")}"), (proof.Service, proof.Address));
        Assert.All(server.Requests, head => Assert.Contains("\r\nAccept: application/json\r\n", head, StringComparison.Ordinal));
        var text = proof + string.Join('|', proof.Evidence);
        Assert.DoesNotContain(Ours.Reveal(), text, StringComparison.Ordinal);
        Assert.DoesNotContain(Old.Reveal(), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_token_of_ours_goes_where_everyone_is_let_in()
    {
        await using var server = new RawServer(_ => RawServer.Status("200 OK"));

        await _prover.ProveAsync(Service(server.Url), new() { Token = Ours, OldToken = Old, Password = new("password") }, Stop);

        Assert.DoesNotContain("Authorization", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_what_is_expected_is_asked()
    {
        await using var server = new RawServer(_ => RawServer.Status("401 Unauthorized"));

        var proof = await _prover.ProveAsync(Service(server.Url), new() { Token = default(BcryptHash), OldToken = default(BcryptHash) }, Stop);

        Assert.True(proof.IsProven);
        Assert.Equal((true, true, null, null, null, null), (proof.RefusesNoToken, proof.RefusesWrongToken, proof.AcceptsToken, proof.AcceptsPassword, proof.AcceptsWebSocket, proof.RefusesOldToken));
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task An_old_token_that_is_the_present_one_is_not_expected_to_be_refused()
    {
        await using var server = new RawServer(head => RawServer.Status(head.Contains(Ours.Reveal(), StringComparison.Ordinal) ? "200 OK" : "401 Unauthorized"));

        var proof = await _prover.ProveAsync(Service(server.Url, AuthKind.Bearer), new() { Token = Ours, OldToken = Ours }, Stop);

        Assert.Equal((true, null), (proof.IsProven, proof.RefusesOldToken));
    }

    [Fact]
    public async Task A_wrong_token_is_another_one_each_time_and_well_formed()
    {
        await using var server = new RawServer(_ => RawServer.Status("401 Unauthorized"));

        await _prover.ProveAsync(Service(server.Url), new(), Stop);
        await _prover.ProveAsync(Service(server.Url), new(), Stop);

        var tokens = server.Requests.Where(head => head.Contains("Bearer ", StringComparison.Ordinal)).Select(head => head.Split("Bearer ")[1][..BcryptHash.Length]).ToList();
        Assert.Equal(2, tokens.Distinct(StringComparer.Ordinal).Count());
        Assert.All(tokens, token => BcryptHash.Parse(token));
    }

    [Fact]
    public async Task A_token_that_counts_together_with_an_origin_only_is_told_from_a_wrong_one()
    {
        await using var server = new RawServer(head => RawServer.Status(
            head.Contains(Ours.Reveal(), StringComparison.Ordinal) && head.Contains("\r\nOrigin: https://site.example\r\n", StringComparison.Ordinal) ? "200 OK" : "401 Unauthorized",
            "Access-Control-Allow-Origin: https://site.example\r\n"));

        var proof = await _prover.ProveAsync(Service(server.Url), new() { Token = Ours }, Stop);

        Assert.Equal((false, false), (proof.IsProven, proof.AcceptsToken));
        Assert.Contains("--enable-cors-header", proof.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var thief = new RawServer(_ => RawServer.Status("200 OK"));
        await using var server = new RawServer(head => RawServer.Status(head.Contains("Authorization", StringComparison.Ordinal) ? "307 Temporary Redirect" : "401 Unauthorized", $"Location: {thief.Url}\r\n"));

        var proof = await _prover.ProveAsync(Service(server.Url), new() { Token = Ours }, Stop);

        Assert.Null(proof.IsProven);
        Assert.Empty(thief.Requests);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_given_up_and_a_caller_may_give_up_before()
    {
        await using var server = new RawServer(async (_, _, stop) =>
        {
            await Task.Delay(Timeout.Infinite, stop);
            return true;
        });
        var prover = new LoginProver(new()) { Timeout = TimeSpan.FromMilliseconds(50) };

        var proof = await prover.ProveAsync(Service(server.Url), new() { Token = Ours }, Stop);

        Assert.Equal((null, "no answer within 0.05 s without a token"), (proof.IsProven, Assert.Single(proof.Evidence)));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var proving = _prover.ProveAsync(Service(server.Url), new() { Token = Ours }, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => proving);
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("http://name.invalid/")]
    [InlineData("http://user:correct-horse@127.0.0.1:1/")]
    public async Task An_address_that_cannot_be_asked_proves_nothing(string url)
    {
        var proof = await _prover.ProveAsync(Service(new(url)), new() { Token = Ours }, Stop);

        Assert.Null(proof.IsProven);
        Assert.NotEmpty(proof.Remedy);
        Assert.DoesNotContain("correct-horse", proof.ToString(), StringComparison.Ordinal);
    }

    private static ServiceDefinition Service(Uri url, AuthKind auth = AuthKind.ComfyUILogin) =>
        new() { Name = "comfyui-qwen", Container = "comfyui-qwen", Url = url, HealthPath = "/health", Auth = auth };

    private static string Letter(bool? reading) => reading switch { true => "y", false => "n", null => "?" };

    /// <summary>Which column of the table a request asks for.</summary>
    private static int Asked(string head)
    {
        var isOurs = head.Contains(Ours.Reveal(), StringComparison.Ordinal);
        return head.StartsWith("GET /ws ", StringComparison.Ordinal) ? isOurs ? 6 : 5
            : head.StartsWith("GET /system_stats?token= ", StringComparison.Ordinal) ? 1
            : isOurs ? 3
            : head.Contains(Old.Reveal(), StringComparison.Ordinal) ? 4
            : head.Contains("Bearer ", StringComparison.Ordinal) ? 2
            : 0;
    }

    private static string Response(string[] answer) => answer[0] == "101"
        ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        : RawServer.Status($"{answer[0]} Status", answer.Length > 1 ? string.Create(CultureInfo.InvariantCulture, $"Location: {answer[1]}\r\n") : "");
}
