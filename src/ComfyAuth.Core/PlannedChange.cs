namespace ComfyAuth;

/// <summary>One change that an operation would make, for a person to approve. Holds no secret.</summary>
public abstract class PlannedChange
{
    private protected PlannedChange(string target, string action)
    {
        Target = target;
        Action = action;
    }

    /// <summary>What would be changed: a file's full path, with <c>#VARIABLE</c> where the change is to one, or the name of a container.</summary>
    public string Target { get; }

    /// <summary>What would be done to it, in a few words.</summary>
    public string Action { get; }

    /// <summary>The full path of the file that would be changed; null where it is no file.</summary>
    internal virtual string? File => Target;
}
