using ComfyAuth.DotEnv;

namespace ComfyAuth.Tests.DotEnv;

public sealed class DotEnvReadingTests
{
    public static TheoryData<string, string, string, string> Readings =>
        [.. DotEnvTables.Rows("readings.tsv").Select(row => (row[0], row[1], row[2], row[3]))];

    [Theory]
    [MemberData(nameof(Readings))]
    public void Each_program_reads_a_line_its_own_way(string document, string consumer, string key, string outcome)
    {
        var reading = DotEnvDocument.Parse(DotEnvTables.Bytes(document))
            .Read(key, Enum.Parse<DotEnvConsumer>(consumer), name => name == "HERE" ? "here" : null);

        var actual = reading switch
        {
            null => "absent",
            { Failure: { } failure } => outcome is ['-', .. var part] && failure.Contains(part, StringComparison.Ordinal) ? outcome : "-" + failure,
            { IsInherited: true } => "^" + reading.Value,
            { Dropped.Count: > 0 } => $"={reading.Value}!{string.Join(',', reading.Dropped.Select(run => run.Name))}",
            _ => "=" + reading.Value,
        };
        Assert.Equal(outcome, actual);
    }

    [Theory]
    [InlineData("A=1\nT=$2b$12$Abc.def", 2, 9)]
    [InlineData("\n  T: \"\\n$Abc.def\"", 2, 9)]
    [InlineData("T=\"x\ny$Abc.\"", 2, 2)]
    [InlineData("T=${NO:-$Abc.}", 1, 9)]
    public void A_dropped_run_is_located_in_the_file(string document, int line, int column)
    {
        var run = Assert.Single(DotEnvDocument.Parse(DotEnvTables.Bytes(document)).Read("T", DotEnvConsumer.ComposeV2)!.Dropped);

        Assert.Equal(new DroppedRun("Abc", "$Abc", line, column), run);
    }

    [Fact]
    public void A_reading_says_where_the_key_stands_and_which_line_makes_the_program_fail()
    {
        var document = DotEnvDocument.Parse("A = 1\n export B=2\n"u8);

        var reading = document.Read("B", DotEnvConsumer.DockerRun)!;

        Assert.Equal((2, 9, 1), (reading.Line, reading.Column, reading.FailureLine));
    }

    [Fact]
    public void A_line_too_long_for_docker_run_is_a_failure()
    {
        var longest = DotEnvDocument.Parse(DotEnvTables.Bytes("A=" + new string('x', 65533)));
        var longer = DotEnvDocument.Parse(DotEnvTables.Bytes("A=" + new string('x', 65532) + "é"));

        Assert.Null(longest.Read("A", DotEnvConsumer.DockerRun)!.Failure);
        Assert.Contains("65535", longer.Read("A", DotEnvConsumer.DockerRun)!.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void One_consumer_must_be_named()
    {
        var document = DotEnvDocument.Parse("A=1"u8);

        Assert.Throws<ArgumentOutOfRangeException>(() => document.Read("A", DotEnvConsumer.None));
        Assert.Throws<ArgumentOutOfRangeException>(() => document.Read("A", DotEnvConsumer.ComposeV1 | DotEnvConsumer.ComposeV2));
    }

    [Fact]
    public void Nothing_that_is_logged_by_accident_shows_a_value()
    {
        var document = DotEnvDocument.Parse("T=$2b$12$Secret.Secret"u8);
        var reading = document.Read("T", DotEnvConsumer.ComposeV2)!;

        Assert.DoesNotContain("ecret", $"{document}{document.Entries[0]}{reading}{reading.Dropped[0]}", StringComparison.Ordinal);
    }
}
