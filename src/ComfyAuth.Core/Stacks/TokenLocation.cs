using ComfyAuth.DotEnv;

namespace ComfyAuth.Stacks;

/// <summary>One place of a stack that feeds a ComfyUI-Login credential to somebody.</summary>
public sealed record TokenLocation
{
    /// <summary>The file, relative to the stack's root.</summary>
    public required string Path { get; init; }

    /// <summary>How the file carries the value.</summary>
    public required TokenFormat Format { get; init; }

    /// <summary>The variable, where <see cref="Format"/> is <see cref="TokenFormat.DotEnv"/>; null otherwise.</summary>
    public string? Variable { get; init; }

    /// <summary>Which part of the credential stands here.</summary>
    public TokenRole Role { get; init; }

    /// <summary>When the value must be there.</summary>
    public TokenPresence Presence { get; init; }

    /// <summary>Who reads a <c>.env</c> file: the value must come out right for every one of them.</summary>
    public DotEnvConsumer Consumers { get; init; } = DefaultConsumers;

    /// <summary>Both generations of Compose: the original stack was started with either.</summary>
    public const DotEnvConsumer DefaultConsumers = DotEnvConsumer.ComposeV2 | DotEnvConsumer.ComposeV1;

    /// <summary>The place as a person would name it: <c>path</c>, or <c>path#VARIABLE</c>.</summary>
    public string DisplayName => Variable is null ? Path : $"{Path}#{Variable}";
}
