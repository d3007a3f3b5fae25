using ComfyAuth.DotEnv;

namespace ComfyAuth.Stacks;

/// <summary>The <c>.env</c> file of a service.</summary>
public sealed record EnvironmentFile
{
    /// <summary>The file, relative to the stack's root.</summary>
    public required string Path { get; init; }

    /// <summary>The template, relative to the stack's root; the built-in template serves where it does not exist.</summary>
    public string? Template { get; init; }

    /// <summary>Variables that must be there and not empty.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Who reads the file.</summary>
    public DotEnvConsumer Consumers { get; init; } = TokenLocation.DefaultConsumers;
}
