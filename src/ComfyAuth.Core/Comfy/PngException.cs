namespace ComfyAuth.Comfy;

/// <summary>A PNG cannot be decoded.</summary>
/// <param name="why">As a clause.</param>
/// <param name="innerException">The cause, if another exception was.</param>
internal sealed class PngException(string why, Exception? innerException = null) : Exception(why, innerException)
{
    /// <summary>Whether it may be a picture, and is only too large to be looked at.</summary>
    public bool IsTooLarge { get; init; }
}
