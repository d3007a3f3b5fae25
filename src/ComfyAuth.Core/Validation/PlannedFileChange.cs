using ComfyAuth.Files;

namespace ComfyAuth.Validation;

/// <summary>A change to one file that mends a failed check.</summary>
public sealed class PlannedFileChange : PlannedChange
{
    private PlannedFileChange(string path, string action, Action<FileTransaction> stage)
        : base(path, action) => Stage = stage;

    internal Action<FileTransaction> Stage { get; }

    /// <summary>Replaces what the file holds, provided that it still holds what was read.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="path">The file, relative to the root.</param>
    /// <param name="action">What is done to it, in a few words.</param>
    /// <param name="read">What it held; null when it was not there.</param>
    /// <param name="content">What it is to hold.</param>
    /// <param name="protection">Who may read it.</param>
    internal static PlannedFileChange Write(string root, string path, string action, byte[]? read, byte[] content, FileProtection protection) =>
        new(Path.Combine(root, path), action, transaction =>
        {
            transaction.Expect(path, read);
            transaction.Write(path, content, protection);
        });

    /// <summary>Removes the file, provided that it still holds what was read.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="path">The file, relative to the root.</param>
    /// <param name="action">What is done to it, in a few words.</param>
    /// <param name="read">What it held; null when it was not there.</param>
    internal static PlannedFileChange Delete(string root, string path, string action, byte[]? read) => new(Path.Combine(root, path), action, transaction =>
    {
        transaction.Expect(path, read);
        transaction.Delete(path);
    });

    /// <summary>Takes away what the file begins with, provided that it still does; it is read when the change is made.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="path">The file, relative to the root.</param>
    /// <param name="action">What is done to it, in a few words.</param>
    /// <param name="beginning">What it begins with.</param>
    internal static PlannedFileChange RemoveBeginning(string root, string path, string action, byte[] beginning)
    {
        var full = Path.Combine(root, path);
        return new(full, action, transaction =>
        {
            var content = FileErrors.On(full, () => RegularFile.ReadBytes(full, FileRecord.LargestFile));
            if (!content.AsSpan().StartsWith(beginning))
                return;
            transaction.Expect(path, content);
            transaction.Write(path, content.AsMemory(beginning.Length), FileProtection.Keep);
        });
    }

    /// <summary>Lets nobody but its owner read the file.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="path">The file, relative to the root.</param>
    internal static PlannedFileChange Protect(string root, string path) => new(Path.Combine(root, path), "Let its owner only read it", transaction => transaction.Protect(path));
}
