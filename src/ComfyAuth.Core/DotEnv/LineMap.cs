namespace ComfyAuth.DotEnv;

/// <summary>Turns offsets into lines and columns. Lines end at LF.</summary>
internal sealed class LineMap
{
    private readonly List<int> _starts = [0];

    public LineMap(string text)
    {
        for (var i = text.IndexOf('\n', StringComparison.Ordinal); i >= 0; i = text.IndexOf('\n', i + 1))
            _starts.Add(i + 1);
    }

    /// <summary>1-based line and column of an offset.</summary>
    public (int Line, int Column) Locate(int offset)
    {
        var index = _starts.BinarySearch(offset);
        if (index < 0)
            index = ~index - 1;
        return (index + 1, offset - _starts[index] + 1);
    }

    public DroppedRun Locate(DroppedAt run)
    {
        var (line, column) = Locate(run.Offset);
        return new DroppedRun(run.Name, run.Text, line, column);
    }
}
