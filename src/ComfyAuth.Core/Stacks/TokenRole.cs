namespace ComfyAuth.Stacks;

/// <summary>Which part of a ComfyUI-Login credential a location holds.</summary>
public enum TokenRole
{
    /// <summary>The bcrypt hash: what API calls send as bearer token.</summary>
    Hash,

    /// <summary>The password that the hash is of: what a person types at the web login.</summary>
    Password,

    /// <summary>The user name; ComfyUI-Login stores it but never compares it.</summary>
    UserName,
}
