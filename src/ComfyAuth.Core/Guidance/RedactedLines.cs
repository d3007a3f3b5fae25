namespace ComfyAuth.Guidance;

/// <summary>Where the lines of a text without secrets stood: a private key that was taken out had many lines.</summary>
internal sealed class RedactedLines
{
    // No private key has so many lines. Lines that were changed are found nowhere, so the search for them must end.
    private const int LongestSecret = 400;

    private readonly int[]? _lines;

    public RedactedLines(string text, string redacted)
    {
        if (text.AsSpan().Count('\n') == redacted.AsSpan().Count('\n'))
            return;

        var before = text.Split('\n');
        var after = redacted.Split('\n');
        _lines = new int[after.Length];
        var next = 0;
        for (var i = 0; i < after.Length; i++)
        {
            var found = next >= before.Length ? -1 : Array.IndexOf(before, after[i], next, Math.Min(LongestSecret, before.Length - next));
            _lines[i] = found >= 0 ? found : Math.Min(next, before.Length - 1);
            next = _lines[i] + 1;
        }
    }

    /// <summary>The line of the text; both are counted from 1.</summary>
    public int Original(int line) => _lines is null ? line : _lines[line - 1] + 1;
}
