using System.Collections.Concurrent;
using System.IO.Enumeration;
using ComfyAuth.Files;
using ComfyAuth.Secrets;

namespace ComfyAuth.Notebooks;

/// <summary>Reads all notebooks below a folder, several at once. What it holds does not grow with their number or length.</summary>
internal static class NotebookScanner
{
    /// <summary>How the name of a notebook ends.</summary>
    public const string Extension = ".ipynb";

    private const int MostFaults = 2000;
    private const int MostAtOnce = 8;

    private static readonly EnumerationOptions OneFolder = new() { IgnoreInaccessible = false, AttributesToSkip = 0, MatchType = MatchType.Simple };

    /// <summary>Reads them.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="folder">The folder, relative to the root.</param>
    /// <param name="redactor">Knows the secrets of the stack.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<NotebookScan> ScanAsync(string root, string folder, SecretRedactor redactor, CancellationToken stop) => Task.Run(() => Scan(root, folder, redactor, stop), stop);

    /// <summary>
    /// The notebooks below a folder, relative to the root and with <c>/</c>. Links are not followed: what they lead to inside the folder is
    /// found at its own place. Folders that begin with a dot, <c>node_modules</c> and Python environments hold nobody's own notebooks.
    /// </summary>
    public static IEnumerable<(string Name, NotebookFault? Fault)> Find(string root, string folder)
    {
        var folders = new Stack<string>([folder]);
        while (folders.TryPop(out var current))
        {
            NotebookEntry[] entries;
            NotebookFault? gap = null;
            try
            {
                entries = [.. new FileSystemEnumerable<NotebookEntry>(
                    Path.Combine(root, current),
                    (ref FileSystemEntry entry) => new(entry.FileName.ToString(), entry.IsDirectory, IsLink(ref entry)),
                    OneFolder)
                {
                    ShouldIncludePredicate = (ref FileSystemEntry entry) => entry.IsDirectory || entry.FileName.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || entry.FileName is "pyvenv.cfg",
                }];
            }
            catch (Exception error) when (FileErrors.IsFileError(error))
            {
                entries = [];
                gap = new(current, NotebookFaultKind.Unreadable, 0, error.Message.TrimEnd('.'));
            }

            if (gap is not null)
                yield return (current, gap);
            if (Array.Exists(entries, entry => entry.Name == "pyvenv.cfg"))
                continue;
            foreach (var entry in entries)
            {
                var name = $"{current}/{entry.Name}";
                var isNotebook = entry.Name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase);
                if (entry.IsLink)
                    continue;
                if (isNotebook)
                    yield return (name, entry.IsFolder ? new(name, NotebookFaultKind.Json, 0, "is a folder") : null);
                if (entry.IsFolder && entry.Name[0] != '.' && entry.Name is not "node_modules")
                    folders.Push(name);
            }
        }
    }

    private static bool IsLink(ref FileSystemEntry entry) =>
        // On Windows, files in the cloud are reparse points too.
        (entry.Attributes & FileAttributes.ReparsePoint) != 0 && entry.ToFileSystemInfo().LinkTarget is not null;

    private static NotebookScan Scan(string root, string folder, SecretRedactor redactor, CancellationToken stop)
    {
        var secrets = new NotebookSecrets(redactor);
        using var large = new SemaphoreSlim(1);
        var count = 0L;
        var length = 0L;
        var affected = new Dictionary<NotebookFaultKind, int>();
        var faults = new List<NotebookFault>();
        Parallel.ForEach(
            Partitioner.Create(Find(root, folder), EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Math.Min(Environment.ProcessorCount, MostAtOnce), CancellationToken = stop },
            () => new NotebookReader(secrets, large),
            (notebook, _, reader) =>
            {
                var (found, bytes) = notebook.Fault is { } fault ? ([fault], 0) : reader.Read(Path.Combine(root, notebook.Name), notebook.Name, stop);
                Interlocked.Add(ref length, bytes);
                if (notebook.Fault is not { Kind: NotebookFaultKind.Unreadable })
                    Interlocked.Increment(ref count);
                if (found.Count > 0)
                    Keep(found);
                return reader;
            },
            reader => reader.Dispose());
        return new(count, length, affected, [.. faults.OrderBy(fault => fault.Path, StringComparer.Ordinal).ThenBy(fault => fault.Line)]);

        void Keep(IReadOnlyList<NotebookFault> found)
        {
            lock (faults)
            {
                foreach (var kind in found.Select(fault => fault.Kind).Distinct())
                    affected[kind] = affected.GetValueOrDefault(kind) + 1;
                faults.AddRange(found.Take(MostFaults - faults.Count));
            }
        }
    }

    private readonly record struct NotebookEntry(string Name, bool IsFolder, bool IsLink);
}
