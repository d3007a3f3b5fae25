using ComfyAuth.DotEnv;

namespace ComfyAuth.Tests.DotEnv;

public sealed class DotEnvInterpolationTests
{
    public static TheoryData<string, string, string> Substitutions =>
        [.. DotEnvTables.Rows("interpolation.tsv").Select(row => (row[0], row[1], row[2]))];

    [Theory]
    [MemberData(nameof(Substitutions))]
    public void Variables_are_replaced_as_Compose_replaces_them(string text, string value, string dropped)
    {
        var result = DotEnvInterpolation.Interpolate(text, name => name switch { "SET" => "s", "EMPTY" => "", _ => null });

        if (value is ['!', .. var part])
            Assert.Contains(part, result.Failure, StringComparison.Ordinal);
        else
            Assert.Equal((value, dropped, null), (result.Value, string.Join(',', result.Dropped.Select(run => $"{run.Name}@{run.Column}")), result.Failure));
    }

    [Theory]
    [InlineData("${A:-", "}")]
    [InlineData("${A:-{}", "}")]
    [InlineData("${A:-", "")]
    public void Absurd_nesting_is_refused_instead_of_exhausting_the_stack(string opening, string closing)
    {
        var text = string.Concat(Enumerable.Repeat(opening, 20_000)) + string.Concat(Enumerable.Repeat(closing, 20_000));

        Assert.NotNull(DotEnvInterpolation.Interpolate(text, _ => null).Failure);
    }
}
