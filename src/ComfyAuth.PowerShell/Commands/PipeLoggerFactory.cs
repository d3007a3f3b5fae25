using Microsoft.Extensions.Logging;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Sends log messages to the verbose and debug streams.</summary>
internal sealed class PipeLoggerFactory(CmdletPipe pipe, bool verbose, bool debug) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => new PipeLogger(pipe, verbose, debug);

    public void AddProvider(ILoggerProvider provider)
        => throw new NotSupportedException("A cmdlet logs to its own streams only.");

    public void Dispose()
    {
    }

    private sealed class PipeLogger(CmdletPipe pipe, bool verbose, bool debug) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
            => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel switch
        {
            LogLevel.None => false,
            >= LogLevel.Information => verbose,
            _ => debug,
        };

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;

            var message = formatter(state, exception);
            if (exception is not null)
                message += $" Cause: {pipe.Redactor.Describe(exception)}";

            if (logLevel >= LogLevel.Information)
                pipe.WriteVerbose(message);
            else
                pipe.WriteDebug(message);
        }
    }
}
