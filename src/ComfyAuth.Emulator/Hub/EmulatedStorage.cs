using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ComfyAuth.Emulator.Hub;

/// <summary>
/// The storage of an emulated hub, another origin than the hub: it serves a file to whoever has an address that the hub signed
/// and that has not expired. It remembers what it was asked.
/// </summary>
/// <remarks>
/// Like the one of huggingface.co: an address is good for an hour; one that the hub gave to a question for a range is good for that range
/// alone (403 <c>Auth failed: invalid range</c>); and the entity tag is 64 hexadecimal digits that are not the SHA-256.
/// </remarks>
public sealed class EmulatedStorage : EmulatedServer
{
    internal const string Root = "/xet-bridge-us";

    private readonly HubOptions _options;
    private readonly ConcurrentDictionary<string, SignedAddress> _signed = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _ranges = new();
    private int _tokensSeen;
    private int _served;
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
    /// <param name="file">The file.</param>
    /// <param name="range">The range that the hub was asked for: the address is good for this one alone; empty: for any.</param>
    internal Uri Sign(HostedFile file, string range)
    {
        var expires = _options.Clock.GetUtcNow() + _options.AddressLifetime;
        var name = Uri.EscapeDataString(file.Path[(file.Path.LastIndexOf('/') + 1)..]);
        var address = string.Create(
            CultureInfo.InvariantCulture,
            $"{Root}/{file.Commit[..24]}/{file.Content.XetHash}?X-Xet-Cas-Uid=public&response-content-disposition=inline%3B+filename*%3DUTF-8%27%27{name}%3B+filename%3D%22{name}%22%3B&Expires={expires.ToUnixTimeSeconds()}&Policy=eyJTdGF0ZW1lbnQiOltdfQ__&Signature={Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))}~&Key-Pair-Id=EMULATED");
        _signed[address] = new(expires, range, file.Content);
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
        // By the letter: a signature holds for no other way to write the same address.
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!_signed.TryGetValue(target, out var address) || IsExpired(address))
            return context.WriteTextAsync("""<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>""", StatusCodes.Status403Forbidden, "application/xml");
        if (address.Range.Length > 0 && address.Range != context.Request.Headers.Range)
            return context.WriteTextAsync("Auth failed: invalid range", StatusCodes.Status403Forbidden);

        return ContentAnswer.WriteAsync(context, address.Content, ETag(address.Content), tellsLength: true, count =>
        {
            Interlocked.Add(ref address.Bytes, count);
            Count(count);
        });
    }

    private bool IsExpired(SignedAddress address) =>
        address.Expires < _options.Clock.GetUtcNow()
        || Interlocked.Increment(ref address.Requests) > _options.RequestsPerAddress
        || Interlocked.Read(ref address.Bytes) >= _options.BytesPerAddress;

    private string ETag(HubContent content)
    {
        var server = (Interlocked.Increment(ref _served) - 1) % _options.StorageServers;
        return server == 0 ? $"\"{content.XetHash}\"" : string.Create(CultureInfo.InvariantCulture, $"\"{content.XetHash[32..]}-{server}\"");
    }

    private sealed class SignedAddress(DateTimeOffset expires, string range, HubContent content)
    {
        public int Requests;
        public long Bytes;

        public DateTimeOffset Expires => expires;

        public string Range => range;

        public HubContent Content => content;
    }
}
