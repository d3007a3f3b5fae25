using System.Text;
using ComfyAuth.DotEnv;
using CsCheck;

namespace ComfyAuth.Tests.DotEnv;

public sealed class DotEnvDocumentTests
{
    private const DotEnvConsumer BothComposes = DotEnvConsumer.ComposeV1 | DotEnvConsumer.ComposeV2;

    public static TheoryData<string, int, int, string> SyntaxErrors =>
        [.. DotEnvTables.Rows("syntax-errors.tsv").Select(row => (row[0], int.Parse(row[1], null), int.Parse(row[2], null), row[3]))];

    [Theory]
    [MemberData(nameof(SyntaxErrors))]
    public void A_bad_line_is_refused_with_its_place(string document, int line, int column, string reason)
    {
        var error = Assert.Throws<DotEnvSyntaxException>(() => DotEnvDocument.Parse(DotEnvTables.Bytes(document), "dir/.env"));

        Assert.Equal(("DotEnvSyntax", "dir/.env", line, column), (error.Code, error.Path, error.Line, error.Column));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"dir/.env:{line}:{column}: ", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remedy);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'A', (byte)'=', (byte)'1', (byte)'\n', (byte)'B', (byte)'=', 0xE9, (byte)'\n' }, 2, 3, "not valid UTF-8")]
    [InlineData(new byte[] { (byte)'A', (byte)'=', 0xC3 }, 1, 3, "not valid UTF-8")]
    [InlineData(new byte[] { 0xFF, 0xFE, (byte)'A', 0 }, 1, 1, "UTF-16")]
    [InlineData(new byte[] { 0xFE, 0xFF, 0, (byte)'A' }, 1, 1, "UTF-16")]
    [InlineData(new byte[] { (byte)'A', (byte)'=', 0 }, 1, 3, "NUL")]
    public void Bytes_that_are_no_text_are_refused_with_their_place(byte[] bytes, int line, int column, string reason)
    {
        var error = Assert.Throws<DotEnvSyntaxException>(() => DotEnvDocument.Parse(bytes));

        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("T='hunter2")]
    [InlineData("T='a'hunter2!")]
    [InlineData("hunter2!")]
    [InlineData("T=\"a\nhunter2 b\" hunter2")]
    public void An_error_never_shows_a_value(string document)
    {
        var error = Record.Exception(() => DotEnvDocument.Parse(DotEnvTables.Bytes(document)));

        Assert.DoesNotContain("hunter2", $"{error}", StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_tell_name_place_and_raw_text()
    {
        var document = DotEnvDocument.Parse("\uFEFF# c\r\n export A = 'x' # y\nB\n"u8);

        Assert.Equal(
            [("A", 2, 9, "'x'", "export A = 'x'", true, false), ("B", 3, 1, null, "B", false, true)],
            document.Entries.Select(entry =>
                (entry.Name, entry.Line, entry.Column, entry.RawValue, entry.RawText, entry.IsExported, entry.IsInherited)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\uFEFF")]
    [InlineData("\uFEFFA=1\r\nA: 2\n\n \t\nexport  B = 'x\r\ny' # z\n#\nC")]
    public void An_untouched_document_writes_the_same_bytes(string document)
    {
        var bytes = DotEnvTables.Bytes(document);

        Assert.Equal(bytes, DotEnvDocument.Parse(bytes).ToBytes());
    }

    [Fact]
    public void Any_document_that_is_read_is_written_unchanged_and_can_be_read_by_all() =>
        DotEnvGen.Document.Sample(text =>
        {
            var bytes = DotEnvTables.Bytes(text);
            if (TryParse(bytes) is not { } document)
                return true;

            foreach (var entry in document.Entries)
            {
                _ = document.Get(entry.Name);
                foreach (var consumer in DotEnvGen.Single((DotEnvConsumer)15))
                    Assert.NotNull(document.Read(entry.Name, consumer, name => name == "E" ? "" : null));
            }

            return document.ToBytes().AsSpan().SequenceEqual(bytes);
        }, iter: 10_000);

    [Fact]
    public void Garbage_gives_a_syntax_error_or_a_document_but_never_another_exception() =>
        Gen.OneOf<byte[]>(Gen.Byte.Array, Gen.OneOf("A=\"'\\$\n\r#: {}`export"u8.ToArray()).Array[0, 60]).Sample(bytes =>
        {
            if (TryParse(bytes) is not { } document)
                return true;
            foreach (var entry in document.Entries)
            {
                foreach (var consumer in DotEnvGen.Single((DotEnvConsumer)15))
                    document.Read(entry.Name, consumer);
            }

            return document.ToBytes().AsSpan().SequenceEqual(bytes);
        }, iter: 10_000);

    [Fact]
    public void Compose_v2_gets_back_any_value_and_only_its_line_changes() =>
        Gen.Select(DotEnvGen.Document, DotEnvGen.Name, DotEnvGen.Value, DotEnvGen.Name).Sample((text, name, value, after) =>
        {
            var bytes = DotEnvTables.Bytes(text);
            if (TryParse(bytes) is not { } document)
                return;
            var before = document.Entries;
            var old = before.LastOrDefault(entry => entry.Name == name);

            bool changed;
            try
            {
                changed = document.Set(name, value, DotEnvConsumer.ComposeV2, after);
            }
            catch (ComfyAuthException error) when (old is not null && GoesOn(bytes, old))
            {
                // With what stands behind the value on its line, each form of the new one may be another value.
                Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
                Assert.Equal(bytes, document.ToBytes());
                return;
            }

            Assert.Equal(value, document.Get(name));
            AssertOnlyOneEntryDiffers(before, document.Entries, old, changed);
            AssertSetAgainChangesNothing(document, name, value, DotEnvConsumer.ComposeV2);
        }, iter: 8000);

    [Fact]
    public void Every_named_program_gets_the_value_or_the_document_stays_as_it_is() =>
        Gen.Select(DotEnvGen.Document, DotEnvGen.Name, DotEnvGen.Value, DotEnvGen.Consumers).Sample((text, name, value, consumers) =>
        {
            var bytes = DotEnvTables.Bytes(text);
            if (TryParse(bytes) is not { } document)
                return;
            var before = document.Entries;
            var old = before.LastOrDefault(entry => entry.Name == name);

            bool changed;
            try
            {
                changed = document.Set(name, value, consumers);
            }
            catch (ComfyAuthException error)
            {
                Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
                Assert.Equal(bytes, document.ToBytes());
                return;
            }

            // Another line may still make a program refuse the whole file.
            foreach (var consumer in DotEnvGen.Single(consumers))
                Assert.Equal(value, document.Read(name, consumer)!.Value);
            AssertOnlyOneEntryDiffers(before, document.Entries, old, changed);
            AssertSetAgainChangesNothing(document, name, value, consumers);
        }, iter: 8000);

    [Fact]
    public void A_quote_for_one_program_does_not_swallow_the_next_line_for_another()
    {
        // docker run --env-file takes a lone quote as it is; to Compose it opens a value that goes on to the next quote.
        var bytes = Encoding.UTF8.GetBytes("A=1\nB=2\n# it's\n");
        var document = DotEnvDocument.Parse(bytes);

        var error = Assert.Throws<ComfyAuthException>(() => document.Set("A", "'", DotEnvConsumer.DockerRun));

        Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
        Assert.Equal(bytes, document.ToBytes());
    }

    [Fact]
    public void A_removed_key_is_gone_and_the_others_stay() =>
        Gen.Select(DotEnvGen.Document, DotEnvGen.Name).Sample((text, name) =>
        {
            if (TryParse(DotEnvTables.Bytes(text)) is not { } document)
                return;
            var before = document.Entries;

            Assert.Equal(before.Any(entry => entry.Name == name), document.Remove(name));

            Assert.Equal(
                before.Where(entry => entry.Name != name).Select(entry => entry.RawText),
                document.Entries.Select(entry => entry.RawText));
        }, iter: 4000);

    [Theory]
    [InlineData("A=1\n", "A=2\n")]
    [InlineData("A=1", "A=2")]
    [InlineData("A=1\r\n", "A=2\r\n")]
    [InlineData("A=\r\n", "A=2\r\n")]
    [InlineData("A=0\nA=1\nB=1", "A=0\nA=2\nB=1")]
    [InlineData(" export A = '1'  # note\r\n", " export A = 2  # note\r\n")]
    [InlineData("A: 1 # note\n", "A: 2 # note\n")]
    [InlineData("A=\"x\ny\" # note\nB=1", "A=2 # note\nB=1")]
    [InlineData("A='1'# note\n", "A='2'# note\n")]
    [InlineData("A='1'B=1\n", "A='2'B=1\n")]
    [InlineData("A='1' B=1\n", "A='2' B=1\n")]
    [InlineData("A\n", "A=2\n")]
    [InlineData("export A", "export A=2")]
    [InlineData("\uFEFF# c", "\uFEFF# c\nA=2\n")]
    [InlineData("", "A=2\n")]
    [InlineData("B=1\r\nC=1\r\nD=1\n", "B=1\r\nC=1\r\nD=1\nA=2\r\n")]
    [InlineData("# A=1\n", "# A=1\nA=2\n")]
    [InlineData("XA=1\n", "XA=1\nA=2\n")]
    public void Set_keeps_what_stands_around_the_value(string before, string after)
    {
        var document = DotEnvDocument.Parse(DotEnvTables.Bytes(before));

        Assert.True(document.Set("A", "2", DotEnvConsumer.ComposeV2));

        Assert.Equal(after, DotEnvTables.Text(document.ToBytes()));
    }

    [Theory]
    [InlineData("A = 1\n", DotEnvConsumer.Shell, "A=2\n")]
    [InlineData("A: 1 # note\n", BothComposes, "A=2 # note\n")]
    [InlineData("A=1 # note\n", DotEnvConsumer.DockerRun, "A=2\n")]
    [InlineData("export A=1 # note\n", DotEnvConsumer.Shell, "export A=2 # note\n")]
    [InlineData(" export A=1 # note\n", DotEnvConsumer.DockerRun | DotEnvConsumer.Shell, " A=2\n")]
    public void Set_gives_up_only_what_a_program_cannot_read(string before, DotEnvConsumer consumers, string after)
    {
        var document = DotEnvDocument.Parse(DotEnvTables.Bytes(before));

        Assert.True(document.Set("A", "2", consumers));

        Assert.Equal(after, DotEnvTables.Text(document.ToBytes()));
    }

    [Theory]
    [InlineData("A=2\n", BothComposes)]
    [InlineData("A: '2' # note", DotEnvConsumer.ComposeV2)]
    [InlineData("B=2\nA=\"$B\"\n", DotEnvConsumer.ComposeV2)]
    [InlineData("A=1\nA=2\n", (DotEnvConsumer)15)]
    public void Set_changes_nothing_when_the_value_already_reads_right(string text, DotEnvConsumer consumers)
    {
        var document = DotEnvDocument.Parse(DotEnvTables.Bytes(text));

        Assert.False(document.Set("A", "2", consumers));

        Assert.Equal(text, DotEnvTables.Text(document.ToBytes()));
    }

    [Theory]
    [InlineData("A=1\nB=1\n", "A", "A=1\n# note\n\nT=2\nB=1\n")]
    [InlineData("A=1\nA=2\nB=1\n", "A", "A=1\nA=2\n# note\n\nT=2\nB=1\n")]
    [InlineData("A='1\n2' B='1\n2'\nC=1\n", "A", "A='1\n2' B='1\n2'\n# note\n\nT=2\nC=1\n")]
    [InlineData("A='1' B='1\n2' C='1\n2' # c\nD=1\n", "A", "A='1' B='1\n2' C='1\n2' # c\n# note\n\nT=2\nD=1\n")]
    [InlineData("A=1", "A", "A=1\n# note\n\nT=2\n")]
    [InlineData("A=1\n", "MISSING", "A=1\n# note\n\nT=2\n")]
    [InlineData("A=1\r\nB=1\r\n", "A", "A=1\r\n# note\r\n\r\nT=2\r\nB=1\r\n")]
    public void A_missing_key_is_added_below_another_with_its_comment(string before, string after, string expected)
    {
        var document = DotEnvDocument.Parse(DotEnvTables.Bytes(before));

        Assert.True(document.Set("T", "2", BothComposes, after, ["# note", ""]));

        Assert.Equal(expected, DotEnvTables.Text(document.ToBytes()));
    }

    [Fact]
    public void A_bcrypt_hash_is_written_in_single_quotes_for_both_composes()
    {
        var document = DotEnvDocument.Parse("COMFYUI_API_TOKEN=old # kept\r\n"u8);

        document.Set("COMFYUI_API_TOKEN", "$2b$12$.bcdefghijklmnopqrstuO", BothComposes);

        Assert.Equal("COMFYUI_API_TOKEN='$2b$12$.bcdefghijklmnopqrstuO' # kept\r\n", DotEnvTables.Text(document.ToBytes()));
    }

    [Fact]
    public void A_line_that_reaches_into_ours_for_one_program_is_taken_into_account()
    {
        // To Compose v1 the backslash before the quote hides it, so the value goes on to the next double quote.
        var document = DotEnvDocument.Parse("A=\"b\\\\\"\nT=old\n"u8);

        document.Set("T", "it's a", BothComposes);

        Assert.Equal("it's a", document.Read("T", DotEnvConsumer.ComposeV1)!.Value);
        Assert.Equal("A=\"b\\\\\"\nT=it's a\n", DotEnvTables.Text(document.ToBytes()));
    }

    [Fact]
    public void Bash_cannot_be_given_a_value_on_a_line_that_ends_with_CRLF()
    {
        var document = DotEnvDocument.Parse("A=1\r\n"u8);

        var error = Assert.Throws<ComfyAuthException>(() => document.Set("A", "2", DotEnvConsumer.ComposeV2 | DotEnvConsumer.Shell));

        Assert.Equal("DotEnvValueCannotBeQuoted", error.Code);
        Assert.Contains("A is right for bash.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Compose", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_form_that_would_make_the_file_unreadable_is_never_written()
    {
        var document = DotEnvDocument.Parse("A=1\nB=2\n"u8);

        Assert.Throws<ComfyAuthException>(() => document.Set("A", "'", DotEnvConsumer.DockerRun));

        Assert.Equal("A=1\nB=2\n"u8.ToArray(), document.ToBytes());
    }

    [Theory]
    [InlineData("")]
    [InlineData("A B")]
    [InlineData("A=")]
    [InlineData("A:b")]
    [InlineData("export A")]
    [InlineData("A\n")]
    [InlineData("#A")]
    [InlineData("A\tB")]
    [InlineData("$A")]
    [InlineData("A\0")]
    public void A_name_that_a_line_cannot_hold_is_refused(string name)
    {
        var document = DotEnvDocument.Parse("A=1\n"u8);

        Assert.Equal("DotEnvNameInvalid", Assert.Throws<ComfyAuthException>(() => document.Set(name, "2", BothComposes)).Code);
    }

    [Theory]
    [InlineData("note")]
    [InlineData("# a\nB=1")]
    [InlineData("# a\r")]
    public void A_comment_that_is_none_is_refused(string comment)
    {
        var document = DotEnvDocument.Parse(""u8);

        Assert.Throws<ArgumentException>(() => document.Set("A", "2", BothComposes, commentLines: [comment]));
    }

    [Theory]
    [InlineData("A=1\nB=2\n", "B=2\n")]
    [InlineData("B=2\n  export A=1 # note", "B=2\n")]
    [InlineData("A=1\r\nA\r\nB=2\r\n", "B=2\r\n")]
    [InlineData("A='1\n2'\nB=2", "B=2")]
    [InlineData("A='1' B=2\n", " B=2\n")]
    [InlineData("B='2' A=1 # note\nC=3\n", "B='2'  # note\nC=3\n")]
    public void Remove_takes_the_line_unless_something_else_stands_on_it(string before, string after)
    {
        var document = DotEnvDocument.Parse(DotEnvTables.Bytes(before));

        Assert.True(document.Remove("A"));
        Assert.False(document.Remove("A"));

        Assert.Equal(after, DotEnvTables.Text(document.ToBytes()));
    }

    [Theory]
    [InlineData("A=1\n")]
    [InlineData("A\n")]
    [InlineData("A=$A$A\n")]
    [InlineData("A=\"\\\\\"\n")]
    [InlineData("x\\n\n\\\\")]
    [InlineData("$A${A}$$")]
    [InlineData("${A:-")]
    [InlineData("${A:-}")]
    [InlineData("${")]
    [InlineData("'")]
    public void A_large_file_of_awkward_pieces_is_read_by_all(string unit) => AssertIsReadByAll(unit, sizeInBytes: 1_000_000);

    [Fact]
    public void A_file_of_ten_megabytes_is_read_by_all() =>
        AssertIsReadByAll("TOKEN='$2b$12$Abcdefghijklmnopqrstuv.Abcdefghijklmnopqrstuvwxyz012' # the bearer token\n", sizeInBytes: 10_000_000);

    private static void AssertIsReadByAll(string unit, int sizeInBytes)
    {
        var text = new StringBuilder("Z=1\n").Append(unit.EndsWith('\n') ? "" : "A=\"x");
        while (text.Length < sizeInBytes)
            text.Append(unit);
        var bytes = Encoding.ASCII.GetBytes(text.Append(unit.EndsWith('\n') ? "" : "\"").ToString());

        var document = DotEnvDocument.Parse(bytes);
        foreach (var consumer in DotEnvGen.Single((DotEnvConsumer)15))
            document.Read("Z", consumer);
        Assert.True(document.ToBytes().AsSpan().SequenceEqual(bytes));
    }

    /// <summary>Whether there is more behind a value on its line than a comment.</summary>
    private static bool GoesOn(byte[] bytes, DotEnvEntry entry)
    {
        var text = Encoding.UTF8.GetString(bytes);
        var tail = text[(text.LastIndexOf(entry.RawText, StringComparison.Ordinal) + entry.RawText.Length)..];
        return tail.Split('\n')[0].TrimStart() is [not '#', ..];
    }

    private static DotEnvDocument? TryParse(byte[] bytes)
    {
        try
        {
            return DotEnvDocument.Parse(bytes);
        }
        catch (DotEnvSyntaxException)
        {
            return null;
        }
    }

    private static void AssertOnlyOneEntryDiffers(
        IReadOnlyList<DotEnvEntry> before, IReadOnlyList<DotEnvEntry> after, DotEnvEntry? old, bool changed)
    {
        var expected = before.Where(entry => !ReferenceEquals(entry, old)).Select(entry => entry.RawText).ToList();
        var actual = after.Select(entry => entry.RawText).ToList();
        var index = old is null ? Enumerable.Range(0, actual.Count).First(i => i == expected.Count || actual[i] != expected[i]) : before.ToList().IndexOf(old);
        if (!changed)
            Assert.Equal(old!.RawText, actual[index]);
        actual.RemoveAt(index);
        Assert.Equal(expected, actual);
    }

    private static void AssertSetAgainChangesNothing(DotEnvDocument document, string name, string value, DotEnvConsumer consumers)
    {
        var bytes = document.ToBytes();
        Assert.False(document.Set(name, value, consumers));
        Assert.Equal(bytes, document.ToBytes());
        Assert.False(DotEnvDocument.Parse(bytes).Set(name, value, consumers));
    }
}
