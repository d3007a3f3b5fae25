using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>
/// Everything that is known about one credential of a stack: its source of truth and what stands at each of its places.
/// Only reads.
/// </summary>
internal sealed class CredentialSurvey
{
    private readonly PasswordVerifier _verifier;
    private readonly Func<string, string?> _shell;
    private readonly SecretRedactor _redactor;
    private SecretText? _secondPassword;

    private CredentialSurvey(GenAIStack stack, string sourcePath, IReadOnlyList<ServiceDefinition> services, PasswordVerifier verifier, SecretRedactor redactor, Func<string, string?> shell)
    {
        Stack = stack;
        SourcePath = sourcePath;
        Services = services;
        _verifier = verifier;
        _shell = shell;
        _redactor = redactor;
    }

    public GenAIStack Stack { get; }

    /// <summary>The source of truth, relative to the root.</summary>
    public string SourcePath { get; }

    /// <summary>The services that share the credential.</summary>
    public IReadOnlyList<ServiceDefinition> Services { get; }

    public required StackFileContent SourceContent { get; init; }

    /// <summary>The source as a file to write into; null where it is missing or unusable.</summary>
    public TokenSourceFile? SourceFile { get; private set; }

    /// <summary>What the source says; null where it is missing or unusable.</summary>
    public TokenCredential? Source { get; private set; }

    /// <summary>Why the source cannot be used; null where it can be, or is only missing.</summary>
    public ComfyAuthException? SourceError { get; private set; }

    /// <summary>Whether bcrypt says that the source's hash is of its password; null where there is no password.</summary>
    public bool? PasswordVerified { get; private set; }

    /// <summary>Whether the source's second password, which some files have, is not the one that the hash is of.</summary>
    public bool HasOtherSecondPassword => _secondPassword is { } second && Truth?.Password is { } password && second != password;

    /// <summary>What stands at each place that has or should have the credential.</summary>
    public required IReadOnlyList<TokenReading> Readings { get; init; }

    /// <summary>
    /// The credential that the places are compared with: the source's; without a source, the one hash that is in use.
    /// Null where neither is there. The password is null unless bcrypt says that the hash is of it.
    /// </summary>
    public TokenCredential? Truth { get; private set; }

    /// <summary>The valid hashes in use, with the places that hold them, in the order of the places.</summary>
    public IReadOnlyList<(BcryptHash Hash, IReadOnlyList<string> Locations)> HashesInUse { get; private set; } = [];

    /// <summary>The chosen services that are behind a login, by their source of truth.</summary>
    public static IEnumerable<IGrouping<string, ServiceDefinition>> Groups(GenAIStack stack, IReadOnlyCollection<string>? services) => stack.SelectServices(services)
        .Where(service => service.Auth == AuthKind.ComfyUILogin)
        .GroupBy(service => service.Source ?? stack.Definition.Source);

    /// <summary>Surveys every credential of the chosen services.</summary>
    public static IEnumerable<CredentialSurvey> OfStack(
        GenAIStack stack,
        IReadOnlyCollection<string>? services,
        PasswordVerifier verifier,
        SecretRedactor redactor,
        Func<string, string?> shell,
        CancellationToken cancellationToken)
    {
        var files = new StackFiles(stack);
        foreach (var group in Groups(stack, services))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var readings = group
                .SelectMany(service => service.TokenLocations.Select(location => TokenReading.Of(service, location, files, shell)))
                .Where(reading => !reading.IsOptionalAndMissing)
                .ToList();
            var survey = new CredentialSurvey(stack, group.Key, [.. group], verifier, redactor, shell) { SourceContent = files.Get(group.Key), Readings = readings };
            survey.Learn(cancellationToken);
            yield return survey;
        }
    }

    /// <summary>Finds the password of a hash among everything that stands where a password belongs.</summary>
    public SecretText? PasswordOf(BcryptHash hash, CancellationToken cancellationToken) =>
        KnownPasswords().FirstOrDefault(password => _verifier.Verify(password, hash, cancellationToken));

    /// <summary>Whether a hash is of a password, by bcrypt.</summary>
    public bool IsOf(SecretText password, BcryptHash hash, CancellationToken cancellationToken) => _verifier.Verify(password, hash, cancellationToken);

    /// <summary>The user name in use: the source's, else the first that stands at a place.</summary>
    public string? UserNameInUse => Source?.UserName
        ?? WrittenAs(TokenRole.UserName).FirstOrDefault()
        ?? Readings.FirstOrDefault(reading => reading.UserName is not null)?.UserName;

    private void Learn(CancellationToken cancellationToken)
    {
        ReadSource();
        Register();
        HashesInUse =
        [
            .. Readings
                .Where(reading => reading.Location.Role == TokenRole.Hash && reading.Written is not null)
                .Select(reading => (Hash: TokenDiagnosis.Intended(reading.Written!), reading.Location.DisplayName))
                .Where(use => use.Hash is not null)
                .GroupBy(use => use.Hash!.Value, use => use.DisplayName)
                .Select(uses => (uses.Key, (IReadOnlyList<string>)[.. uses])),
        ];

        if (Source is not null)
        {
            var password = PasswordOf(Source.Hash, cancellationToken);
            PasswordVerified = Source.Password is null ? null : password == Source.Password;
            Truth = Source with { Password = password, UserName = UserNameInUse };
        }
        else if (SourceError is null && HashesInUse is [var only])
        {
            Truth = new TokenCredential(only.Hash, PasswordOf(only.Hash, cancellationToken), UserNameInUse);
        }
    }

    private void ReadSource()
    {
        if (SourceContent.Problem == TokenState.Missing)
            return;

        if (SourceContent.Problem is not null)
        {
            SourceError = new ComfyAuthException(
                "TokenSourceInvalid",
                $"The source of truth '{SourceContent.Path}' cannot be used: {SourceContent.Evidence}",
                SourceContent.Problem == TokenState.IsDirectory ? "Delete the folder, then run again." : "Check its permissions.");
            return;
        }

        try
        {
            SourceFile = TokenSourceFile.Parse(SourceContent.Bytes, SourceContent.Path);
            _secondPassword = SourceFile.SecondPassword(SourceContent.Path);
            Source = SourceFile.Credential(SourceContent.Path);
        }
        catch (ComfyAuthException error)
        {
            SourceError = error;
        }
    }

    private void Register()
    {
        foreach (var password in KnownPasswords())
            _redactor.Register(password);
        foreach (var written in WrittenAs(TokenRole.Hash))
            _redactor.Register(new SecretText(written));
        if (Source is not null)
            _redactor.Register(Source.Hash);
    }

    private IEnumerable<SecretText> KnownPasswords() => new[] { Source?.Password, _secondPassword }
        .OfType<SecretText>()
        .Concat(WrittenAs(TokenRole.Password).Select(written => new SecretText(written)))
        .Distinct();

    private IEnumerable<string> WrittenAs(TokenRole role) => Readings.Where(reading => reading.Location.Role == role).Select(reading => reading.Written).OfType<string>();

    /// <summary>Compares every place, the source first, with a credential; null where there is none to compare with.</summary>
    public IEnumerable<TokenObservation> Observe(TokenCredential? truth) =>
        Readings.Select(reading => Observe(reading, truth)).Prepend(ObserveSource());

    private TokenObservation ObserveSource()
    {
        var observation = new TokenObservation
        {
            Stack = Stack.Root,
            Service = Services[0].Name,
            Location = SourcePath,
            Path = Stack.PathOf(SourcePath),
            IsSource = true,
            Role = TokenRole.Hash,
            State = TokenState.Match,
            Fingerprint = Source?.Hash.Fingerprint,
            Expected = Source?.Hash.Fingerprint,
        };

        if (SourceError is not null)
            return observation with { State = SourceContent.Problem ?? TokenState.Malformed, Evidence = SourceError.Message, Remedy = SourceError.Remedy };
        if (Source is null)
            return observation with { State = TokenState.Missing, Evidence = WithoutSource(), Remedy = WithoutSourceRemedy() };
        if (PasswordVerified == false || HasOtherSecondPassword)
        {
            return observation with
            {
                State = TokenState.OtherPassword,
                Evidence = PasswordVerified == false
                    ? "The source's password is not the one that its hash is of." + (Truth!.Password is null ? "" : " Another place holds the right one.")
                    : "The source's raw_token is the password that its hash is of, but its 'password' is another.",
                Remedy = Truth!.Password is null ? "Give the right password with Sync-ComfyToken -Credential, or make a new credential with -Rotate (--rotate)." : "Synchronise: the password that the hash is of is written into the source.",
            };
        }

        if (SourceContent.IsExposed)
            return observation with { State = TokenState.Exposed, Evidence = ExposedEvidence, Remedy = ExposedRemedy };
        return Source.Password is null ? observation with { Evidence = "The password is not known, only its hash." } : observation;
    }

    private string WithoutSource() => HashesInUse.Count switch
    {
        0 => "There is no source of truth, and no valid hash at any place.",
        1 => $"There is no source of truth; one hash is in use: bcrypt:{HashesInUse[0].Hash.Fingerprint}.",
        _ => "There is no source of truth, and the places disagree: " + string.Join("; ", HashesInUse.Select(use => $"bcrypt:{use.Hash.Fingerprint} at {string.Join(", ", use.Locations)}")) + ".",
    };

    private string WithoutSourceRemedy() => HashesInUse.Count switch
    {
        0 => "Synchronise: a new credential is made.",
        1 => "Synchronise: the hash in use becomes the source of truth.",
        _ => "Choose one with -Adopt (--adopt) and its place or fingerprint; synchronising without that makes a new credential in place of all of them.",
    };

    private TokenObservation Observe(TokenReading reading, TokenCredential? truth)
    {
        var fault = Judge(reading, truth, out var fingerprint);
        if (fault.State == TokenState.Match && reading.File.IsExposed)
            fault = new(TokenState.Exposed, ExposedEvidence);

        return new TokenObservation
        {
            Stack = Stack.Root,
            Service = reading.Service.Name,
            Location = reading.Location.DisplayName,
            Path = Stack.PathOf(reading.Location.Path),
            Line = reading.Line,
            Role = reading.Location.Role,
            State = fault.State,
            Fingerprint = fingerprint,
            Expected = Expected(reading.Location.Role, truth),
            Evidence = _redactor.Redact(fault.Evidence),
            Remedy = RemedyFor(fault.State, reading, truth),
        };
    }

    /// <summary>The fingerprint of what should stand where a role belongs.</summary>
    public static string? Expected(TokenRole role, TokenCredential? truth) => role switch
    {
        TokenRole.Hash => truth?.Hash.Fingerprint,
        TokenRole.Password => truth?.Password?.Fingerprint,
        _ => null,
    };

    /// <summary>Judges what stands at a place, a file's or a container's.</summary>
    public TokenFault Judge(TokenReading reading, TokenCredential? truth, out string? fingerprint)
    {
        fingerprint = reading.Written is not { } written || reading.Location.Role == TokenRole.UserName ? null
            : reading.Location.Role == TokenRole.Hash ? TokenDiagnosis.Intended(written)?.Fingerprint ?? new SecretText(written).Fingerprint
            : new SecretText(written).Fingerprint;
        if (reading is { Problem: TokenState.Missing, Location.Role: TokenRole.Password } && truth is { Password: null })
            return new(TokenState.Undetermined, "Nobody knows the password that belongs here.");
        if (reading.Problem is { } problem)
            return new(problem, $"{reading.Evidence} {reading.Opening}".TrimEnd());

        foreach (var seen in reading.Seen)
        {
            var fault = Judge(reading, seen, truth);
            if (fault.State == TokenState.Match)
                continue;

            var sameForAll = seen.Reader is null || seen.Value == reading.Written;
            return sameForAll ? fault : fault with { Evidence = $"As {seen.Reader} reads it: {fault.Evidence}" };
        }

        // The second line of a PASSWORD file is ComfyUI-Login's own, but a carriage return on it breaks the web login all the same.
        if (reading.UserName is not null && reading.Location.Format == TokenFormat.PasswordFile && reading.File.Bytes!.Contains((byte)'\r'))
            return new(TokenState.CarriageReturn, "The file has carriage returns.");
        return Shadow(reading);
    }

    private static TokenFault Judge(TokenReading reading, SeenValue seen, TokenCredential? truth)
    {
        var fault = reading.Location.Role switch
        {
            TokenRole.Hash => TokenDiagnosis.OfHash(seen.Value, truth?.Hash),
            TokenRole.Password when truth?.Password is { } password => TokenDiagnosis.OfPassword(seen.Value, password),
            TokenRole.Password when truth is not null => new(TokenState.OtherPassword, "The hash is not of this password, and the right one is not known."),
            TokenRole.Password => new(TokenState.Undetermined, "There is no source of truth to compare with."),
            _ when truth?.UserName is null || seen.Value == truth.UserName => TokenFault.None,
            // Neither is shown: who swapped name and password has the password here.
            _ => new TokenFault(TokenState.Stale, "Not the source's user name."),
        };

        if (fault.State == TokenState.Match || seen.Dropped.Count == 0)
            return fault;

        // What was written may be wrong in itself; then that is the fault to name, not what is lost of it on top.
        var asWritten = Judge(reading, new SeenValue(null, reading.Written!, []), truth);
        return asWritten.State is TokenState.Match or TokenState.Stale or TokenState.Undetermined
            ? new(TokenState.Truncated, $"{TokenDiagnosis.Describe(seen.Dropped)} {fault.Evidence}")
            : asWritten;
    }

    private TokenFault Shadow(TokenReading reading)
    {
        if (reading.Location.Variable is { } variable
            && (reading.Location.Consumers & (DotEnv.DotEnvConsumer.ComposeV2 | DotEnv.DotEnvConsumer.ComposeV1)) != 0
            && _shell(variable) is { Length: > 0 } value
            && value != reading.Written)
        {
            return new(TokenState.ShadowedByShell, $"This process's environment has another {variable}; for Compose it beats the file.");
        }

        return TokenFault.None;
    }

    private const string ExposedEvidence = "The value is right, but others than the file's owner may read the file.";
    private const string ExposedRemedy = "Synchronise: the file is closed to everybody but its owner.";

    private static string RemedyFor(TokenState state, TokenReading reading, TokenCredential? truth) => state switch
    {
        TokenState.Match => "",
        TokenState.ShadowedByShell => $"Remove it where Compose is started from: Remove-Item Env:{reading.Location.Variable}, or unset {reading.Location.Variable}.",
        TokenState.IsDirectory => "Stop the container that mounts it, delete the folder, then synchronise.",
        _ when reading.Opening is not null => "Synchronise. Then restart the container that reads it.",
        TokenState.Unreadable => "Check the file's permissions.",
        TokenState.Exposed => ExposedRemedy,
        TokenState.Undetermined => "Synchronise, so that there is a source of truth.",
        TokenState.Malformed when reading is { Problem: not null, IsRepairable: false, Location.Format: TokenFormat.DotEnv } => "Mend the file by hand; nothing is written into a file that cannot be read.",
        _ when reading.Location.Role == TokenRole.Password && truth is { Password: null } => "Nobody knows the password of this hash: give it with Sync-ComfyToken -Credential, or make a new credential with -Rotate (--rotate).",
        _ => "Synchronise.",
    };
}
