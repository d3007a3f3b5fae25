namespace ComfyAuth.Tests;

public sealed class DurationTests
{
    [Theory]
    [InlineData("90", 90)]
    [InlineData(" 90 ", 90)]
    [InlineData("1.5", 1.5)]
    [InlineData("0", 0)]
    [InlineData("1e3", 1000)]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("1h30m", 5400)]
    [InlineData("1.5h", 5400)]
    [InlineData("2d", 172800)]
    [InlineData("250ms", 0.25)]
    [InlineData("00:10:00", 600)]
    [InlineData("00:00:01.5000000", 1.5)]
    [InlineData("1.00:00:00", 86400)]
    [InlineData("30d", 2592000)]
    public void A_length_of_time_is_read_as_people_write_it(string text, double seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("-1")]
    [InlineData("-00:10:00")]
    [InlineData("10 minutes")]
    [InlineData("10:00")]
    [InlineData("10m30")]
    [InlineData("m")]
    [InlineData("31d")]
    [InlineData("1e300")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("10675199.02:48:05.4775807")]
    [InlineData("999999999999999999999h")]
    public void What_is_none_is_refused(string? text)
    {
        Assert.False(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.Zero, duration);
    }

    [Theory]
    [InlineData(-5, "0s")]
    [InlineData(0.9, "0s")]
    [InlineData(59.9, "59s")]
    [InlineData(119.9, "119s")]
    [InlineData(120, "2m")]
    [InlineData(7199, "119m")]
    [InlineData(7200, "2h")]
    [InlineData(172799, "47h")]
    [InlineData(31536000, "365d")]
    public void It_is_written_in_the_largest_unit_that_it_fills_twice(double seconds, string text) => Assert.Equal(text, Duration.Format(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1024 * 1024 - 1, "1 MiB")]
    [InlineData(818_413_568, "780.5 MiB")]
    [InlineData(1_288_490_189, "1.2 GiB")]
    [InlineData(long.MaxValue, "8388608 TiB")]
    public void A_size_is_written_in_the_largest_unit_that_it_fills(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));
}
