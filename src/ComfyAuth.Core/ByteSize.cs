using System.Globalization;

namespace ComfyAuth;

/// <summary>Sizes as people read them.</summary>
public static class ByteSize
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Writes a size in the largest unit of 1024 that it fills, such as <c>1.2 GiB</c>.</summary>
    /// <param name="bytes">The size in bytes.</param>
    /// <returns>The text, the same under every culture.</returns>
    public static string Format(long bytes)
    {
        var amount = (double)bytes;
        var unit = 0;

        // What would be rounded up to 1024 belongs to the next unit already.
        for (; amount >= 1023.95 && unit < Units.Length - 1; unit++)
            amount /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.#} {Units[unit]}");
    }
}
