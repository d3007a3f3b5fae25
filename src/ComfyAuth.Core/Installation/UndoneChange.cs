namespace ComfyAuth.Installation;

/// <summary>What became of one thing that an installation had made.</summary>
public sealed record UndoneChange
{
    /// <summary>The root of the stack.</summary>
    public required string Stack { get; init; }

    /// <summary>What it is: a file, folder, container, image, network, volume, custom node or model.</summary>
    public required string Kind { get; init; }

    /// <summary>Its path or name.</summary>
    public required string Target { get; init; }

    /// <summary>What became of it.</summary>
    public required UndoOutcome Outcome { get; init; }

    /// <summary>Why, where it was kept or could not be taken back; empty else.</summary>
    public string Message { get; init; } = "";

    /// <summary>What to do about it; empty where nothing need be done.</summary>
    public string Remedy { get; init; } = "";

    /// <inheritdoc/>
    public override string ToString() => Message.Length > 0 ? $"{Kind} {Target}: {Message}" : $"{Kind} {Target}";
}
