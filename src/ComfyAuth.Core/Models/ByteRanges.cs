namespace ComfyAuth.Models;

/// <summary>Ranges of bytes, in order and without overlaps. Not safe for concurrent use.</summary>
internal sealed class ByteRanges
{
    private readonly List<(long From, long To)> _ranges = [];

    /// <summary>How many bytes there are in all.</summary>
    public long Total { get; private set; }

    /// <summary>The ranges: the first byte of each, and the one after its last.</summary>
    public IReadOnlyList<(long From, long To)> Ranges => _ranges;

    /// <summary>Adds a range; it may overlap others.</summary>
    public void Add(long from, long to)
    {
        if (from >= to)
            return;

        // The first that is not wholly before it, and the first that is wholly behind it.
        var first = _ranges.FindIndex(range => range.To >= from);
        if (first < 0)
            first = _ranges.Count;
        var last = first;
        for (; last < _ranges.Count && _ranges[last].From <= to; last++)
        {
            (from, to) = (Math.Min(from, _ranges[last].From), Math.Max(to, _ranges[last].To));
            Total -= _ranges[last].To - _ranges[last].From;
        }

        _ranges.RemoveRange(first, last - first);
        _ranges.Insert(first, (from, to));
        Total += to - from;
    }

    /// <summary>Cuts a whole into what is there and what is missing, in order.</summary>
    /// <param name="size">The length of the whole in bytes.</param>
    /// <param name="longestMissing">How long a missing piece may be.</param>
    public IEnumerable<(long From, long To, bool IsThere)> Cut(long size, int longestMissing)
    {
        var at = 0L;
        foreach (var (from, to) in _ranges.Append((size, size)))
        {
            for (; at < from; at = Math.Min(at + longestMissing, from))
                yield return (at, Math.Min(at + longestMissing, from), false);
            if (from < to)
                yield return (from, to, true);
            at = to;
        }
    }
}
