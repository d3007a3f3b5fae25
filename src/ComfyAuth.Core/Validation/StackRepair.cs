namespace ComfyAuth.Validation;

/// <summary>What a repair did.</summary>
public sealed record StackRepair
{
    /// <summary>The name under which it can be undone; null when no file is other than before.</summary>
    public required string? Id { get; init; }

    /// <summary>The findings for which something was changed, or which another change had mended.</summary>
    public required IReadOnlyList<CheckResult> Mended { get; init; }

    /// <summary>The findings that could not be mended, and why.</summary>
    public required IReadOnlyList<(CheckResult Result, Exception Error)> Errors { get; init; }

    /// <summary>Marks what passes now because it was mended.</summary>
    /// <param name="result">A result of the run after the repair.</param>
    public CheckResult Mark(CheckResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.Status == CheckStatus.Passed && Mended.Any(mended => mended.Id == result.Id && mended.Service == result.Service) ? result with { Fixed = true } : result;
    }
}
