namespace ComfyAuth.Stacks;

/// <summary>An API outside the stack that its notebooks call with a key.</summary>
public sealed record ExternalApi
{
    /// <summary>Its name, unique in the stack.</summary>
    public required string Name { get; init; }

    /// <summary>Where it is: <c>https</c>, or <c>http</c> on this machine. The key is sent nowhere else.</summary>
    public required Uri Url { get; init; }

    /// <summary>The path of an endpoint that costs nothing and refuses a key that is not valid.</summary>
    public required string Path { get; init; }

    /// <summary>The variable that holds the key.</summary>
    public required string Variable { get; init; }

    /// <summary>The <c>.env</c> file that the variable stands in, relative to the stack's root; null for that of the content.</summary>
    public string? File { get; init; }
}
