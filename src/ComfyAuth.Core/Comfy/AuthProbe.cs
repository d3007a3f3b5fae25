using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>
/// Looks at the attack surface of a login by a table of rules. It changes nothing: no password is guessed or set, no file is
/// read or written, and no session is used. Safe for concurrent use.
/// </summary>
/// <param name="redactor">Learns the secrets of the input.</param>
public sealed class AuthProbe(SecretRedactor redactor)
{
    /// <summary>The rules, in the order in which they are asked.</summary>
    public static IReadOnlyList<AuthProbeRule> Rules => AuthProbeRules.All;

    /// <summary>How long one question may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Asks, one question after the other; with a password one of them is a login, for which ComfyUI waits about 0.3 s.</summary>
    /// <param name="service">The service.</param>
    /// <param name="input">What else is known of it.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>A finding for each rule that is about this kind of login; none for a service without one.</returns>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task<IReadOnlyList<AuthFinding>> ProbeAsync(ServiceDefinition service, AuthProbeInput input, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(input);
        redactor.Register(input.Token ?? default);
        if (input.Password is { } password)
            redactor.Register(password);

        using var conversation = new LoginConversation(service, Timeout, stop);
        var context = new AuthProbeContext(conversation, service, input);
        List<AuthFinding> findings = [];
        foreach (var rule in Rules.Where(rule => service.Auth == AuthKind.ComfyUILogin || (service.Auth == AuthKind.Bearer && !rule.IsOfComfyUILogin)))
        {
            var verdict = await rule.LookAsync(context, stop).ConfigureAwait(false);
            findings.Add(new()
            {
                Service = redactor.Redact(service.Name),
                Id = rule.Id,
                Title = rule.Title,
                Severity = rule.Severity,
                IsInherent = rule.IsInherent,
                IsVulnerable = verdict.IsVulnerable,
                Evidence = ServiceText.Clean(verdict.Evidence, redactor),
                Remedy = verdict.IsVulnerable == true ? rule.Remedy : "",
            });
        }

        return findings;
    }
}
