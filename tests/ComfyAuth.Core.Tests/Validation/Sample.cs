using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

/// <summary>Results and reports that no run made.</summary>
internal static class Sample
{
    public const string Root = "/stacks/genai";

    public static DateTimeOffset Now { get; } = new(2025, 10, 30, 22, 0, 0, TimeSpan.Zero);

    public static CheckResult Result(string id, CheckStatus status, string? service = null, double weight = 1) => new()
    {
        Stack = Root,
        Id = id,
        Category = id.Split('.')[0],
        Title = $"Title of {id}",
        Service = service,
        Status = status,
        Message = $"Message of {id}.",
        Remedy = status == CheckStatus.Passed ? "" : $"Remedy of {id}.",
        Weight = weight,
        Duration = TimeSpan.FromMilliseconds(12),
    };

    public static ValidationReport Report(params IReadOnlyList<CheckResult> results) => ValidationReport.Of(Root, results, Now, TimeSpan.FromSeconds(3.5), "28.3.2");
}
