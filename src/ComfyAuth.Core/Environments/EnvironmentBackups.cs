using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth.Environments;

/// <summary>The backups of a <c>.env</c> file: <c>_backups/.env.backup.yyyyMMdd_HHmmss</c> beside it, times in UTC; a file of another name has its own there.</summary>
public sealed partial class EnvironmentBackups
{
    private const string FolderName = "_backups";
    private const string StampFormat = "yyyyMMdd_HHmmss";

    private readonly string _folder;
    private readonly string _prefix;

    /// <summary>Names the backups of a file; nothing is read.</summary>
    /// <param name="environmentPath">The full path of the <c>.env</c> file.</param>
    public EnvironmentBackups(string environmentPath)
    {
        _folder = Path.Combine(Path.GetDirectoryName(environmentPath)!, FolderName);
        _prefix = Path.GetFileName(environmentPath) + ".backup.";
    }

    /// <summary>Lists the backups.</summary>
    /// <returns>Full paths, the newest first.</returns>
    public IReadOnlyList<string> List() => !Directory.Exists(_folder) ? [] :
    [
        .. Directory.EnumerateFiles(_folder)
            .Where(path => Path.GetFileName(path) is var name && name.StartsWith(_prefix, StringComparison.Ordinal) && Stamp().IsMatch(name.AsSpan(_prefix.Length)))
            .OrderByDescending(Path.GetFileName, StringComparer.Ordinal),
    ];

    /// <summary>Finds a backup.</summary>
    /// <param name="name"><see cref="EnvironmentRestoreRequest.Latest"/>, a file name, or a time stamp.</param>
    /// <returns>Its full path.</returns>
    /// <exception cref="ComfyAuthException"><c>BackupNotFound</c>.</exception>
    public string Find(string name)
    {
        var backups = List();
        var found = name.Equals(EnvironmentRestoreRequest.Latest, StringComparison.OrdinalIgnoreCase)
            ? backups is [var newest, ..] ? newest : null
            : backups.FirstOrDefault(path => Path.GetFileName(path) is var file && (file == name || file == _prefix + name));
        return found ?? throw new ComfyAuthException(
            "BackupNotFound",
            $"There is no backup '{name}' in '{_folder}'.",
            backups.Count == 0 ? "No backup has been made there yet." : $"There are: {string.Join(", ", backups.Select(Path.GetFileName))}.");
    }

    /// <summary>The name for a new backup: the time, or the next second that is free.</summary>
    internal string NewPath(DateTimeOffset now)
    {
        for (var time = now.ToUniversalTime(); ; time = time.AddSeconds(1))
        {
            var path = Path.Combine(_folder, _prefix + time.ToString(StampFormat, CultureInfo.InvariantCulture));
            if (!File.Exists(path))
                return path;
        }
    }

    [GeneratedRegex(@"^[0-9]{8}_[0-9]{6}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Stamp();
}
