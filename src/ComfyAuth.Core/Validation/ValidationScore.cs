namespace ComfyAuth.Validation;

/// <summary>A score out of results, and what is to be thought of it. The rules, with an example, are in docs/scoring.md.</summary>
/// <param name="Value">From 0 to 100, where 100 means that everything that could be determined passed; null where nothing could.</param>
/// <param name="Coverage">How much, by weight, could be determined, in percent, rounded down; null where there is nothing.</param>
/// <param name="Verdict">What is to be thought of it.</param>
/// <param name="Reason">Why the verdict is not better, as a sentence.</param>
public sealed record ValidationScore(int? Value, int? Coverage, Verdict Verdict, string Reason)
{
    /// <summary>The coverage, in percent, below which nothing is called sound.</summary>
    public const int FullCoverage = 90;

    /// <summary>The coverage, in percent, below which nothing is called anything.</summary>
    public const int LeastCoverage = 50;

    /// <summary>The heaviest that one check counts.</summary>
    public const double HeaviestWeight = 1000;

    private const int SoundScore = 90;
    private const int FairScore = 75;
    private const int PoorScore = 50;

    // Sums of weights such as 0.1 fall short of a whole percent by less than this.
    private const double Rounding = 1e-9;

    /// <summary>The ids of the checks whose failure nothing makes up for: they find a service open to anybody who reaches it.</summary>
    public static IReadOnlyList<string> Critical { get; } = ["auth.api.protected", "auth.api.wrongtoken"];

    /// <summary>How much a component counts in the score of the whole.</summary>
    /// <param name="component">The component.</param>
    public static int WeightOf(StackComponent component) => component switch
    {
        StackComponent.Authentication => 3,
        StackComponent.Models or StackComponent.Content or StackComponent.Other => 1,
        _ => 2,
    };

    /// <summary>The score of results by their own weights, as that of a component is.</summary>
    /// <param name="results">The results.</param>
    public static ValidationScore Of(IReadOnlyCollection<CheckResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var (earned, determined, all) = Sums(results);
        return Of(earned, determined, determined, all, results);
    }

    /// <summary>The score of a whole stack: that of its components, by their weights.</summary>
    /// <param name="results">The results.</param>
    public static ValidationScore OfStack(IReadOnlyCollection<CheckResult> results)
    {
        ArgumentNullException.ThrowIfNull(results);
        var (earned, determined, covered, all) = (0.0, 0.0, 0.0, 0.0);
        foreach (var component in results.GroupBy(result => CategoryPlace.Of(result.Category).Component))
        {
            var weight = WeightOf(component.Key);
            var sums = Sums(component);
            if (sums.All > 0)
            {
                covered += weight * sums.Determined / sums.All;
                all += weight;
            }

            if (sums.Determined > 0)
            {
                earned += weight * sums.Earned / sums.Determined;
                determined += weight;
            }
        }

        return Of(earned, determined, covered, all, results);
    }

    /// <summary>A weight that can be counted with: 0 for what is none.</summary>
    internal static double WeightOf(CheckResult result) => double.IsFinite(result.Weight) ? Math.Clamp(result.Weight, 0, HeaviestWeight) : 0;

    private static (double Earned, double Determined, double All) Sums(IEnumerable<CheckResult> results)
    {
        var (earned, determined, all) = (0.0, 0.0, 0.0);
        foreach (var result in results)
        {
            var weight = WeightOf(result);
            all += weight;
            if (result.Status is CheckStatus.Error or CheckStatus.Skipped)
                continue;
            determined += weight;
            earned += result.Status switch { CheckStatus.Passed => weight, CheckStatus.Warning => weight / 2, _ => 0 };
        }

        return (earned, determined, all);
    }

    private static ValidationScore Of(double earned, double determined, double covered, double all, IReadOnlyCollection<CheckResult> results)
    {
        int? value = determined > 0 ? Percent(earned, determined) : null;
        int? coverage = all > 0 ? Percent(covered, all) : null;
        var (verdict, reason) = Judge(value, coverage ?? 0, results);
        return new(value, coverage, verdict, reason);
    }

    private static int Percent(double part, double whole) => (int)Math.Floor((100 * part / whole) + Rounding);

    private static (Verdict Verdict, string Reason) Judge(int? score, int coverage, IReadOnlyCollection<CheckResult> results)
    {
        var failed = results.Count(result => result.Status == CheckStatus.Failed);
        var critical = results.Where(result => result.Status == CheckStatus.Failed && Critical.Contains(result.Id)).Select(result => CheckKey.Of(result).ToString()).Distinct().ToList();
        if (critical.Count > 0)
            return (Verdict.Critical, $"Nothing makes up for what failed here: {string.Join(", ", critical)}.");
        if (score is null)
            return (Verdict.Undetermined, results.Count == 0 ? "Nothing was checked." : "Nothing could be determined.");
        if (coverage < LeastCoverage)
            return (Verdict.Undetermined, $"Only {coverage} % could be determined.");
        if (score < PoorScore)
            return (Verdict.Critical, $"The score is below {PoorScore}.");
        if (score < FairScore)
            return (Verdict.Poor, $"The score is below {FairScore}.");
        if (score < SoundScore)
            return (Verdict.Fair, $"The score is below {SoundScore}.");
        if (failed > 0)
            return (Verdict.Fair, failed == 1 ? "A check failed." : $"{failed} checks failed.");
        if (coverage < FullCoverage)
            return (Verdict.Fair, $"Only {coverage} % could be determined.");
        return (Verdict.Sound, "Nothing failed.");
    }
}
