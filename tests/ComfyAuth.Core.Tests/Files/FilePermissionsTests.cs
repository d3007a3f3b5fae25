using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

public sealed class FilePermissionsTests : IDisposable
{
    private readonly StackFolder _stack = new();

    public void Dispose() => _stack.Dispose();

    [Theory]
    [InlineData("600", true)]
    [InlineData("400", true)]
    [InlineData("700", true)]
    [InlineData("640", false)]
    [InlineData("604", false)]
    [InlineData("602", false)]
    [InlineData("610", false)]
    public void A_file_is_owner_only_when_its_mode_gives_others_nothing(string mode, bool isOwnerOnly)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes");
        string path = _stack.Write("file", "", mode);
        File.CreateSymbolicLink(_stack["link"], path);

        Assert.Equal(isOwnerOnly, FilePermissions.IsOwnerOnly(path));
        Assert.Equal(isOwnerOnly, FilePermissions.IsOwnerOnly(_stack["link"]));
    }

    [Fact]
    public void A_file_can_be_made_owner_only()
    {
        string path = _stack.Write("file", "content", "666");
        File.CreateSymbolicLink(_stack["link"], path);

        FilePermissions.MakeOwnerOnly(_stack["link"]);

        Assert.True(FilePermissions.IsOwnerOnly(path));
        Assert.Equal("content", _stack.Read("file"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal("600", _stack.Mode("file"));
    }

    [Fact]
    public void An_access_list_that_lets_others_in_does_not_go_unseen()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs setfacl");
        string path = _stack.Write("file", "", "600");
        try
        {
            StackFolder.Run("setfacl", "-m", "u:1:r", path);
        }
        catch (Exception error) when (error is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            Assert.Skip(error.Message);
        }

        Assert.False(FilePermissions.IsOwnerOnly(path));
    }

    [Fact]
    public void A_missing_file_is_an_error_not_an_answer()
    {
        Assert.Equal("FileMissing", Assert.Throws<ComfyAuthException>(() => FilePermissions.IsOwnerOnly(_stack["no"])).Code);
        Assert.Equal("FileMissing", Assert.Throws<ComfyAuthException>(() => FilePermissions.MakeOwnerOnly(_stack["no"])).Code);
    }
}
