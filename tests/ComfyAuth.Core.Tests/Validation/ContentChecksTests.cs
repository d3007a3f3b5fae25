using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class ContentChecksTests : IDisposable
{
    private readonly ContentFolder _folder = new("");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> FileChecks => ["content.notebooks", "content.documents", "content.tutorials", "content.examples"];

    [Theory]
    [InlineData("content.folders")]
    [MemberData(nameof(FileChecks))]
    public async Task What_nobody_asked_for_is_skipped_and_it_is_told_how_to_ask(string id)
    {
        var result = await CheckRun.OneAsync(_folder.Stack, id);

        Assert.Equal(CheckStatus.Skipped, result.Status);
        Assert.Contains("content.folder", result.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("content.folders")]
    [MemberData(nameof(FileChecks))]
    public async Task A_stack_without_content_skips(string id)
    {
        _folder.Define("defaults: false\n");

        Assert.Equal(CheckStatus.Skipped, (await CheckRun.OneAsync(_folder.Stack, id)).Status);
    }

    [Theory]
    [InlineData("content.folders", 9)]
    [InlineData("content.notebooks", 9)]
    [InlineData("content.documents", 5)]
    [InlineData("content.tutorials", 4)]
    [InlineData("content.examples", 4)]
    public async Task What_the_stack_file_asks_for_and_is_not_there_fails(string id, int count)
    {
        _folder.Define("content: {}\n");
        Assert.Equal(CheckStatus.Failed, (await CheckRun.OneAsync(_folder.Stack, id)).Status);

        _folder.Define("content: { folder: nb }\n");
        var result = await CheckRun.OneAsync(_folder.Stack, id);

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Equal(count, result.Evidence.Count);
    }

    [Theory]
    [MemberData(nameof(FileChecks))]
    public async Task What_is_there_passes_and_what_is_missing_is_named(string id)
    {
        var list = id["content.".Length..];
        _folder.Define($"content: {{ folder: nb, {list}: [nb/a.md, b.ipynb] }}\n");
        _folder.Write("nb/a.md", "");
        _folder.Write("b.ipynb", "");
        Assert.Equal(CheckStatus.Passed, (await CheckRun.OneAsync(_folder.Stack, id)).Status);

        File.Delete(_folder.PathOf("b.ipynb"));
        var missing = await CheckRun.OneAsync(_folder.Stack, id);
        Assert.Equal((CheckStatus.Failed, $"1 of 2 {list} are missing."), (missing.Status, missing.Message));
        Assert.Equal(["b.ipynb: missing"], missing.Evidence);
        Assert.False(missing.CanFix);

        _folder.MakeFolder("b.ipynb");
        Assert.Equal(["b.ipynb: a folder stands there"], (await CheckRun.OneAsync(_folder.Stack, id)).Evidence);

        _folder.Define($"content: {{ folder: nb, {list}: [] }}\n");
        Assert.Equal(CheckStatus.Skipped, (await CheckRun.OneAsync(_folder.Stack, id)).Status);
    }

    [Fact]
    public async Task The_built_in_folder_is_checked_where_it_exists()
    {
        using var stack = new SampleStack();
        var result = await CheckRun.OneAsync(stack.Stack, "content.folders", verifier: stack.Verifier);

        Assert.Equal((CheckStatus.Failed, true), (result.Status, result.CanFix));
        Assert.Contains($"{DefaultLayout.NotebooksFolder}/outputs: missing", result.Evidence);
        Assert.DoesNotContain($"{DefaultLayout.NotebooksFolder}: missing", result.Evidence);
    }

    [Fact]
    public async Task Missing_folders_are_made_and_nothing_else()
    {
        _folder.Define("content: { folder: nb }\n");

        var asked = await CheckRun.FixAsync(_folder.Stack, "content.folders");

        Assert.Equal(9, asked.Count);
        Assert.Equal(CheckStatus.Passed, (await CheckRun.OneAsync(_folder.Stack, "content.folders")).Status);
        Assert.Empty(Directory.EnumerateFiles(_folder.PathOf("nb"), "*", SearchOption.AllDirectories));
        Assert.Empty(await CheckRun.FixAsync(_folder.Stack, "content.folders"));
    }

    [Fact]
    public async Task Only_folders_that_are_agreed_to_are_made()
    {
        _folder.Define("content: { folder: nb, folders: [nb/a, nb/b] }\n");

        await CheckRun.FixAsync(_folder.Stack, "content.folders", change => change.Target.EndsWith('a'));

        Assert.Equal(["nb/b: missing"], (await CheckRun.OneAsync(_folder.Stack, "content.folders")).Evidence);
    }

    [Fact]
    public async Task A_folder_is_not_made_where_something_else_stands()
    {
        _folder.Define("content: { folder: nb, folders: [nb/file, nb/file/below, nb/link] }\n");
        _folder.Write("nb/file", "");
        File.CreateSymbolicLink(_folder.PathOf("nb/link"), _folder.PathOf("nowhere"));

        var result = await CheckRun.OneAsync(_folder.Stack, "content.folders");

        Assert.Equal(["nb/file: something else stands there", "nb/file/below: something else stands there", "nb/link: something else stands there"], result.Evidence);
        Assert.False(result.CanFix);
        Assert.Empty(await CheckRun.FixAsync(_folder.Stack, "content.folders"));
    }
}
