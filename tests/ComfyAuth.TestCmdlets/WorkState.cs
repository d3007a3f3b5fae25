namespace ComfyAuth.TestCmdlets;

/// <summary>What a work did, in order, as a test sees it from outside the pipeline.</summary>
public sealed class WorkState
{
    private readonly List<string> _events = [];

    /// <summary>Set when the work has begun.</summary>
    public ManualResetEventSlim Started { get; } = new();

    /// <summary>Set when the work has ended, in whatever way.</summary>
    public ManualResetEventSlim Ended { get; } = new();

    /// <summary>Set by the test to release work that does not listen to its token.</summary>
    public ManualResetEventSlim Release { get; } = new();

    /// <summary>How many objects the work has handed over.</summary>
    public int Produced { get; set; }

    /// <summary>What happened.</summary>
    public string[] Events
    {
        get
        {
            lock (_events)
                return [.. _events];
        }
    }

    /// <summary>Notes that something happened.</summary>
    public void Add(string happened)
    {
        lock (_events)
            _events.Add(happened);
    }
}
