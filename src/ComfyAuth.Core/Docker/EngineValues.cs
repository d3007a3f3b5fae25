using System.Globalization;

namespace ComfyAuth.Docker;

/// <summary>Reads the engine's values. What it does not know it says so, and goes on.</summary>
internal static class EngineValues
{
    private const long NanosecondsPerTick = 100;

    /// <summary>A time; null for the zero time, with which the engine says "never".</summary>
    public static DateTimeOffset? Time(string? text) =>
        DateTimeOffset.TryParse(TrimFraction(text), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) && time.Year > 1
            ? time
            : null;

    public static DateTimeOffset UnixTime(long seconds, long nanoseconds = 0)
    {
        // The range of DateTimeOffset, so that no answer can throw.
        const long max = 253402300799;
        return nanoseconds > 0
            ? DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / NanosecondsPerTick)
            : DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, max));
    }

    public static TimeSpan Duration(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / NanosecondsPerTick);

    public static long Nanoseconds(TimeSpan duration) => checked(duration.Ticks * NanosecondsPerTick);

    /// <summary>What an array holds; nothing where it is missing, and without the nulls that no engine sends.</summary>
    public static IEnumerable<T> Items<T>(T?[]? array)
        where T : class =>
        (array ?? []).OfType<T>();

    public static ContainerState State(string? text) =>
        Enum.TryParse<ContainerState>(text, ignoreCase: true, out var state) && Enum.IsDefined(state) ? state : ContainerState.Unknown;

    public static ContainerHealthStatus Health(string? text) =>
        Enum.TryParse<ContainerHealthStatus>(text, ignoreCase: true, out var health) && Enum.IsDefined(health) ? health : ContainerHealthStatus.None;

    public static ContainerHealthcheck? Healthcheck(HealthcheckAnswer? answer)
    {
        if (Items(answer?.Test).ToList() is not { Count: > 0 } test)
            return null;

        var defaults = new ContainerHealthcheck { Test = test };
        return defaults with
        {
            Interval = Or(answer!.Interval, defaults.Interval),
            Timeout = Or(answer!.Timeout, defaults.Timeout),
            StartPeriod = Or(answer!.StartPeriod, defaults.StartPeriod),
            StartInterval = Or(answer!.StartInterval, defaults.StartInterval),
            Retries = answer!.Retries is > 0 and var retries ? retries : defaults.Retries,
        };

        // Zero is how the engine says "the default".
        static TimeSpan Or(long? nanoseconds, TimeSpan fallback) => nanoseconds is > 0 and var set ? Duration(set) : fallback;
    }

    public static ContainerVariable Variable(string entry)
    {
        var equals = entry.IndexOf('=', StringComparison.Ordinal);
        return equals < 0 ? new(entry, null) : new(entry[..equals], entry[(equals + 1)..]);
    }

    public static IReadOnlyList<ContainerPort> Ports(Dictionary<string, PortBindingAnswer[]?>? bindings) =>
    [
        .. (bindings ?? []).SelectMany(binding =>
        {
            var slash = binding.Key.IndexOf('/', StringComparison.Ordinal);
            var (port, protocol) = slash < 0 ? (binding.Key, "tcp") : (binding.Key[..slash], binding.Key[(slash + 1)..]);
            _ = int.TryParse(port, CultureInfo.InvariantCulture, out var privatePort);
            return binding.Value is { Length: > 0 } hosts
                ? Items(hosts).Select(host => new ContainerPort(privatePort, protocol, host.HostIp ?? "", int.TryParse(host.HostPort, CultureInfo.InvariantCulture, out var publicPort) ? publicPort : null))
                : [new ContainerPort(privatePort, protocol, "", null)];
        }),
    ];

    // Nine digits of a second are more than .NET reads.
    private static string? TrimFraction(string? text)
    {
        var dot = text?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        if (text is null || dot < 0)
            return text;

        var end = dot + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
            end++;
        return end - dot > 8 ? string.Concat(text.AsSpan(0, dot + 8), text.AsSpan(end)) : text;
    }
}
