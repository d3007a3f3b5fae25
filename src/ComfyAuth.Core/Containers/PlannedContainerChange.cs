namespace ComfyAuth.Containers;

/// <summary>One change to a container, for a person to approve. Holds no secret.</summary>
public sealed class PlannedContainerChange : PlannedChange
{
    internal PlannedContainerChange(string container, ContainerChangeAction kind, string action)
        : base(container, action) =>
        Kind = kind;

    /// <summary>What would be done.</summary>
    public ContainerChangeAction Kind { get; }

    internal override string? File => null;
}
