using ComfyAuth.Processes;

namespace ComfyAuth.Tests.Processes;

public sealed class ProgramSearchTests
{
    [Fact]
    public void Programs_are_found_in_the_search_path_and_nowhere_else()
    {
        using var first = new TemporaryFolder();
        using var second = new TemporaryFolder();

        // The current folder is everybody's.
        var tool = $"comfyauth-test-{Guid.NewGuid():N}";
        var name = OperatingSystem.IsWindows() ? tool + ".exe" : tool;
        var path = second.Write(name, "");
        File.WriteAllText(Path.Combine(Environment.CurrentDirectory, name), "");
        try
        {
            Assert.Equal([path], ProgramSearch.Locate(tool, string.Join(Path.PathSeparator, ".", first.Path, second.Path, second.Path)));
            Assert.Empty(ProgramSearch.Locate(tool, ""));
        }
        finally
        {
            File.Delete(Path.Combine(Environment.CurrentDirectory, name));
        }
    }
}
