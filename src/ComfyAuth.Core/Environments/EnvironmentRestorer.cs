using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ComfyAuth.Environments;

/// <summary>
/// Rebuilds a service's <c>.env</c> file from its template, the source of truth and the user's own values, or puts a
/// backup back. The user's values, comments and unknown keys stay; where the file is right already nothing is written.
/// </summary>
/// <param name="verifier">Asks bcrypt.</param>
/// <param name="redactor">Learns every secret that is read or made.</param>
/// <param name="clock">Gives the time that names a backup; null for the system's.</param>
/// <param name="logger">Is told what is written, and what is waited for; null for nobody.</param>
public sealed class EnvironmentRestorer(PasswordVerifier verifier, SecretRedactor redactor, TimeProvider? clock = null, ILogger? logger = null)
{
    private const string HuggingFaceVariable = "HF_TOKEN";

    /// <summary>Keeps what is replaced, as <see cref="FileTransactionOptions.Keep"/> says.</summary>
    internal Action<string, string?>? Keep { get; init; }

    private FileTransactionOptions Options => new() { Logger = logger ?? NullLogger.Instance, Keep = Keep };

    /// <summary>Finds out what would change in each service's file.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="request">Whether to rebuild or to put a backup back, and from what.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>
    /// One plan for each service that has a <c>.env</c> file. Each is made when it is asked for: apply it before the next, since services may share a file.
    /// </returns>
    /// <exception cref="ComfyAuthException">
    /// As <see cref="EnvironmentValidator.Validate(GenAIStack, IReadOnlyCollection{string}?)"/>; <c>BackupNotFound</c>; <c>BackupInvalid</c>: the backup is worse than the file;
    /// <c>RecoveryPending</c>; <c>TokenSourceInvalid</c>; <c>TokenSourceMissing</c>: there is no credential to restore;
    /// <c>TemplateMissing</c>: there is neither a file nor a template; <c>SourceFileUnreadable</c>;
    /// <c>DotEnvValueCannotBeQuoted</c>: a value that the file cannot give to each of its readers.
    /// </exception>
    public IEnumerable<EnvironmentRestorePlan> Plan(GenAIStack stack, EnvironmentRestoreRequest request, CancellationToken cancellationToken = default)
        => EnvironmentValidator.ServicesOf(stack, request.Services).Select(service => Plan(stack, service, request, cancellationToken));

    /// <summary>Finds out what would change in one service's file.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="service">One of <see cref="EnvironmentValidator.ServicesOf"/>.</param>
    /// <param name="request">Whether to rebuild or to put a backup back, and from what; its services do not matter.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The plan.</returns>
    /// <exception cref="ComfyAuthException">As for all services.</exception>
    public EnvironmentRestorePlan Plan(GenAIStack stack, ServiceDefinition service, EnvironmentRestoreRequest request, CancellationToken cancellationToken = default)
    {
        StackFiles.EnsureSettled(stack);
        var files = new StackFiles(stack);
        var content = EnvironmentValidator.Load(files, service.Environment!.Path);
        return request.FromBackup is { } name
            ? FromBackup(stack, service, content, files, name, request.Backup)
            : Rebuild(stack, service, content, files, request, cancellationToken);
    }

    private EnvironmentRestorePlan FromBackup(GenAIStack stack, ServiceDefinition service, StackFileContent content, StackFiles files, string name, bool keepOld)
    {
        var backup = EnvironmentValidator.Load(files, new EnvironmentBackups(content.Path).Find(name));
        var validation = EnvironmentValidator.Validate(stack, service, backup.Document);
        var wasValid = IsValid(stack, service, content);
        if (!validation.IsValid && wasValid)
            throw new ComfyAuthException("BackupInvalid", $"'{backup.Path}' is not valid, and the file it would replace is: {validation.Problems}", "Choose an older backup, or rebuild the file.");

        var bytes = backup.Bytes ?? [];
        var plan = new EnvironmentRestorePlan(stack, service, DocumentOrEmpty(content), content.Bytes, wasValid, Options)
        {
            BackupBytes = bytes,
            BackupPath = BackupPath(content, keepOld),
            FindCredential = stop => CredentialOf(stack, service, stop),
        };
        if (content.Bytes is { } old && old.AsSpan().SequenceEqual(bytes))
            return plan;

        AddBackup(plan);
        plan.ChangeList.Add(new(content.Path, $"Put back {Path.GetFileName(backup.Path)}", () => { }));
        AddDeletions(plan);
        return plan;
    }

    private EnvironmentRestorePlan Rebuild(GenAIStack stack, ServiceDefinition service, StackFileContent content, StackFiles files, EnvironmentRestoreRequest request, CancellationToken cancellationToken)
    {
        var environment = service.Environment!;
        var template = EnvironmentTemplate.For(service, files);
        if (content.Bytes is null && template is null)
            throw new ComfyAuthException("TemplateMissing", $"There is neither '{content.Path}' nor a template for it.", "Write a template and name it in the stack file: env.template.");

        var (givenCredential, values) = request.SourceFile is { } file ? ReadSource(files.Get(file), cancellationToken) : default;
        var credential = givenCredential ?? CredentialOf(stack, service, cancellationToken);
        var huggingFace = files.Get(DefaultLayout.HuggingFaceFile);
        var document = content.Bytes is null ? DotEnvDocument.Parse(template!.Document.ToBytes(), content.Path) : content.Document;
        var plan = new EnvironmentRestorePlan(stack, service, document, content.Bytes, IsValid(stack, service, content), Options)
        {
            BackupPath = BackupPath(content, request.Backup),
            FindCredential = _ => credential,
            Note = credential is { Password: null } ? "Nobody knows the password that the token is the hash of, so the password stays as it is." : null,
        };
        AddBackup(plan);

        // Tried on a copy, so that a value that cannot be written is known before anything is approved.
        var trial = DotEnvDocument.Parse(document.ToBytes(), content.Path);
        var names = (template?.Document.Entries.Select(entry => entry.Name) ?? []).Concat(environment.Required).Concat(document.Entries.Select(entry => entry.Name)).Distinct();
        foreach (var name in names)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var current = document.Get(name);
            // The user left these to the environment that Compose is started in.
            if (!IsCredential(name) && current is null or "" && IsReference(document, name))
                continue;
            var isRequired = environment.Required.Contains(name);
            var (value, reason) = Wanted(name, current, isRequired);
            if (value is null && (current is not null || content.Bytes is null))
                continue;
            if (current is not null && ReadsRight(document, name, value!, environment.Consumers))
                continue;

            Set(trial, name, value ?? "");
            plan.ChangeList.Add(new(
                $"{content.Path}#{name}",
                current is null ? $"Add {name} ({reason})" : $"Set {name} ({reason})",
                () => Set(document, name, value ?? ""),
                name,
                isAddition: current is null));
        }

        if (plan.ChangeList.All(change => change.Apply is null))
        {
            plan.ChangeList.Clear();
            if (content.Bytes is null)
                plan.ChangeList.Add(new(content.Path, "Create the file from its template", () => { }));
        }

        AddDeletions(plan);
        return plan;

        void Set(DotEnvDocument target, string name, string value)
        {
            try
            {
                target.Set(name, value, environment.Consumers, template?.Neighbour(name, target), template?.CommentsAbove(name));
            }
            catch (ComfyAuthException error)
            {
                throw new ComfyAuthException(error.Code, $"{content.Path}#{name}: {error.Message}", error.Remedy, error);
            }
        }

        (string? Value, string Reason) Wanted(string name, string? current, bool isRequired)
        {
            if (credential is not null && IsCredential(name) && (current is not null || isRequired || template?.Document.Get(name) is not null))
            {
                return DefaultLayout.RoleOf(name) switch
                {
                    TokenRole.Hash => (credential.Hash.Reveal(), "from the source of truth"),
                    TokenRole.Password => (credential.Password?.Reveal(), credential.Password is null ? "empty: nobody knows it" : "from the source of truth"),
                    // The user name is the user's own, and the login never compares it.
                    _ => (UserName(current, credential), "the user name in use"),
                };
            }

            if (name == EnvironmentValidator.SecretKey)
                return current is not null && EnvironmentValidator.IsStrong(current) ? (null, "") : (RandomKey(), current is null or "" ? "a new random key" : "a new random key in place of a weak one");
            if (!EnvironmentValidator.IsPlaceholder(current))
                return (null, "");
            if (values?.Get(name) is { } given && !EnvironmentValidator.IsPlaceholder(given))
                return (Registered(given), "from the source file");
            if (name == HuggingFaceVariable && huggingFace.Bytes is not null && huggingFace.Document.Get(name) is { } token && !EnvironmentValidator.IsPlaceholder(token))
                return (Registered(token), $"from {DefaultLayout.HuggingFaceFile}");
            if (current is null || isRequired)
            {
                var fromTemplate = template?.Document.Get(name);
                return EnvironmentValidator.IsPlaceholder(fromTemplate)
                    ? (null, "empty: only you know its value")
                    : (fromTemplate, "from the template");
            }

            return (null, "");
        }
    }

    private string RandomKey() => Registered(RandomSecret.Create(48).Reveal());

    private string Registered(string secret)
    {
        redactor.Register(new SecretText(secret));
        return secret;
    }

    private static bool IsCredential(string name) =>
        DefaultLayout.HashVariables.Contains(name) || DefaultLayout.PasswordVariables.Contains(name) || name == DefaultLayout.UserNameVariable;

    /// <summary>ComfyUI-Login wants a name but never compares it; a place may hold a placeholder, which then is the name in use.</summary>
    private static string UserName(string? current, TokenCredential credential) =>
        new[] { current, credential.UserName }.FirstOrDefault(name => !EnvironmentValidator.IsPlaceholder(name)) ?? TokenSynchronizer.DefaultUserName;

    /// <summary>Whether a key stands there but takes its value from elsewhere: <c>KEY</c> alone, or <c>KEY=${OTHER}</c>.</summary>
    private static bool IsReference(DotEnvDocument document, string name) =>
        document.Read(name, DotEnvConsumer.ComposeV2) is { } reading && (reading.Value is null || reading.Dropped.Count > 0);

    /// <summary>Whether setting the value would change nothing; where another line makes a reader refuse the file, setting this one does not help.</summary>
    private static bool ReadsRight(DotEnvDocument document, string name, string value, DotEnvConsumer consumers) =>
        DotEnvReader.For(consumers).All(reader => document.View(reader.Consumer, lookup: null).Gives(name, value));

    private TokenCredential? CredentialOf(GenAIStack stack, ServiceDefinition service, CancellationToken cancellationToken)
    {
        if (service.Auth != AuthKind.ComfyUILogin)
            return null;

        var survey = new TokenAuditor(verifier, redactor).Survey(stack, [service.Name], cancellationToken)[0];
        if (survey.SourceError is not null)
            throw survey.SourceError;
        if (survey.Source is null)
            throw new ComfyAuthException("TokenSourceMissing", $"There is no source of truth '{survey.SourceContent.Path}', so there is no credential to restore.", "Run Sync-ComfyToken (sync-token) first: it makes one, or takes the hash that is in use.");
        return survey.Truth!;
    }

    /// <summary>Reads a file that the user gave: JSON is a source of truth, anything else a <c>.env</c> file.</summary>
    private (TokenCredential? Credential, DotEnvDocument? Values) ReadSource(StackFileContent content, CancellationToken cancellationToken)
    {
        var path = content.Path;
        if (content.Bytes is not { } bytes)
            throw new ComfyAuthException("SourceFileUnreadable", $"'{path}' cannot be used: {content.Evidence}", "Check the path and its permissions.");

        if (bytes.SkipWhile(value => value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or 0xEF or 0xBB or 0xBF).FirstOrDefault() != '{')
            return (null, content.Document);

        var credential = TokenSourceFile.Parse(bytes, path).Credential(path);
        redactor.Register(credential.Hash);
        if (credential.Password is not { } password)
            return (credential, null);

        redactor.Register(password);
        return verifier.Verify(password, credential.Hash, cancellationToken) ? (credential, null) : throw new ComfyAuthException(
            "TokenSourceInvalid",
            $"The source of truth '{path}' cannot be used: its password is not the one that its hash is of.",
            "Give the file that holds the credential in use.");
    }

    private static bool IsValid(GenAIStack stack, ServiceDefinition service, StackFileContent content)
    {
        try
        {
            return content.Bytes is not null && EnvironmentValidator.Validate(stack, service, content.Document).IsValid;
        }
        catch (DotEnvSyntaxException)
        {
            return false;
        }
    }

    /// <summary>A file that no one can parse may still be replaced by a backup.</summary>
    private static DotEnvDocument DocumentOrEmpty(StackFileContent content)
    {
        try
        {
            return content.Document;
        }
        catch (DotEnvSyntaxException)
        {
            return DotEnvDocument.Parse([], content.Path);
        }
    }

    private string? BackupPath(StackFileContent content, bool wanted) =>
        wanted && content.Bytes is not null ? new EnvironmentBackups(content.Path).NewPath((clock ?? TimeProvider.System).GetUtcNow()) : null;

    private static void AddBackup(EnvironmentRestorePlan plan)
    {
        if (plan.BackupPath is { } path)
            plan.ChangeList.Add(new(plan.Path, $"Back up as {Path.GetFileName(path)}", null));
    }

    /// <summary>Names the backups for which a new one leaves no room.</summary>
    private static void AddDeletions(EnvironmentRestorePlan plan)
    {
        if (plan.BackupPath is null || plan.ChangeList.Count == 0)
            return;
        foreach (var surplus in new EnvironmentBackups(plan.Path).List().Skip(plan.Stack.Definition.KeepBackups - 1))
            plan.ChangeList.Add(new(surplus, $"Delete the old backup {Path.GetFileName(surplus)}", null, isDeletion: true));
    }
}
