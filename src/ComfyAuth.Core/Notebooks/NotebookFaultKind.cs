namespace ComfyAuth.Notebooks;

/// <summary>What is wrong with a notebook.</summary>
internal enum NotebookFaultKind
{
    /// <summary>It begins with a byte order mark, or is not UTF-8.</summary>
    Encoding,

    /// <summary>It is not JSON.</summary>
    Json,

    /// <summary>It is not built as format 4 of nbformat asks for.</summary>
    Format,

    /// <summary>It is built in a way that later programs will refuse.</summary>
    FormatNote,

    /// <summary>It holds a secret.</summary>
    Secret,

    /// <summary>It holds what may be a secret.</summary>
    SecretLook,

    /// <summary>It could not be read.</summary>
    Unreadable,
}
