using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>One thing that a stack is held against, as a row of a table: what it means, what it builds on, how it is looked for.</summary>
/// <remarks>Made by the classes named after a category; <see cref="CheckCatalogue"/> lists all of them.</remarks>
public sealed class Check
{
    private readonly Func<CheckContext, ServiceDefinition?, CancellationToken, Task<CheckOutcome>> _run;

    /// <summary>A check of the stack as a whole.</summary>
    internal Check(string id, string title, string meaning, string remedy, Func<CheckContext, CancellationToken, Task<CheckOutcome>> run)
        : this(id, title, meaning, remedy, (context, _, stop) => run(context, stop))
    {
    }

    /// <summary>A check of each service that it applies to.</summary>
    internal Check(
        string id,
        string title,
        string meaning,
        string remedy,
        Func<ServiceDefinition, bool> appliesTo,
        Func<CheckContext, ServiceDefinition, CancellationToken, Task<CheckOutcome>> run)
        : this(id, title, meaning, remedy, (context, service, stop) => run(context, service!, stop)) => AppliesTo = appliesTo;

    private Check(string id, string title, string meaning, string remedy, Func<CheckContext, ServiceDefinition?, CancellationToken, Task<CheckOutcome>> run)
    {
        Id = id;
        Title = title;
        Meaning = meaning;
        Remedy = remedy;
        _run = run;
    }

    /// <summary>Its stable name: lower case, parts joined by dots, the first of them the category.</summary>
    public string Id { get; }

    /// <summary>The first part of <see cref="Id"/>.</summary>
    public string Category => Id[..Id.IndexOf('.', StringComparison.Ordinal)];

    /// <summary>What is checked, in a few words.</summary>
    public string Title { get; }

    /// <summary>What it looks for and why that matters, as one or two sentences.</summary>
    public string Meaning { get; }

    /// <summary>What to do where it fails, as a sentence; a finding may know better.</summary>
    public string Remedy { get; }

    /// <summary>Whether it is made for each service by itself.</summary>
    public bool IsOfService => AppliesTo is not null;

    /// <summary>How much it counts in the score of its category, 0 or more.</summary>
    public double Weight { get; internal init; } = 1;

    /// <summary>
    /// Ids of the checks that it builds on. Where one of them did not pass, this one is skipped. A check of a service builds on those
    /// of the same service and of the stack, one of the stack on those of the stack only.
    /// </summary>
    public IReadOnlyList<string> DependsOn { get; internal init; } = [];

    /// <summary>How long it may take; afterwards it could not be checked.</summary>
    public TimeSpan Timeout { get; internal init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether there are cases that the module can mend by itself.</summary>
    public bool HasFix => PlanFix is not null;

    /// <summary>Which services it is made for; null for one of the stack.</summary>
    internal Func<ServiceDefinition, bool>? AppliesTo { get; }

    /// <summary>
    /// Plans what mends it, looking at the stack afresh; null where nothing can. Asked only where the check ended with
    /// <see cref="CheckOutcome.CanFix"/>; a plan without changes means that something else has mended it already.
    /// </summary>
    internal Func<CheckContext, ServiceDefinition?, CancellationToken, Task<CheckFix>>? PlanFix { get; init; }

    /// <summary>Looks.</summary>
    internal Task<CheckOutcome> RunAsync(CheckContext context, ServiceDefinition? service, CancellationToken stop) => _run(context, service, stop);
}
