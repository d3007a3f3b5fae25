using System.Globalization;
using System.Text.RegularExpressions;

namespace ComfyAuth;

/// <summary>Lengths of time as people write and read them.</summary>
public static partial class Duration
{
    /// <summary>How a length of time is written, for messages that refuse one.</summary>
    public const string Form = "a number of seconds, or like 90s, 10m, 1h30m or 00:10:00";

    // What a timer of .NET can count, and more than anybody waits.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>Reads a length of time: seconds, units as Docker writes them, or hours, minutes and seconds.</summary>
    /// <param name="text">Such as <c>90</c>, <c>1.5</c>, <c>90s</c>, <c>1h30m</c>, <c>00:10:00</c> or <c>1.00:00:00</c>.</param>
    /// <param name="duration">The length of time, from nothing to 30 days.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        text = text?.Trim() ?? "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
            return TryFromSeconds(seconds, out duration);
        if (TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out duration))
            return IsWaitable(duration);

        var match = WithUnits().Match(text);
        if (!match.Success)
            return false;
        seconds = match.Groups["amount"].Captures.Zip(
            match.Groups["unit"].Captures,
            (amount, unit) => double.Parse(amount.ValueSpan, CultureInfo.InvariantCulture) * unit.Value switch { "ms" => 1e-3, "s" => 1, "m" => 60, "h" => 3600, _ => 86400 }).Sum();
        return TryFromSeconds(seconds, out duration);
    }

    /// <summary>Takes a number for seconds.</summary>
    /// <param name="seconds">How many.</param>
    /// <param name="duration">The length of time, from nothing to 30 days.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryFromSeconds(double seconds, out TimeSpan duration)
    {
        // Also false for what is no number.
        var fits = seconds >= 0 && seconds <= Longest.TotalSeconds;
        duration = fits ? TimeSpan.FromSeconds(seconds) : default;
        return fits;
    }

    /// <summary>Whether somebody may wait so long: from nothing to 30 days.</summary>
    /// <param name="duration">The length of time.</param>
    public static bool IsWaitable(TimeSpan duration) => duration >= TimeSpan.Zero && duration <= Longest;

    /// <summary>Writes a length of time in the largest unit that it fills, such as <c>15m</c>.</summary>
    /// <param name="duration">The length of time.</param>
    public static string Format(TimeSpan duration) => duration switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)duration.TotalDays}d"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)duration.TotalHours}h"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(long)duration.TotalMinutes}m"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (long)duration.TotalSeconds)}s"),
    };

    [GeneratedRegex(@"\A((?<amount>[0-9]{1,9}(\.[0-9]{1,9})?)(?<unit>ms|s|m|h|d))+\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex WithUnits();
}
