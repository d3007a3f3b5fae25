namespace ComfyAuth.Models;

/// <summary>A piece of a file: one that is on the disk, or one that is to be loaded.</summary>
internal sealed class Segment(long from, long to, bool isThere)
{
    private readonly TaskCompletionSource<byte[]?> _loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long From => from;

    public long To => to;

    public long Length => to - from;

    /// <summary>Whether an earlier run loaded it.</summary>
    public bool IsThere => isThere;

    /// <summary>How many of its bytes are in the buffer of whoever loads it.</summary>
    public int Filled { get; set; }

    /// <summary>Whether it is on the disk.</summary>
    public bool IsLoaded => isThere || _loaded.Task.IsCompleted;

    /// <summary>Ends when it is on the disk. Gives its bytes; null: they are to be read from there.</summary>
    public Task<byte[]?> Loaded => _loaded.Task;

    /// <summary>Says that it is on the disk.</summary>
    public void Complete(byte[]? bytes) => _loaded.SetResult(bytes);
}
