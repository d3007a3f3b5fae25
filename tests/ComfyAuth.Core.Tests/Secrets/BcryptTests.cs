using System.Security.Cryptography;
using System.Text;
using ComfyAuth.Secrets;
using CsCheck;
using Org.BouncyCastle.Crypto.Generators;

namespace ComfyAuth.Tests.Secrets;

public sealed class BcryptTests
{
    private const int Passwords = 500;

    // Any Unicode but NUL and halves of surrogate pairs, cut to what bcrypt reads.
    private static readonly Gen<string> Password = Gen.Int[1, 0x10FFFF]
        .Where(Rune.IsValid)
        .Select(value => new Rune(value).ToString())
        .Array[0, Bcrypt.MaximumPasswordBytes]
        .Select(runes =>
        {
            var text = new StringBuilder();
            foreach (var rune in runes)
            {
                if (Encoding.UTF8.GetByteCount(text + rune) <= Bcrypt.MaximumPasswordBytes)
                    text.Append(rune);
            }

            return text.ToString();
        });

    private static readonly Gen<string> AsciiPassword = Gen.Char[' ', '~'].Array[0, Bcrypt.MaximumPasswordBytes].Select(characters => new string(characters));

    public static TheoryData<string, string> Vectors()
    {
        var data = new TheoryData<string, string>();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Secrets", "data", "bcrypt-vectors.tsv")))
        {
            var fields = line.Split('\t');
            data.Add(fields[0], fields[1]);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Published_vectors_verify(string password, string hash)
    {
        var key = password.StartsWith("hex:", StringComparison.Ordinal) ? Convert.FromHexString(password[4..]) : Encoding.UTF8.GetBytes(password);

        Assert.True(Bcrypt.Verify(key, BcryptHash.Parse(hash), TestContext.Current.CancellationToken));
        Assert.False(Bcrypt.Verify([.. "x"u8, .. key], BcryptHash.Parse(hash), TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Hashes_agree_with_Bouncy_Castle() =>
        Gen.Select(Gen.OneOf(Password, AsciiPassword), Gen.Byte.Array[Bcrypt.SaltBytes]).Sample(
            (password, salt) =>
            {
                var key = Encoding.UTF8.GetBytes(password);
                var ours = Bcrypt.Hash(key, salt, Bcrypt.MinimumCost);
                var theirs = OpenBsdBCrypt.Generate("2b", password.ToCharArray(), salt, Bcrypt.MinimumCost);
                return ours.Reveal() == theirs && Bcrypt.Verify(key, BcryptHash.Parse(theirs));
            },
            iter: Passwords);

    [Fact]
    public void Hashes_agree_with_the_crypt_of_the_system()
    {
        Assert.SkipUnless(SystemCrypt.HasBcrypt, "This system has no libcrypt.so.1 with bcrypt.");

        Gen.Select(Gen.OneOf(Password, AsciiPassword), Gen.Byte.Array[Bcrypt.SaltBytes]).Sample(
            (password, salt) =>
            {
                var ours = Bcrypt.Hash(Encoding.UTF8.GetBytes(password), salt, Bcrypt.MinimumCost).Reveal();
                return SystemCrypt.Crypt(password, ours) == ours;
            },
            iter: Passwords);
    }

    [Fact]
    public void A_new_hash_is_2b_with_cost_12_and_a_salt_of_its_own()
    {
        var password = new SecretText("pass word");

        var first = Bcrypt.Hash(password, cancellationToken: TestContext.Current.CancellationToken);
        var second = Bcrypt.Hash(password, Bcrypt.MinimumCost, TestContext.Current.CancellationToken);
        var third = Bcrypt.Hash(password, Bcrypt.MinimumCost, TestContext.Current.CancellationToken);

        Assert.StartsWith("$2b$12$", first.Reveal(), StringComparison.Ordinal);
        Assert.NotEqual(second, third);
        Assert.True(Bcrypt.Verify(password, first, TestContext.Current.CancellationToken));
        Assert.True(Bcrypt.Verify(password, third, TestContext.Current.CancellationToken));
        Assert.False(Bcrypt.Verify(new SecretText("pass word "), third, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(72, 'a', true)]
    [InlineData(73, 'a', false)]
    [InlineData(36, 'é', true)]
    [InlineData(37, 'é', false)]
    [InlineData(1_000_000, 'a', false)]
    public void A_new_hash_takes_72_bytes_of_UTF8_and_no_more(int length, char character, bool accepted)
    {
        var password = new SecretText(new string(character, length));
        BcryptHash Hash() => Bcrypt.Hash(password, Bcrypt.MinimumCost, TestContext.Current.CancellationToken);

        if (accepted)
        {
            Assert.True(Bcrypt.Verify(password, Hash(), TestContext.Current.CancellationToken));
            return;
        }

        var error = Assert.Throws<ComfyAuthException>(() => Hash());
        Assert.Equal("PasswordTooLong", error.Code);
        Assert.Contains("web login would answer 500", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(password.Reveal(), error.ToString(), StringComparison.Ordinal);
    }

    // An attribute cannot hold half of a surrogate pair.
    [Theory]
    [InlineData('\0', "PasswordHasNul")]
    [InlineData('\uD800', "PasswordNotUnicode")]
    public void A_password_that_cannot_log_in_is_refused_without_being_shown(char character, string code)
    {
        var password = $"hid{character}den";
        var error = Assert.Throws<ComfyAuthException>(() => Bcrypt.Hash(new SecretText(password), Bcrypt.MinimumCost, TestContext.Current.CancellationToken));

        Assert.Equal(code, error.Code);
        Assert.DoesNotContain("hid", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Verifying_reads_72_bytes_of_a_longer_password()
    {
        var hash = Bcrypt.Hash(new SecretText(new string('p', 72)), Bcrypt.MinimumCost, TestContext.Current.CancellationToken);

        Assert.True(Bcrypt.Verify(new SecretText(new string('p', 100)), hash, TestContext.Current.CancellationToken));
        Assert.False(Bcrypt.Verify(new SecretText(new string('p', 71)), hash, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(32)]
    [InlineData(-1)]
    public void Other_costs_are_out_of_range(int cost) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Bcrypt.Hash(new SecretText("p"), cost, TestContext.Current.CancellationToken));

    [Fact]
    public void Cost_31_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        Assert.Throws<OperationCanceledException>(() => Bcrypt.Hash(new SecretText("p"), Bcrypt.MaximumCost, cancellation.Token));
    }

    [Fact]
    public void There_is_nothing_to_verify_against_the_default_hash() =>
        Assert.Throws<ArgumentException>(() => Bcrypt.Verify(new SecretText("p"), default, TestContext.Current.CancellationToken));

    [Fact]
    public void The_initial_state_is_pi()
    {
        // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239)
        const int guardBits = 64;
        var bits = (Pi.Fraction.Length * 32) + guardBits;
        var pi = (16 * ArcTangentOfInverse(5, bits)) - (4 * ArcTangentOfInverse(239, bits));
        var fraction = (pi & ((System.Numerics.BigInteger.One << bits) - 1)) >> guardBits;
        var expected = fraction.ToByteArray(isUnsigned: true, isBigEndian: true);

        var actual = Pi.Fraction.ToArray().SelectMany(word => new[] { (byte)(word >> 24), (byte)(word >> 16), (byte)(word >> 8), (byte)word }).ToArray();
        Assert.Equal(Convert.ToHexString(SHA256.HashData(expected)), Convert.ToHexString(SHA256.HashData(actual)));
    }

    private static System.Numerics.BigInteger ArcTangentOfInverse(int x, int bits)
    {
        var term = (System.Numerics.BigInteger.One << bits) / x;
        var sum = term;
        for (var n = 3; !term.IsZero; n += 2)
        {
            term /= -(x * x);
            sum += term / n;
        }

        return sum;
    }
}
