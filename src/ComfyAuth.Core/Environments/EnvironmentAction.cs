namespace ComfyAuth.Environments;

/// <summary>What restoring did to a <c>.env</c> file.</summary>
public enum EnvironmentAction
{
    /// <summary>Nothing: it was right already.</summary>
    None,

    /// <summary>The file did not exist and was made.</summary>
    Created,

    /// <summary>Variables were added or set.</summary>
    Updated,

    /// <summary>The bytes of a backup were put back.</summary>
    RestoredFromBackup,

    /// <summary>The user declined every change.</summary>
    Declined,
}
