using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Stacks;

public sealed class PythonVersionTests
{
    /// <summary>Examples of PEP 440, in its order.</summary>
    private static readonly string[] Ordered =
    [
        "0.9", "1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456", "1.0a12", "1.0b1.dev456", "1.0b2", "1.0b2.post345.dev456", "1.0b2.post345",
        "1.0rc1.dev456", "1.0rc1", "1.0", "1.0.post456.dev34", "1.0.post456", "1.1.dev1", "1.2", "1.10", "2!0.1",
    ];

    [Fact]
    public void Versions_are_in_the_order_of_PEP_440()
    {
        var shuffled = Ordered.Order(StringComparer.Ordinal).ToList();

        Assert.Equal(Ordered, shuffled.OrderBy(Parse));
    }

    [Theory]
    [InlineData("1.0", "1")]
    [InlineData("1.0.0", " v1.0 ")]
    [InlineData("1.0c1", "1.0-RC.1")]
    [InlineData("1.0-1", "1.0.post1")]
    [InlineData("1.0.dev", "1.0dev0")]
    [InlineData("10.0.0+cu121", "10.0.0")]
    public void Spellings_of_a_version_are_equal(string left, string right) => Assert.Equal(0, Parse(left).CompareTo(Parse(right)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("latest")]
    [InlineData("1..2")]
    [InlineData("1.2.x")]
    [InlineData("9999999999999999999999999")]
    public void What_is_no_version_is_refused(string? text) => Assert.False(PythonVersion.TryParse(text, out _));

    private static PythonVersion Parse(string text) => PythonVersion.TryParse(text, out var version) ? version! : throw new ArgumentException(text);
}
