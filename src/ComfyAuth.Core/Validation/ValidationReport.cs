using System.Diagnostics;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>A run of checks to keep: what was found, what is to be thought of it, and what to do. Holds no secret.</summary>
public sealed record ValidationReport
{
    /// <summary>The version of the shape that this module writes.</summary>
    public const int CurrentVersion = 1;

    private const int MostNamed = 3;

    /// <summary>The version of this shape; it grows when a reader of the last one would go wrong.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The version of the module that made the report.</summary>
    public required string ModuleVersion { get; init; }

    /// <summary>The version of the Docker engine; null where it is not known.</summary>
    public string? EngineVersion { get; init; }

    /// <summary>The commit that the stack's folder is at; null where it is not known.</summary>
    public string? Commit { get; init; }

    /// <summary>The branch that is checked out there; null where there is none, or it is not known.</summary>
    public string? Branch { get; init; }

    /// <summary>The newest tag that the commit can be reached from; null where there is none, or it is not known.</summary>
    public string? Tag { get; init; }

    /// <summary>Whether files differ from the commit; null where it is not known.</summary>
    public bool? HasUncommittedChanges { get; init; }

    /// <summary>The score of the whole, from 0 to 100; null where nothing could be determined.</summary>
    public required int? Score { get; init; }

    /// <summary>How much of the checks, by weight, could be determined, in percent; null where there is none.</summary>
    public required int? Coverage { get; init; }

    /// <summary>What is to be thought of the stack.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>Why the verdict is not better, as a sentence.</summary>
    public required string VerdictReason { get; init; }

    /// <summary>How many checks passed.</summary>
    public required int Passed { get; init; }

    /// <summary>How many passed with a warning.</summary>
    public required int Warnings { get; init; }

    /// <summary>How many failed.</summary>
    public required int Failed { get; init; }

    /// <summary>How many could not be made.</summary>
    public required int Errors { get; init; }

    /// <summary>How many were skipped.</summary>
    public required int Skipped { get; init; }

    /// <summary>How each part of the stack does. Only <see cref="StackComponent.Other"/> is left out where it has no checks.</summary>
    public required IReadOnlyList<ComponentScore> Components { get; init; }

    /// <summary>What is counted and held against a threshold.</summary>
    public required IReadOnlyList<TechnicalMetric> Metrics { get; init; }

    /// <summary>In which areas the stack is as it should be.</summary>
    public required IReadOnlyList<ConformityEntry> Conformity { get; init; }

    /// <summary>What is good, a sentence each.</summary>
    public required IReadOnlyList<string> Strengths { get; init; }

    /// <summary>What needs attention, a sentence or two each, the worst first.</summary>
    public required IReadOnlyList<string> Attention { get; init; }

    /// <summary>What to do, the most urgent first; each place is named like <c>auth.api.protected (comfyui-qwen)</c>.</summary>
    public required IReadOnlyList<Recommendation> Recommendations { get; init; }

    /// <summary>What changed since an earlier report; null where none was given.</summary>
    public BaselineComparison? Baseline { get; init; }

    /// <summary>Every result, in the order of a report.</summary>
    public required IReadOnlyList<CheckResult> Checks { get; init; }

    /// <summary>Makes the checks, and a report of what comes of them.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="options">What is asked for.</param>
    /// <param name="run">Makes the checks with the options that it is given: that of <see cref="StackValidator"/>, or of <see cref="StackRepairer"/>.</param>
    /// <param name="told">Is told each result as it comes.</param>
    /// <returns>The report.</returns>
    public static async Task<ValidationReport> OfRunAsync(GenAIStack stack, ValidationOptions options, Func<ValidationOptions, IAsyncEnumerable<CheckResult>> run, Action<CheckResult>? told = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(run);
        StackFacts? facts = null;
        var results = new List<CheckResult>();
        var (startedAt, clock) = (DateTimeOffset.UtcNow, Stopwatch.StartNew());
        await foreach (var result in run(options with { Found = found => facts = found }).ConfigureAwait(false))
        {
            results.Add(result);
            told?.Invoke(result);
        }

        return Of(stack, results, startedAt, clock.Elapsed, facts?.Engine?.Version) with
        {
            Commit = facts?.Git?.Commit,
            Branch = facts?.Git?.Branch,
            Tag = facts?.Git?.Tag,
            HasUncommittedChanges = facts?.Git is { } git ? git.DirtyCount > 0 : null,
        };
    }

    /// <summary>Makes a report of results that are there already.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="results">What came of its checks, in any order; of a check that is there twice, the last counts.</param>
    /// <param name="startedAt">When the run began.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="engineVersion">The version of the Docker engine.</param>
    public static ValidationReport Of(GenAIStack stack, IEnumerable<CheckResult> results, DateTimeOffset startedAt, TimeSpan duration, string? engineVersion = null)
    {
        ArgumentNullException.ThrowIfNull(stack);
        return Of(stack.Root, [.. StackValidator.Order(stack, Last(results))], startedAt, duration, engineVersion);
    }

    /// <summary>Makes a report of results whose stack is not at hand: the services come by name.</summary>
    /// <param name="root">The root of the stack.</param>
    /// <param name="results">What came of its checks, in any order; of a check that is there twice, the last counts.</param>
    /// <param name="startedAt">When the run began.</param>
    /// <param name="duration">How long it took.</param>
    /// <param name="engineVersion">The version of the Docker engine.</param>
    public static ValidationReport Of(string root, IEnumerable<CheckResult> results, DateTimeOffset startedAt, TimeSpan duration, string? engineVersion = null)
    {
        ArgumentNullException.ThrowIfNull(root);
        var places = CheckCatalogue.All.Select((check, index) => (check.Id, index)).ToDictionary(item => item.Id, item => item.index);
        var ordered = Last(results)
            .OrderBy(result => places.GetValueOrDefault(result.Id, int.MaxValue))
            .ThenBy(result => result.Id, StringComparer.Ordinal)
            .ThenBy(result => result.Service, StringComparer.Ordinal);
        return Of(root, [.. ordered], startedAt, duration, engineVersion);
    }

    /// <summary>Compares with an earlier report.</summary>
    /// <param name="earlier">The earlier report.</param>
    /// <returns>This report, with what changed.</returns>
    public ValidationReport ComparedWith(ValidationReport earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        return this with { Baseline = BaselineComparison.Of(earlier, Checks) };
    }

    private static IEnumerable<CheckResult> Last(IEnumerable<CheckResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        return results.GroupBy(CheckKey.Of).Select(group => group.Last()).Select(result => result with { Weight = ValidationScore.WeightOf(result) });
    }

    private static ValidationReport Of(string root, List<CheckResult> checks, DateTimeOffset startedAt, TimeSpan duration, string? engineVersion)
    {
        var score = ValidationScore.OfStack(checks);
        List<ComponentScore> components = [.. ComponentsOf(checks)];
        return new()
        {
            Stack = root,
            StartedAt = startedAt,
            Duration = duration,
            ModuleVersion = ComfyAuth.ModuleVersion.Current,
            EngineVersion = engineVersion,
            Score = score.Value,
            Coverage = score.Coverage,
            Verdict = score.Verdict,
            VerdictReason = score.Reason,
            Passed = Count(checks, CheckStatus.Passed),
            Warnings = Count(checks, CheckStatus.Warning),
            Failed = Count(checks, CheckStatus.Failed),
            Errors = Count(checks, CheckStatus.Error),
            Skipped = Count(checks, CheckStatus.Skipped),
            Components = components,
            Metrics = [.. MetricsOf(checks)],
            Conformity = [.. ConformityOf(checks, score)],
            Strengths = [.. StrengthsOf(checks)],
            Attention = [.. AttentionOf(checks)],
            Recommendations = [.. RecommendationsOf(checks)],
            Checks = checks,
        };
    }

    private static IEnumerable<ComponentScore> ComponentsOf(List<CheckResult> checks)
    {
        foreach (var component in Enum.GetValues<StackComponent>())
        {
            var results = checks.FindAll(result => CategoryPlace.Of(result.Category).Component == component);
            if (results.Count == 0 && component == StackComponent.Other)
                continue;
            var score = ValidationScore.Of(results);
            yield return new() { Component = component, Score = score.Value, Status = score.Verdict, Coverage = score.Coverage, Notes = Describe(results) };
        }
    }

    private static IEnumerable<TechnicalMetric> MetricsOf(List<CheckResult> checks)
    {
        yield return Metric("Content", 90, checks, ["content", "notebook", "python"]);
        yield return Metric("Docker configuration", 90, checks, ["engine", "compose"]);
        yield return Metric("Running containers", 100, checks, ["container.running"], byService: true);
        yield return Metric("Healthy services", 100, checks, ["container.health", "service.ready"], byService: true);
        yield return Metric("Authentication", 100, checks, ["auth"]);
        yield return Metric("HTTP connectivity", 90, checks, ["service", "api"]);
    }

    /// <summary>Counts checks, or services: one is faulty where any of its checks failed, and unknown where none could be determined.</summary>
    private static TechnicalMetric Metric(string name, int threshold, List<CheckResult> checks, string[] counted, bool byService = false)
    {
        var subjects = checks
            .Where(result => counted.Contains(result.Id) || counted.Contains(result.Category))
            .GroupBy(result => byService ? new CheckKey("", result.Service) : CheckKey.Of(result))
            .Select(subject => subject.Any(result => result.Status == CheckStatus.Failed) ? CheckStatus.Failed
                : subject.Any(result => result.Status is CheckStatus.Passed or CheckStatus.Warning) ? CheckStatus.Passed
                : CheckStatus.Error)
            .ToList();
        return new()
        {
            Name = name,
            Fine = subjects.Count(status => status == CheckStatus.Passed),
            Faulty = subjects.Count(status => status == CheckStatus.Failed),
            Unknown = subjects.Count(status => status == CheckStatus.Error),
            Threshold = threshold,
        };
    }

    private static IEnumerable<ConformityEntry> ConformityOf(List<CheckResult> checks, ValidationScore whole)
    {
        foreach (var area in Enum.GetValues<ConformityArea>())
        {
            var results = checks.FindAll(result => CategoryPlace.Of(result.Category).Area == area);
            var score = ValidationScore.Of(results);
            var (conformity, notes) = (ConformityOf(score.Verdict), Describe(results));
            if (area == ConformityArea.Validation)
            {
                // What was not determined was not validated; nothing failed by that.
                var covered = whole.Coverage switch
                {
                    >= ValidationScore.FullCoverage => Validation.Conformity.Conforms,
                    >= ValidationScore.LeastCoverage => Validation.Conformity.Partly,
                    _ => Validation.Conformity.Unknown,
                };
                conformity = covered == Validation.Conformity.Unknown || conformity == Validation.Conformity.Unknown ? covered : (Conformity)Math.Max((int)covered, (int)conformity);
                notes = whole.Coverage is { } coverage ? $"{coverage} % of the checks, by weight, could be determined. {(results.Count == 0 ? "" : notes)}".TrimEnd() : notes;
            }

            yield return new() { Area = area, Conformity = conformity, Notes = notes };
        }
    }

    private static Conformity ConformityOf(Verdict verdict) => verdict switch
    {
        Verdict.Sound => Validation.Conformity.Conforms,
        Verdict.Fair => Validation.Conformity.Partly,
        Verdict.Undetermined => Validation.Conformity.Unknown,
        _ => Validation.Conformity.Violated,
    };

    private static IEnumerable<string> StrengthsOf(List<CheckResult> checks)
    {
        foreach (var component in checks.GroupBy(result => CategoryPlace.Of(result.Category).Component).OrderBy(group => group.Key))
        {
            var results = component.ToList();
            if (ValidationScore.Of(results) is { Value: 100, Verdict: Verdict.Sound })
                yield return $"{ReportWords.Of(component.Key)}: {Described(Count(results, CheckStatus.Passed), "check")} passed, none failed.";
        }
    }

    private static IEnumerable<string> AttentionOf(List<CheckResult> checks)
    {
        foreach (var result in ByImportance(checks).Where(result => result.Status is CheckStatus.Failed or CheckStatus.Warning))
            yield return $"{result.Title}{(result.Service is null ? "" : $" ({result.Service})")}: {result.Message}";
        if (Count(checks, CheckStatus.Error) is > 0 and var errors)
            yield return $"{Described(errors, "check")} could not be made: nothing is known there.";
    }

    private static IEnumerable<Recommendation> RecommendationsOf(List<CheckResult> checks) =>
        ByImportance(checks)
            .Where(result => result.Remedy.Length > 0 && result.Status is not (CheckStatus.Passed or CheckStatus.Skipped))
            .GroupBy(result => (Urgency: UrgencyOf(result.Status), result.Remedy))
            .Select(group => new Recommendation(group.Key.Urgency, group.Key.Remedy, [.. group.Select(result => CheckKey.Of(result).ToString())]))
            .OrderBy(recommendation => recommendation.Urgency);

    private static IEnumerable<CheckResult> ByImportance(List<CheckResult> checks) =>
        checks
            .OrderBy(result => UrgencyOf(result.Status))
            .ThenByDescending(result => result.Status == CheckStatus.Failed && ValidationScore.Critical.Contains(result.Id))
            .ThenByDescending(result => result.Weight);

    private static Urgency UrgencyOf(CheckStatus status) => status switch
    {
        CheckStatus.Failed => Urgency.High,
        CheckStatus.Warning => Urgency.Medium,
        _ => Urgency.Low,
    };

    /// <summary>How checks ended, and which of them failed.</summary>
    private static string Describe(List<CheckResult> results)
    {
        if (results.Count == 0)
            return "Nothing was checked.";

        var counts = new (int Count, string Ending)[]
        {
            (Count(results, CheckStatus.Passed), "passed"),
            (Count(results, CheckStatus.Warning), "with a warning"),
            (Count(results, CheckStatus.Failed), "failed"),
            (Count(results, CheckStatus.Error), "not determined"),
            (Count(results, CheckStatus.Skipped), "skipped"),
        };
        var text = $"{string.Join(", ", counts.Where(item => item.Count > 0).Select(item => $"{item.Count} {item.Ending}"))}.";
        var failed = ByImportance(results).Where(result => result.Status == CheckStatus.Failed).Select(result => CheckKey.Of(result).ToString()).ToList();
        if (failed.Count == 0)
            return text;
        return $"{text} Failed: {string.Join(", ", failed.Take(MostNamed))}{(failed.Count > MostNamed ? $" and {failed.Count - MostNamed} more" : "")}.";
    }

    private static string Described(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static int Count(List<CheckResult> results, CheckStatus status) => results.Count(result => result.Status == status);
}
