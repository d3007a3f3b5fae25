namespace ComfyAuth.Compose;

/// <summary>A rule that compose files are held against.</summary>
public sealed class ComposeRule
{
    private readonly Func<ComposeLintContext, IEnumerable<ComposeFault>> _check;

    internal ComposeRule(string id, FindingSeverity severity, string why, string fix, Func<ComposeLintContext, IEnumerable<ComposeFault>> check)
    {
        Id = id;
        Severity = severity;
        Why = why;
        Fix = fix;
        _check = check;
    }

    internal ComposeRule(string id, FindingSeverity severity, string why, string fix, Func<ComposeLintContext, ComposeService, IEnumerable<ComposeFault>> check)
        : this(id, severity, why, fix, context => context.Services.SelectMany(service => check(context, service).Select(fault => fault with { Service = service.Name })))
    {
    }

    /// <summary>Its stable name.</summary>
    public string Id { get; }

    /// <summary>How much its findings matter.</summary>
    public FindingSeverity Severity { get; }

    /// <summary>What happens where it is broken, as a sentence.</summary>
    public string Why { get; }

    /// <summary>What to do about it, as a sentence.</summary>
    public string Fix { get; }

    internal IEnumerable<ComposeFinding> Run(ComposeLintContext context) => _check(context).Select(fault => new ComposeFinding
    {
        RuleId = Id,
        Severity = Severity,
        Service = fault.Service,
        File = fault.Place.File,
        Line = fault.Place.Line,
        Column = fault.Place.Column,
        Message = $"{fault.Message} {Why}",
        Fix = Fix,
    });
}

/// <summary>A place that breaks a rule.</summary>
/// <param name="Place">Where.</param>
/// <param name="Message">What is there, as a sentence without secrets.</param>
internal sealed record ComposeFault(ComposePlace Place, string Message)
{
    /// <summary>The service; null when it is about the file as a whole.</summary>
    public string? Service { get; init; }
}

/// <summary>What the rules look at.</summary>
/// <param name="Files">The files of the stack, each with the files that are merged into it.</param>
/// <param name="Definitions">What the stack says about its services.</param>
internal sealed record ComposeLintContext(IReadOnlyList<ComposeFile> Files, IReadOnlyList<Stacks.ServiceDefinition> Definitions)
{
    public IEnumerable<ComposeService> Services => Files.SelectMany(file => file.Services);

    /// <summary>How a service asks its callers who they are; by its name or its container's.</summary>
    public Stacks.AuthKind AuthOf(ComposeService service) => Definitions.FirstOrDefault(definition =>
        definition.Name == service.Name || definition.Container == (service.ContainerName ?? service.Name))?.Auth ?? Stacks.AuthKind.None;
}
