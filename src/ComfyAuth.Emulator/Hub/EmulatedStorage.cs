using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Hub;

/// <summary>
/// The storage of an emulated hub, another origin than the hub: it serves a file to whoever has an address that the hub signed
/// and that has not expired. It remembers what it was asked.
/// </summary>
public sealed class EmulatedStorage : EmulatedServer
{
    internal const string Root = "/repos";

    private readonly HubOptions _options;
    private readonly ConcurrentDictionary<string, SignedAddress> _signed = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _ranges = new();
    private int _tokensSeen;
    private long _bytesServed;

    internal EmulatedStorage(HubOptions options) => _options = options;

    /// <summary>How many requests came with an Authorization header: each is a token that was given to a stranger.</summary>
    public int TokensSeen => Volatile.Read(ref _tokensSeen);

    /// <summary>How many bytes of content were sent, those of files that the hub serves itself among them. Some of them may never have arrived.</summary>
    public long BytesServed => Interlocked.Read(ref _bytesServed);

    /// <summary>The ranges that were asked for, such as <c>bytes=0-99</c>, in the order of the requests; empty where none was.</summary>
    public IReadOnlyList<string> Ranges => [.. _ranges];

    internal Task StartAsync(CancellationToken stop) => ListenAsync(stop);

    /// <summary>An address under which the file is served until it expires.</summary>
    internal Uri Sign(HostedFile file)
    {
        var expires = _options.Clock.GetUtcNow() + _options.AddressLifetime;
        var address = string.Create(
            CultureInfo.InvariantCulture,
            $"{Root}/{file.Repository}/{file.Content.Sha256}?Expires={expires.ToUnixTimeSeconds()}&Signature={Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))}");
        _signed[address] = new(expires, file.Content);
        return new(Address, address);
    }

    internal void Count(int bytes) => Interlocked.Add(ref _bytesServed, bytes);

    /// <inheritdoc/>
    protected override void Note(HttpRequest request)
    {
        if (request.Headers.Authorization.Count > 0)
            Interlocked.Increment(ref _tokensSeen);
        _ranges.Enqueue(request.Headers.Range.ToString());
    }

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context)
    {
        if (!_signed.TryGetValue(context.Request.Path + context.Request.QueryString, out var address) || IsExpired(address))
            return context.WriteTextAsync("""<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>""", StatusCodes.Status403Forbidden, "application/xml");

        return ContentAnswer.WriteAsync(context, address.Content, ETag(address.Content), count =>
        {
            Interlocked.Add(ref address.Bytes, count);
            Count(count);
        });
    }

    private bool IsExpired(SignedAddress address) =>
        address.Expires < _options.Clock.GetUtcNow()
        || Interlocked.Increment(ref address.Requests) > _options.RequestsPerAddress
        || Interlocked.Read(ref address.Bytes) >= _options.BytesPerAddress;

    /// <summary>As storages have them for what was sent to them in parts: no hash of the content.</summary>
    private static string ETag(HubContent content) => $"\"{content.Sha256[32..]}-{1 + (content.Length >> 26)}\"";

    private sealed class SignedAddress(DateTimeOffset expires, HubContent content)
    {
        public int Requests;
        public long Bytes;

        public DateTimeOffset Expires => expires;

        public HubContent Content => content;
    }
}
