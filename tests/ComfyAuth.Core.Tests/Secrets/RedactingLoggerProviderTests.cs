using System.Text;
using ComfyAuth.Secrets;
using Microsoft.Extensions.Logging;

namespace ComfyAuth.Tests.Secrets;

public sealed class RedactingLoggerProviderTests
{
    private const string Hash = "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_secret_reaches_the_inner_provider(bool withExternalScopes)
    {
        var (log, written) = Provider(withExternalScopes);
        var logger = log.CreateLogger("test");
        var error = new InvalidOperationException("canary-1 outside", new IOException("canary-1 inside"));
        error.Data["token"] = "canary-1";

        using (logger.BeginScope("scope canary-1"))
        using (logger.BeginScope(new Dictionary<string, object?> { ["value"] = "canary-1", ["Password"] = "unknown-2" }))
            Write(logger, error, "message {Value} {Token} {Hash} canary-1", "canary-1", "unknown-2", Hash);

        var all = written.ToString();
        Assert.Contains("message [redacted] [redacted] bcrypt:", all, StringComparison.Ordinal);
        Assert.Contains("scope [redacted]", all, StringComparison.Ordinal);
        Assert.Contains("System.IO.IOException: [redacted] inside", all, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", all, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown", all, StringComparison.Ordinal);
        Assert.DoesNotContain(Hash[7..], all, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_without_secrets_keep_their_types_and_messages_their_text()
    {
        var (log, written) = Provider(withExternalScopes: false);
        var logger = log.CreateLogger("test");

        Write(logger, null, "{Count} of {Size} in {Elapsed} for {Name}", 3, 4L, TimeSpan.FromSeconds(5), "flux");

        Assert.Contains("[3 of 4 in 00:00:05 for flux]", written.ToString(), StringComparison.Ordinal);
        Assert.Contains("Count=Int32:3;Size=Int64:4;Elapsed=TimeSpan:00:00:05;Name=String:flux;", written.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_that_is_a_secret_is_one()
    {
        var (log, written) = Provider(withExternalScopes: false);

        Write(log.CreateLogger("test"), null, "{Pin} {Items}", 20_251_021, new List<string> { "a", "canary-1" });

        Assert.Contains("Pin=String:[redacted];Items=String:a, [redacted];", written.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_level_that_is_off_is_not_even_formatted()
    {
        var (log, written) = Provider(withExternalScopes: false);
        var logger = log.CreateLogger("test");

        logger.Log<object?>(LogLevel.Trace, default, null, null, (_, _) => throw new InvalidOperationException("It was formatted."));

        Assert.False(logger.IsEnabled(LogLevel.Trace));
        Assert.Equal("", written.ToString());
    }

    private static (RedactingLoggerProvider Log, StringBuilder Written) Provider(bool withExternalScopes)
    {
        var redactor = new SecretRedactor();
        redactor.Register("canary-1");
        redactor.Register("20251021");
        var written = new StringBuilder();
        ILoggerProvider inner = withExternalScopes ? new ScopedRecorder(written) : new Recorder(written);
        return (new RedactingLoggerProvider(inner, redactor), written);
    }

#pragma warning disable CA1848, CA2254 // The template is the same at each call; it is a parameter to keep the tests short.
    private static void Write(ILogger logger, Exception? exception, string template, params object?[] values) =>
        logger.Log(LogLevel.Information, exception, template, values);
#pragma warning restore CA1848, CA2254

    /// <summary>A provider as they are: it writes all it is given.</summary>
    private class Recorder(StringBuilder written) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public virtual IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            WriteState(state);
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public virtual void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            written.Append('[').Append(formatter(state, exception)).Append(']');
            WriteState(state);
            for (var cause = exception; cause is not null; cause = cause.InnerException)
                written.Append(cause).Append(cause.Message).Append(cause.StackTrace).AppendJoin(',', cause.Data.Values.Cast<object?>());
        }

        public void Dispose() => GC.SuppressFinalize(this);

        protected void WriteState(object? state)
        {
            written.Append(state).Append('|');
            foreach (var (name, value) in state as IEnumerable<KeyValuePair<string, object?>> ?? [])
                written.Append(name).Append('=').Append(value?.GetType().Name).Append(':').Append(value).Append(';');
        }
    }

    /// <summary>A provider like that of the console, which leaves the keeping of scopes to the factory.</summary>
    private sealed class ScopedRecorder(StringBuilder written) : Recorder(written), ISupportExternalScope
    {
        private IExternalScopeProvider? _scopes;

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public override IDisposable? BeginScope<TState>(TState state) => throw new InvalidOperationException("Scopes are kept outside.");

        public override void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            base.Log(logLevel, eventId, state, exception, formatter);
            _scopes?.ForEachScope<object?>((scope, _) => WriteState(scope), null);
        }
    }
}
