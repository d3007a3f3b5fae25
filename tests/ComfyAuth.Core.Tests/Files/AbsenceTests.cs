using ComfyAuth.Files;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Validation;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Files;

public sealed class AbsenceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_is_not_there_is_absent_also_behind_a_link_and_below_a_file()
    {
        _folder.Write("file", "x");
        Absence.Ensure(_folder.PathOf("missing"));
        Absence.Ensure(_folder.PathOf("missing/deeper"));
        Absence.Ensure(_folder.PathOf("file/deeper"));
        if (!OperatingSystem.IsWindows())
        {
            File.CreateSymbolicLink(_folder.PathOf("link"), "missing");
            Absence.Ensure(_folder.PathOf("link"));
        }
    }

    [Fact]
    public void What_may_not_be_seen_is_not_absent()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess)
        {
            Assert.Skip("Nothing is hidden from root.");
            return;
        }

        Directory.CreateDirectory(_folder.PathOf("closed"), UnixFileMode.None);
        try
        {
            Assert.Equal("FileAccessDenied", Assert.Throws<ComfyAuthException>(() => Absence.Ensure(_folder.PathOf("closed/file"))).Code);
        }
        finally
        {
            // Otherwise it could not be removed.
            File.SetUnixFileMode(_folder.PathOf("closed"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("compose.file.present")]
    [InlineData("model.files")]
    [InlineData("model.header")]
    [InlineData("secrets.permissions")]
    [InlineData("content.folders")]
    [InlineData("content.notebooks")]
    [InlineData("notebook.json")]
    public async Task A_check_that_cannot_look_at_a_file_neither_passes_nor_fails(string id)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Not everybody may make links there.");
        File.CreateSymbolicLink(_folder.PathOf("loop"), "loop");
        _folder.Write("comfyauth.yml", """
            defaults: false
            services:
              one:
                container: one
                url: http://127.0.0.1:1
                compose: loop/compose.yml
                env: { file: loop/.env }
                modelsFolder: loop/models
                models:
                  - { file: a/b.safetensors, size: 5 }
            content:
              folder: loop/notebooks
              notebooks: [loop/notebooks/a.ipynb]

            """);

        Assert.Equal(CheckStatus.Error, (await CheckRun.OneAsync(GenAIStack.Find(_folder.Path), id)).Status);
    }
}
