namespace ComfyAuth.Installation;

/// <summary>What came of one step of an installation. Holds no secret.</summary>
public sealed record StepResult
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>Which step it was.</summary>
    public required InstallStepName Step { get; init; }

    /// <summary>How it ended.</summary>
    public required StepStatus Status { get; init; }

    /// <summary>What was found or done, in a sentence or two.</summary>
    public required string Message { get; init; }

    /// <summary>Out of what that is concluded, a line each.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>What it changed, or would change, a line each.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>The stable code of the error; empty where there is none.</summary>
    public string ErrorCode { get; init; } = "";

    /// <summary>What to do about it; empty where nothing need be done.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>Whether its changes were taken back, because it or a later step failed.</summary>
    public bool IsUndone { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }
}
