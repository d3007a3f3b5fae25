namespace ComfyAuth.Validation;

/// <summary>What came of one check of a stack, or of one of its services. Holds no secret.</summary>
public sealed record CheckResult
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>The stable name of the check, such as <c>auth.api.protected</c>.</summary>
    public required string Id { get; init; }

    /// <summary>The first part of <see cref="Id"/>.</summary>
    public required string Category { get; init; }

    /// <summary>What is checked, in a few words.</summary>
    public required string Title { get; init; }

    /// <summary>The service that was checked; null where the check is of the stack as a whole.</summary>
    public string? Service { get; init; }

    /// <summary>How it ended.</summary>
    public required CheckStatus Status { get; init; }

    /// <summary>What was found, in a sentence or two.</summary>
    public required string Message { get; init; }

    /// <summary>Out of what that is concluded, a line each.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>What to do about it; empty where nothing need be done.</summary>
    public string Remedy { get; init; } = "";

    /// <summary>Whether the module can mend it by itself.</summary>
    public bool CanFix { get; init; }

    /// <summary>Whether it was mended in this run: it had failed, was mended, and was checked again.</summary>
    public bool Fixed { get; init; }

    /// <summary>How much it counts in the score of its category; 0 does not count.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>How long the check itself took, without waiting for others.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Passages of the stack's own documents that speak of it, the best first, as <c>file:line heading (score)</c>; only where something is to be done.</summary>
    public IReadOnlyList<string> Guidance { get; init; } = [];
}
