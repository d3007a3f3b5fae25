namespace ComfyAuth.Validation;

/// <summary>What a check found. Texts go through the redactor on their way out.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Message">What was found, in a sentence or two.</param>
internal sealed record CheckOutcome(CheckStatus Status, string Message)
{
    /// <summary>Out of what that is concluded, a line each.</summary>
    public IReadOnlyList<string> Evidence { get; init; } = [];

    /// <summary>What to do about it; null for what the check says.</summary>
    public string? Remedy { get; init; }

    /// <summary>Whether <see cref="Check.PlanFix"/> has something for it.</summary>
    public bool CanFix { get; init; }

    public static CheckOutcome Passed(string message, params IReadOnlyList<string> evidence) => new(CheckStatus.Passed, message) { Evidence = evidence };

    public static CheckOutcome Warning(string message, params IReadOnlyList<string> evidence) => new(CheckStatus.Warning, message) { Evidence = evidence };

    public static CheckOutcome Failed(string message, params IReadOnlyList<string> evidence) => new(CheckStatus.Failed, message) { Evidence = evidence };

    /// <summary>It could not be checked.</summary>
    public static CheckOutcome Error(string message, params IReadOnlyList<string> evidence) => new(CheckStatus.Error, message) { Evidence = evidence };

    /// <summary>There is nothing to check.</summary>
    public static CheckOutcome Skipped(string reason) => new(CheckStatus.Skipped, reason) { Remedy = "" };
}
