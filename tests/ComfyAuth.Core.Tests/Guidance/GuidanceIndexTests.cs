using System.Diagnostics;
using System.Globalization;
using System.Text;
using ComfyAuth.Guidance;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;
using CsCheck;

namespace ComfyAuth.Tests.Guidance;

public sealed class GuidanceIndexTests : IDisposable
{
    private static readonly string[] Pieces = ["# ", "\n", "red ", "blue ", "Échec ", "COMFYUI_TOKEN=", "the ", "`-f` ", "é", "---\n"];

    private static readonly Gen<string> Prose = Gen.Int[0, Pieces.Length - 1].Select(piece => Pieces[piece]).Array[0, 30].Select(string.Concat);

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string, string> Queries => [.. GuidanceTables.Rows("queries.tsv").Select(row => (row[0], row[1], row[2]))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Queries))]
    public void The_passage_that_answers_comes_first(string query, string file, string heading)
    {
        var first = Build(StackAt(Path.Combine(GuidanceTables.Folder, "corpus"))).Search(query, 5)[0];

        Assert.Equal((file, heading), (first.File, first.Heading.Split(" > ")[^1]));
    }

    [Fact]
    public void A_passage_tells_where_it_stands()
    {
        var root = Path.Combine(GuidanceTables.Folder, "corpus");

        var passage = Build(StackAt(root)).Search("le jeton arrive tronqué", 1).Single();

        Assert.Equal(
            (root, "docs/depannage.md", "Dépannage > Le jeton est tronqué", 13, "le jeton arrive tronqué"),
            (passage.Stack, passage.File, passage.Heading, passage.Line, passage.Query));
        Assert.Equal("Compose remplace ce qui suit un signe dollar. Mettre le jeton entre apostrophes, sinon il arrive\ntronqué.", passage.Text);
    }

    [Fact]
    public void Scores_are_those_of_BM25()
    {
        // Lengths 9 (the heading's word counts three times, and each file's name has three terms), 5 and 7: 7 on average.
        // Either word stands in 2 of 3 passages and weighs ln(1 + 1.5 / 2.5).
        _folder.Write("one.md", "# Red\n\nblue blue green\n");
        _folder.Write("two.md", "blue red\n");
        _folder.Write("six.md", "green yellow yellow yellow\n");

        var found = Build().Search("red, blue!", 5);

        Assert.Equal(["one.md", "two.md"], found.Select(passage => passage.File));
        Assert.Equal(1.294153, found[0].Score, 6);
        Assert.Equal(1.064420, found[1].Score, 6);
    }

    [Fact]
    public void A_word_of_a_heading_weighs_more_than_one_of_the_text_and_the_name_of_the_file_counts()
    {
        _folder.Write("a.md", "# Other\nneedle words\n");
        _folder.Write("b.md", "# Needle\nother words\n");
        _folder.Write("docker-faq.md", "more words\n");

        Assert.Equal(["b.md", "a.md"], Build().Search("needle", 5).Select(passage => passage.File));
        Assert.Equal(["docker-faq.md"], Build().Search("FAQ", 5).Select(passage => passage.File));
    }

    [Fact]
    public void Equals_come_in_the_order_of_file_and_line()
    {
        foreach (var name in new[] { "d.md", "b/d.md", "a/d.md" })
            _folder.Write(name, "# A\nsame\n# B\nsame\n");

        Assert.Equal(
            ["a/d.md:1", "a/d.md:3", "b/d.md:1", "b/d.md:3", "d.md:1"],
            Build().Search("same", 5).Select(passage => string.Create(CultureInfo.InvariantCulture, $"{passage.File}:{passage.Line}")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("what is the")]
    [InlineData("qu'est-ce que c'est ?", false)]
    [InlineData("* # | -")]
    public void A_query_without_words_to_search_for_finds_nothing(string query, bool isEmpty = true)
    {
        _folder.Write("a.md", "what is the * # - est ce que");

        Assert.Equal(!isEmpty, GuidanceIndex.IsSearchable(query));
        Assert.Empty(Build().Search(query, 5));
    }

    [Fact]
    public void A_stack_without_documents_finds_nothing()
    {
        var index = Build();

        Assert.Equal((0, 0), (index.DocumentCount, index.PassageCount));
        Assert.Empty(index.Search("anything", 5));
        Assert.Empty(index.NotRead);
    }

    [Theory]
    [InlineData("docs/here.md", true)]
    [InlineData("HERE.MD", true)]
    [InlineData("here.markdown", false)]
    [InlineData("here.md.txt", false)]
    [InlineData(".here.md", false)]
    [InlineData(".git/here.md", false)]
    [InlineData(".comfyauth/here.md", false)]
    [InlineData("docs/.hidden/here.md", false)]
    [InlineData("docs/node_modules/x/here.md", false)]
    [InlineData("_backups/here.md", false)]
    [InlineData("my_backups/here.md", true)]
    public void Documents_are_searched_wherever_people_keep_them(string path, bool isSearched)
    {
        _folder.Write(path, "needle");

        Assert.Equal(isSearched ? [path] : [], Build().Search("needle", 5).Select(passage => passage.File));
    }

    [Fact]
    public void Links_lead_nowhere_else_in_circles_or_twice()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Making a link needs a right of its own on Windows.");
        using var elsewhere = new TemporaryFolder();
        elsewhere.Write("outside.md", "needle");
        _folder.Write("docs/inside.md", "needle");
        Directory.CreateSymbolicLink(_folder.PathOf("docs/circle"), _folder.Path);
        Directory.CreateSymbolicLink(_folder.PathOf("again"), _folder.PathOf("docs"));
        Directory.CreateSymbolicLink(_folder.PathOf("out"), elsewhere.Path);
        File.CreateSymbolicLink(_folder.PathOf("outside.md"), elsewhere.PathOf("outside.md"));
        File.CreateSymbolicLink(_folder.PathOf("loop.md"), _folder.PathOf("loop.md"));

        var index = Build();

        Assert.Equal(["docs/inside.md"], index.Search("needle", 9).Select(passage => passage.File));
        Assert.Empty(index.NotRead);
    }

    [Fact]
    public void Text_is_read_in_the_encodings_that_editors_write()
    {
        const string text = "# Dépannage\r\n\r\nconteneur prêt\r\n";
        File.WriteAllText(_folder.PathOf("bom.md"), text, new UTF8Encoding(true));
        File.WriteAllText(_folder.PathOf("utf8.md"), text);
        File.WriteAllText(_folder.PathOf("utf16.md"), text, Encoding.Unicode);
        File.WriteAllText(_folder.PathOf("utf16be.md"), text, Encoding.BigEndianUnicode);
        File.WriteAllText(_folder.PathOf("latin1.md"), text, Encoding.Latin1);
        File.WriteAllText(_folder.PathOf("mac.md"), text.Replace("\r\n", "\r", StringComparison.Ordinal));

        var found = Build().Search("pret", 9);

        Assert.Equal(6, found.Count);
        Assert.All(found, passage => Assert.Equal(("Dépannage", 1, "conteneur prêt"), (passage.Heading, passage.Line, passage.Text)));
    }

    [Fact]
    public void What_is_no_text_or_too_large_is_told_and_spares_the_rest()
    {
        File.WriteAllBytes(_folder.PathOf("binary.md"), [.. "needle"u8, 0, 1, 2]);
        _folder.Write("empty.md", "");
        _folder.Write("large.md", "needle\n" + string.Concat(Enumerable.Repeat("éé éé\n", 300_000)) + "thread\n");
        _folder.Write("one-line.md", new string('x', 2_100_000));
        _folder.Write("good.md", "needle");

        var index = Build();

        Assert.Equal(["good.md", "large.md"], index.Search("needle", 9).Select(passage => passage.File));
        Assert.Empty(index.Search("thread", 9));
        Assert.Equal(3, index.DocumentCount);
        Assert.Equal(
            [new("binary.md", "It is no text."), new("large.md", "Only its first 2,000,000 bytes were searched."), new("one-line.md", "It has more than 2,000,000 bytes without a line's end.")],
            index.NotRead);
    }

    [Fact]
    public async Task A_pipe_is_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A Unix pipe is meant.");
        using (var make = Process.Start("mkfifo", [_folder.PathOf("pipe.md")]))
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal([new("pipe.md", "It is a device, pipe or socket.")], Build().NotRead);
    }

    [Fact]
    public async Task A_folder_that_lies_too_deep_is_told()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The system's limit of 4,096 bytes for a path is meant.");
        var name = new string('d', 200);
        _folder.Write("good.md", "needle");
        using (var make = Process.Start("mkdir", ["-p", _folder.PathOf("d") + string.Concat(Enumerable.Repeat('/' + name, 19))]))
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        using (var make = Process.Start(new ProcessStartInfo("mkdir", ["-p", string.Join('/', Enumerable.Repeat(name, 3))]) { WorkingDirectory = _folder.PathOf("d") + string.Concat(Enumerable.Repeat('/' + name, 19)) })!)
            await make.WaitForExitAsync(TestContext.Current.CancellationToken);
        try
        {
            var index = Build();

            Assert.Equal("good.md", Assert.Single(index.Search("needle", 5)).File);
            Assert.StartsWith($"d/{name}", Assert.Single(index.NotRead).Path, StringComparison.Ordinal);
        }
        finally
        {
            using var remove = Process.Start("rm", ["-rf", _folder.PathOf("d")]);
            await remove.WaitForExitAsync(CancellationToken.None);
        }
    }

    [Fact]
    public void A_folder_that_is_gone_is_told()
    {
        var gap = Assert.Single(Build(StackAt(_folder.PathOf("gone"))).NotRead);

        Assert.Equal(".", gap.Path);
        Assert.Contains("gone", gap.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_and_a_file_that_may_not_be_read_are_told()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Unix modes are meant, and root may read everything.");
            return;
        }

        _folder.Write("closed/a.md", "needle");
        File.SetUnixFileMode(_folder.Write("b.md", "needle"), UnixFileMode.None);
        File.SetUnixFileMode(_folder.PathOf("closed"), UnixFileMode.None);
        try
        {
            Assert.Equal(["b.md", "closed"], Build().NotRead.Select(gap => gap.Path));
        }
        finally
        {
            File.SetUnixFileMode(_folder.PathOf("closed"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public void Work_that_is_cancelled_ends()
    {
        _folder.Write("a.md", "needle");

        Assert.ThrowsAny<OperationCanceledException>(() => GuidanceIndex.Build(StackAt(_folder.Path), new(), new(canceled: true)));
    }

    [Fact]
    public void No_secret_of_the_stack_comes_out_and_none_can_be_asked_for()
    {
        // Of one that is made by chance a part may be a word of these documents, such as the md of their names.
        using var sample = new SampleStack(SampleCredential.Fixed);
        var (password, hash) = (sample.Credential.Password, sample.Credential.Text);
        sample.Write(".secrets/.env.huggingface", "HF_TOKEN=a-token-of-no-known-look\n");
        sample.Write(
            "docs/notes.md",
            $"""
            # Login with {password}

            needle: the password is {password}, in Markdown {password.Replace("_", "\\_", StringComparison.Ordinal)}, the hash {hash}.
            The hub takes a-token-of-no-known-look and the other hf_abcdefghijABCDEFGHIJ0123456789abcd.

            ```
            COMFYUI_PASSWORD=another-one
            ```
            """);
        sample.Write($"docs/{password}.md", "needle");
        File.WriteAllBytes(sample.PathOf($"docs/{password}-2.md"), [0]);
        var redactor = new SecretRedactor();
        StackSecrets.Register(sample.Stack, redactor);

        var index = GuidanceIndex.Build(sample.Stack, redactor, TestContext.Current.CancellationToken);
        var told = string.Join('\n', index.Search($"needle {password}", 9).Select(passage => passage.ToString()).Concat(index.NotRead.Select(gap => gap.ToString())));

        Assert.Contains("needle: the password is [redacted]", told, StringComparison.Ordinal);
        foreach (var secret in new[] { password, password.Replace("_", "\\_", StringComparison.Ordinal), hash, hash[^31..], "a-token-of-no-known-look", "hf_abcdefghij", "another-one" })
        {
            Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
            Assert.Empty(index.Search(secret, 9));
        }
    }

    [Fact]
    public void A_secret_of_many_lines_is_no_heading_and_moves_no_line()
    {
        const string key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAx\n\n# Qm9keQ\nZW5kIG9mIGtleQ\n==\n-----END RSA PRIVATE KEY-----";
        _folder.Write("a.md", $"# A\n\n{key}\n\n## B\n\n{key}\n\nneedle\n\n## C\n\nneedle\n");

        var found = Build().Search("needle", 9);

        Assert.Equal([("A > C", 23), ("A > B", 11)], found.OrderByDescending(passage => passage.Line).Select(passage => (passage.Heading, passage.Line)));
        Assert.Equal("[redacted]\n\nneedle", found.Single(passage => passage.Line == 11).Text);
    }

    [Fact]
    public void Any_documents_and_query_give_finite_scores_the_same_each_time() =>
        Gen.Select(Gen.OneOf(Gen.String, Prose), Gen.OneOf(Gen.String, Prose), Prose).Sample(
            (first, second, query) =>
            {
                _folder.Write("first.md", first);
                _folder.Write("second.md", second);

                var found = Build().Search(query, 5);

                Assert.All(found, passage => Assert.True(double.IsFinite(passage.Score) && passage.Score > 0));
                Assert.Equal(found.OrderByDescending(passage => passage.Score).Select(passage => passage.Score), found.Select(passage => passage.Score));
                Assert.Equal(found, Build().Search(query, 5));
            },
            iter: 200,
            threads: 1);

    [Fact]
    public void A_log_as_query_takes_no_longer_than_its_first_words()
    {
        _folder.Write("a.md", "needle");

        var index = Build();

        Assert.Single(index.Search("needle " + string.Join(' ', Enumerable.Range(0, 200_000)), 5));
        Assert.Empty(index.Search(string.Join(' ', Enumerable.Range(100, 128)) + " needle", 5));
    }

    private static GenAIStack StackAt(string root) => new() { Root = root, Definition = new() { Source = "none", Services = [] } };

    private static GuidanceIndex Build(GenAIStack stack) => GuidanceIndex.Build(stack, new(), TestContext.Current.CancellationToken);

    private GuidanceIndex Build() => Build(StackAt(_folder.Path));
}
