namespace ComfyAuth.Containers;

/// <summary>A rule that recognises one condition in what was seen of a container.</summary>
public sealed class DiagnosisRule
{
    private readonly Func<DiagnosisContext, DiagnosisFinding?> _look;

    internal DiagnosisRule(string id, ContainerCondition condition, string meaning, string remedy, Func<DiagnosisContext, DiagnosisFinding?> look)
    {
        Id = id;
        Condition = condition;
        Meaning = meaning;
        Remedy = remedy;
        _look = look;
    }

    /// <summary>Its stable name.</summary>
    public string Id { get; }

    /// <summary>The condition that it recognises.</summary>
    public ContainerCondition Condition { get; }

    /// <summary>What it looks for, as a sentence.</summary>
    public string Meaning { get; }

    /// <summary>What to do about it, as a sentence; empty when nothing. A finding may know better.</summary>
    public string Remedy { get; }

    /// <summary>Looks for the condition.</summary>
    /// <param name="context">What was seen.</param>
    /// <returns>What it found; null when the condition is not there.</returns>
    internal DiagnosisFinding? Look(DiagnosisContext context) => _look(context);
}

/// <summary>What a rule found.</summary>
/// <param name="Message">What is the matter, in one sentence or two.</param>
/// <param name="Confidence">How sure that is.</param>
/// <param name="Evidence">What that is concluded from, a line each.</param>
internal sealed record DiagnosisFinding(string Message, DiagnosisConfidence Confidence, IReadOnlyList<string> Evidence)
{
    /// <summary>What to do about it; null for what the rule says.</summary>
    public string? Remedy { get; init; }

    /// <summary>What an installation is at; null when that is not known.</summary>
    public string? Package { get; init; }

    /// <summary>Whether it is only told beside another finding, where there is one: the service works in spite of it, so far.</summary>
    public bool IsAside { get; init; }
}
