namespace ComfyAuth.Tokens;

/// <summary>What synchronising did at one place.</summary>
public enum TokenAction
{
    /// <summary>Nothing: it was right, or nothing could be done.</summary>
    None,

    /// <summary>The value was added, with the file where that was missing.</summary>
    Added,

    /// <summary>The value was replaced.</summary>
    Updated,

    /// <summary>The value was right; the file was closed to everybody but its owner.</summary>
    Protected,

    /// <summary>The user declined the change.</summary>
    Declined,
}
