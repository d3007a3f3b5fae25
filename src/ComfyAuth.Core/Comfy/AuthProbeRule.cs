namespace ComfyAuth.Comfy;

/// <summary>A weakness that logins are held against.</summary>
public sealed class AuthProbeRule
{
    private readonly Func<AuthProbeContext, CancellationToken, Task<AuthVerdict>> _look;

    internal AuthProbeRule(string id, AuthFindingSeverity severity, string title, string question, string meaning, string remedy, Func<AuthProbeContext, CancellationToken, Task<AuthVerdict>> look)
    {
        Id = id;
        Severity = severity;
        Title = title;
        Question = question;
        Meaning = meaning;
        Remedy = remedy;
        _look = look;
    }

    /// <summary>Its stable name.</summary>
    public string Id { get; }

    /// <summary>How bad the weakness is.</summary>
    public AuthFindingSeverity Severity { get; }

    /// <summary>The weakness, in a few words.</summary>
    public string Title { get; }

    /// <summary>What is asked or looked at, and what shows the weakness, as a sentence.</summary>
    public string Question { get; }

    /// <summary>What the weakness gives away, as a sentence.</summary>
    public string Meaning { get; }

    /// <summary>What to do about it, as sentences.</summary>
    public string Remedy { get; }

    /// <summary>Whether every ComfyUI-Login has the weakness, however it is set up: it is met around the service, by who can reach it.</summary>
    public bool IsInherent { get; internal init; }

    /// <summary>Whether it is about ComfyUI-Login, and not about bearer tokens in general.</summary>
    internal bool IsOfComfyUILogin { get; init; } = true;

    internal Task<AuthVerdict> LookAsync(AuthProbeContext context, CancellationToken stop) => _look(context, stop);
}

/// <summary>Whether a weakness is there.</summary>
/// <param name="IsVulnerable">Null: it could not be told.</param>
/// <param name="Evidence">What that is concluded from, as a clause.</param>
internal sealed record AuthVerdict(bool? IsVulnerable, string Evidence);
