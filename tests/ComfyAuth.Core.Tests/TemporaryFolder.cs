using System.Diagnostics;

namespace ComfyAuth.Tests;

/// <summary>A folder that is gone when the test is.</summary>
/// <param name="within">The folder to make it in; null: the system's temporary one.</param>
public sealed class TemporaryFolder(string? within = null) : IDisposable
{
    public string Path { get; } = within is null
        ? Directory.CreateTempSubdirectory("comfyauth-test-").FullName
        : Directory.CreateDirectory(System.IO.Path.Combine(within, "comfyauth-test-" + System.IO.Path.GetRandomFileName())).FullName;

    public string PathOf(string relative) => System.IO.Path.GetFullPath(relative, Path);

    /// <summary>Writes a file and the folders above it.</summary>
    public string Write(string relative, string text)
    {
        var path = PathOf(relative);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Writes a script that can be run at once.</summary>
    /// <remarks>
    /// Another process writes it: what this one starts meanwhile for another test holds all of this one's open files until it becomes its
    /// program, and Linux runs no file that somebody holds open to write it.
    /// </remarks>
    public string WriteProgram(string relative, string text)
    {
        var path = PathOf(relative);
        var draft = Write(relative + ".draft", text);
        using (var install = Process.Start("install", ["-m", "700", draft, path]))
        {
            install.WaitForExit();
            if (install.ExitCode != 0)
                throw new IOException($"'{path}' could not be written: install ended with {install.ExitCode}.");
        }

        File.Delete(draft);
        return path;
    }

    public string Read(string relative) => File.ReadAllText(PathOf(relative));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
