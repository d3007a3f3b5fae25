using ComfyAuth.Stacks;

namespace ComfyAuth.Comfy;

/// <summary>What the rules look at: a service, what is known of it, and its answers, each of which is asked for once.</summary>
internal sealed class AuthProbeContext(LoginConversation conversation, ServiceDefinition service, AuthProbeInput input)
{
    private LoginReply? _open;
    private LoginReply? _page;

    public ServiceDefinition Service => service;

    public AuthProbeInput Input => input;

    /// <summary>A path that the login should guard.</summary>
    public string GuardedPath => service.Auth == AuthKind.ComfyUILogin ? LoginProver.GuardedPath : service.HealthPath;

    /// <summary>The answer to a request without a token.</summary>
    public async Task<LoginReply> WithoutTokenAsync(CancellationToken stop) =>
        _open ??= await conversation.AskAsync(new(GuardedPath), stop).ConfigureAwait(false);

    /// <summary>The login page.</summary>
    public async Task<LoginReply> PageAsync(CancellationToken stop) =>
        _page ??= await AskAsync(new(LoginPage.Path) { WantsBody = true }, stop).ConfigureAwait(false);

    /// <summary>Asks; a service that has not answered once is not asked again.</summary>
    public async Task<LoginReply> AskAsync(LoginQuestion question, CancellationToken stop)
    {
        var first = await WithoutTokenAsync(stop).ConfigureAwait(false);
        return first.Status is null ? first : await conversation.AskAsync(question, stop).ConfigureAwait(false);
    }
}
