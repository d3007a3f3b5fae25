using System.Text;
using ComfyAuth.Notebooks;
using ComfyAuth.Secrets;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class NotebookChecksTests : IDisposable
{
    private const string Good = """
        {
         "cells": [
          { "cell_type": "markdown", "id": "a1", "metadata": {}, "source": ["# Title\n", "text"] },
          { "cell_type": "code", "id": "b-2", "metadata": {}, "execution_count": 3, "source": "print(1)",
            "outputs": [ { "output_type": "display_data", "metadata": {}, "data": { "image/png": "iVBORw0KGgo=\n", "text/plain": ["x"] } } ] },
          { "cell_type": "raw", "id": "c3", "metadata": {}, "source": [] }
         ],
         "metadata": { "kernelspec": { "name": "python3" } },
         "nbformat": 4,
         "nbformat_minor": 5
        }
        """;

    private readonly ContentFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Ids => ["notebook.encoding", "notebook.json", "notebook.format", "notebook.secrets"];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task A_good_notebook_passes(string id)
    {
        _folder.Write("nb/deep/er/good.ipynb", Good);

        Assert.Equal(CheckStatus.Passed, (await RunAsync(id)).Status);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task Without_notebooks_there_is_nothing_to_check(string id)
    {
        Assert.Equal(CheckStatus.Failed, (await RunAsync(id)).Status);
        _folder.MakeFolder("nb");
        Assert.Equal(CheckStatus.Skipped, (await RunAsync(id)).Status);
        _folder.Define("");
        Assert.Equal(CheckStatus.Skipped, (await RunAsync(id)).Status);
    }

    [Fact]
    public async Task A_byte_order_mark_fails_and_is_removed_and_nothing_else_is_changed()
    {
        _folder.Write("nb/good.ipynb", Good);
        _folder.Write("nb/marked.ipynb", [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Good)]);

        var result = await RunAsync("notebook.encoding");
        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        Assert.Equal(["nb/marked.ipynb(1): begins with a byte order mark"], result.Evidence);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("notebook.json")).Status);

        var change = Assert.Single(await CheckRun.FixAsync(_folder.Stack, "notebook.encoding"));
        Assert.Equal(_folder.PathOf("nb/marked.ipynb"), change.Target);
        Assert.Equal(Encoding.UTF8.GetBytes(Good), File.ReadAllBytes(_folder.PathOf("nb/marked.ipynb")));
        Assert.Equal(CheckStatus.Passed, (await RunAsync("notebook.encoding")).Status);
        Assert.Empty(await CheckRun.FixAsync(_folder.Stack, "notebook.encoding"));
    }

    [Fact]
    public async Task Another_encoding_fails_and_is_not_called_bad_json()
    {
        _folder.Write("nb/marked16.ipynb", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(Good)]);
        _folder.Write("nb/plain16.ipynb", Encoding.BigEndianUnicode.GetBytes(Good));
        _folder.Write("nb/latin.ipynb", Encoding.Latin1.GetBytes(Good.Replace("text", "t\u00e9xt", StringComparison.Ordinal)));

        var result = await RunAsync("notebook.encoding");

        Assert.Equal((CheckStatus.Failed, false), (result.Status, result.CanFix));
        Assert.Equal(
            ["nb/latin.ipynb(3): is not UTF-8", "nb/marked16.ipynb(1): is UTF-16 or UTF-32, not UTF-8", "nb/plain16.ipynb(1): is UTF-16 or UTF-32, not UTF-8"],
            result.Evidence);
        Assert.Equal(CheckStatus.Passed, (await RunAsync("notebook.json")).Status);
    }

    [Theory]
    [InlineData("", "(1): is empty")]
    [InlineData("  \n ", "(2): ends too soon")]
    [InlineData("{\n \"cells\": [\n  {\n", "(4): ends too soon")]
    [InlineData("{\n \"cells\": \"abc", "(2): ends too soon")]
    [InlineData("{\n<<<<<<< HEAD\n}", "(2): is not JSON from here on")]
    [InlineData("{} {}", "(1): is not JSON from here on")]
    [InlineData("{\"a\": NaN}", "(1): is not JSON from here on")]
    public async Task What_is_not_json_fails_with_its_line(string text, string evidence)
    {
        _folder.Write("nb/bad.ipynb", text);
        _folder.Write("nb/good.ipynb", Good);

        var result = await RunAsync("notebook.json");

        Assert.Equal((CheckStatus.Failed, "1 of 2 notebooks are not JSON."), (result.Status, result.Message));
        Assert.Equal([$"nb/bad.ipynb{evidence}"], result.Evidence);
    }

    [Fact]
    public async Task Nesting_without_end_fails_and_ends_nothing()
    {
        _folder.Write("nb/deep.ipynb", new string('[', 2_000_000));
        _folder.Write("nb/good.ipynb", Good);

        Assert.Equal(["nb/deep.ipynb(1): is nested deeper than 1000 levels"], (await RunAsync("notebook.json")).Evidence);
    }

    [Theory]
    [InlineData("[]", "its top is no object")]
    [InlineData("{ \"nbformat\": 3, \"worksheets\": [] }", "is of format 3; 'jupyter nbconvert --to notebook --nbformat 4' makes it one of format 4")]
    [InlineData("{ \"nbformat\": 5 }", "is of format 5, which is not known")]
    [InlineData("{ \"cells\": [], \"metadata\": {}, \"nbformat\": 4 }", "has no 'nbformat_minor'")]
    [InlineData("{ \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5 }", "has no 'cells'")]
    [InlineData("{ \"cells\": {}, \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5 }", "'cells' is no list")]
    [InlineData("{ \"cells\": [1], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 2 }", "cell 1 is no object")]
    [InlineData("{ \"cells\": [{ \"cell_type\": \"markdown\", \"metadata\": {} }], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 2 }", "cell 1 has no 'source'")]
    [InlineData("{ \"cells\": [{ \"cell_type\": \"picture\", \"metadata\": {}, \"source\": [] }], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 2 }", "cell 1 has a 'cell_type' of the wrong kind")]
    [InlineData("{ \"cells\": [{ \"cell_type\": \"raw\", \"metadata\": {}, \"source\": [1] }], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 2 }", "cell 1 has a 'source' of something else than text")]
    [InlineData("{ \"cells\": [{ \"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\", \"outputs\": [] }], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 2 }", "cell 1 has no 'execution_count'")]
    [InlineData("{ \"cells\": [{ \"cell_type\": \"code\", \"metadata\": {}, \"source\": \"\", \"execution_count\": null, \"outputs\": [{}] }], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 2 }", "cell 1 has an output without 'output_type'")]
    [InlineData("{ \"cells\": [{ \"cell_type\": \"raw\", \"metadata\": {}, \"source\": \"\", \"id\": \"a b\" }], \"metadata\": {}, \"nbformat\": 4, \"nbformat_minor\": 5 }", "cell 1 has a 'id' of the wrong kind")]
    public async Task What_format_4_does_not_allow_fails(string text, string evidence)
    {
        _folder.Write("nb/bad.ipynb", text);

        var result = await RunAsync("notebook.format");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Equal([$"nb/bad.ipynb: {evidence}"], result.Evidence);
    }

    [Fact]
    public async Task Cells_without_ids_are_worth_a_warning_where_the_format_asks_for_them()
    {
        var without = Good.Replace("\"id\": \"a1\", ", "", StringComparison.Ordinal);
        _folder.Write("nb/a.ipynb", without);
        var result = await RunAsync("notebook.format");
        Assert.Equal(CheckStatus.Warning, result.Status);
        Assert.Equal(["nb/a.ipynb: 1 of 3 cells have no 'id', which format 4.5 asks for"], result.Evidence);

        _folder.Write("nb/a.ipynb", without.Replace("\"nbformat_minor\": 5", "\"nbformat_minor\": 4", StringComparison.Ordinal));
        Assert.Equal(CheckStatus.Passed, (await RunAsync("notebook.format")).Status);
    }

    public static TheoryData<string, string> Certain => new()
    {
        { "client = OpenAI(api_key=\\\"sk-proj-Abc123Def456Ghi789Jkl\\\")", "cell 2, source, holds an API key, fingerprint " },
        { "hf_abcdefghijABCDEFGHIJ0123456789abcd", "cell 2, source, holds an API key, fingerprint " },
        { "t = '$2b$12$abcdefghijklmnopqrstuuWWs0mYaC9FuqjqJYnwSkS1n6s/8Szge'", "cell 2, source, holds a bcrypt hash, bcrypt:" },
        { "-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n", "cell 2, source, holds a private key, from its first line on" },
    };

    [Theory]
    [MemberData(nameof(Certain))]
    public async Task A_secret_in_a_source_or_an_output_fails_with_line_and_fingerprint(string text, string evidence)
    {
        _folder.Write("nb/source.ipynb", Good.Replace("print(1)", text, StringComparison.Ordinal));
        _folder.Write("nb/output.ipynb", Good.Replace("[\"x\"]", $"[\"x\", \"before {text}\"]", StringComparison.Ordinal));

        var result = await RunAsync("notebook.secrets");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.StartsWith($"nb/output.ipynb(5): {evidence.Replace("source", "output", StringComparison.Ordinal)}", result.Evidence[0], StringComparison.Ordinal);
        Assert.StartsWith($"nb/source.ipynb(4): {evidence}", result.Evidence[1], StringComparison.Ordinal);
        Assert.Equal(2, result.Evidence.Count);
        Assert.DoesNotContain(text[^12..], string.Concat(result.Evidence), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("headers = { 'Authorization': 'Bearer a1b2c3d4e5f6g7h8i9j0' }", "a bearer token")]
    [InlineData("password = 'hunter2-and-more'", "the value of password")]
    [InlineData("config['api_key'] = 'Zx81Spectrum48k'", "the value of api_key")]
    [InlineData("requests.get('http://alice:wonder1and@localhost:8188/')", "a password in an address")]
    public async Task What_may_be_a_secret_is_worth_a_warning(string text, string what)
    {
        _folder.Write("nb/a.ipynb", Good.Replace("print(1)", text, StringComparison.Ordinal));

        var result = await RunAsync("notebook.secrets");

        Assert.Equal(CheckStatus.Warning, result.Status);
        Assert.Contains(what, Assert.Single(result.Evidence), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("api_key = os.getenv('OPENAI_API_KEY')")]
    [InlineData("headers = {'Authorization': f'Bearer {api_token_2}'}")]
    [InlineData("token = 'your-token-here-123'")]
    [InlineData("os.environ['TOKEN'] = 'OPENAI_API_KEY_2'")]
    [InlineData("api_key='sk-xxxxxxxxxxxxxxxxxxxx1'")]
    [InlineData("pad_token = '<|endoftext|>1'")]
    [InlineData("max_tokens = 1000; password = getpass()")]
    [InlineData("see https://example.com/a:b@c and http://localhost:8188")]
    [InlineData("It costs $12$ or so; \\ud800 is half of a pair")]
    public async Task Code_that_only_speaks_of_secrets_passes(string text)
    {
        _folder.Write("nb/a.ipynb", Good.Replace("print(1)", text, StringComparison.Ordinal));

        var result = await RunAsync("notebook.secrets");

        Assert.Equal([], result.Evidence);
        Assert.Equal(CheckStatus.Passed, result.Status);
    }

    [Fact]
    public async Task A_secret_of_the_stack_is_found_whatever_it_looks_like()
    {
        using var stack = new SampleStack(SampleCredential.Fixed);
        stack.Write("MyIA.AI.Notebooks/GenAI/a.ipynb", Good.Replace("print(1)", $"login(\\\"{stack.Credential.Password}\\\")", StringComparison.Ordinal));

        var result = await CheckRun.OneAsync(stack.Stack, "notebook.secrets", verifier: stack.Verifier);

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("holds a secret of this stack, fingerprint ", Assert.Single(result.Evidence), StringComparison.Ordinal);
        Assert.DoesNotContain(stack.Credential.Password, result.Evidence[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_the_notebooks_own_env_file_is_a_secret_of_the_stack()
    {
        _folder.Define("content: { folder: nb }\n");
        _folder.Write("nb/.env", "OPENROUTER_API_KEY=plain-words-only-here\n");
        _folder.Write("nb/a.ipynb", Good.Replace("print(1)", "x = 'plain-words-only-here'", StringComparison.Ordinal));

        Assert.Equal(CheckStatus.Failed, (await RunAsync("notebook.secrets")).Status);
    }

    [Fact]
    public async Task A_secret_across_pieces_and_in_a_long_line_is_found_once()
    {
        const string key = "sk-proj-Abc123Def456Ghi789Jkl";
        var text = new StringBuilder();
        for (var i = 0; i < 40_000; i++)
            text.Append("the token: is no secret here; ");
        _folder.Write("nb/a.ipynb", Good.Replace("print(1)", $"{text}{key} {text}", StringComparison.Ordinal));

        var result = await RunAsync("notebook.secrets");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Single(result.Evidence);
    }

    [Fact]
    public void A_secret_is_found_wherever_a_piece_of_a_line_ends()
    {
        const string key = "sk-proj-Abc123Def456Ghi789Jkl";
        var secrets = new NotebookSecrets(new SecretRedactor());
        for (var offset = 1500; offset < 2600; offset++)
        {
            var found = new List<string>();
            secrets.Find(Encoding.UTF8.GetBytes($"token: {new string('.', offset)} {key} {new string('.', 3000)}"), (_, what) => found.Add(what));
            Assert.Equal($"an API key, fingerprint {new SecretText(key).Fingerprint}", Assert.Single(found.Distinct()));
        }
    }

    [Fact]
    public async Task Strange_entries_end_nothing_and_are_told_of()
    {
        _folder.Write("nb/good.ipynb", Good);
        _folder.MakeFolder("nb/folder.ipynb");
        _folder.Write("nb/folder.ipynb/inner.IPYNB", Good);
        _folder.Write("nb/.ipynb_checkpoints/old.ipynb", "{");
        _folder.Write("nb/venv/pyvenv.cfg", "");
        _folder.Write("nb/venv/lib/theirs.ipynb", "{");
        Directory.CreateSymbolicLink(_folder.PathOf("nb/loop"), _folder.PathOf("nb"));
        File.CreateSymbolicLink(_folder.PathOf("nb/self.ipynb"), _folder.PathOf("nb/self.ipynb"));

        var result = await RunAsync("notebook.json");

        Assert.Equal((CheckStatus.Failed, "1 of 3 notebooks are not JSON."), (result.Status, result.Message));
        Assert.Equal(["nb/folder.ipynb: is a folder"], result.Evidence);
    }

    [Fact]
    public async Task What_cannot_be_read_is_an_error_and_no_fault()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no pipes among files.");
        _folder.Write("nb/good.ipynb", Good);
        using var maker = System.Diagnostics.Process.Start("mkfifo", [_folder.PathOf("nb/pipe.ipynb")]);
        await maker.WaitForExitAsync(TestContext.Current.CancellationToken);

        var result = await RunAsync("notebook.json");

        Assert.Equal(CheckStatus.Error, result.Status);
        Assert.Equal(["nb/pipe.ipynb: a device, pipe or socket, not a file"], result.Evidence);
    }

    [Fact]
    public async Task Texts_far_longer_than_a_piece_are_read()
    {
        var picture = new string('A', 20_000_000);
        _folder.Write("nb/a.ipynb", Good.Replace("iVBORw0KGgo=", picture, StringComparison.Ordinal).Replace("print(1)", "hf_abcdefghijABCDEFGHIJ0123456789abcd", StringComparison.Ordinal));
        _folder.Write("nb/b.ipynb", Good.Replace("iVBORw0KGgo=", picture, StringComparison.Ordinal)[..^30]);

        Assert.Equal(["nb/b.ipynb(9): ends too soon"], (await RunAsync("notebook.json")).Evidence);
        Assert.Contains("nb/a.ipynb(4): cell 2, source, holds an API key", Assert.Single((await RunAsync("notebook.secrets")).Evidence), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_bad_notebooks_all_are_counted_and_some_are_named()
    {
        for (var i = 0; i < 150; i++)
            _folder.Write($"nb/{i:000}.ipynb", "{");

        var result = await RunAsync("notebook.json");

        Assert.Equal("150 of 150 notebooks are not JSON.", result.Message);
        Assert.Equal(101, result.Evidence.Count);
    }

    [Fact]
    public async Task A_scan_can_be_given_up()
    {
        _folder.Write("nb/a.ipynb", Good);
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => NotebookScanner.ScanAsync(_folder.Root, "nb", new SecretRedactor(), stop.Token));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_damage_never_throws(int seed)
    {
        // A seeded run that is the same each time.
        var random = new Random(seed);
        using var large = new SemaphoreSlim(1);
        using var reader = new NotebookReader(new NotebookSecrets(new SecretRedactor()), large);
        var bytes = Encoding.UTF8.GetBytes(Good.Replace("print(1)", "key sk-proj-Abc123Def456Ghi789Jkl \\ud83d\\ude00 token='a1b2c3d4e5'", StringComparison.Ordinal));
        for (var round = 0; round < 500; round++)
        {
            var damaged = (byte[])bytes.Clone();
            for (var i = random.Next(1, 6); i > 0; i--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            var path = _folder.Write("nb/a.ipynb", damaged[..random.Next(damaged.Length + 1)]);
            reader.Read(path, "nb/a.ipynb", TestContext.Current.CancellationToken);
        }
    }

    private Task<CheckResult> RunAsync(string id) => CheckRun.OneAsync(_folder.Stack, id);
}
