namespace ComfyAuth.Environments;

/// <summary>One change that restoring would make, for a person to approve. Holds no secret.</summary>
public sealed class PlannedEnvironmentChange : PlannedChange
{
    internal PlannedEnvironmentChange(string target, string action, Action? apply, string? variable = null, bool isAddition = false, bool isDeletion = false)
        : base(target, action)
    {
        Apply = apply;
        Variable = variable;
        IsAddition = isAddition;
        IsDeletion = isDeletion;
    }

    /// <summary>The variable; null where the whole file is meant.</summary>
    public string? Variable { get; }

    internal override string File => Variable is null ? Target : Target[..^(Variable.Length + 1)];

    internal bool IsAddition { get; }

    /// <summary>Whether it deletes an old backup, for which the new one leaves no room.</summary>
    internal bool IsDeletion { get; }

    internal bool IsBackup => Apply is null && !IsDeletion;

    /// <summary>Makes the change in the document in memory; null for the backup and the deletions, which are no change to the document.</summary>
    internal Action? Apply { get; }
}
