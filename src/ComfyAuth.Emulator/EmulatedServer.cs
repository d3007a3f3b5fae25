using System.Net;
using ComfyAuth.Emulator.Faults;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace ComfyAuth.Emulator;

/// <summary>
/// An HTTP server inside this process, on a port of 127.0.0.1, on a Unix socket, or on both. A fault
/// can be laid over each of its answers. It is gone as soon as it is disposed of, whatever is still under way.
/// </summary>
public abstract class EmulatedServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly KestrelServer _server;
    private int _requests;
    private int _disposed;

    /// <summary>Makes a server that does not listen yet.</summary>
    /// <param name="tcp">Whether it listens on a port of 127.0.0.1.</param>
    /// <param name="socketPath">The Unix socket that it listens on; null: none.</param>
    /// <param name="port">The port; 0: one that is free.</param>
    protected EmulatedServer(bool tcp = true, string? socketPath = null, int port = 0)
    {
        // Neither a host nor a container of services: they would cost more than all that is served here.
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        if (tcp)
            options.Listen(IPAddress.Loopback, port, FaultyOutput.Use);
        if (socketPath is not null)
            options.ListenUnixSocket(socketPath, FaultyOutput.Use);
        _server = new(
            Options.Create(options),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance),
            NullLoggerFactory.Instance);
    }

    /// <summary>Where it is reached, such as <c>http://127.0.0.1:40123/</c>.</summary>
    /// <exception cref="InvalidOperationException">It listens on no port.</exception>
    public Uri Address =>
        Uri.TryCreate(_server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault(address => !address.Contains("unix:", StringComparison.Ordinal)), UriKind.Absolute, out var address)
            ? address
            : throw new InvalidOperationException("The server listens on no port.");

    /// <summary>Chooses the fault of each answer; null, and an answer of null, leave it as it is. May be changed at any time.</summary>
    public Func<HttpRequest, Fault?>? Faults { get; set; }

    /// <summary>How many requests have come.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Ends when the server closes: for answers that have no end of their own.</summary>
    protected CancellationToken Closing => _closing.Token;

    /// <summary>Stops listening and drops every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            await DisposeAsyncCore();
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops listening and drops every connection.</summary>
    protected virtual async ValueTask DisposeAsyncCore()
    {
        await _closing.CancelAsync();

        // With a token that is cancelled already it waits for no answer that is under way.
        await _server.StopAsync(_closing.Token);
        _server.Dispose();
        _closing.Dispose();
    }

    /// <summary>Sees each request before it is answered, whatever fault is laid over the answer.</summary>
    /// <param name="request">The request.</param>
    protected virtual void Note(HttpRequest request)
    {
    }

    /// <summary>Answers a request.</summary>
    /// <param name="context">The request and its answer.</param>
    protected abstract Task AnswerAsync(HttpContext context);

    /// <summary>Listens from now on.</summary>
    /// <param name="stop">Gives up.</param>
    protected Task ListenAsync(CancellationToken stop) => _server.StartAsync(new Application(this), stop);

    private async Task AnswerWithFaultAsync(HttpContext context)
    {
        Interlocked.Increment(ref _requests);
        Note(context.Request);
        var fault = Faults?.Invoke(context.Request);

        // Also where there is none: the connection may still have the one of the request before.
        context.Features.Get<FaultyOutput>()?.Lay(fault, context.RequestAborted);
        if (fault is null)
        {
            await AnswerAsync(context);
            return;
        }

        context.Features.Set(fault);
        await Task.Delay(fault.Delay, context.RequestAborted);
        if (fault.Answer is { } instead)
            await instead.WriteAsync(context);
        else
            await AnswerAsync(context);
    }

    private sealed class Application(EmulatedServer server) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public async Task ProcessRequestAsync(HttpContext context)
        {
            try
            {
                await server.AnswerWithFaultAsync(context);
            }
            catch (Exception error) when (error is OperationCanceledException or ConnectionAbortedException or ConnectionResetException or IOException)
            {
                // The client has gone, or the server closes.
                context.Abort();
            }
        }

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
