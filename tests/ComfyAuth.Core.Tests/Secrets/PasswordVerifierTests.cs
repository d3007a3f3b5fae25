using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Secrets;

public sealed class PasswordVerifierTests
{
    private static readonly SecretText Password = new("one credential");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void A_thousand_stacks_with_one_credential_cost_one_computation()
    {
        var verifier = new PasswordVerifier();

        Parallel.For(0, 1000, _ =>
        {
            var hash = verifier.Hash(Password, Bcrypt.MinimumCost, Stop);
            Assert.True(verifier.Verify(Password, hash, Stop));
        });

        Assert.Equal(1, verifier.Computations);
    }

    [Fact]
    public void Each_different_question_is_computed_once_and_answered_as_bcrypt_does()
    {
        var verifier = new PasswordVerifier();
        var hash = Bcrypt.Hash(Password, Bcrypt.MinimumCost, Stop);
        var wrong = new SecretText("another");

        for (var i = 0; i < 3; i++)
        {
            Assert.True(verifier.Verify(Password, hash, Stop));
            Assert.False(verifier.Verify(wrong, hash, Stop));
        }

        Assert.Equal(2, verifier.Computations);
    }

    [Fact]
    public void Another_cost_is_another_hash()
    {
        var verifier = new PasswordVerifier();

        Assert.Equal(4, verifier.Hash(Password, 4, Stop).Cost);
        Assert.Equal(5, verifier.Hash(Password, 5, Stop).Cost);
        Assert.Equal(2, verifier.Computations);
    }

    [Fact]
    public async Task A_cancelled_caller_neither_answers_nor_blocks_the_next_one()
    {
        var verifier = new PasswordVerifier();
        using var cancellation = new CancellationTokenSource();
        var endless = BcryptHash.FromParts(Bcrypt.MaximumCost, new byte[Bcrypt.SaltBytes], new byte[Bcrypt.DigestBytes]);

        var computing = Task.Run(() => verifier.Verify(Password, endless, cancellation.Token), Stop);
        var waiting = Task.Run(() => verifier.Verify(Password, endless, cancellation.Token), Stop);
        cancellation.CancelAfter(TimeSpan.FromMilliseconds(50));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => computing);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        using var again = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        Assert.ThrowsAny<OperationCanceledException>(() => verifier.Verify(Password, endless, again.Token));
        Assert.Equal(0, verifier.Computations);
    }

    [Fact]
    public void A_refused_password_is_refused_each_time()
    {
        var verifier = new PasswordVerifier();
        var tooLong = new SecretText(new string('p', 73));

        for (var i = 0; i < 2; i++)
            Assert.Equal("PasswordTooLong", Assert.Throws<ComfyAuthException>(() => verifier.Hash(tooLong, 4, Stop)).Code);
        Assert.Equal(0, verifier.Computations);
    }
}
