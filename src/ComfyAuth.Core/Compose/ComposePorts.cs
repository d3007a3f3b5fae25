using System.Globalization;
using System.Net;

namespace ComfyAuth.Compose;

/// <summary>Reads entries of <c>ports</c> in both syntaxes (Compose specification, "ports").</summary>
internal static class ComposePorts
{
    private const string Forms = "Write '8188:8188', '127.0.0.1:8188:8188/tcp', a range such as '8188-8190:8188-8190', or target, published, host_ip and protocol.";

    /// <summary>The ports of one entry; a range gives one for each port.</summary>
    public static IEnumerable<ComposePort> Read(ComposeNode node) => node switch
    {
        ComposeScalar { Text: { Length: > 0 } text } scalar => ReadShort(scalar, text),
        ComposeMapping map => [ReadLong(new ComposeReader(map))],
        _ => throw node.Error("a port is expected", Forms),
    };

    private static IEnumerable<ComposePort> ReadShort(ComposeScalar node, string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var protocol = slash < 0 ? "tcp" : Protocol(node, text[(slash + 1)..]);
        var parts = slash < 0 ? text : text[..slash];

        var colon = parts.LastIndexOf(':');
        var target = Range(node, parts[(colon + 1)..]);
        if (colon < 0)
            return Enumerable.Range(target.From, target.To - target.From + 1).Select(port => new ComposePort { Target = port, Protocol = protocol, Place = node.Place });

        var host = parts[..colon];
        var bracket = host.LastIndexOf(']');
        var hostColon = host.LastIndexOf(':');
        var address = hostColon > bracket ? Address(node, host[..hostColon]) : null;
        var publishedText = host[(hostColon > bracket ? hostColon + 1 : 0)..];
        if (publishedText.Length == 0)
            return Enumerable.Range(target.From, target.To - target.From + 1).Select(port => new ComposePort { Target = port, HostAddress = address, Protocol = protocol, Place = node.Place });

        var published = Range(node, publishedText);
        if (target.From == target.To)
            return [new ComposePort { Target = target.From, Published = published.From, PublishedTo = published.To, HostAddress = address, Protocol = protocol, Place = node.Place }];
        if (target.To - target.From != published.To - published.From)
            throw Invalid(node, "the two ranges of the port are not of one length");
        return Enumerable.Range(0, target.To - target.From + 1).Select(i => new ComposePort
        {
            Target = target.From + i,
            Published = published.From + i,
            PublishedTo = published.From + i,
            HostAddress = address,
            Protocol = protocol,
            Place = node.Place,
        });
    }

    private static ComposePort ReadLong(ComposeReader map)
    {
        var target = map.Scalar("target") ?? throw map.Node.Error("the port has no target", Forms);
        var published = map.Scalar("published") is { Text.Length: > 0 } node ? Range(node, node.Text) : ((int From, int To)?)null;
        return new ComposePort
        {
            Target = Number(target, target.Text!),
            Published = published?.From,
            PublishedTo = published?.To,
            HostAddress = map.Scalar("host_ip") is { Text.Length: > 0 } address ? Address(address, address.Text) : null,
            Protocol = map.Scalar("protocol") is { } protocol ? Protocol(protocol, protocol.Text!) : "tcp",
            Place = map.Node.Place,
        };
    }

    private static (int From, int To) Range(ComposeScalar node, string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        var from = Number(node, dash < 0 ? text : text[..dash]);
        var to = dash < 0 ? from : Number(node, text[(dash + 1)..]);
        return from <= to ? (from, to) : throw Invalid(node, "the range of ports runs backwards");
    }

    private static int Number(ComposeScalar node, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 0 and <= 65535
            ? port
            : throw Invalid(node, "this is no port");

    private static string Protocol(ComposeScalar node, string text) =>
        text.ToLowerInvariant() is "tcp" or "udp" or "sctp" ? text.ToLowerInvariant() : throw Invalid(node, "the protocol of a port is tcp, udp or sctp");

    private static string? Address(ComposeScalar node, string text)
    {
        var address = text is ['[', .. var inner, ']'] ? inner : text;
        return address.Length == 0 ? null
            : IPAddress.TryParse(address, out _) ? address
            : throw Invalid(node, "what stands before the ports is no IP address");
    }

    private static ComfyAuthException Invalid(ComposeScalar node, string problem) => ComposeReader.InvalidValue(node, problem, Forms);
}
