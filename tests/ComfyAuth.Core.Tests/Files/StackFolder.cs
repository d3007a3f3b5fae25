using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

/// <summary>A folder of a stack for one test; it goes with the test.</summary>
public sealed class StackFolder : IDisposable
{
    // Errors and journals name files without the links on the way to them, and the folder of temporary files may be reached by one.
    public StackFolder(string? below = null) =>
        Root = Directory.CreateDirectory(Path.Combine(RealPath.Of(below ?? Path.GetTempPath()), $"stack-{Guid.NewGuid():N}")).FullName;

    public string Root { get; }

    public string StateFolder => Path.Combine(Root, ".comfyauth");

    public string this[string path] => Path.Combine(Root, path);

    public string Write(string path, string content, string? mode = null)
    {
        string full = this[path];
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        if (mode is not null)
            SetMode(path, mode);
        return full;
    }

    public string Read(string path) => File.ReadAllText(this[path]);

    public string Mode(string path) =>
        OperatingSystem.IsWindows() ? "" : Convert.ToString((int)File.GetUnixFileMode(this[path]), 8);

    public void SetMode(string path, string mode)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(this[path], (UnixFileMode)Convert.ToInt32(mode, 8));
    }

    /// <summary>
    /// All there is but our own state folder: kind, mode, owner, inode, link target and content of each entry.
    /// </summary>
    public string Snapshot()
    {
        IEnumerable<string> entries = OperatingSystem.IsLinux()
            ? Run("find", Root, "-name", ".comfyauth", "-prune", "-o", "-printf", "%P %y %m %U:%G %i %l\\n")
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            : Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories)
                .Where(path => !path.StartsWith(StateFolder, StringComparison.Ordinal));
        IEnumerable<string> contents = Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
            .Where(path => !path.StartsWith(StateFolder, StringComparison.Ordinal) && new FileInfo(path).LinkTarget is null)
            .Select(path => $"{path} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))}");
        return string.Join('\n', entries.Concat(contents).Order(StringComparer.Ordinal));
    }

    /// <summary>Files of ours that only a transaction at work may have.</summary>
    public IEnumerable<string> Leftovers() =>
        Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories)
            .Where(path => path.StartsWith(StateFolder, StringComparison.Ordinal)
                ? Path.GetFileName(path) is not ("lock" or ".gitignore")
                : Path.GetFileName(path).StartsWith(".comfyauth", StringComparison.Ordinal));

    public static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture, $"{program} ended with {process.ExitCode}: {errors.Result}"));
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
