using System.Text;

namespace ComfyAuth.Comfy;

/// <summary>Makes names that others chose into names of files that can be written here, and there.</summary>
internal static class FileNames
{
    private const int Longest = 120;

    private static readonly string[] Reserved = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", .. Enumerable.Range(0, 10).SelectMany(number => new[] { $"COM{number}", $"LPT{number}" })];

    /// <summary>A name for a file in one folder, on any system: no path, no device, no hidden file, not too long.</summary>
    public static string Safe(string name)
    {
        // Both separators, whatever the system: the server may run on another one.
        var last = name[(name.LastIndexOfAny(['/', '\\', ':']) + 1)..];
        var safe = new StringBuilder(last.Length);
        foreach (var rune in last.EnumerateRunes())
        {
            var isPlain = Rune.IsLetterOrDigit(rune) || rune.Value is ' ' or '-' or '_' or '.' or '(' or ')' or '+' or ',' or '=' or '@' or '#';
            safe.Append(isPlain && rune != Rune.ReplacementChar ? rune.ToString() : "_");
        }

        // Windows drops dots and spaces at the end; a dot at the start hides.
        var trimmed = safe.ToString().Trim('.', ' ');
        var (stem, extension) = (Path.GetFileNameWithoutExtension(trimmed), Path.GetExtension(trimmed));
        if (extension.Length > 10)
            (stem, extension) = (trimmed, "");
        stem = Shortened(stem).Trim('.', ' ');
        if (stem.Length == 0)
            stem = "image";
        return (Reserved.Contains(stem.Split('.')[0].Trim(), StringComparer.OrdinalIgnoreCase) ? "_" + stem : stem) + extension;
    }

    /// <summary>The same in ASCII alone.</summary>
    public static string Ascii(string name) => string.Concat(Safe(name).Select(character => char.IsAscii(character) ? character : '_'));

    /// <summary>Numbered names, the plain one first: <c>a.png</c>, <c>a_2.png</c>.</summary>
    public static IEnumerable<string> Numbered(string name)
    {
        yield return name;
        for (var number = 2; ; number++)
            yield return $"{Path.GetFileNameWithoutExtension(name)}_{number}{Path.GetExtension(name)}";
    }

    private static string Shortened(string stem)
    {
        if (Encoding.UTF8.GetByteCount(stem) <= Longest)
            return stem;
        var kept = new StringBuilder();
        var bytes = 0;
        foreach (var rune in stem.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > Longest)
                break;
            kept.Append(rune.ToString());
        }

        return kept.ToString();
    }
}
