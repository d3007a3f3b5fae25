using System.Text.Json;
using System.Text.RegularExpressions;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Secrets;

public sealed partial class SecretTextTests
{
    [Fact]
    public void Only_Reveal_gives_the_text()
    {
        var secret = new SecretText("open sesame");

        Assert.Equal("open sesame", secret.Reveal());
        Assert.Equal("[redacted]", secret.ToString());
        Assert.Equal("[redacted]", $"{secret}");
        Assert.DoesNotContain("sesame", JsonSerializer.Serialize(secret), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void An_empty_secret_is_refused(string? text) => Assert.ThrowsAny<ArgumentException>(() => new SecretText(text!));

    [Fact]
    public void Equality_is_by_text()
    {
        var secret = new SecretText("a");

        Assert.True(secret == new SecretText("a"));
        Assert.Equal(secret.GetHashCode(), new SecretText("a").GetHashCode());
        Assert.True(secret != new SecretText("b"));
        Assert.True(secret != new SecretText("aa"));
        Assert.False(secret == null);
        Assert.False(secret.Equals("a"));
    }

    [Fact]
    public void Fingerprints_are_equal_for_equal_secrets_and_are_no_plain_hash_of_them()
    {
        var secret = new SecretText("123456");

        Assert.Matches(EightHexDigits(), secret.Fingerprint);
        Assert.Equal(secret.Fingerprint, new SecretText("123456").Fingerprint);
        Assert.NotEqual(secret.Fingerprint, new SecretText("123457").Fingerprint);
        Assert.NotEqual("8d969eef", secret.Fingerprint);
    }

    [GeneratedRegex("^[0-9a-f]{8}$")]
    private static partial Regex EightHexDigits();
}
