using System.Globalization;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>That a file or a folder of the stack is as it should be.</summary>
internal static class FileAssertion
{
    private const int LargestText = 16 * 1024 * 1024;

    public static Func<CheckContext, CancellationToken, Task<CheckOutcome>> Read(YamlMap map)
    {
        map.Allow("path", "exists", "contains", "sha256", "newerThan", "ownerOnly");
        var path = map.Text("path") ?? throw map.Error(null, "the file has no path", "Add 'path:', relative to the stack's root.");
        var exists = map.Boolean("exists") ?? true;
        var wanted = new Wanted(map.Text("contains"), map.Text("sha256")?.ToLowerInvariant(), Age(map), map.Boolean("ownerOnly") == true);
        if (!exists && wanted != new Wanted(null, null, null, false))
            throw map.Error("exists", "a file that must not be there has no content", "Leave the other keys out.");
        return (context, stop) => LookAsync(Path.GetFullPath(path, context.Stack.Root), path, exists, wanted, stop);
    }

    private static TimeSpan? Age(YamlMap map) => map.Text("newerThan") is not { } text ? null
        : Duration.TryParse(text, out var duration) ? duration
        : throw map.Error("newerThan", $"'{text}' is no length of time", "Write it like 12h or 2d.");

    private static async Task<CheckOutcome> LookAsync(string path, string shown, bool exists, Wanted wanted, CancellationToken stop)
    {
        try
        {
            var isFile = File.Exists(path);
            var isThere = isFile || Directory.Exists(path);
            if (!isThere)
                Absence.Ensure(path);
            if (isThere != exists)
                return CheckOutcome.Failed(exists ? $"{shown} is not there." : $"{shown} is there.");
            if (!exists)
                return CheckOutcome.Passed($"{shown} is not there.");
            if (wanted.NewerThan is { } age && DateTime.UtcNow - File.GetLastWriteTimeUtc(path) is var old && old > age)
                return CheckOutcome.Failed($"{shown} was changed {Duration.Format(old)} ago, which is longer than {Duration.Format(age)}.");
            if (!isFile)
                return wanted is { Text: null, Sha256: null, OwnerOnly: false } ? CheckOutcome.Passed($"{shown} is there.") : CheckOutcome.Failed($"{shown} is a folder, not a file.");
            if (wanted.OwnerOnly && !FilePermissions.IsOwnerOnly(path))
                return CheckOutcome.Failed($"Others than its owner may read {shown}.");
            if (wanted.Sha256 is { } digest && FileDigest.OfFile(RealPath.Of(path)) is var found && found != digest)
                return CheckOutcome.Failed($"{shown} does not hold what it should.", $"SHA-256: {found}");
            if (wanted.Text is not { } text)
                return CheckOutcome.Passed($"{shown} is there.");

            if (RegularFile.IsSomethingElse(path))
                return CheckOutcome.Error($"{shown} is a device, pipe or socket, and was not read.");
            if (new FileInfo(path).Length > LargestText)
                return CheckOutcome.Error(string.Create(CultureInfo.InvariantCulture, $"{shown} is larger than {ByteSize.Format(LargestText)}, and was not searched."));
            return (await File.ReadAllTextAsync(path, stop).ConfigureAwait(false)).Contains(text, StringComparison.Ordinal)
                ? CheckOutcome.Passed($"{shown} holds the text that is looked for.")
                : CheckOutcome.Failed($"{shown} does not hold the text that is looked for.", $"looked for: {text}");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return CheckOutcome.Error($"{shown} cannot be read: {error.Message}") with { Remedy = "Check its permissions." };
        }
    }

    private sealed record Wanted(string? Text, string? Sha256, TimeSpan? NewerThan, bool OwnerOnly);
}
