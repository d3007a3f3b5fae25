using System.Security.Cryptography;
using System.Text;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>Proves on the live server that the login takes exactly what it should. Safe for concurrent use.</summary>
/// <remarks>
/// <para>
/// ComfyUI is asked for <c>/system_stats</c>: it only reads counters, every version has it, it leaves no line in the log as a prompt
/// does, and the login treats it as any other path. Other services are asked for their health path; one that is open proves nothing.
/// </para>
/// <para>
/// Secrets go to the service's own address only, redirects are not followed, and the wrong token is a new random one each time. The
/// web login, for which the whole server waits about 0.3 s, is tried once, and never where it would set the password or a user name.
/// </para>
/// </remarks>
/// <param name="redactor">Learns what is expected.</param>
public sealed class LoginProver(SecretRedactor redactor)
{
    /// <summary>A path of ComfyUI that the login guards.</summary>
    internal const string GuardedPath = "/system_stats";

    private const string SocketPath = "/ws";

    /// <summary>How long one question may take: an answer can wait for a bcrypt, or for a model that is being loaded.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Asks: at most nine short questions and one web login, one after the other.</summary>
    /// <param name="service">The service.</param>
    /// <param name="expected">What its login should take.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The proof; that a service does not answer is not determined, and no error.</returns>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task<LoginProof> ProveAsync(ServiceDefinition service, LoginExpectation expected, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(expected);
        foreach (var token in new[] { expected.Token, expected.OldToken })
            redactor.Register(token ?? default);
        if (expected.Password is { } password)
            redactor.Register(password);

        using var conversation = new LoginConversation(service, Timeout, stop);
        var path = service.Auth == AuthKind.ComfyUILogin ? GuardedPath : service.HealthPath;
        var examination = new Examination(conversation, service, expected, path);
        if (service.Auth == AuthKind.None)
            examination.Tell("not asked, because the service has no login");
        else
            await examination.RunAsync(stop).ConfigureAwait(false);

        var proof = examination.Proof;
        return proof with
        {
            Service = redactor.Redact(service.Name),
            Address = redactor.Redact(conversation.AddressOf(path)?.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) ?? ""),
            Evidence = [.. proof.Evidence.Select(redactor.Redact)],
            Remedy = redactor.Redact(proof.Remedy),
        };
    }

    /// <summary>A token that is as well-formed as any and that nobody has: 312 random bits.</summary>
    internal static BcryptHash WrongToken() =>
        BcryptHash.FromParts(Bcrypt.DefaultCost, RandomNumberGenerator.GetBytes(Bcrypt.SaltBytes), RandomNumberGenerator.GetBytes(Bcrypt.DigestBytes));

    /// <summary>The questions to one service, and what came of them.</summary>
    private sealed class Examination(LoginConversation conversation, ServiceDefinition service, LoginExpectation expected, string path)
    {
        private const string Unclear = "The answer does not tell. See that the service runs and has started, and what stands between here and it; then ask again.";

        private readonly List<string> _evidence = [];
        private readonly List<bool?> _readings = [];
        private string _remedy = "";
        private string _hint = "";
        private LoginProof _proof = new() { Service = "", Address = "" };

        /// <summary>The readings so far. What is wrong is more urgent than what is not known.</summary>
        public LoginProof Proof => _proof with
        {
            IsProven = _readings.Contains(false) ? false : _readings.Count == 0 || _readings.Contains(null) ? null : true,
            Evidence = _evidence,
            Remedy = _remedy.Length > 0 ? _remedy : _hint,
        };

        private bool IsComfyUI => service.Auth == AuthKind.ComfyUILogin;

        public void Tell(string evidence) => _evidence.Add(evidence);

        public async Task RunAsync(CancellationToken stop)
        {
            if (!await RefusesNoTokenAsync(stop).ConfigureAwait(false))
                return;

            var wrong = await AskAsync(new(path) { Bearer = WrongToken() }, "with a wrong token", stop).ConfigureAwait(false);
            _proof = _proof with { RefusesWrongToken = Read(Refuses(wrong), $"The login lets in a token that nobody has. Look at what stands between here and '{service.Name}', and whether the login is loaded at all.") };
            await AcceptsTokenAsync(stop).ConfigureAwait(false);
            if (expected.OldToken is { IsDefault: false } old && old != expected.Token)
            {
                var reply = await AskAsync(new(path) { Bearer = old }, "with the old token", stop).ConfigureAwait(false);
                _proof = _proof with { RefusesOldToken = Read(Refuses(reply), "The server still takes the old token: it reads the new one when it starts. Restart the container.") };
            }

            if (IsComfyUI && expected.Token is { IsDefault: false } token)
                await AcceptsWebSocketAsync(token, stop).ConfigureAwait(false);
            if (IsComfyUI && expected.Password is { } password)
                await AcceptsPasswordAsync(password, stop).ConfigureAwait(false);
        }

        /// <summary>Whether it is worth going on: where all are let in, our token would prove nothing and be given away for nothing.</summary>
        private async Task<bool> RefusesNoTokenAsync(CancellationToken stop)
        {
            var without = await AskAsync(new(path), "without a token", stop).ConfigureAwait(false);
            if (without.IsFine && !IsComfyUI)
            {
                Tell("its health path is open to all, which proves nothing");
                Read(null, "", "Give the service a health path that asks for the token.");
                return false;
            }

            var refuses = Refuses(without);
            if (refuses == true && IsComfyUI)
            {
                // Where no password is set, the token is the empty text.
                var empty = await AskAsync(new($"{path}?token="), "with an empty token", stop).ConfigureAwait(false);
                _proof = _proof with { RefusesNoToken = Read(Refuses(empty), "No password is set, and an empty token opens everything. Write login/PASSWORD and restart the container.") };
                return true;
            }

            _proof = _proof with { RefusesNoToken = Read(refuses, "The service is open to everyone: the login is not installed, or it failed to load. See the container's log for ComfyUI-Login.") };
            return refuses == true;
        }

        private async Task AcceptsTokenAsync(CancellationToken stop)
        {
            if (expected.Token is not { IsDefault: false } token)
                return;

            var reply = await AskAsync(new(path) { Bearer = token }, "with ours", stop).ConfigureAwait(false);
            var remedy = "The server expects another token: it reads login/PASSWORD when it starts, and not at all where a byte order mark precedes the hash. Compare line 1 of the file with the source of truth, then restart the container.";
            if (reply is { IsRefusal: true, AllowedOrigin: { Length: > 1 } origin })
            {
                var again = await AskAsync(new(path) { Bearer = token, Origin = origin }, "with ours and the allowed Origin", stop).ConfigureAwait(false);
                if (again.IsFine)
                    remedy = "The token is right, but with --enable-cors-header ComfyUI-Login takes tokens only together with that Origin header. Take the option away, or send the header.";
            }

            _proof = _proof with { AcceptsToken = Read(reply.IsFine ? true : reply.IsRefusal ? false : null, remedy) };
        }

        private async Task AcceptsWebSocketAsync(BcryptHash token, CancellationToken stop)
        {
            var question = new LoginQuestion(SocketPath) { IsHandshake = true };
            var without = await AskAsync(question, "for a websocket without a token", stop).ConfigureAwait(false);
            var with = await AskAsync(question with { Bearer = token }, "for a websocket with ours", stop).ConfigureAwait(false);
            bool? accepts = (without, with) switch
            {
                ({ Status: 101 }, _) or (_, { IsRefusal: true }) => false,
                ({ IsRefusal: true }, { Status: 101 }) => true,
                _ => null,
            };
            _proof = _proof with
            {
                AcceptsWebSocket = Read(accepts, without.Status == 101
                    ? "The websocket opens without a token. See that the login is loaded, and what stands between here and the service."
                    : "The websocket does not open with the token that the service is to expect. Restart the container, and see that a proxy passes the Authorization header on."),
            };
        }

        private async Task AcceptsPasswordAsync(SecretText password, CancellationToken stop)
        {
            var page = await conversation.AskAsync(new(LoginPage.Path) { WantsBody = true }, stop).ConfigureAwait(false);
            if (!LoginPage.IsSet(page) || (LoginPage.AsksUserName(page) && expected.UserName is null))
            {
                var (evidence, hint) = page switch
                {
                    _ when LoginPage.IsFirstLogin(page) => ("no web login, because no password is set and the first one would set it", "Write login/PASSWORD and restart the container."),
                    _ when LoginPage.IsSet(page) => ("no web login, because the first one would write a user name into login/PASSWORD", "Put a user name on line 2 of login/PASSWORD, or give the one to log in with."),
                    _ => ($"no web login, because the login page is not that of ComfyUI-Login ({page.What})", Unclear),
                };
                Tell(evidence);
                Read(null, "", hint);
                return;
            }

            var reply = await conversation.AskAsync(LoginPage.LogIn(password, expected.UserName), stop).ConfigureAwait(false);
            var letsIn = LoginPage.LetsIn(reply);
            var isTooLong = Encoding.UTF8.GetByteCount(password.Reveal()) > Bcrypt.MaximumPasswordBytes;
            Tell(letsIn switch
            {
                true => "the web login lets the password in",
                false => "the web login refuses the password",
                null => $"{reply.What} to the web login",
            });
            _proof = _proof with
            {
                CookieAttributes = letsIn == true ? LoginPage.CookieAttributes(reply) : null,

                // The node's own failure keeps everyone out.
                AcceptsPassword = Read(reply.Status == 500 ? false : letsIn, (reply.Status, isTooLong) switch
                {
                    (500, true) => "The password has more than 72 bytes of UTF-8, for which newer versions of bcrypt fail. Choose a shorter one.",
                    (500, false) => "The web login fails: line 1 of login/PASSWORD is no hash, or a byte order mark precedes it. Write it anew and restart the container.",
                    _ => "The web login expects another password. It keeps what it read at its first visit, and never matches where line 1 of login/PASSWORD ends in CR LF. Write it with LF and restart the container.",
                }),
            };
        }

        private async Task<LoginReply> AskAsync(LoginQuestion question, string how, CancellationToken stop)
        {
            var reply = await conversation.AskAsync(question, stop).ConfigureAwait(false);
            Tell($"{reply.What} {how}");
            return reply;
        }

        private static bool? Refuses(LoginReply reply) => reply.IsRefusal ? true : reply.IsFine ? false : null;

        /// <summary>Notes a reading.</summary>
        /// <param name="reading">The reading.</param>
        /// <param name="remedy">What to do where it is not as it should be.</param>
        /// <param name="hint">What to do where it is not known.</param>
        private bool? Read(bool? reading, string remedy, string hint = Unclear)
        {
            _readings.Add(reading);
            if (reading == false && _remedy.Length == 0)
                _remedy = remedy;
            if (reading is null && _hint.Length == 0)
                _hint = hint;
            return reading;
        }
    }
}
