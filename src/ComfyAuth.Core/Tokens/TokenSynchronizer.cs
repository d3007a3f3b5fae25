using System.Text;
using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Tokens;

/// <summary>
/// Makes every place agree with the source of truth: plans, lets somebody approve each change, applies all that was
/// approved at once, and reads the result back. Where everything agrees nothing is written.
/// </summary>
/// <param name="verifier">Asks bcrypt; share one, so that several stacks with one credential cost one bcrypt.</param>
/// <param name="redactor">Learns every secret that is read or made.</param>
/// <param name="shell">Looks up a variable of the environment that Compose would be started in; null for this process's own.</param>
/// <param name="clock">Gives the time that a new source is stamped with; null for the system's.</param>
/// <param name="logger">Is told what is written, and what is waited for; null for nobody.</param>
public sealed class TokenSynchronizer(PasswordVerifier verifier, SecretRedactor redactor, Func<string, string?>? shell = null, TimeProvider? clock = null, ILogger? logger = null)
{
    /// <summary>ComfyUI-Login wants a name but never compares it.</summary>
    internal const string DefaultUserName = "admin";

    private readonly TokenAuditor _auditor = new(verifier, redactor, shell);

    /// <summary>Keeps what is replaced, as <see cref="FileTransactionOptions.Keep"/> says.</summary>
    internal Action<string, string?>? Keep { get; init; }

    private FileTransactionOptions Options => new() { Logger = logger ?? NullLogger.Instance, Keep = Keep };

    /// <summary>Finds out what would change.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="request">Which credential to make true.</param>
    /// <param name="cancellationToken">Ends the work, also in the middle of a bcrypt.</param>
    /// <returns>The plan.</returns>
    /// <exception cref="ComfyAuthException">
    /// As <see cref="TokenAuditor.Audit"/>; <c>AmbiguousCredential</c>: more than one credential was asked for;
    /// <c>TokenSourceInvalid</c>: the source cannot be used and no other credential was asked for;
    /// <c>AdoptNotFound</c>, <c>AdoptAmbiguous</c>, <c>SourceTokenInvalid</c>; <c>DotEnvValueCannotBeQuoted</c>; <c>TokenLocationUnusable</c>: a place cannot be read or written,
    /// so that the places could not be made to agree; <c>PasswordTooLong</c>, <c>PasswordHasNul</c>.
    /// </exception>
    public TokenSyncPlan Plan(GenAIStack stack, TokenSyncRequest request, CancellationToken cancellationToken = default)
    {
        if (request.Choices > 1)
            throw new ComfyAuthException("AmbiguousCredential", "More than one credential was asked for.", "Give one of: a rotation, a password, a source token, or a hash to adopt.");

        var plans = _auditor.Survey(stack, request.Services, cancellationToken).Select(survey => Plan(survey, request, cancellationToken)).ToList();
        return new TokenSyncPlan(this, stack, plans);
    }

    internal async Task<IReadOnlyList<TokenSyncResult>> ApplyAsync(TokenSyncPlan plan, Func<PlannedTokenChange, Task<bool>>? approve, IChangeProof? proof, CancellationToken cancellationToken)
    {
        var approved = await ApprovedChanges.MakeAsync(
            plan.Stack.Root,
            plan.Changes,
            IsMoot,
            approve,
            changes => changes.Count == 0 ? null : transaction => Write(transaction, changes),
            proof,
            Options,
            cancellationToken).ConfigureAwait(false);
        if (approved.Count > 0)
        {
            var services = plan.Credentials.SelectMany(credential => credential.Survey.Services).Select(service => service.Name).ToList();
            // What has been made is told whatever happens now.
            var readBack = _auditor.Survey(plan.Stack, services, proof is null ? cancellationToken : CancellationToken.None);
            foreach (var credential in plan.Credentials)
                credential.ReadBack = readBack.First(survey => survey.SourcePath == credential.Survey.SourcePath);
        }

        return [.. plan.Credentials.SelectMany(credential => Results(credential, approved))];
    }

    /// <summary>What depends on a declined source is left alone.</summary>
    private static bool IsMoot(PlannedTokenChange change, IReadOnlyList<PlannedTokenChange> approved) =>
        change.Credential.Changes.Find(other => other.Observation.IsSource && other.Kind != TokenAction.Protected) is { } source
        && source != change
        && !approved.Contains(source);

    private CredentialPlan Plan(CredentialSurvey survey, TokenSyncRequest request, CancellationToken cancellationToken)
    {
        var (credential, note, isNew) = Choose(survey, request, cancellationToken);
        redactor.Register(credential.Hash);
        if (credential.Password is not null)
            redactor.Register(credential.Password);

        var plan = new CredentialPlan { Survey = survey, Credential = credential, Note = note, IsAdopted = request.Adopt is not null, Observations = [.. survey.Observe(credential)] };
        var source = plan.Observations[0];
        if (MustWriteSource(survey, credential, request))
        {
            var known = survey.SourceContent.Problem == TokenState.Missing ? TokenAction.Added : TokenAction.Updated;
            // A hash made for this plan is another one in the next, so its fingerprint would promise what a later run does not keep.
            var hash = isNew ? "a new hash" : credential.Hash.ToString();
            plan.Changes.Add(new(source, null, plan, known, known == TokenAction.Added
                ? $"Create the source of truth with {hash}"
                : $"Set the source of truth to {hash}{(source.Fingerprint is { } old && old != credential.Hash.Fingerprint ? $" (was bcrypt:{old})" : "")}"));
        }
        else if (source.State == TokenState.Exposed)
        {
            plan.Changes.Add(new(source, null, plan, TokenAction.Protected, "Close the file to everybody but its owner"));
        }

        // Several services, or several links, may lead to the same place; it is changed once, and a file is closed once.
        var places = plan.Observations.Skip(1).Zip(survey.Readings).DistinctBy(place => (place.Second.File, place.Second.Location.Variable));
        foreach (var (observation, reading) in places)
        {
            if (Change(observation, reading, plan) is { } change && !(change.Kind == TokenAction.Protected && plan.Changes.Exists(other => other.Reading?.File == reading.File)))
                plan.Changes.Add(change);
        }

        return plan;
    }

    /// <summary>A user name alone is no reason to touch a source that has worked without one, unless it was asked for.</summary>
    private static bool MustWriteSource(CredentialSurvey survey, TokenCredential credential, TokenSyncRequest request) =>
        survey.Source is not { } source
        || source.Hash != credential.Hash
        || (credential.Password is not null && source.Password != credential.Password)
        || survey.HasOtherSecondPassword
        || (request.UserName is not null && source.UserName != request.UserName);

    private static PlannedTokenChange? Change(TokenObservation observation, TokenReading reading, CredentialPlan plan)
    {
        var role = reading.Location.Role switch
        {
            TokenRole.Hash => "hash",
            TokenRole.Password => "password",
            _ => "user name",
        };
        switch (observation.State)
        {
            case TokenState.Match or TokenState.ShadowedByShell:
                return null;
            case TokenState.Exposed:
                return new(observation, reading, plan, TokenAction.Protected, "Close the file to everybody but its owner");
            case TokenState.IsDirectory or TokenState.Unreadable:
            case TokenState.Malformed when reading is { Problem: not null, IsRepairable: false, Location.Format: TokenFormat.DotEnv }:
                throw new ComfyAuthException("TokenLocationUnusable", $"'{observation.Path}' cannot be synchronised: {observation.Evidence}", observation.Remedy);
        }

        if (ValueFor(reading.Location, plan.Credential) is not { } value)
            return null;
        if (reading.Location.Variable is { } variable)
            EnsureQuotable(value, reading.Location.Consumers, $"{observation.Path}#{variable}");

        return observation.State == TokenState.Missing
            ? new(observation, reading, plan, TokenAction.Added, $"Add the {role}")
            : new(observation, reading, plan, TokenAction.Updated, $"Set the {role} ({observation.State})");
    }

    /// <summary>What cannot be written is known before anybody is asked.</summary>
    private static void EnsureQuotable(string value, DotEnvConsumer consumers, string place)
    {
        try
        {
            DotEnvQuoting.Quote(value, consumers);
        }
        catch (ComfyAuthException error)
        {
            throw new ComfyAuthException(error.Code, $"'{place}': {error.Message}", error.Remedy);
        }
    }

    private static string? ValueFor(TokenLocation location, TokenCredential credential) => location.Role switch
    {
        TokenRole.Hash => credential.Hash.Reveal(),
        TokenRole.Password => credential.Password?.Reveal(),
        _ => credential.UserName,
    };

    private (TokenCredential Credential, string Note, bool IsNew) Choose(CredentialSurvey survey, TokenSyncRequest request, CancellationToken cancellationToken)
    {
        var userName = request.UserName ?? survey.UserNameInUse ?? DefaultUserName;
        var password = request.Password;
        if (request.SourceToken is { } token)
        {
            if (BcryptHash.TryParse(token.Reveal(), out var given))
                return Known(given, Replacing("The given hash becomes the source of truth", given));

            // A hash that was cut or mangled on its way must not be taken for a password.
            var damage = TokenDiagnosis.OfHash(token.Reveal(), expected: null);
            if (damage.State != TokenState.Malformed || token.Reveal().StartsWith("$2", StringComparison.Ordinal))
                throw new ComfyAuthException("SourceTokenInvalid", $"The source token is a damaged hash: {damage.Evidence}", "Give the whole hash, in single quotes; or a password.");
            password = token;
        }

        if (password is not null)
        {
            if (survey.Source is { } source && verifier.Verify(password, source.Hash, cancellationToken))
                return (new(source.Hash, password, userName), "", IsNew: false);
            return Made(password, "The hash of the given password becomes the source of truth");
        }

        if (request.Adopt is { } wanted)
        {
            var live = request.InContainers.Where(found => survey.Services.Any(service => service.Name == found.Service)).ToList();
            var adopted = Adopted(survey, live, wanted);
            var known = Known(adopted, Replacing($"The hash at '{wanted}' becomes the source of truth", adopted));
            if (known.Credential.Password is null && live.Find(found => found.Hash == adopted && found.Password is not null) is { } witness)
                known.Credential = known.Credential with { Password = witness.Password };
            return known.Credential.Password is null ? known with { Note = $"{known.Note} Nobody knows its password: API calls work with it, and for the web login give the password with -Credential." } : known;
        }

        if (!request.Rotate)
        {
            if (survey.SourceError is not null)
                throw survey.SourceError;
            if (survey.Source is { } source)
                return Known(source.Hash, "");
            if (survey.Truth is { } used)
                return Known(used.Hash, $"There is no source of truth; the hash in use, {used.Hash}, becomes it{(used.Password is null ? "; its password is not known" : "")}.");
        }

        return Made(RandomSecret.Create(), "A new credential is made");

        (TokenCredential Credential, string Note, bool IsNew) Known(BcryptHash hash, string note) => (new(hash, survey.PasswordOf(hash, cancellationToken), userName), note, IsNew: false);

        (TokenCredential, string, bool IsNew) Made(SecretText secret, string what)
        {
            var hash = verifier.Hash(secret, cancellationToken: cancellationToken);
            return (new(hash, secret, userName), Replacing(what, hash), IsNew: true);
        }

        string Replacing(string what, BcryptHash hash)
        {
            var replaced = survey.HashesInUse.Select(use => use.Hash).Concat(survey.Source is { } source ? [source.Hash] : []).Where(old => old != hash).Distinct().ToList();
            return replaced.Count == 0 ? $"{what}: {hash}." : $"{what}: {hash}; it replaces {string.Join(", ", replaced)}.";
        }
    }

    private static BcryptHash Adopted(CredentialSurvey survey, IEnumerable<LiveHash> live, string wanted)
    {
        var all = survey.HashesInUse.ToList();
        all.AddRange(live.Select(found => (found.Hash, (IReadOnlyList<string>)[found.Location])));
        if (survey.Source is { } source)
            all.Add((source.Hash, [survey.SourcePath]));

        if (BcryptHash.TryParse(wanted, out var written))
            wanted = written.ToString();
        var fingerprint = wanted.StartsWith("bcrypt:", StringComparison.OrdinalIgnoreCase) ? wanted["bcrypt:".Length..] : wanted;
        var place = wanted.Replace('\\', '/');
        var found = all
            .Where(use => use.Hash.Fingerprint.Equals(fingerprint, StringComparison.OrdinalIgnoreCase)
                || use.Locations.Any(location => location == place || location.StartsWith(place + "#", StringComparison.Ordinal)))
            .Select(use => use.Hash).Distinct().ToList();
        var choice = "Choose one of: " + string.Join("; ", all.Select(use => $"{use.Hash.Fingerprint} ({string.Join(", ", use.Locations)})")) + ".";
        return found switch
        {
            [var one] => one,
            [] => throw new ComfyAuthException("AdoptNotFound", $"No valid hash stands at '{wanted}' or has that fingerprint in '{survey.Stack.Root}'.", all.Count == 0 ? "No place holds one; make a new credential." : choice),
            _ => throw new ComfyAuthException("AdoptAmbiguous", $"'{wanted}' names {found.Count} different hashes in '{survey.Stack.Root}'.", choice),
        };
    }

    private void Write(FileTransaction transaction, IReadOnlyList<PlannedTokenChange> changes)
    {
        foreach (var file in changes.GroupBy(change => change.Reading?.File ?? change.Credential.Survey.SourceContent))
        {
            var content = file.Key;
            if (file.All(change => change.Kind == TokenAction.Protected))
            {
                transaction.Protect(content.Path);
                continue;
            }

            transaction.Expect(content.Path, content.Bytes);
            transaction.Write(content.Path, Render(content, [.. file.Where(change => change.Kind != TokenAction.Protected)]), FileProtection.OwnerOnly);
        }
    }

    private byte[] Render(StackFileContent content, IReadOnlyList<PlannedTokenChange> changes)
    {
        var (first, credential) = (changes[0].Reading, changes[0].Credential);
        if (first is null)
        {
            var file = credential.Survey.SourceFile ?? TokenSourceFile.Empty();
            file.Set(credential.Credential, (clock ?? TimeProvider.System).GetUtcNow());
            return file.ToBytes();
        }

        switch (first.Location.Format)
        {
            case TokenFormat.TokenFile:
                var newline = content.Bytes is [.., (byte)'\n'] ? "\n" : "";
                return Encoding.UTF8.GetBytes(ValueFor(first.Location, credential.Credential) + newline);
            case TokenFormat.PasswordFile:
                return Encoding.UTF8.GetBytes($"{credential.Credential.Hash.Reveal()}\n{first.UserName ?? credential.Credential.UserName}");
        }

        foreach (var change in changes)
        {
            var location = change.Reading!.Location;
            content.Document.Set(location.Variable!, ValueFor(location, change.Credential.Credential)!, location.Consumers, Neighbour(content.Document, location.Variable!));
        }

        return content.Document.ToBytes();
    }

    /// <summary>A missing variable is added below the last of its kin, where a person would look for it.</summary>
    private static string? Neighbour(DotEnvDocument document, string variable) => DefaultLayout.HashVariables
        .Concat(DefaultLayout.PasswordVariables)
        .Append(DefaultLayout.UserNameVariable)
        .Where(name => name != variable)
        .Select(name => document.Entries.LastOrDefault(entry => entry.Name == name))
        .MaxBy(entry => entry?.Line)?.Name;

    private static IEnumerable<TokenSyncResult> Results(CredentialPlan plan, IReadOnlyList<PlannedTokenChange> approved)
    {
        var after = plan.ReadBack?.Observe(plan.Credential).ToList() ?? plan.Observations;
        foreach (var before in plan.Observations)
        {
            var now = after.FirstOrDefault(observation => observation.Location == before.Location && observation.Service == before.Service) ?? before;
            var change = plan.Changes.Find(change => change.Observation.Location == before.Location);
            yield return new TokenSyncResult
            {
                Stack = before.Stack,
                Service = before.Service,
                Location = before.Location,
                Path = before.Path,
                IsSource = before.IsSource,
                Role = before.Role,
                Before = before.State,
                Action = change is null ? TokenAction.None : approved.Contains(change) ? change.Kind : TokenAction.Declined,
                State = now.State,
                OldFingerprint = before.Fingerprint,
                Fingerprint = now.Fingerprint,
                Evidence = before.Evidence,
                Remedy = now.Remedy,
            };
        }
    }
}
