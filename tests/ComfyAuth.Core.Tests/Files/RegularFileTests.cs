using System.Diagnostics;
using System.Text;
using ComfyAuth.Files;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Files;

public sealed class RegularFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_read_up_to_its_bound()
    {
        _folder.Write("file", "12345");

        Assert.Equal("12345", Encoding.UTF8.GetString(RegularFile.ReadBytes(_folder.PathOf("file"), 5)));
        Assert.Contains("larger than", Assert.Throws<IOException>(() => RegularFile.ReadBytes(_folder.PathOf("file"), 4)).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => RegularFile.ReadBytes(_folder.PathOf("none"), 5));
    }

    [Fact]
    public async Task Nobody_waits_for_what_is_no_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        Pipe("pipe");
        File.CreateSymbolicLink(_folder.PathOf("link"), "pipe");
        File.CreateSymbolicLink(_folder.PathOf("loop"), "loop");

        foreach (var path in new[] { _folder.PathOf("pipe"), _folder.PathOf("link"), _folder.PathOf("loop"), "/dev/zero", _folder.Path })
            await Assert.ThrowsAnyAsync<IOException>(() => Bounded(() => RegularFile.ReadBytes(path, 100)));
    }

    [Fact]
    public async Task A_pipe_in_the_place_of_a_journal_or_of_the_owner_of_a_lock_is_not_waited_for()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs mkfifo");
        var journal = _folder.PathOf(".comfyauth/install.json");
        Pipe(Path.GetRelativePath(_folder.Path, journal));
        Pipe("lock.json");

        Assert.Contains(journal, (await Assert.ThrowsAsync<ComfyAuthException>(() => Bounded(() => InstallJournal.Read(_folder.Path)))).Message, StringComparison.Ordinal);
        Assert.Null(await Bounded(() => FileLock.ReadOwner(_folder.PathOf("lock"))));
    }

    /// <summary>Without an end a test that fails would wait as well.</summary>
    private static Task<T> Bounded<T>(Func<T> read) => Task.Run(read, Stop).WaitAsync(TimeSpan.FromMinutes(5), Stop);

    private void Pipe(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.PathOf(name))!);
        using var maker = Process.Start("mkfifo", [_folder.PathOf(name)]);
        maker.WaitForExit();
        Assert.Equal(0, maker.ExitCode);
    }
}
