using System.Runtime.InteropServices;

namespace ComfyAuth.DotEnv;

/// <summary>Unquoted text in which each character still knows where it came from, so that a fault in it can be located in the file.</summary>
internal sealed class OriginText
{
    // A StringBuilder would be slow to index.
    private readonly List<char> _characters = [];
    private readonly List<int> _origins = [];

    public void Append(char character, int origin)
    {
        _characters.Add(character);
        _origins.Add(origin);
    }

    public int Length => _characters.Count;

    public char this[int index] => _characters[index];

    public int OriginOf(int index) => _origins[index];

    public IReadOnlyList<DroppedAt> Locate(IReadOnlyList<DroppedAt> runs) =>
        runs.Count == 0 ? runs : [.. runs.Select(run => run with { Offset = _origins[run.Offset] })];

    public override string ToString() => new(CollectionsMarshal.AsSpan(_characters));
}
