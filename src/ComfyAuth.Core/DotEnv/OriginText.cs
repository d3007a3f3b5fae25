using System.Runtime.InteropServices;

namespace ComfyAuth.DotEnv;

/// <summary>Unquoted text in which each character still knows where it came from, so that a fault in it can be located in the file.</summary>
internal sealed class OriginText
{
    // A StringBuilder would be slow to index.
    private readonly List<char> characters = [];
    private readonly List<int> origins = [];

    public void Append(char character, int origin)
    {
        characters.Add(character);
        origins.Add(origin);
    }

    public int Length => characters.Count;

    public char this[int index] => characters[index];

    public int OriginOf(int index) => origins[index];

    public IReadOnlyList<DroppedAt> Locate(IReadOnlyList<DroppedAt> runs) =>
        runs.Count == 0 ? runs : [.. runs.Select(run => run with { Offset = origins[run.Offset] })];

    public override string ToString() => new(CollectionsMarshal.AsSpan(characters));
}
