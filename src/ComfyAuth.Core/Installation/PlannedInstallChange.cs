namespace ComfyAuth.Installation;

/// <summary>One change that a step of an installation would make, for a person to approve. Holds no secret.</summary>
public sealed class PlannedInstallChange : PlannedChange
{
    internal PlannedInstallChange(string target, string action, Func<InstallContext, CancellationToken, Task> make)
        : base(target, action) =>
        MakeAsync = make;

    /// <summary>Whether a container of the user's that runs is interrupted, so that nobody who only installs should be surprised by it.</summary>
    public bool Interrupts { get; internal init; }

    internal override string? File => null;

    /// <summary>Makes the change. Before each thing that it does to the machine, it writes into the journal how that is undone.</summary>
    internal Func<InstallContext, CancellationToken, Task> MakeAsync { get; }

    /// <summary>Changes that are approved one by one and made all at once, with the last.</summary>
    internal static IReadOnlyList<PlannedInstallChange> Together(IReadOnlyList<(string Target, string Action)> parts, Func<InstallContext, CancellationToken, Task> make, Predicate<string>? interrupts = null) =>
        [.. parts.Select((part, index) => new PlannedInstallChange(part.Target, part.Action, index == parts.Count - 1 ? make : (_, _) => Task.CompletedTask) { Interrupts = interrupts?.Invoke(part.Target) == true })];
}
