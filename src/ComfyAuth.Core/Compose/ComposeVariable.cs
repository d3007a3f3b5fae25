namespace ComfyAuth.Compose;

/// <summary>One variable that a container gets. Only <see cref="Reveal"/> gives its value, which may be a secret.</summary>
public sealed class ComposeVariable
{
    private readonly string? _value;

    internal ComposeVariable(string name, string? value, ComposeVariableOrigin origin, ComposePlace place)
    {
        Name = name;
        _value = value;
        Origin = origin;
        Place = place;
    }

    /// <summary>The variable's name.</summary>
    public string Name { get; }

    /// <summary>Where its value comes from.</summary>
    public ComposeVariableOrigin Origin { get; }

    /// <summary>Where it is written: in a compose file, or in the <c>env_file</c> that gives it.</summary>
    public ComposePlace Place { get; }

    /// <summary>Whether its value lost something that is taken for a variable which is not defined, or could not be made out.</summary>
    public bool IsSpoiled { get; internal init; }

    /// <summary>Whether it has a value; without one, the image's own value stays.</summary>
    public bool HasValue => _value is not null;

    /// <summary>The value as the container gets it; null when it has none. May be a secret.</summary>
    public string? Reveal() => _value;

    /// <summary>The name, the origin and the place; not the value.</summary>
    public override string ToString() => $"{Name} ({Origin}, {Place})";
}
