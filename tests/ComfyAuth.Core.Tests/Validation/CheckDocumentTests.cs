using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class CheckDocumentTests
{
    [Fact]
    public void The_documentation_lists_the_checks_as_they_are()
    {
        var written = Repository.Read(CheckDocument.Path);
        var expected = CheckDocument.Renew(written, CheckCatalogue.All);
        if (Environment.GetEnvironmentVariable(CheckDocument.WriteVariable) == "1")
            File.WriteAllText(Repository.PathOf(CheckDocument.Path), expected);
        else
            Assert.Equal(expected, written);
    }

    [Fact]
    public void No_text_breaks_the_tables() =>
        Assert.All(CheckCatalogue.All, check => Assert.True((check.Title + check.Meaning + check.Remedy).AsSpan().IndexOfAny('|', '\n', '\r') < 0));

    [Fact]
    public void Every_status_is_described() =>
        Assert.Equal(Enum.GetNames<CheckStatus>(), Documentation.DocumentationTests.Rows(CheckDocument.Path, "Results"));
}
