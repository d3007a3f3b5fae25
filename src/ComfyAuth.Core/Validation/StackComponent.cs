namespace ComfyAuth.Validation;

/// <summary>A part of a stack that gets a score of its own.</summary>
public enum StackComponent
{
    /// <summary>The services refuse callers without a token, and take ours.</summary>
    Authentication,

    /// <summary>The Docker engine and the compose files.</summary>
    DockerConfiguration,

    /// <summary>The containers, and the GPU in them.</summary>
    Containers,

    /// <summary>The tokens and <c>.env</c> files that authentication is set up from.</summary>
    AuthenticationConfiguration,

    /// <summary>The services, and the interfaces of others, answer.</summary>
    Connectivity,

    /// <summary>The model files.</summary>
    Models,

    /// <summary>Secrets are nowhere that they should not be, and containers may do no more than they must.</summary>
    SecretsAndHardening,

    /// <summary>Notebooks, documents, and what they need.</summary>
    Content,

    /// <summary>Checks of the stack's own, and those of a category that is not known here.</summary>
    Other,
}
