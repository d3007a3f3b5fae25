using System.Globalization;
using System.Text;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of the credential of ComfyUI-Login: in files, and against itself.</summary>
internal static class TokenChecks
{
    /// <summary>The ground of whatever compares with the token, or sends it.</summary>
    public const string Source = "token.source";

    /// <summary>Each step doubles what a guess costs; below 10 a graphics card tries thousands of passwords in a second.</summary>
    internal const int LeastCost = 10;

    /// <summary>What is shorter can be guessed by trying all.</summary>
    internal const int LeastLength = 8;

    /// <summary>What OWASP's and NIST's guides ask for where there is no second factor, rounded down.</summary>
    internal const int EnoughLength = 12;

    /// <summary>Passwords that are tried first by whoever guesses, and those that the scripts and examples of such stacks come with.</summary>
    internal static readonly IReadOnlyList<string> CommonPasswords =
    [
        "password", "123456", "12345678", "123456789", "1234567890", "qwerty", "qwerty123", "abc123", "password1", "password123", "letmein",
        "admin", "admin123", "administrator", "root", "changeme", "change-me", "secret", "test", "guest", "welcome", "default",
        "comfyui", "comfyui-login", "comfy", "comfyui123", "qwen", "your-secure-password", "your_password_here", "your_secure_password",
    ];

    /// <summary>What is known of a service's credential, one look at all of its places.</summary>
    internal static readonly SharedServiceFact<(CredentialSurvey Survey, IReadOnlyList<TokenObservation> Observations)> SurveyFact = new((context, service, stop) =>
    {
        var survey = new TokenAuditor(context.Verifier, context.Redactor, context.Shell).Survey(context.Stack, [service.Name], stop)[0];
        return Task.FromResult<(CredentialSurvey, IReadOnlyList<TokenObservation>)>((survey, [.. survey.Observe(survey.Truth)]));
    });

    public static IReadOnlyList<Check> All { get; } =
    [
        new(
            Source,
            "Source of truth is there and sound",
            "One file says what the token is, and all other places are compared with it: it must be there, be readable and hold a well-formed bcrypt hash.",
            "Run Sync-ComfyToken, which takes the hash that is in use, or makes a new credential.",
            HasLogin,
            SourceAsync)
        {
            Weight = 3,
            PlanFix = SynchronizeAsync,
        },
        new(
            "token.files",
            "Files agree with the source of truth",
            "Each .env and token file that feeds the token, the password or the user name to somebody must hold the source's, as its own reader reads it.",
            "Run Sync-ComfyToken, which writes the source's value into every place.",
            HasLogin,
            FilesAsync)
        {
            DependsOn = [Source],
            Weight = 2,
            PlanFix = SynchronizeAsync,
        },
        new(
            "token.validation",
            "Password is the one that the hash is of",
            "The token is the bcrypt hash of the web password. Where the two do not belong together, API calls work and the web login does not.",
            "Give the right password with Sync-ComfyToken -Credential, or make a new credential with -Rotate.",
            HasLogin,
            ValidationAsync)
        {
            DependsOn = [Source],
            Weight = 2,
            PlanFix = SynchronizeAsync,
        },
        new(
            "token.running",
            "Running container and server have the token",
            "A container keeps the environment that it was made with, and a server what it read at its start: both are compared with the source of truth, with login/PASSWORD in the container between them.",
            "Restart the container with Restart-GenAIContainer, which recreates it where a restart is not enough.",
            HasLogin,
            RunningAsync)
        {
            DependsOn = [Source, ContainerChecks.Running],
            Weight = 2,
            Timeout = TimeSpan.FromMinutes(2),
        },
        new(
            "token.strength",
            "Password and hash are hard to guess",
            "ComfyUI-Login has no lockout, so whoever reaches it may guess for as long as they like: the password must be long and nobody's default, and the hash must be slow.",
            "Make a new credential with Sync-ComfyToken -Rotate.",
            HasLogin,
            StrengthAsync)
        {
            DependsOn = [Source],
            Timeout = TimeSpan.FromMinutes(2),
        },
    ];

    /// <summary>Whether a service is behind ComfyUI-Login.</summary>
    internal static bool HasLogin(ServiceDefinition service) => service.Auth == AuthKind.ComfyUILogin;

    /// <summary>What makes a password or its hash weak: the first of it that is so bad that it fails, and the rest.</summary>
    internal static (string? Fault, IReadOnlyList<string> Weaknesses) Weaknesses(SecretText? password, string? userName, int cost)
    {
        List<string> faults = [], weaknesses = [];
        if (password?.Reveal() is { } text)
        {
            var bytes = Encoding.UTF8.GetByteCount(text);
            if (CommonPasswords.Contains(text, StringComparer.OrdinalIgnoreCase))
                faults.Add("the password is a common one, which is guessed first");
            if (userName is not null && text.Equals(userName, StringComparison.OrdinalIgnoreCase))
                faults.Add("the password is the user name");
            if (bytes > Bcrypt.MaximumPasswordBytes)
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"the password has more than {Bcrypt.MaximumPasswordBytes} bytes, for which newer versions of bcrypt fail"));
            if (text.Length < LeastLength)
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"the password has fewer than {LeastLength} characters"));
            else if (text.Length < EnoughLength)
                weaknesses.Add(string.Create(CultureInfo.InvariantCulture, $"the password has fewer than {EnoughLength} characters"));
            if (text.Distinct().Take(4).Count() < 4)
                faults.Add("the password is made of three characters or fewer");
        }

        if (cost < LeastCost)
            weaknesses.Add(string.Create(CultureInfo.InvariantCulture, $"the cost of the hash is {cost}, and {LeastCost} is the least that slows guessing down"));
        return (faults.FirstOrDefault(), [.. faults, .. weaknesses]);
    }

    private static async Task<CheckOutcome> SourceAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var (survey, observations) = await context.FindAsync(SurveyFact, service, stop).ConfigureAwait(false);
        var seen = observations[0];
        return (survey.SourceContent.Problem, survey.SourceError) switch
        {
            (TokenState.Unreadable, _) => CheckOutcome.Error(seen.Evidence) with { Remedy = seen.Remedy },
            (TokenState.Missing, _) => CheckOutcome.Failed($"There is no source of truth at {survey.SourcePath}.", seen.Evidence) with
            {
                Remedy = seen.Remedy,

                // Which of several hashes is the right one only a person knows.
                CanFix = survey.HashesInUse.Count <= 1 && CanSynchronize(context, service, stop),
            },
            (_, { } error) => CheckOutcome.Failed(error.Message) with { Remedy = error.Remedy },
            _ => CheckOutcome.Passed($"{survey.SourcePath} holds {survey.Source!.Hash}, of cost {survey.Source.Hash.Cost.ToString(CultureInfo.InvariantCulture)}{(survey.Source.Password is null ? ", without the password" : "")}."),
        };
    }

    private static async Task<CheckOutcome> FilesAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var (_, observations) = await context.FindAsync(SurveyFact, service, stop).ConfigureAwait(false);

        // Who may read a file is another check's.
        var places = observations.Where(seen => !seen.IsSource && seen.State != TokenState.Exposed).ToList();
        var faults = places.Where(seen => seen.IsFault).ToList();
        var open = places.Where(seen => seen is { IsFault: false, State: not TokenState.Match }).ToList();
        string[] evidence = [.. faults.Concat(open).Select(Line)];
        var remedy = RemedyOf(faults.Concat(open));
        if (faults.Count > 0)
        {
            var message = string.Create(CultureInfo.InvariantCulture, $"{faults.Count} of {places.Count} places {(faults.Count == 1 ? "does" : "do")} not hold what the source says.");
            return CheckOutcome.Failed(message, evidence) with { Remedy = remedy, CanFix = CanSynchronize(context, service, stop) };
        }

        var agreeing = observations.Count(seen => !seen.IsSource) - open.Count;
        return open switch
        {
            [] when agreeing == 0 => CheckOutcome.Skipped("The stack names no place that the token stands at."),
            [] => CheckOutcome.Passed(string.Create(CultureInfo.InvariantCulture, $"All {agreeing} places agree with the source.")),
            _ when open.Exists(seen => seen.State == TokenState.Unreadable) => CheckOutcome.Error("Not all places can be read.", evidence) with { Remedy = remedy },
            _ => CheckOutcome.Warning("Not all places can be compared.", evidence) with { Remedy = remedy },
        };
    }

    /// <summary>What to do about places, each thing once; in a report nobody sees which command the places were read by.</summary>
    private static string RemedyOf(IEnumerable<TokenObservation> observations) => string.Join(
        ' ',
        observations.Select(seen => seen.Remedy).Where(text => text.Length > 0).Distinct()).Replace("Synchronise.", "Run Sync-ComfyToken (sync-token).", StringComparison.Ordinal);

    private static async Task<CheckOutcome> RunningAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var auditor = new LiveTokenAuditor(new TokenAuditor(context.Verifier, context.Redactor, context.Shell), context.Engine, context.Redactor)
        {
            Prove = (asked, expected, end) => AuthChecks.ProveAsync(context, asked, expected, end),
        };
        var places = (await auditor.AuditAsync(context.Stack, [service.Name], stop).ConfigureAwait(false)).Where(seen => seen.Layer != TokenLayer.File).ToList();
        var faults = places.Where(seen => seen.IsFault).ToList();
        var open = places.Where(seen => seen is { IsFault: false, State: not TokenState.Match }).ToList();
        string[] evidence = [.. faults.Concat(open).Concat(places.Where(seen => seen.State == TokenState.Match)).Select(Line)];
        var remedy = RemedyOf(faults.Concat(open));
        return (faults, open) switch
        {
            ({ Count: > 0 }, _) => CheckOutcome.Failed($"The running stack does not have the source's token: {string.Join(", ", faults.Select(seen => $"{seen.Location} is {seen.State}").Distinct())}.", evidence) with { Remedy = remedy },
            (_, { Count: > 0 }) => CheckOutcome.Error($"It could not be seen everywhere what the running stack has: {string.Join(", ", open.Select(seen => seen.Location).Distinct())}.", evidence) with { Remedy = remedy },
            _ => CheckOutcome.Passed("Container and server have the source's token.", evidence),
        };
    }

    private static async Task<CheckOutcome> ValidationAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var (survey, observations) = await context.FindAsync(SurveyFact, service, stop).ConfigureAwait(false);
        if (survey.PasswordVerified == false || survey.HasOtherSecondPassword)
        {
            return CheckOutcome.Failed(observations[0].Evidence, $"{survey.SourcePath}: bcrypt compares its password with {survey.Source!.Hash}") with
            {
                Remedy = observations[0].Remedy,
                CanFix = survey.Truth?.Password is not null && CanSynchronize(context, service, stop),
            };
        }

        return survey.Truth?.Password is null
            ? CheckOutcome.Skipped("Nobody knows the password of the hash, so there is nothing to compare.")
            : CheckOutcome.Passed("bcrypt says that the hash is of the password.");
    }

    private static async Task<CheckOutcome> StrengthAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        var (survey, _) = await context.FindAsync(SurveyFact, service, stop).ConfigureAwait(false);
        var hash = survey.Source!.Hash;
        var password = survey.Truth?.Password;

        // A password that nobody knows here may be one that everybody knows; each guess takes a quarter of a second.
        if (password is null && context.Options.Deep)
        {
            password = CommonPasswords.Append(survey.UserNameInUse).OfType<string>().Where(guess => guess.Length > 0).Select(guess => new SecretText(guess))
                .FirstOrDefault(guess => context.Verifier.Verify(guess, hash, stop));
        }

        var (fault, weaknesses) = Weaknesses(password, survey.UserNameInUse, hash.Cost);
        if (fault is not null)
            return CheckOutcome.Failed("The token is easy to guess: " + fault + ".", weaknesses);
        if (weaknesses is [var weakness, ..])
            return CheckOutcome.Warning("The token could be harder to guess: " + weakness + ".", weaknesses);
        return CheckOutcome.Passed(password is not null ? "Password and hash are hard to guess."
            : $"The hash is slow; the password is not known here{(context.Options.Deep ? " and is none of the common ones" : ", and common ones are tried with -Deep")}.");
    }

    private static string Line(TokenObservation seen) => string.Create(CultureInfo.InvariantCulture, $"{seen.Location}{(seen.Line is { } line ? $":{line}" : "")} {seen.State}: {seen.Evidence}");

    private static bool CanSynchronize(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        try
        {
            return Plan(context, service, stop).Changes.Count > 0;
        }
        catch (ComfyAuthException)
        {
            // A folder in a file's place, for example.
            return false;
        }
    }

    private static TokenSyncPlan Plan(CheckContext context, ServiceDefinition service, CancellationToken stop) =>
        new TokenSynchronizer(context.Verifier, context.Redactor, context.Shell) { Keep = context.Keep }.Plan(context.Stack, new() { Services = [service.Name] }, stop);

    private static Task<CheckFix> SynchronizeAsync(CheckContext context, ServiceDefinition? service, CancellationToken stop)
    {
        var plan = Plan(context, service!, stop);
        return Task.FromResult(new CheckFix(plan.Changes, (approve, end) => plan.ApplyAsync(change => approve(change), end)));
    }
}
