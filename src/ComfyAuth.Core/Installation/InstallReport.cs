namespace ComfyAuth.Installation;

/// <summary>An installation to keep: its steps, and what there is afterwards. Holds no secret.</summary>
public sealed record InstallReport
{
    /// <summary>The version of the shape that this module writes.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The version of this shape; it grows when a reader of the last one would go wrong.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The service that was installed.</summary>
    public required string Service { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The version of the module.</summary>
    public required string ModuleVersion { get; init; }

    /// <summary>How it ended.</summary>
    public required InstallOutcome Outcome { get; init; }

    /// <summary>Whether it went on with a run that was interrupted.</summary>
    public bool IsResumed { get; init; }

    /// <summary>The steps, in their order; each of them, also one that was not reached.</summary>
    public required IReadOnlyList<StepResult> Steps { get; init; }

    /// <summary>What is left although it was to be taken back, or was kept on purpose, with the reason, a line each.</summary>
    public IReadOnlyList<string> Kept { get; init; } = [];

    /// <summary>What to do next, a line each.</summary>
    public IReadOnlyList<string> NextSteps { get; init; } = [];

    /// <summary>The files that this report was written to, as full paths.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];
}
