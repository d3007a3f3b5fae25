using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ComfyAuth.Secrets;
using CsCheck;

namespace ComfyAuth.Tests.Secrets;

public sealed class BcryptHashTests
{
    private const string Text = "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    private static readonly Gen<BcryptHash> Hash =
        Gen.Select(Gen.Int[4, 31], Gen.Byte.Array[Bcrypt.SaltBytes], Gen.Byte.Array[Bcrypt.DigestBytes])
            .Select((cost, salt, digest) => BcryptHash.FromParts(cost, salt, digest));

    [Fact]
    public void Every_hash_that_can_be_made_parses_back_to_its_parts() =>
        Gen.Select(Gen.Int[4, 31], Gen.Byte.Array[Bcrypt.SaltBytes], Gen.Byte.Array[Bcrypt.DigestBytes]).Sample((cost, salt, digest) =>
        {
            var hash = BcryptHash.Parse(BcryptHash.FromParts(cost, salt, digest).Reveal());
            var readSalt = new byte[Bcrypt.SaltBytes];
            var readDigest = new byte[Bcrypt.DigestBytes];
            hash.CopyPartsTo(readSalt, readDigest);
            return hash.Cost == cost && hash.Variant == "2b" && readSalt.SequenceEqual(salt) && readDigest.SequenceEqual(digest);
        });

    [Fact]
    public void Whatever_parses_is_given_back_unchanged_and_whatever_does_not_has_a_reason() =>
        Gen.Select(Hash, Gen.Int[0, BcryptHash.Length - 1], Gen.Char).Sample((hash, position, character) =>
        {
            var changed = hash.Reveal().ToCharArray();
            changed[position] = character;
            var text = new string(changed);
            return BcryptHash.TryParse(text, out var parsed, out var reason)
                ? parsed.Reveal() == text && reason is null
                : parsed.IsDefault && reason is { Length: > 0 } && !reason.Contains(text, StringComparison.Ordinal);
        });

    [Fact]
    public void Garbage_never_throws() =>
        Gen.Frequency((1, Gen.String), (1, Gen.String.Select(tail => "$2b$12$" + tail))).Sample(text =>
            BcryptHash.TryParse(text, out _, out var reason) == reason is null);

    [Theory]
    [InlineData(null, "it is empty")]
    [InlineData("", "it is empty")]
    [InlineData("$2x$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "sign-extension bug")]
    [InlineData("$2$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "does not start with $2a$, $2b$ or $2y$")]
    [InlineData("$$2b$$12$$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "does not start with")]
    [InlineData(" $2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "does not start with")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe", "59 characters")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\r", "61 characters")]
    [InlineData("$2b$1$CCCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "a cost of two digits")]
    [InlineData("$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "cost is not 04 to 31")]
    [InlineData("$2b$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "cost is not 04 to 31")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCC+C.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "character 27 is not one of")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCCCE5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "salt ends in")]
    [InlineData("$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX", "digest ends in")]
    public void The_reason_names_the_rule_that_failed(string? text, string reason)
    {
        Assert.False(BcryptHash.TryParse(text, out _, out var actual));
        Assert.Contains(reason, actual, StringComparison.Ordinal);

        var error = Assert.Throws<ComfyAuthException>(() => BcryptHash.Parse(text));
        Assert.Equal("BcryptHashMalformed", error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2a")]
    [InlineData("2b")]
    [InlineData("2y")]
    public void The_three_variants_are_read(string variant)
    {
        var hash = BcryptHash.Parse(Text.Replace("2b", variant, StringComparison.Ordinal));

        Assert.Equal(variant, hash.Variant);
        Assert.Equal(12, hash.Cost);
    }

    [Fact]
    public void Only_Reveal_gives_the_text()
    {
        var hash = BcryptHash.Parse(Text);
        var fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Text)))[..8];

        Assert.Equal(Text, hash.Reveal());
        Assert.Equal(fingerprint, hash.Fingerprint);
        Assert.Equal($"bcrypt:{fingerprint}", hash.ToString());
        Assert.Equal($"bcrypt:{fingerprint}", $"{hash}");
        Assert.DoesNotContain(Text[7..], JsonSerializer.Serialize(hash), StringComparison.Ordinal);
        Assert.DoesNotContain(Text[7..], JsonSerializer.Serialize(new { Token = hash }, WithFields), StringComparison.Ordinal);
        Assert.Contains(fingerprint, JsonSerializer.Serialize(hash), StringComparison.Ordinal);
    }

    [Fact]
    public void Equality_is_by_text()
    {
        var other = BcryptHash.Parse(Text.Replace("$12$", "$11$", StringComparison.Ordinal));
        var same = BcryptHash.Parse(new string(Text.AsSpan()));

        Assert.True(BcryptHash.Parse(Text) == same);
        Assert.Equal(BcryptHash.Parse(Text).GetHashCode(), same.GetHashCode());
        Assert.True(BcryptHash.Parse(Text) != other);
        Assert.False(BcryptHash.Parse(Text).Equals(default));
        Assert.False(default(BcryptHash).Equals(other));
        Assert.True(default(BcryptHash).Equals(default));
    }

    [Fact]
    public void The_default_value_is_no_hash_and_says_so()
    {
        var none = default(BcryptHash);

        Assert.True(none.IsDefault);
        Assert.Equal("bcrypt:none", none.ToString());
        Assert.Equal("", none.Fingerprint);
        Assert.Equal("", none.Variant);
        Assert.Equal(0, none.Cost);
        Assert.Equal(0, none.GetHashCode());
        Assert.Throws<InvalidOperationException>(() => none.Reveal());
    }

    private static readonly JsonSerializerOptions WithFields = new() { IncludeFields = true };
}
