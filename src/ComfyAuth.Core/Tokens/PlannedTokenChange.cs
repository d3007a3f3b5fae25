namespace ComfyAuth.Tokens;

/// <summary>One change that synchronising would make, for a person to approve. Holds no secret.</summary>
public sealed class PlannedTokenChange
{
    internal PlannedTokenChange(TokenObservation observation, TokenReading? reading, CredentialPlan credential, TokenAction kind, string action)
    {
        Observation = observation;
        Reading = reading;
        Credential = credential;
        Kind = kind;
        Action = action;
    }

    /// <summary>The place: the file's full path, with <c>#VARIABLE</c> where it is one.</summary>
    public string Target => Reading?.Location.Variable is { } variable ? $"{Observation.Path}#{variable}" : Observation.Path;

    /// <summary>What would be done to it, in a few words.</summary>
    public string Action { get; }

    /// <summary>What was seen there.</summary>
    public TokenObservation Observation { get; }

    /// <summary>Whether the value is added, updated, or only protected.</summary>
    public TokenAction Kind { get; }

    /// <summary>Null for the source of truth.</summary>
    internal TokenReading? Reading { get; }

    internal CredentialPlan Credential { get; }
}
