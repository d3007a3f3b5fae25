using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>Compares every place that feeds a credential with its source of truth. Changes nothing.</summary>
/// <param name="verifier">Asks bcrypt; share one, so that the same question is asked once.</param>
/// <param name="redactor">Learns every secret that is read.</param>
/// <param name="shell">Looks up a variable of the environment that Compose would be started in; null for this process's own.</param>
public sealed class TokenAuditor(PasswordVerifier verifier, SecretRedactor redactor, Func<string, string?>? shell = null)
{
    /// <summary>Looks at every place.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a bcrypt.</param>
    /// <returns>One observation for each source of truth, followed by one for each of its places.</returns>
    /// <exception cref="ComfyAuthException">
    /// <c>ServiceNotFound</c>; <c>NoLoginService</c>: none of the services is behind ComfyUI-Login;
    /// <c>RecoveryPending</c>: an earlier change was interrupted, so that what stands on the disk is neither old nor new.
    /// </exception>
    public IReadOnlyList<TokenObservation> Audit(GenAIStack stack, IReadOnlyCollection<string>? services = null, CancellationToken cancellationToken = default) =>
        [.. Survey(stack, services, cancellationToken).SelectMany(survey => survey.Observe(survey.Truth))];

    /// <summary>Looks at every place after an error, for a report that must not miss the stack.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a bcrypt.</param>
    /// <returns>As <see cref="Audit"/>; nothing where what is wrong keeps from looking too, which the error says.</returns>
    public IReadOnlyList<TokenObservation> AuditAfterError(GenAIStack stack, IReadOnlyCollection<string>? services = null, CancellationToken cancellationToken = default)
    {
        try
        {
            return Audit(stack, services, cancellationToken);
        }
        catch (ComfyAuthException)
        {
            return [];
        }
    }

    /// <summary>Sums an audit up: whether each service's places agree, and whether the password is the one the hash is of.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="services">Names of services; null or empty for all.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a bcrypt.</param>
    /// <returns>One record for each service behind ComfyUI-Login.</returns>
    /// <exception cref="ComfyAuthException">As <see cref="Audit"/>.</exception>
    public IReadOnlyList<TokenValidation> Validate(GenAIStack stack, IReadOnlyCollection<string>? services = null, CancellationToken cancellationToken = default) =>
        [.. Survey(stack, services, cancellationToken).SelectMany(survey => Validate(survey, [.. survey.Observe(survey.Truth)]))];

    internal IReadOnlyList<CredentialSurvey> Survey(GenAIStack stack, IReadOnlyCollection<string>? services, CancellationToken cancellationToken)
    {
        StackFiles.EnsureSettled(stack);
        var surveys = CredentialSurvey.OfStack(stack, services, verifier, redactor, shell ?? Environment.GetEnvironmentVariable, cancellationToken).ToList();
        return surveys.Count > 0 ? surveys : throw new ComfyAuthException(
            "NoLoginService",
            $"No chosen service of '{stack.Root}' is behind ComfyUI-Login.",
            "Choose one that is, or set 'auth: comfyui-login' in its definition.");
    }

    /// <summary>Sums up what was seen of one credential.</summary>
    internal static IEnumerable<TokenValidation> Validate(CredentialSurvey survey, IReadOnlyList<TokenObservation> observations)
    {
        foreach (var service in survey.Services)
        {
            var own = observations.Where(observation => observation.IsSource || observation.Service == service.Name).ToList();
            var faulty = own.Count(observation => observation.IsFault);
            var undetermined = own.Count(observation => observation is { IsFault: false, State: not TokenState.Match });
            var unknownPassword = survey.Source is not null && survey.Truth?.Password is null;
            yield return new TokenValidation
            {
                Stack = survey.Stack.Root,
                Service = service.Name,
                IsValid = faulty > 0 ? false : undetermined > 0 || unknownPassword ? null : true,
                Fingerprint = survey.Source?.Hash.Fingerprint,
                PasswordVerified = survey.PasswordVerified,
                Matching = own.Count - faulty - undetermined,
                Faulty = faulty,
                Undetermined = undetermined,
                Findings = [.. own.Where(observation => observation.State != TokenState.Match).Select(observation => $"{observation.Location}: {observation.State}. {observation.Evidence}")],
            };
        }
    }
}
