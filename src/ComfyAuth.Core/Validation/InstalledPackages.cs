namespace ComfyAuth.Validation;

/// <summary>The Python packages that were found.</summary>
/// <param name="Where">Where they are, as a clause.</param>
/// <param name="Versions">Versions by normalised name.</param>
internal sealed record InstalledPackages(string Where, IReadOnlyDictionary<string, string> Versions)
{
    /// <summary>Whether there may be more than were seen.</summary>
    public bool IsPartial { get; init; }

    /// <summary>The name by which a package is compared (PEP 503).</summary>
    public static string Normalize(string name)
    {
        var normal = new System.Text.StringBuilder(name.Length);
        foreach (var c in name)
        {
            if (c is not ('-' or '_' or '.'))
                normal.Append(char.ToLowerInvariant(c));
            else if (normal.Length > 0 && normal[^1] != '-')
                normal.Append('-');
        }

        return normal.ToString();
    }
}
