namespace ComfyAuth.Stacks;

/// <summary>When a location must hold the credential; it is compared whenever it does.</summary>
public enum TokenPresence
{
    /// <summary>Always: a missing file or variable is a fault, and synchronising makes it.</summary>
    Always,

    /// <summary>Only where the file exists: then a missing variable is a fault.</summary>
    WhenFileExists,

    /// <summary>Never: it is looked at only where it already stands.</summary>
    WhenPresent,
}
