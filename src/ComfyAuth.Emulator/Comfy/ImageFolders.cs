using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>Where ComfyUI keeps images: <c>input</c>, <c>output</c> and <c>temp</c>.</summary>
internal sealed partial class ImageFolders : IDisposable
{
    private readonly bool _isTemporary;
    private readonly SemaphoreSlim _saving = new(1);
    private bool _isGone;

    public ImageFolders(string? root)
    {
        _isTemporary = root is null;
        Root = root is null ? Directory.CreateTempSubdirectory("comfyauth-comfyui-").FullName : Path.GetFullPath(root);
        foreach (var type in new[] { "input", "output", "temp" })
            Directory.CreateDirectory(Path.Combine(Root, type));
    }

    /// <summary>The folder that holds the others.</summary>
    public string Root { get; }

    /// <summary>The folder of a type; null: there is no such type.</summary>
    public string? Of(string type) => type is "input" or "output" or "temp" ? Path.Combine(Root, type) : null;

    /// <summary>A path below a folder; null: it would lie outside.</summary>
    public static string? Below(string folder, params string[] parts)
    {
        var full = Path.GetFullPath(Path.Combine([folder, .. parts]));
        return full == folder || full.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? full : null;
    }

    /// <summary>The files that were uploaded, those in folders left out, as the real one does.</summary>
    public IReadOnlyList<string> Uploads() =>
        [.. Directory.EnumerateFiles(Path.Combine(Root, "input")).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    /// <summary>The uploaded file that a LoadImage names; null: there is none.</summary>
    public string? Upload(string name) => name.Length > 0 && !name.Contains('\0') && Below(Path.Combine(Root, "input"), name) is { } file && File.Exists(file) ? file : null;

    /// <summary>Where an image with this prefix is written next: the counter goes on after the highest that is there.</summary>
    /// <exception cref="NodeException">The prefix leads out of the folder.</exception>
    public (string File, string Name, string Subfolder) Next(string type, string prefix)
    {
        var root = Of(type)!;
        var name = Path.GetFileName(prefix);
        var subfolder = Path.GetDirectoryName(prefix) ?? "";
        var folder = Below(root, subfolder) ?? throw new NodeException("**** ERROR: Saving image outside the output folder is not allowed.", "Exception");
        Directory.CreateDirectory(folder);
        var last = Directory.EnumerateFiles(folder, "*_*_.png")
            .Select(file => Numbered().Match(Path.GetFileName(file)))
            .Where(match => match.Success && match.Groups[1].Value == name)
            .Select(match => int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))
            .DefaultIfEmpty(0)
            .Max();
        var file = string.Create(CultureInfo.InvariantCulture, $"{name}_{last + 1:00000}_.png");
        return (Path.Combine(folder, file), file, subfolder);
    }

    /// <summary>Keeps an upload; under another name where there is another file of that name already.</summary>
    /// <param name="file">Where it should lie.</param>
    /// <param name="name">The name that the client gave it.</param>
    /// <param name="content">Its content.</param>
    /// <param name="overwrite">Whether it takes the place of a file of that name.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The name that it got.</returns>
    public async Task<string> SaveAsync(string file, string name, byte[] content, bool overwrite, CancellationToken stop)
    {
        await _saving.WaitAsync(stop);
        try
        {
            // An upload can outlive its server for a moment.
            if (_isGone)
                throw new OperationCanceledException();
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            var (wanted, ending) = (Path.GetFileNameWithoutExtension(name), Path.GetExtension(name));
            for (var number = 1; !overwrite && File.Exists(file); number++)
            {
                var there = await File.ReadAllBytesAsync(file, stop);
                if (content.AsSpan().SequenceEqual(there))
                    return name;
                name = string.Create(CultureInfo.InvariantCulture, $"{wanted} ({number}){ending}");
                file = Path.Combine(Path.GetDirectoryName(file)!, name);
            }

            await File.WriteAllBytesAsync(file, content, stop);
            return name;
        }
        finally
        {
            _saving.Release();
        }
    }

    public void Dispose()
    {
        _saving.Wait();
        _isGone = true;
        if (_isTemporary)
            Directory.Delete(Root, recursive: true);
        _saving.Release();
    }

    [GeneratedRegex(@"\A(.*)_([0-9]{1,9})_\.png\z", RegexOptions.Singleline)]
    private static partial Regex Numbered();
}
