using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Hub;

/// <summary>
/// The storage of an emulated hub, another origin than the hub: it serves a file to whoever has an address that the hub signed
/// and that has not expired. It remembers what it was asked.
/// </summary>
public sealed class EmulatedStorage : EmulatedServer
{
    private readonly HubOptions _options;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly ConcurrentDictionary<string, HubContent> _contents = new(StringComparer.Ordinal);
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
    internal Uri Sign(HubFile file)
    {
        var path = $"/repos/{file.Repository}/{file.Content.Sha256}";
        _contents[path] = file.Content;
        var expires = (_options.Clock.GetUtcNow() + _options.AddressLifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return new(Address, $"{path}?Expires={expires}&Signature={Signature(path, expires)}");
    }

    internal void Count(int bytes) => Interlocked.Add(ref _bytesServed, bytes);

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.Headers.Authorization.Count > 0)
            Interlocked.Increment(ref _tokensSeen);
        _ranges.Enqueue(request.Headers.Range.ToString());

        var (path, expires) = (request.Path.Value!, request.Query["Expires"].ToString());
        var isValid = request.Query["Signature"] == Signature(path, expires)
            && long.Parse(expires, CultureInfo.InvariantCulture) >= _options.Clock.GetUtcNow().ToUnixTimeSeconds();
        return isValid && _contents.TryGetValue(path, out var content)
            ? ContentAnswer.WriteAsync(context, content, ETag(content), Count)
            : context.WriteTextAsync("""<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>""", StatusCodes.Status403Forbidden, "application/xml");
    }

    /// <summary>As storages have them for what was sent to them in parts: no hash of the content.</summary>
    private static string ETag(HubContent content) => $"\"{content.Sha256[32..]}-{1 + (content.Length >> 26)}\"";

    private string Signature(string path, string expires) => Convert.ToHexStringLower(HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{path}\n{expires}")));
}
