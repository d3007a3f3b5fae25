namespace ComfyAuth.Stacks;

/// <summary>The Python packages that the notebooks of a stack need, and where they are installed.</summary>
public sealed record PythonDefinition
{
    /// <summary>The packages, each with the lowest version that will do (PEP 440).</summary>
    public required IReadOnlyDictionary<string, string> Packages { get; init; }

    /// <summary>A virtual environment, relative to the stack's root; null for <c>.venv</c> where there is one, else the Python of this machine.</summary>
    public string? Environment { get; init; }

    /// <summary>The service in whose container they are installed; null when they are on this machine.</summary>
    public string? Service { get; init; }
}
