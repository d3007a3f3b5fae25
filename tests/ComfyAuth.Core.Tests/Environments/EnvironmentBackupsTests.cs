using ComfyAuth.Environments;

namespace ComfyAuth.Tests.Environments;

public sealed class EnvironmentBackupsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Two_files_of_one_folder_do_not_share_their_backups()
    {
        var own = folder.Write("_backups/.env.backup.20260101_000000", "");
        var other = folder.Write("_backups/painter.env.backup.20260102_000000", "");
        folder.Write("_backups/.env.backup.20260103_000000.tmp", "");

        Assert.Equal([own], new EnvironmentBackups(folder.PathOf(".env")).List());
        Assert.Equal(other, new EnvironmentBackups(folder.PathOf("painter.env")).Find("latest"));
        Assert.Equal(own, new EnvironmentBackups(folder.PathOf(".env")).Find("20260101_000000"));
    }
}
