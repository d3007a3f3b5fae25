namespace ComfyAuth.DotEnv;

/// <summary>What one program makes of one key of a <c>.env</c> file.</summary>
public sealed record DotEnvReading
{
    /// <summary>The key.</summary>
    public required string Name { get; init; }

    /// <summary>The program whose view this is.</summary>
    public required DotEnvConsumer Consumer { get; init; }

    /// <summary>
    /// The value that the key's own line gives; null when the line fails, or inherits from an environment that has no
    /// such variable. With <see cref="Failure"/> set, the program never gets as far as passing it on. May hold a secret.
    /// </summary>
    public string? Value { get; init; }

    /// <summary>1-based line on which the key stands.</summary>
    public required int Line { get; init; }

    /// <summary>1-based column of the key, in UTF-16 code units.</summary>
    public required int Column { get; init; }

    /// <summary>Whether the value comes from the program's environment because the line is the key alone.</summary>
    public bool IsInherited { get; init; }

    /// <summary>The pieces of the value that interpolation replaced by nothing.</summary>
    public IReadOnlyList<DroppedRun> Dropped { get; init; } = [];

    /// <summary>
    /// Why the program would not pass the value on: it refuses the file, skips the line or takes it for something else.
    /// A clause without the value and without a full stop; null when the value is passed on.
    /// </summary>
    public string? Failure { get; init; }

    /// <summary>1-based line of the cause of <see cref="Failure"/>, which may be another line than the key's; null without one.</summary>
    public int? FailureLine { get; init; }

    /// <summary>The key, the program and the outcome; not the value, which may be a secret.</summary>
    public override string ToString() => Failure is null
        ? $"{Name} for {Consumer} at {Line}:{Column}: {(Value is null ? "no value" : $"{Value.Length} characters")}"
        : $"{Name} for {Consumer} at {Line}:{Column}: {Failure}";
}
