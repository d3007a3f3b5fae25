namespace ComfyAuth.Stacks;

/// <summary>How a service asks its callers who they are.</summary>
public enum AuthKind
{
    /// <summary>It does not ask.</summary>
    None,

    /// <summary>ComfyUI-Login: the bearer token is the bcrypt hash of the web password.</summary>
    ComfyUILogin,

    /// <summary>An API key sent as bearer token.</summary>
    Bearer,
}
