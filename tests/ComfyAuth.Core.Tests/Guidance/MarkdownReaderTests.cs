using ComfyAuth.Guidance;
using CsCheck;

namespace ComfyAuth.Tests.Guidance;

public sealed class MarkdownReaderTests
{
    private static readonly string[] Pieces = ["# ", "## ", "---\n", "===\n", "```\n", "~~~~\n", "\n", "\n\n", "    ", "- ", "> ", "word ", "é", "\t", "#", "|", "1. ", "😀", "\n# a\n"];

    private static readonly Gen<string> Markdown = Gen.Int[0, Pieces.Length - 1].Select(piece => Pieces[piece]).Array[0, 60].Select(string.Concat);

    public static TheoryData<string, string> Documents => [.. GuidanceTables.Rows("headings.tsv").Select(row => (row[0], row[1]))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_is_cut_as_the_table_says(string text, string headings) =>
        Assert.Equal(headings, string.Join(" | ", MarkdownReader.Read(text).Select(passage => $"{passage.Line} {passage.Heading}".TrimEnd())));

    [Fact]
    public void The_text_is_what_stands_below_the_heading_up_to_the_next()
    {
        var passages = MarkdownReader.Read("# A\n\n  one\n\ntwo\n\n## B\n```\n# three\n```\n").ToList();

        Assert.Equal(["  one\n\ntwo", "```\n# three\n```"], passages.Select(passage => passage.Text));
    }

    [Fact]
    public void A_long_section_is_cut_at_a_blank_line_and_each_part_keeps_the_heading()
    {
        var paragraph = string.Join('\n', Enumerable.Repeat(new string('x', 99), 7));

        var passages = MarkdownReader.Read($"# A\n{paragraph}\n\n{paragraph}\n\n{paragraph}\n").ToList();

        Assert.Equal([("A", 1, $"{paragraph}\n\n{paragraph}"), ("A", 18, paragraph)], passages.Select(passage => (passage.Heading, passage.Line, passage.Text)));
    }

    [Fact]
    public void A_line_that_is_too_long_is_cut_but_no_character_of_it()
    {
        var line = "x" + string.Concat(Enumerable.Repeat("😀", 2500));

        var passages = MarkdownReader.Read(line).ToList();

        Assert.Equal(line, string.Concat(passages.Select(passage => passage.Text)));
        Assert.All(passages, passage => Assert.False(char.IsLowSurrogate(passage.Text[0])));
    }

    [Fact]
    public void A_heading_that_is_too_long_is_cut() =>
        Assert.Equal(161, MarkdownReader.Read($"# {new string('x', 5000)}\ntext").Single().Heading.Length);

    [Fact]
    public void Any_text_is_cut_into_parts_of_it_in_its_order() =>
        Gen.OneOf(Markdown, Gen.String).Select(text => text.Replace('\r', '\n')).Sample(
            text =>
            {
                var lines = text.Split('\n');
                var last = 0;
                foreach (var passage in MarkdownReader.Read(text))
                {
                    Assert.False(string.IsNullOrWhiteSpace(passage.Text));
                    Assert.InRange(passage.Text.Length, 1, 2000);
                    Assert.Contains(passage.Text, text, StringComparison.Ordinal);
                    Assert.InRange(passage.Line, last, lines.Length);
                    last = passage.Line;
                }
            },
            iter: 20_000);
}
