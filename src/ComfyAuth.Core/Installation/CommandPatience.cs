namespace ComfyAuth.Installation;

/// <summary>How long a command is waited for.</summary>
/// <param name="Silence">For how long it may say nothing.</param>
/// <param name="Whole">How long it may take altogether, whatever it says.</param>
internal sealed record CommandPatience(TimeSpan Silence, TimeSpan Whole)
{
    /// <summary>How much longer it may be silent, when it just said something.</summary>
    /// <param name="elapsed">How long it has run.</param>
    public TimeSpan Left(TimeSpan elapsed) => TimeSpan.FromTicks(Math.Clamp((Whole - elapsed).Ticks, 0, Silence.Ticks));

    /// <summary>Why it was given up, as the end of a sentence.</summary>
    /// <param name="elapsed">How long it has run.</param>
    public string Why(TimeSpan elapsed) => elapsed < Whole ? $"it said nothing for {Duration.Format(Silence)}" : $"it was not done after {Duration.Format(Whole)}";
}
