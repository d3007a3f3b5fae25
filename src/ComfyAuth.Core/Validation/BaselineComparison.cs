namespace ComfyAuth.Validation;

/// <summary>What changed since an earlier report, by id and service: <c>auth.api.protected (comfyui-qwen)</c>.</summary>
public sealed record BaselineComparison
{
    /// <summary>The root of the stack that the earlier report is of.</summary>
    public required string Stack { get; init; }

    /// <summary>When the earlier run began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The earlier score.</summary>
    public required int? Score { get; init; }

    /// <summary>The earlier verdict.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>What fails now and did not.</summary>
    public required IReadOnlyList<string> NewFailures { get; init; }

    /// <summary>What failed and passes now, be it with a warning.</summary>
    public required IReadOnlyList<string> Fixed { get; init; }

    /// <summary>What failed and fails.</summary>
    public required IReadOnlyList<string> StillFailing { get; init; }

    /// <summary>What was determined and is not any more: left out, skipped, or impossible to check.</summary>
    public required IReadOnlyList<string> NoLongerChecked { get; init; }

    /// <summary>Compares.</summary>
    /// <param name="earlier">The earlier report.</param>
    /// <param name="checks">The results now, in the order of the report.</param>
    internal static BaselineComparison Of(ValidationReport earlier, IReadOnlyList<CheckResult> checks)
    {
        var before = StatusOf(earlier.Checks);
        var now = StatusOf(checks);
        return new()
        {
            Stack = earlier.Stack,
            StartedAt = earlier.StartedAt,
            Score = earlier.Score,
            Verdict = earlier.Verdict,
            NewFailures = Names(now.Keys, key => now[key] == CheckStatus.Failed && !Failed(before, key)),
            Fixed = Names(before.Keys, key => Failed(before, key) && now.TryGetValue(key, out var status) && status is CheckStatus.Passed or CheckStatus.Warning),
            StillFailing = Names(now.Keys, key => now[key] == CheckStatus.Failed && Failed(before, key)),
            NoLongerChecked = Names(before.Keys, key => IsDetermined(before[key]) && !(now.TryGetValue(key, out var status) && IsDetermined(status))),
        };
    }

    private static Dictionary<CheckKey, CheckStatus> StatusOf(IEnumerable<CheckResult> checks) => checks.GroupBy(CheckKey.Of).ToDictionary(group => group.Key, group => group.Last().Status);

    private static IReadOnlyList<string> Names(IEnumerable<CheckKey> keys, Func<CheckKey, bool> wanted) => [.. keys.Where(wanted).Select(key => key.ToString())];

    private static bool Failed(Dictionary<CheckKey, CheckStatus> results, CheckKey key) => results.TryGetValue(key, out var status) && status == CheckStatus.Failed;

    private static bool IsDetermined(CheckStatus status) => status is not (CheckStatus.Error or CheckStatus.Skipped);
}
