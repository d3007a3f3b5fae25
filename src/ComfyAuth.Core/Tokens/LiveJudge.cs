using System.Globalization;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>Judges what was seen of one service's container and server, by the rules that hold for files.</summary>
internal sealed class LiveJudge(CredentialSurvey survey, ServiceDefinition service, string container, SecretRedactor redactor)
{
    private const string UsualPath = "/workspace/ComfyUI/login/PASSWORD";

    /// <summary>A command of this module for the service.</summary>
    public string Command(string verb) =>
        $"{verb}-GenAIContainer -Service {(service.Name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.') ? service.Name : $"'{service.Name.Replace("'", "''", StringComparison.Ordinal)}'")}";

    /// <summary>The variables of a container that carry a part of the credential.</summary>
    public static IEnumerable<(string Name, TokenRole Role, string Value)> SecretsOf(ServiceDefinition service, ContainerDetails container)
    {
        var roles = RolesOf(service);
        return container.Environment
            .Where(variable => roles.ContainsKey(variable.Name))
            .GroupBy(variable => variable.Name)
            .Select(same => (same.Key, roles[same.Key], same.Last().Reveal() ?? ""));
    }

    /// <summary>The truth, with the password that only the container's environment knows.</summary>
    public static TokenCredential? WithPassword(CredentialSurvey survey, ServiceDefinition service, ContainerDetails container, CancellationToken stop)
    {
        if (survey.Truth is not { Password: null } truth)
            return survey.Truth;

        var words = SecretsOf(service, container).Where(secret => secret.Role == TokenRole.Password && secret.Value.Length > 0).Select(secret => new SecretText(secret.Value));
        return truth with { Password = words.FirstOrDefault(word => survey.IsOf(word, truth.Hash, stop)) };
    }

    /// <summary>What is told of a service whose container cannot be seen.</summary>
    public IReadOnlyList<TokenObservation> NotSeen(string why, string remedy) =>
    [
        Seen(TokenLayer.ContainerEnvironment, container, TokenRole.Hash) with { State = TokenState.Unreadable, Evidence = redactor.Redact(why), Remedy = remedy },
        Seen(TokenLayer.ContainerFile, $"{container}:{service.PasswordFile ?? UsualPath}", TokenRole.Hash) with { State = TokenState.Unreadable, Evidence = redactor.Redact(why), Remedy = remedy },
        Seen(TokenLayer.Server, Address, TokenRole.Hash) with { State = TokenState.Unreadable, Evidence = "Not asked: it is not known whether the container is what answers there.", Remedy = remedy },
    ];

    /// <summary>Judges each place.</summary>
    public IReadOnlyList<TokenObservation> Judge(LiveSight sight)
    {
        var files = sight.Passwords.Select(password => OfFile(password, sight)).ToList();
        return [.. OfEnvironment(sight), .. files, OfServer(sight, files[0])];
    }

    private string Address => service.Url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private string Restart => $"Restart the server: {Command("Restart")}.";

    private static bool IsFine(TokenState state) => state is TokenState.Match or TokenState.Undetermined;

    private static Dictionary<string, TokenRole> RolesOf(ServiceDefinition service)
    {
        var roles = DefaultLayout.HashVariables.Concat(DefaultLayout.PasswordVariables).Append(DefaultLayout.UserNameVariable).ToDictionary(name => name, DefaultLayout.RoleOf);
        foreach (var location in service.TokenLocations)
        {
            if (location.Variable is { } name)
                roles[name] = location.Role;
        }

        return roles;
    }

    private static TokenObservation Adopted(TokenObservation seen, string? written) => seen.State == TokenState.Undetermined && written is not null && TokenDiagnosis.Intended(written) is not null
        ? seen with { Remedy = $"Where this is the right one: Sync-ComfyToken -Adopt '{seen.Location}' (--adopt) makes it the source of truth." }
        : seen;

    private TokenObservation Seen(TokenLayer layer, string location, TokenRole role) => new()
    {
        Stack = survey.Stack.Root,
        Service = service.Name,
        Layer = layer,
        Location = location,
        Path = location,
        Role = role,
        State = TokenState.Match,
    };

    private IEnumerable<TokenObservation> OfEnvironment(LiveSight sight)
    {
        var has = SecretsOf(service, sight.Container).ToDictionary(secret => secret.Name, secret => secret.Value);
        var today = (sight.Today ?? []).Where(variable => variable.HasValue).GroupBy(variable => variable.Name).ToDictionary(same => same.Key, same => same.Last().Reveal()!);
        var any = false;
        foreach (var (name, role) in RolesOf(service))
        {
            if (!has.ContainsKey(name) && today.GetValueOrDefault(name) is null or "")
                continue;
            if (role == TokenRole.UserName && has.GetValueOrDefault(name) is "")
                continue;

            any = true;
            yield return OfVariable(name, role, has.GetValueOrDefault(name), today.GetValueOrDefault(name), sight);
        }

        if (!any)
            yield return Seen(TokenLayer.ContainerEnvironment, container, TokenRole.Hash) with { Evidence = "No variable of the container carries the credential." };
    }

    private TokenObservation OfVariable(string name, TokenRole role, string? value, string? today, LiveSight sight)
    {
        var reading = TokenReading.OfContainer(service, container, name, role, value ?? "");
        var (state, evidence) = survey.Judge(reading, sight.Truth, out var fingerprint);
        if (value is null)
            evidence = $"The container has no {name}.";
        var next = today is null ? default(TokenFault?) : survey.Judge(TokenReading.OfContainer(service, container, name, role, today), sight.Truth, out _);
        var recreate = sight.IsFromCompose
            ? $"{Command("Restart")} recreates the container, which is needed: a mere restart keeps its environment."
            : "Make the container anew with the right value: a restart keeps its environment, and Compose, which could recreate it, did not make it.";
        var remedy = "";
        switch (state, next?.State)
        {
            case (TokenState.Undetermined, _) or (TokenState.Match, null or TokenState.Match or TokenState.Undetermined):
                break;
            case (TokenState.Match, { } worse):
                (state, evidence) = (worse, $"The container has the right value, but the next one would not: {next!.Value.Evidence}");
                remedy = "Synchronise before it is recreated; where the value stands in the compose file itself, mend it there.";
                break;
            case (_, TokenState.Match):
                (state, evidence) = (TokenState.NotRecreated, $"The container was made with another value: {evidence} By now Compose would give it the right one.");
                remedy = recreate;
                break;
            case (_, null):
                evidence += sight.Obstacle is { } obstacle ? $" What Compose would give it now could not be told: {redactor.Redact(obstacle)}." : "";
                remedy = recreate;
                break;
            default:
                evidence += " Compose would give it no better one now.";
                remedy = $"Synchronise (where the value stands in the compose file itself, mend it there). Then: {recreate}";
                break;
        }

        var seen = Seen(TokenLayer.ContainerEnvironment, reading.Location.DisplayName, role) with
        {
            State = state,
            Fingerprint = fingerprint,
            Expected = CredentialSurvey.Expected(role, sight.Truth),
            Evidence = redactor.Redact(evidence),
            Remedy = remedy,
        };
        return role == TokenRole.Hash ? Adopted(seen, value) : seen;
    }

    private TokenObservation OfFile(LivePassword password, LiveSight sight)
    {
        var seen = Seen(TokenLayer.ContainerFile, $"{container}:{password.Path}", TokenRole.Hash) with { Expected = sight.Truth?.Hash.Fingerprint };
        if (password.Content is null)
        {
            return seen with
            {
                State = password.Problem!.Value,
                Evidence = redactor.Redact(password.Evidence) + password.Problem switch
                {
                    TokenState.OpenWithoutPassword => StillProtected(sight),

                    // Where the source of a mount is gone, the next start makes a folder of it.
                    TokenState.IsDirectory or TokenState.Missing => $" {LivePassword.NotLoaded}{StillProtected(sight)}",
                    _ => "",
                },
                Remedy = password.Remedy.Length > 0 ? password.Remedy : password.Problem switch
                {
                    TokenState.IsDirectory => $"Stop the container ({Command("Stop")}), delete the folder{(LivePasswordReader.HostPath(sight.Container, password.Path) is { } folder ? $" {folder}" : "")}. {Delivery(password, sight)}",
                    TokenState.Unreadable => "",
                    _ => Delivery(password, sight),
                },
            };
        }

        var reading = TokenReading.OfContainer(service, password.Path, password.Content);
        var (state, evidence) = survey.Judge(reading, sight.Truth, out var fingerprint);
        var still = reading.Opening is null ? "" : StillProtected(sight);
        var first = reading.Problem == TokenState.Malformed && still.Length == 0 ? $"Stop the container until the file is right ({Command("Stop")}). " : "";
        seen = seen with { State = state, Fingerprint = fingerprint, Line = reading.Line, Evidence = redactor.Redact(evidence) + still, Remedy = IsFine(state) ? "" : first + Delivery(password, sight) };
        if (password.IsOlder)
        {
            return seen with
            {
                Evidence = $"{seen.Evidence} It is the file of an older ComfyUI-Login, which is moved over login/PASSWORD at the next start.".TrimStart(),
                Remedy = IsFine(state) ? "" : $"Delete it before the next start: {(LivePasswordReader.HostPath(sight.Container, password.Path) is { } file ? file : $"docker exec {container} rm {password.Path}")}.",
            };
        }

        if (reading.Problem == TokenState.Missing)
            return seen with { State = TokenState.OpenWithoutPassword };
        if (state == TokenState.Match && IsNotLoaded(password, sight))
        {
            return seen with
            {
                State = TokenState.NotLoadedSinceStart,
                Evidence = sight.ServerStartedAt < password.ModifiedAt
                    ? string.Create(CultureInfo.InvariantCulture, $"The file is right, but was written at {password.ModifiedAt:u}, and the server runs since {sight.ServerStartedAt:u}: it has what it read then.")
                    : "The file is right, but the server still takes another token: it has what it read when it started.",
                Remedy = Restart,
            };
        }

        return Adopted(seen, reading.Written);
    }

    /// <summary>What the server takes is the proof; the times tell only where it does not answer, or refuses.</summary>
    private static bool IsNotLoaded(LivePassword password, LiveSight sight) =>
        sight.Proof?.AcceptsToken != true
        && sight.Container.State is ContainerState.Running or ContainerState.Paused
        && (sight.Proof?.RefusesOldToken == false || sight.ServerStartedAt < password.ModifiedAt);

    private static string StillProtected(LiveSight sight) =>
        sight.Proof is { RefusesNoToken: true } ? " The server that runs still has a password: it will be open after the next start." : "";

    /// <summary>Whether the file is one that keeps ComfyUI-Login from loading.</summary>
    private bool IsLoginNotLoaded(LivePassword password) => password.Content is { } content
        ? TokenReading.OfContainer(service, password.Path, content).Problem == TokenState.Malformed
        : password.Problem == TokenState.IsDirectory;

    /// <summary>How the right hash gets to where the server reads it.</summary>
    private string Delivery(LivePassword password, LiveSight sight)
    {
        if (sight.Truth is null)
            return "Synchronise first, so that there is a source of truth.";

        if (LivePasswordReader.HostPath(sight.Container, password.Path) is not { } host)
        {
            return $"Where the container writes the file at its start, from a secret or a variable that is right by now: {Command("Restart")}. Else mount a PASSWORD file of the stack at {password.Path}, and recreate the container."
                + (password.Content is null || IsLoginNotLoaded(password) ? "" : $" Where this is the right one instead: Sync-ComfyToken -Adopt '{container}:{password.Path}' (--adopt).");
        }

        return service.TokenLocations.Any(location => location.Format == TokenFormat.PasswordFile && RealPath.Comparer.Equals(Real(survey.Stack.PathOf(location.Path)), Real(host)))
            ? $"Synchronise. Then restart the server: {Command("Restart")}."
            : $"It is {host} on the host: name it in {GenAIStack.FileName} below 'tokens' of '{service.Name}' (format: password-file), and synchronise; or write the hash there. Then restart the server: {Command("Restart")}.";
    }

    private static string Real(string path)
    {
        try
        {
            return RealPath.Of(Path.GetFullPath(path));
        }
        catch (ComfyAuthException)
        {
            return path;
        }
    }

    private TokenObservation OfServer(LiveSight sight, TokenObservation file)
    {
        var seen = Seen(TokenLayer.Server, sight.Proof?.Address is { Length: > 0 } address ? address : Address, TokenRole.Hash) with { Expected = sight.Truth?.Hash.Fingerprint };
        if (sight.Proof is not { } proof)
        {
            return seen with
            {
                State = TokenState.Unreadable,
                Evidence = sight.Container.State == ContainerState.Running
                    ? "Not asked: another container has the port of its address."
                    : $"Not asked: the container does not run ({sight.Container.State.ToString().ToLowerInvariant()}).",
                Remedy = sight.Container.State == ContainerState.Running ? $"Mend 'url' of '{service.Name}' in {GenAIStack.FileName}." : $"{Command("Start")}.",
            };
        }

        var (state, fingerprint, remedy) = proof switch
        {
            // Where all is open, the proof ends before a wrong token is tried.
            { RefusesNoToken: false, RefusesWrongToken: null } when IsLoginNotLoaded(sight.Passwords[0]) => (TokenState.AcceptedWrongly, null, $"Mend {file.Location} first: {file.Remedy}"),
            { RefusesNoToken: false, RefusesWrongToken: null } or { RefusesWrongToken: false } => (TokenState.AcceptedWrongly, null, proof.Remedy),
            { RefusesNoToken: false } => (TokenState.OpenWithoutPassword, null, file.Remedy.Length > 0 ? file.Remedy : Restart),
            { RefusesNoToken: null } => (TokenState.Unreadable, null, $"See what is the matter with it: {Command("Get")}."),
            _ when sight.Truth is null => (TokenState.Undetermined, null, ""),
            { AcceptsToken: false } => (TokenState.RefusedByServer, proof.RefusesOldToken == false ? sight.OldToken?.Fingerprint : null, file switch
            {
                { State: TokenState.NotLoadedSinceStart } => Restart,
                { IsFault: true } => $"Mend {file.Location} first: {file.Remedy}",
                _ => proof.Remedy,
            }),
            { AcceptsWebSocket: false } => (TokenState.RefusedByServer, sight.Truth.Hash.Fingerprint, proof.Remedy),
            { AcceptsPassword: false } => (TokenState.OtherPassword, sight.Truth.Hash.Fingerprint, proof.Remedy),
            { AcceptsToken: true } => (TokenState.Match, sight.Truth.Hash.Fingerprint, ""),
            _ => (TokenState.Unreadable, (string?)null, $"See what is the matter with it: {Command("Get")}."),
        };
        var evidence = state == TokenState.Match && proof.IsProven == true ? "" : $"{string.Join("; ", proof.Evidence)}.";
        return seen with { State = state, Fingerprint = fingerprint, Evidence = redactor.Redact(evidence), Remedy = remedy };
    }
}
