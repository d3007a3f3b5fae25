using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>Every text of a validation report.</summary>
internal static class ValidationReportTexts
{
    /// <summary>The report with each text replaced.</summary>
    /// <exception cref="InvalidDataException">Something is missing that a report has, as in a file that was edited.</exception>
    public static ValidationReport Map(ValidationReport report, Func<string, string> change) => report with
    {
        Stack = change(Present(report.Stack)),
        ModuleVersion = change(Present(report.ModuleVersion)),
        EngineVersion = report.EngineVersion is { } engine ? change(engine) : null,
        Commit = report.Commit is { } commit ? change(commit) : null,
        Tag = report.Tag is { } tag ? change(tag) : null,
        Branch = report.Branch is { } branch ? change(branch) : null,
        VerdictReason = change(Present(report.VerdictReason)),
        Components = Each(report.Components, component => component with { Notes = change(Present(component.Notes)) }),
        Metrics = Each(report.Metrics, metric => metric with { Name = change(Present(metric.Name)) }),
        Conformity = Each(report.Conformity, entry => entry with { Notes = change(Present(entry.Notes)) }),
        Strengths = Each(report.Strengths, change),
        Attention = Each(report.Attention, change),
        Recommendations = Each(report.Recommendations, each => each with { Text = change(Present(each.Text)), Locations = Each(each.Locations, change) }),
        Baseline = report.Baseline is not { } baseline ? null : baseline with
        {
            Stack = change(Present(baseline.Stack)),
            NewFailures = Each(baseline.NewFailures, change),
            Fixed = Each(baseline.Fixed, change),
            StillFailing = Each(baseline.StillFailing, change),
            NoLongerChecked = Each(baseline.NoLongerChecked, change),
        },
        Checks = Each(report.Checks, result => result with
        {
            Stack = change(Present(result.Stack)),
            Id = change(Present(result.Id)),
            Category = change(Present(result.Category)),
            Title = change(Present(result.Title)),
            Service = result.Service is { } service ? change(service) : null,
            Message = change(Present(result.Message)),
            Evidence = Each(result.Evidence, change),
            Remedy = change(Present(result.Remedy)),
            Guidance = Each(result.Guidance, change),
        }),
    };

    private static IReadOnlyList<T> Each<T>(IReadOnlyList<T>? items, Func<T, T> change) => [.. Present(items).Select(item => change(Present(item)))];

    private static T Present<T>(T? value) => value ?? throw new InvalidDataException("It holds null where a report has a value.");
}
