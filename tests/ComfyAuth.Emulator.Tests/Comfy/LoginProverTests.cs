using ComfyAuth.Comfy;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Secrets;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Comfy;

public sealed class LoginProverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoginProver _prover = new(new());
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, string, string, string, string, string, string> Proofs =>
        [.. Table.Rows("Comfy/data/login-proofs.tsv").Select(row => (row[0], row[1], row[2], row[3], row[4], row[5], row[6]))];

    [Theory]
    [MemberData(nameof(Proofs))]
    public async Task It_proves_what_the_login_takes(string name, string file, string token, string password, string userName, string expected, string remedy)
    {
        await using var server = await LoginSample.StartAsync(_folder, file, _stop);
        var before = LoginSample.FileOf(_folder);

        var proof = await _prover.ProveAsync(
            LoginSample.Service(server.Address),
            new()
            {
                Token = token switch { "ours" => LoginSample.Hash, "other" => LoginSample.OtherHash, _ => null },
                Password = password switch { "right" => LoginSample.Password, "wrong" => new("wrong-horse"), "long" => new(new string('x', 73)), _ => null },
                UserName = userName == "-" ? null : userName,
            },
            _stop);

        Assert.Equal((name, expected), (name, string.Join(' ', new[] { proof.IsProven, proof.RefusesNoToken, proof.RefusesWrongToken, proof.AcceptsToken, proof.AcceptsPassword, proof.AcceptsWebSocket }.Select(LoginSample.Letter))));
        Assert.Contains(remedy, proof.Remedy, StringComparison.Ordinal);
        Assert.Equal(proof.IsProven == true, proof.Remedy.Length == 0);
        Assert.DoesNotContain(LoginSample.Password.Reveal(), proof + string.Join('|', proof.Evidence), StringComparison.Ordinal);

        // Only where it is told to does it let the node write a user name.
        Assert.Equal(userName == "-" ? before : $"{LoginSample.Hash.Reveal()}\n{userName}", LoginSample.FileOf(_folder));
    }

    [Fact]
    public async Task A_new_token_is_proven_after_the_restart_only()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        _folder.Write("login/PASSWORD", LoginSample.OtherHash.Reveal() + "\nadmin\n");
        var expected = new LoginExpectation { Token = LoginSample.OtherHash, OldToken = LoginSample.Hash };

        var before = await _prover.ProveAsync(LoginSample.Service(server.Address), expected, _stop);
        server.Restart();
        var after = await _prover.ProveAsync(LoginSample.Service(server.Address), expected, _stop);

        Assert.Equal((false, false, false), (before.IsProven, before.AcceptsToken, before.RefusesOldToken));
        Assert.Equal((true, true, true), (after.IsProven, after.AcceptsToken, after.RefusesOldToken));
    }

    [Fact]
    public async Task A_file_that_is_gone_is_not_made_anew_by_the_web_login()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        File.Delete(_folder.PathOf("login/PASSWORD"));

        var proof = await _prover.ProveAsync(LoginSample.Service(server.Address), new() { Token = LoginSample.Hash, Password = LoginSample.Password, UserName = "admin" }, _stop);

        Assert.Equal((null, true, null), (proof.IsProven, proof.AcceptsToken, proof.AcceptsPassword));
        Assert.False(File.Exists(_folder.PathOf("login/PASSWORD")));
    }

    [Fact]
    public async Task The_web_login_is_tried_once()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        var logins = 0;
        server.Faults = request =>
        {
            if (request.Method == "POST")
                Interlocked.Increment(ref logins);
            return null;
        };

        await _prover.ProveAsync(LoginSample.Service(server.Address), new() { Token = LoginSample.Hash, OldToken = LoginSample.OtherHash, Password = new("wrong-horse") }, _stop);

        Assert.Equal((1, 9), (logins, server.Requests));
    }

    [Fact]
    public async Task Whatever_goes_wrong_with_an_answer_nothing_is_proven_that_is_not_so()
    {
        await using var server = await LoginSample.StartAsync(_folder, "set", _stop);
        var prover = new LoginProver(new()) { Timeout = TimeSpan.FromMilliseconds(250) };
        for (var seed = 0; seed < 40; seed++)
        {
            server.Faults = Fault.Seeded(seed, 0.5, LoginSample.Hash.Reveal());

            var proof = await prover.ProveAsync(LoginSample.Service(server.Address), new() { Token = LoginSample.OtherHash }, _stop);

            Assert.True(proof.IsProven != true, $"seed {seed}: {string.Join("; ", proof.Evidence)}");
            Assert.DoesNotContain(LoginSample.Hash.Reveal(), string.Join(' ', proof.Evidence), StringComparison.Ordinal);
        }
    }
}
