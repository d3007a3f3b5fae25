using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace ComfyAuth.Emulator.Engine;

/// <summary>Values of a query, as the engine reads them.</summary>
internal static class EngineQuery
{
    /// <summary>Everything but a few words is true.</summary>
    public static bool IsTrue(StringValues value) => value.ToString().Trim().ToLowerInvariant() is not ("" or "0" or "no" or "false" or "none");

    /// <summary>A moment in seconds since 1970, with a fraction; null: none was given.</summary>
    public static DateTimeOffset? Moment(StringValues value)
    {
        if (value.ToString() is not { Length: > 0 } text || text == "0")
            return null;
        return decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < 253402300800m
            ? DateTimeOffset.UnixEpoch.AddTicks((long)(seconds * TimeSpan.TicksPerSecond))
            : throw EngineError.NotEmulated($"the time '{text}'");
    }
}
