namespace ComfyAuth.Emulator.Comfy;

/// <summary>What the program writes to its log; with the login node it holds the token, as the real one's does.</summary>
internal sealed class ServerLog
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
                return [.. _lines];
        }
    }

    public void Write(string line)
    {
        lock (_gate)
            _lines.Add(line);
    }
}
