using System.Text.RegularExpressions;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Secrets;

public sealed partial class RandomSecretTests
{
    [Theory]
    [InlineData(16, 22)]
    [InlineData(32, 43)]
    [InlineData(33, 44)]
    [InlineData(54, 72)]
    public void Secrets_are_base64url_without_padding(int bytes, int characters)
    {
        for (var i = 0; i < 100; i++)
        {
            var text = RandomSecret.Create(bytes).Reveal();
            Assert.Equal(characters, text.Length);
            Assert.Matches(Base64Url(), text);
        }
    }

    [Fact]
    public void No_two_secrets_are_equal() =>
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => RandomSecret.Create().Reveal()).Distinct(StringComparer.Ordinal).Count());

    [Theory]
    [InlineData(15)]
    [InlineData(0)]
    [InlineData(-1)]
    public void A_weak_secret_is_refused(int bytes) => Assert.Throws<ArgumentOutOfRangeException>(() => RandomSecret.Create(bytes));

    [GeneratedRegex("^[A-Za-z0-9_-]+$")]
    private static partial Regex Base64Url();
}
