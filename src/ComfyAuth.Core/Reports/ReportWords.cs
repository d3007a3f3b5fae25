using System.Globalization;
using ComfyAuth.Validation;

namespace ComfyAuth.Reports;

/// <summary>What the values of a validation report are called where people read them.</summary>
internal static class ReportWords
{
    public static string Of(StackComponent component) => component switch
    {
        StackComponent.DockerConfiguration => "Docker configuration",
        StackComponent.AuthenticationConfiguration => "Authentication configuration",
        StackComponent.SecretsAndHardening => "Secrets and hardening",
        _ => component.ToString(),
    };

    public static string Of(CheckStatus status) => status == CheckStatus.Error ? "Not determined" : status.ToString();

    public static string Of(bool? isMet) => isMet switch { true => "Met", false => "Missed", null => "Not known" };

    public static string Of(Conformity conformity) => conformity == Conformity.Unknown ? "Not known" : conformity.ToString();

    /// <summary>A score or a percentage; a dash where there is none.</summary>
    public static string Number(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "\u2013";

    public static string Percent(int? percent) => percent is null ? "\u2013" : $"{Number(percent)} %";

    /// <summary>A length of time, with as many digits as matter.</summary>
    public static string Time(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
        _ => Duration.Format(time),
    };

    public static string Moment(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd HH:mm:ss K", CultureInfo.InvariantCulture);

    /// <summary>The state of the stack's folder, such as <c>main, 1fd5a0b7c2e4, with changes</c>; null where it is not known.</summary>
    public static string? Revision(ValidationReport report) => report.Commit is not { } commit ? null :
        string.Join(", ", new[] { report.Branch, commit[..Math.Min(commit.Length, 12)], report.Tag is { } tag ? $"behind {tag}" : null, report.HasUncommittedChanges == true ? "with changes" : null }.OfType<string>());

    /// <summary>How much the score has changed since an earlier report, such as <c>+4</c>.</summary>
    public static string Change(int? now, int? before) => now is null || before is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{now - before:+0;-0;\u00B10}");
}
