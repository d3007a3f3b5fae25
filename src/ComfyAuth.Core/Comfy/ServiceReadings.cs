namespace ComfyAuth.Comfy;

/// <summary>
/// What a service answered, in three readings that are kept apart: that it answers at all, that it refuses a request without a
/// token, and that it accepts ours.
/// </summary>
public sealed record ServiceReadings
{
    /// <summary>The service was not asked.</summary>
    public static ServiceReadings None { get; } = new() { Answer = "not asked" };

    /// <summary>Whether it answers with HTTP, whatever the status; null: not asked.</summary>
    public bool? IsLive { get; init; }

    /// <summary>Whether it refuses a request without a token; null: not asked, or it is not meant to, or it does not answer.</summary>
    public bool? IsProtected { get; init; }

    /// <summary>Whether its health path answers 200, with our token where it asks for one; null: not asked, or no token is known.</summary>
    public bool? IsReady { get; init; }

    /// <summary>The HTTP status without a token; null when there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>The HTTP status with our token; null when it was not sent.</summary>
    public int? TokenStatus { get; init; }

    /// <summary>What happened, as a clause: <c>401</c>, <c>connection refused</c>, <c>the connection was reset</c>, <c>no answer within 2 s</c>.</summary>
    public required string Answer { get; init; }
}
