using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth;

/// <summary>Lengths of time as people write and read them.</summary>
public static partial class Duration
{
    // Less than a timer of .NET can count, and more than anybody waits.
    private const double LongestInSeconds = 30 * 86400;

    /// <summary>Reads a length of time: seconds, units as Docker writes them, or days, hours, minutes and seconds.</summary>
    /// <param name="text">Such as <c>90</c>, <c>1.5</c>, <c>90s</c>, <c>1h30m</c>, <c>00:10:00</c> or <c>1.00:00:00</c>.</param>
    /// <param name="duration">The length of time, from nothing to 30 days.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        var seconds = SecondsIn(text?.Trim() ?? "");

        // Also false for what is no number.
        var fits = seconds is >= 0 and <= LongestInSeconds;
        duration = fits ? TimeSpan.FromSeconds(seconds) : default;
        return fits;
    }

    /// <summary>Why a text is refused, and what to write.</summary>
    /// <param name="text">What <see cref="TryParse"/> said no to.</param>
    public static string Refusal(string? text) =>
        $"'{text}' is no length of time from nothing to 30 days. Give a number of seconds, or write it like 90s, 10m, 1h30m or 00:10:00.";

    /// <summary>Writes a length of time in whole units, of the largest one that it fills twice, such as <c>15m</c> or <c>100s</c>.</summary>
    /// <param name="duration">The length of time.</param>
    public static string Format(TimeSpan duration)
    {
        // Of a unit that is filled once only, up to a half of the time would go untold.
        var (amount, unit) = duration switch
        {
            { TotalDays: >= 2 } => (duration.TotalDays, 'd'),
            { TotalHours: >= 2 } => (duration.TotalHours, 'h'),
            { TotalMinutes: >= 2 } => (duration.TotalMinutes, 'm'),
            _ => (Math.Max(0, duration.TotalSeconds), 's'),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{(long)amount}{unit}");
    }

    private static double SecondsIn(string text)
    {
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return seconds;

        // With one colon only, nobody knows what of it are minutes.
        if (text.Count(character => character == ':') == 2 && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var time))
            return time.TotalSeconds;

        var match = WithUnits().Match(text);
        return match.Success ? match.Groups["amount"].Captures.Zip(match.Groups["unit"].Captures, Seconds).Sum() : double.NaN;
    }

    private static double Seconds(Capture amount, Capture unit) =>
        double.Parse(amount.ValueSpan, CultureInfo.InvariantCulture) * unit.Value switch { "ms" => 1e-3, "s" => 1, "m" => 60, "h" => 3600, _ => 86400 };

    [GeneratedRegex(@"\A((?<amount>[0-9]{1,9}(\.[0-9]{1,9})?)(?<unit>ms|s|m|h|d))+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex WithUnits();
}
