namespace ComfyAuth.Validation;

/// <summary>A row of the conformity matrix.</summary>
public enum ConformityArea
{
    /// <summary>What belongs to the stack for people to read is there and can be read.</summary>
    Documentation,

    /// <summary>It could be determined how the stack is, and which state of it was looked at.</summary>
    Validation,

    /// <summary>Engine, containers, services, models and their configuration are as they should be.</summary>
    Architecture,

    /// <summary>Authentication, tokens, secrets and hardening are as they should be.</summary>
    Security,
}
