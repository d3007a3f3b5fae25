using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>Unquoted text in which each character still knows where it came from, so that a fault in it can be located in the file.</summary>
internal sealed class OriginText
{
    private readonly StringBuilder characters = new();
    private readonly List<int> origins = [];

    public void Append(char character, int origin)
    {
        characters.Append(character);
        origins.Add(origin);
    }

    public int Length => characters.Length;

    public char this[int index] => characters[index];

    public int OriginOf(int index) => origins[index];

    public IReadOnlyList<DroppedAt> Locate(IReadOnlyList<DroppedAt> runs) =>
        runs.Count == 0 ? runs : [.. runs.Select(run => run with { Offset = origins[run.Offset] })];

    public override string ToString() => characters.ToString();
}
