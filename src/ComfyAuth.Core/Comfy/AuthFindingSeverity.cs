namespace ComfyAuth.Comfy;

/// <summary>What an attacker gains by a weakness.</summary>
public enum AuthFindingSeverity
{
    /// <summary>Nothing by itself.</summary>
    Info,

    /// <summary>Little, or only together with something else.</summary>
    Low,

    /// <summary>A secret or a part of the service, if something else helps.</summary>
    Medium,

    /// <summary>A part of the service at once, or everything to those on the same network.</summary>
    High,

    /// <summary>The whole service, at once.</summary>
    Critical,
}
