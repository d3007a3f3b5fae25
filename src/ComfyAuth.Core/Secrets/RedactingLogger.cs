using Microsoft.Extensions.Logging;

namespace ComfyAuth.Secrets;

/// <summary>Redacts what it is given and passes it on.</summary>
internal sealed class RedactingLogger(ILogger inner, SecretRedactor redactor, IExternalScopeProvider? scopes) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        var redacted = new RedactedState(state, state.ToString(), redactor);
        return scopes is null ? inner.BeginScope(redacted) : scopes.Push(redacted);
    }

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        if (!inner.IsEnabled(logLevel))
            return;
        inner.Log(
            logLevel,
            eventId,
            new RedactedState(state, formatter(state, exception), redactor),
            exception is null ? null : new RedactedException(exception, redactor),
            static (redacted, _) => redacted.ToString());
    }
}
