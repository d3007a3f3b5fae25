namespace ComfyAuth.Tokens;

/// <summary>One change that synchronising would make, for a person to approve. Holds no secret.</summary>
public sealed class PlannedTokenChange : PlannedChange
{
    internal PlannedTokenChange(TokenObservation observation, TokenReading? reading, CredentialPlan credential, TokenAction kind, string action)
        : base(reading?.Location.Variable is { } variable ? $"{observation.Path}#{variable}" : observation.Path, action)
    {
        Observation = observation;
        Reading = reading;
        Credential = credential;
        Kind = kind;
    }

    /// <summary>What was seen there.</summary>
    public TokenObservation Observation { get; }

    /// <summary>Whether the value is added, updated, or only protected.</summary>
    public TokenAction Kind { get; }

    internal override string File => Observation.Path;

    /// <summary>Null for the source of truth.</summary>
    internal TokenReading? Reading { get; }

    internal CredentialPlan Credential { get; }
}
