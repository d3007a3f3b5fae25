using Microsoft.Extensions.Logging;

namespace ComfyAuth.Secrets;

/// <summary>
/// Stands before another logger provider, which gets every message, every value of the state and of the scopes, and every
/// exception without secrets.
/// </summary>
/// <param name="inner">The provider that writes; disposed of with this one.</param>
/// <param name="redactor">Knows the secrets; more may be registered at any time.</param>
public sealed class RedactingLoggerProvider(ILoggerProvider inner, SecretRedactor redactor) : ILoggerProvider
{
    private readonly IExternalScopeProvider? _scopes = GiveScopes(inner);

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new RedactingLogger(inner.CreateLogger(categoryName), redactor, _scopes);

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();

    // Some providers keep no scopes of their own; they must get redacted ones, so not those of the logger factory.
    private static LoggerExternalScopeProvider? GiveScopes(ILoggerProvider provider)
    {
        if (provider is not ISupportExternalScope supporting)
            return null;
        var scopes = new LoggerExternalScopeProvider();
        supporting.SetScopeProvider(scopes);
        return scopes;
    }
}
