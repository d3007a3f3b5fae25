namespace ComfyAuth.Comfy;

/// <summary>
/// What a service answered, in three readings that are kept apart: that it answers at all, that it refuses a request without a
/// token, and that it accepts ours. Holds no secret.
/// </summary>
public sealed record ServiceReadings
{
    /// <summary>The service was not asked.</summary>
    public static ServiceReadings None { get; } = new() { Answer = "not asked" };

    /// <summary>
    /// Whether it answers with HTTP, whatever the status; null: not asked, or the question cannot get to it from here, because
    /// its name is not known, there is no way to it, or TLS fails.
    /// </summary>
    public bool? IsLive { get; init; }

    /// <summary>Whether it refuses a request without a token; null: not asked, or it is not meant to, or its answer does not tell.</summary>
    public bool? IsProtected { get; init; }

    /// <summary>
    /// Whether its health path answers 200 to 299, with our token where it asks for one; null: not asked, it cannot be asked from
    /// here, or it asks for a token and none is known.
    /// </summary>
    public bool? IsReady { get; init; }

    /// <summary>The HTTP status without a token; null when there was no answer.</summary>
    public int? Status { get; init; }

    /// <summary>The HTTP status with our token; null when it was not sent, or there was no answer to it.</summary>
    public int? TokenStatus { get; init; }

    /// <summary>
    /// What happened, as a clause for people: <c>401 without a token, 200 with ours</c>, <c>connection refused</c>, <c>the connection
    /// was reset</c>, <c>no answer within 2 s</c>.
    /// </summary>
    public required string Answer { get; init; }
}
