namespace ComfyAuth.Environments;

/// <summary>One change that restoring would make, for a person to approve. Holds no secret.</summary>
public sealed class PlannedEnvironmentChange
{
    internal PlannedEnvironmentChange(string target, string action, Action? apply, string? variable = null, bool isAddition = false)
    {
        Target = target;
        Action = action;
        Apply = apply;
        Variable = variable;
        IsAddition = isAddition;
    }

    /// <summary>The file's full path, with <c>#VARIABLE</c> where the change is to one.</summary>
    public string Target { get; }

    /// <summary>What would be done to it, in a few words.</summary>
    public string Action { get; }

    /// <summary>The variable; null where the whole file is meant.</summary>
    public string? Variable { get; }

    internal bool IsAddition { get; }

    /// <summary>Makes the change in the document in memory; null for the backup, which is no change to the document.</summary>
    internal Action? Apply { get; }
}
