namespace ComfyAuth.Stacks;

/// <summary>Guesses which name was meant.</summary>
internal static class NearestName
{
    /// <summary>Gives "Did you mean 'x'? " for the nearest name, or nothing when none is near.</summary>
    public static string Suggest(string written, IEnumerable<string> known)
    {
        var nearest = known.MinBy(name => Distance(written, name));
        return nearest is not null && Distance(written, nearest) <= Math.Max(2, nearest.Length / 3)
            ? $"Did you mean '{nearest}'? "
            : "";
    }

    /// <summary>The Levenshtein distance, case ignored.</summary>
    private static int Distance(string left, string right)
    {
        // A very long name is near to nothing that we know.
        if (left.Length > 100)
            return int.MaxValue;

        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1;
                var best = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + cost);
                diagonal = row[j];
                row[j] = best;
            }
        }

        return row[right.Length];
    }
}
