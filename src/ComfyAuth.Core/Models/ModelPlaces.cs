using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ComfyAuth.Files;

namespace ComfyAuth.Models;

/// <summary>
/// What lies beside a model file: the unfinished download and its journal in the same folder, where they can be seen; the lock and what
/// is remembered of the file in <c>.comfyauth</c> below it. ComfyUI takes none of them for a model.
/// </summary>
/// <param name="File">The file itself, links followed.</param>
internal sealed record ModelPlaces(string File)
{
    private const int LargestSidecar = 4 * 1024 * 1024;

    public string Folder => Path.GetDirectoryName(File)!;

    public string Part => File + ".part";

    public string Journal => File + ".part.json";

    public string Lock => Path.Combine(StateFolder, Path.GetFileName(File) + ".lock");

    public string Memory => Path.Combine(StateFolder, Path.GetFileName(File) + ".verified.json");

    private string StateFolder => FileJournal.StateFolder(Folder);

    /// <summary>Follows links: what a link in the models folder leads to is replaced, not the link.</summary>
    /// <exception cref="ComfyAuthException"><c>TargetIsDirectory</c>, <c>TargetIsNotFile</c>, <c>LinkLoop</c>.</exception>
    public static ModelPlaces Of(string path)
    {
        var real = RealPath.Of(path);
        if (Directory.Exists(real))
            throw new ComfyAuthException("TargetIsDirectory", $"{path} is a folder where a model file belongs.", "Docker makes such a folder for a bind mount whose file is missing: stop the container, remove the folder, then run it again.");
        if (RegularFile.IsSomethingElse(real))
            throw new ComfyAuthException("TargetIsNotFile", $"{path} is a device, pipe or socket, not a file.", "Point the path or link at a regular file.");
        return new(real);
    }

    public static void MakeFolders(ModelPlaces places) => FileErrors.On(places.StateFolder, () => Directory.CreateDirectory(places.StateFolder));

    /// <summary>Reads a sidecar; null where there is none, or none that can be trusted.</summary>
    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            using var stream = RegularFile.OpenRead(path);
            return stream.Length > LargestSidecar ? null : JsonSerializer.Deserialize(stream, type);
        }
        catch (Exception error) when (error is JsonException || FileErrors.IsFileError(error))
        {
            return null;
        }
    }

    /// <summary>Writes a sidecar: whoever reads it at any time, or after a power failure, finds the old one or the new one.</summary>
    /// <param name="path">The sidecar.</param>
    /// <param name="value">What to write.</param>
    /// <param name="type">Its type.</param>
    /// <param name="isLocked">Whether no other process can write it now: then what a kill left of it is written over the next time.</param>
    public static void Write<T>(string path, T value, JsonTypeInfo<T> type, bool isLocked)
    {
        var staged = isLocked ? path + ".tmp" : $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            // A link there would lead the writing elsewhere.
            System.IO.File.Delete(staged);
            using (var stream = new FileStream(staged, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                JsonSerializer.Serialize(stream, value, type);
                stream.Flush(flushToDisk: true);
            }

            System.IO.File.Move(staged, path, overwrite: true);
        }
        finally
        {
            System.IO.File.Delete(staged);
        }
    }

    /// <summary>Makes the names in the folder survive a power failure.</summary>
    public void FlushFolder()
    {
        if (!OperatingSystem.IsWindows())
            Posix.FlushFolder(Folder);
    }

    /// <summary>Moves a file of the folder to a name that says it is not to be used, and writes down why.</summary>
    /// <param name="path">The file.</param>
    /// <param name="reason">Why, as a sentence.</param>
    /// <param name="replaces">Whether an earlier one may go: what was loaded wrongly can be loaded wrongly again, and each is as large as the model. A file of the user is never deleted.</param>
    /// <returns>Where it is now.</returns>
    public string SetAside(string path, string reason, bool replaces)
    {
        const string downloaded = "Downloaded and not right: ";
        var aside = File + ".corrupt";
        for (var number = 2; Path.Exists(aside) && !(replaces && IsDownloaded(aside)); number++)
            aside = $"{File}.{number}.corrupt";
        System.IO.File.Move(path, aside, overwrite: replaces);
        System.IO.File.Delete(aside + ".txt");
        System.IO.File.WriteAllText(aside + ".txt", (replaces ? downloaded : "") + reason + Environment.NewLine);
        return aside;

        static bool IsDownloaded(string aside) =>
            System.IO.File.Exists(aside + ".txt") && System.IO.File.ReadLines(aside + ".txt").FirstOrDefault()?.StartsWith(downloaded, StringComparison.Ordinal) == true;
    }

    /// <summary>Removes the file and everything that lies beside it.</summary>
    public void Remove()
    {
        foreach (var path in new[] { File, Part, Journal, Lock, Memory }.Where(System.IO.File.Exists))
            System.IO.File.Delete(path);
        if (Directory.Exists(StateFolder) && !Directory.EnumerateFileSystemEntries(StateFolder).Any())
            Directory.Delete(StateFolder);
    }
}
