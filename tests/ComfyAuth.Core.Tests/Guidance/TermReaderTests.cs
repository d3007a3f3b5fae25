using ComfyAuth.Guidance;
using CsCheck;

namespace ComfyAuth.Tests.Guidance;

public sealed class TermReaderTests
{
    public static TheoryData<string, string> Texts => [.. GuidanceTables.Rows("terms.tsv").Select(row => (row[0], row[1]))];

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_text_is_read_as_the_table_says(string text, string terms) =>
        Assert.Equal(terms, string.Join(' ', TermsOf(text)));

    [Theory]
    [InlineData("Échec à l'œuvre, ÇA va", "echec a l'oeuvre, ca va")]
    [InlineData("PRÊTS", "pret")]
    [InlineData("pre\u0302t", "prêt")]
    public void Case_accents_and_their_way_of_writing_make_no_difference(string text, string same) =>
        Assert.Equal(TermsOf(same), TermsOf(text));

    [Fact]
    public void A_name_that_is_too_long_to_be_asked_for_is_no_term() =>
        Assert.Equal(["end"], TermsOf(new string('x', 65) + " end " + string.Join('_', Enumerable.Repeat("y", 65))));

    [Fact]
    public void Hashes_are_those_of_FNV_1a()
    {
        // Over UTF-16 units; for ASCII the same as over bytes. Vectors of the algorithm's authors.
        Assert.Equal(0xcbf29ce484222325, TermReader.Hash(""));
        Assert.Equal(0xaf63dc4c8601ec8c, TermReader.Hash("a"));
        Assert.Equal(0x85944171f73967e8, TermReader.Hash("foobar"));
    }

    [Fact]
    public void Any_text_gives_terms_without_capitals_and_blanks() =>
        Gen.String.Sample(
            text => TermsOf(text).All(term => term.Length > 0 && !term.Any(char.IsWhiteSpace) && !term.Any(char.IsAsciiLetterUpper)),
            iter: 5_000);

    private static List<string> TermsOf(string text)
    {
        var terms = new List<string>();
        TermReader.Read(text, term => terms.Add(term.ToString()));
        return terms;
    }
}
