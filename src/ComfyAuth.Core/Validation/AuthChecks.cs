using System.Globalization;
using System.Net;
using ComfyAuth.Comfy;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>Checks of the login of services, on the live server.</summary>
internal static class AuthChecks
{
    private const string Protected = "auth.api.protected";

    private const int LogLines = 500;

    /// <summary>What the login took, asked once for all checks of a service.</summary>
    private static readonly SharedServiceFact<(LoginExpectation Expected, LoginProof Proof)> ProofFact = new(async (context, service, stop) =>
    {
        var expected = await ExpectationAsync(context, service, stop).ConfigureAwait(false);
        return (expected, await new LoginProver(context.Redactor).ProveAsync(service, expected, stop).ConfigureAwait(false));
    });

    public static IReadOnlyList<Check> All { get; } =
    [
        Of(
            Protected,
            "API refuses strangers",
            "A request without a token must be refused, and one with an empty token as well: without a password set, ComfyUI-Login takes the empty text for the token.",
            "See that ComfyUI-Login is loaded, and that login/PASSWORD is a file of UTF-8 text and not empty; then restart the container.",
            proof => proof.RefusesNoToken,
            line => !line.Contains("websocket", StringComparison.Ordinal) && (line.EndsWith("without a token", StringComparison.Ordinal) || line.EndsWith("with an empty token", StringComparison.Ordinal)),
            "A request without a token is refused.",
            "Whoever reaches the service uses it without a token.",
            [ServiceChecks.Live],
            weight: 3),
        Of(
            "auth.api.wrongtoken",
            "API refuses a wrong token",
            "A token that nobody has must be refused; a login that lets in whatever looks like a token protects nothing.",
            "Look at what stands between here and the service, and whether ComfyUI-Login is loaded at all.",
            proof => proof.RefusesWrongToken,
            line => line.EndsWith("with a wrong token", StringComparison.Ordinal),
            "A token that nobody has is refused.",
            "The login lets in a token that nobody has.",
            [Protected],
            weight: 2),
        Of(
            "auth.api.token",
            "API accepts our token",
            "The token of the source of truth must be accepted; if it is not, the server runs with another one.",
            "Restart the container, which reads login/PASSWORD at its start only; if that does not help, run Sync-ComfyToken.",
            proof => proof.AcceptsToken,
            line => !line.Contains("websocket", StringComparison.Ordinal) && line.Contains("with ours", StringComparison.Ordinal),
            "Our token is accepted.",
            "Our token is refused.",
            [Protected, TokenChecks.Source],
            expected => expected.Token is not null ? null : "No token of the service is known here.",
            weight: 3),
        Of(
            "auth.web.login",
            "Web login accepts the password",
            "The web login must take the password that the token is the hash of. It reads the file by itself, so it can refuse where the API accepts.",
            "Write login/PASSWORD with LF and without a byte order mark, and restart the container.",
            proof => proof.AcceptsPassword,
            line => line.Contains("web login", StringComparison.Ordinal),
            "The web login lets the password in.",
            "The web login refuses the password.",
            [Protected, TokenChecks.Source],
            expected => expected.Password is not null ? null : "Nobody knows the password of the hash.",
            isOfComfyUI: true),
        Of(
            "auth.websocket",
            "Websocket asks for the token",
            "Progress and pictures come over a websocket: it must open with our token, and must not without one.",
            "Restart the container, and see that a proxy passes the Authorization header on.",
            proof => proof.AcceptsWebSocket,
            line => line.Contains("websocket", StringComparison.Ordinal),
            "The websocket opens with our token, and not without one.",
            "The websocket does not go by the token.",
            [Protected, TokenChecks.Source],
            expected => expected.Token is not null ? null : "No token of the service is known here.",
            isOfComfyUI: true),
        new(
            "auth.surface",
            "Login has no known weakness",
            "The live login is held against the weaknesses that are known of ComfyUI-Login and of how it is deployed: the first visitor who sets the password, guest mode, paths that it does not guard, tokens in the log, and more.",
            "Do what is said at each finding.",
            HasAuth,
            SurfaceAsync)
        {
            DependsOn = [ServiceChecks.Live],
            Timeout = TimeSpan.FromMinutes(2),
        },
    ];

    /// <summary>Whether a service has a login of any kind.</summary>
    internal static bool HasAuth(ServiceDefinition service) => service.Auth != AuthKind.None;

    /// <summary>Proves a login; what the checks of the run have proven already is not asked again.</summary>
    internal static async Task<LoginProof> ProveAsync(CheckContext context, ServiceDefinition service, LoginExpectation expected, CancellationToken stop)
    {
        var (known, proof) = await context.FindAsync(ProofFact, service, stop).ConfigureAwait(false);
        return known == expected ? proof : await new LoginProver(context.Redactor).ProveAsync(service, expected, stop).ConfigureAwait(false);
    }

    /// <summary>What the login of a service should take, by the files.</summary>
    private static async Task<LoginExpectation> ExpectationAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        if (!TokenChecks.HasLogin(service))
            return new() { Token = BearerToken.Of(context.Stack, service, context.Redactor) };

        try
        {
            var (survey, _) = await context.FindAsync(TokenChecks.SurveyFact, service, stop).ConfigureAwait(false);

            // Of a stack without a source of truth, nobody can say what the right token is.
            return survey.Source is null ? new() : new() { Token = survey.Source.Hash, Password = survey.Truth?.Password, UserName = survey.Truth?.UserName };
        }
        catch (ComfyAuthException)
        {
            // Told by the check of the source. Whether strangers are refused can be asked without it.
            return new();
        }
    }

    private static async Task<CheckOutcome> SurfaceAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        // The server answers nobody while it computes bcrypt for a login: one serves all checks.
        var (expected, proof) = await context.FindAsync(ProofFact, service, stop).ConfigureAwait(false);
        var (log, bindings) = await BesideAsync(context, service, stop).ConfigureAwait(false);
        var input = new AuthProbeInput { Token = expected.Token, Password = expected.Password, UserName = expected.UserName, Proof = proof, Log = log, Bindings = bindings };
        var findings = await new AuthProbe(context.Redactor).ProbeAsync(service, input, stop).ConfigureAwait(false);
        var found = findings.Where(finding => finding.IsVulnerable == true).OrderByDescending(finding => finding.Severity).ToList();

        // What every such login has is met by who can reach it. A check that nobody can pass would tell nobody anything.
        var isNear = bindings is not null && bindings.All(binding => IPAddress.IsLoopback(binding.Address));
        var weak = found.Where(finding => finding.Severity > AuthFindingSeverity.Info && !(finding.IsInherent && isNear)).ToList();
        var hints = found.Except(weak);
        var unknown = findings.Where(finding => finding.IsVulnerable is null).ToList();
        string[] evidence =
        [
            .. weak.Concat(hints).Select(finding => $"{finding.Severity} {finding.Id}{(finding.IsInherent ? ", of every ComfyUI-Login" : "")}: {finding.Title}: {finding.Evidence}"),
            .. unknown.Select(finding => $"not known: {finding.Id}: {finding.Evidence}"),
        ];
        if (weak is [var worst, ..])
        {
            var message = weak.Count == 1 ? $"{worst.Title}." : string.Create(CultureInfo.InvariantCulture, $"{worst.Title}, and {weak.Count - 1} more.");
            var isBroken = weak.Exists(finding => finding is { Severity: >= AuthFindingSeverity.High, IsInherent: false });
            return new(isBroken ? CheckStatus.Failed : CheckStatus.Warning, message) { Evidence = evidence, Remedy = string.Join(' ', weak.Select(finding => finding.Remedy).Distinct().Take(3)) };
        }

        return findings.Count > 0 && unknown.Count == findings.Count
            ? CheckOutcome.Error("The answers of the service do not tell.", evidence)
            : CheckOutcome.Passed(unknown.Count == 0 ? "It has no weakness that how it is set up could mend." : string.Create(CultureInfo.InvariantCulture, $"It has no weakness that how it is set up could mend; of {unknown.Count} it could not be told."), evidence);
    }

    /// <summary>What the engine knows beside what the service answers: the end of the log, and where the port is published. Null where it cannot be asked.</summary>
    private static async Task<(IReadOnlyList<string>? Log, IReadOnlyList<IPEndPoint>? Bindings)> BesideAsync(CheckContext context, ServiceDefinition service, CancellationToken stop)
    {
        try
        {
            var snapshot = await context.SnapshotAsync(service, stop).ConfigureAwait(false);
            if (!ContainerChecks.IsInspected(snapshot))
                return (null, null);

            var container = snapshot.Container!;
            List<string> log = [];
            await foreach (var line in context.Engine.LogsAsync(container.Id, new() { Tail = LogLines, Tty = container.Tty }, stop).ConfigureAwait(false))
            {
                log.Add(line.Text);
                if (log.Count == LogLines)
                    break;
            }

            IPEndPoint[] bindings =
            [
                .. container.Ports
                    .Where(port => port.PublicPort is not null)
                    .Select(port => new IPEndPoint(IPAddress.TryParse(port.HostAddress, out var address) ? address : IPAddress.Any, port.PublicPort!.Value)),
            ];

            // On the host's network, only the program itself knows what it listens on.
            return (log, container.NetworkMode == "host" ? null : bindings);
        }
        catch (ComfyAuthException)
        {
            return (null, null);
        }
    }

    private static Check Of(
        string id,
        string title,
        string meaning,
        string remedy,
        Func<LoginProof, bool?> read,
        Func<string, bool> isAbout,
        string good,
        string bad,
        IReadOnlyList<string> dependsOn,
        Func<LoginExpectation, string?>? missing = null,
        bool isOfComfyUI = false,
        double weight = 1) => new(
            id,
            title,
            meaning,
            remedy,
            isOfComfyUI ? TokenChecks.HasLogin : HasAuth,
            async (context, service, stop) =>
            {
                var (expected, proof) = await context.FindAsync(ProofFact, service, stop).ConfigureAwait(false);
                if (missing?.Invoke(expected) is { } reason)
                    return CheckOutcome.Skipped(reason);

                // The proof names what to do about the first thing that is wrong.
                bool?[] inOrder = [proof.RefusesNoToken, proof.RefusesWrongToken, proof.AcceptsToken, proof.AcceptsWebSocket, proof.AcceptsPassword];
                var own = read(proof);
                var isFirst = own == false && inOrder.Count(reading => reading == false) == 1;

                // The whole conversation, where it does not say what of it is about this.
                string[] evidence = [.. proof.Evidence.Where(isAbout)];
                evidence = evidence.Length > 0 ? evidence : [.. proof.Evidence];
                return own switch
                {
                    true => CheckOutcome.Passed(good, evidence),
                    false => CheckOutcome.Failed(bad, evidence) with { Remedy = isFirst ? proof.Remedy : null },
                    null => CheckOutcome.Error("The answers of the service do not tell.", evidence) with { Remedy = proof.IsProven is null ? proof.Remedy : null },
                };
            })
        {
            DependsOn = dependsOn,
            Weight = weight,
            Timeout = TimeSpan.FromMinutes(2),
        };
}
