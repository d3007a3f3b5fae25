namespace ComfyAuth.Tokens;

/// <summary>Whether ComfyUI-Login lets in guests, who have no password.</summary>
public enum GuestModeState
{
    /// <summary>It lets in nobody without the password or the token.</summary>
    Off,

    /// <summary>Whoever asks is a guest: reads everything, queues prompts and uploads pictures.</summary>
    On,
}
