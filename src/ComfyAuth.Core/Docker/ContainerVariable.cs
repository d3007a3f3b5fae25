namespace ComfyAuth.Docker;

/// <summary>An environment variable of a container. Only <see cref="Reveal"/> gives its value.</summary>
/// <param name="name">The name.</param>
/// <param name="value">The value; null when the entry has no <c>=</c>.</param>
public sealed class ContainerVariable(string name, string? value)
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;

    /// <summary>The value; null when the entry has no <c>=</c>.</summary>
    public string? Reveal() => value;

    /// <summary>The name alone.</summary>
    public override string ToString() => Name;
}
