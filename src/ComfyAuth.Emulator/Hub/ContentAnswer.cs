using ComfyAuth.Emulator.Faults;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ComfyAuth.Emulator.Hub;

/// <summary>Writes content, or the range of it that was asked for.</summary>
internal static class ContentAnswer
{
    // More at once would only lie in the server's buffers.
    private const int PieceLength = 128 * 1024;

    /// <summary>Writes an answer.</summary>
    /// <param name="context">The request and its answer.</param>
    /// <param name="content">What is asked for.</param>
    /// <param name="tag">Its entity tag, with the quotes.</param>
    /// <param name="tellsLength">Whether the whole is sent with its length; else only its end tells it.</param>
    /// <param name="count">Is told of each piece that is written.</param>
    public static async Task WriteAsync(HttpContext context, HubContent content, string tag, bool tellsLength, Action<int> count)
    {
        var (request, response) = (context.Request, context.Response);
        var fault = context.Features.Get<Fault>()?.Content;
        if (fault?.Kind == ContentFaultKind.OtherContent)
            (content, tag) = (HubContent.Generated(content.Length, fault.Number), $"\"other-{fault.Number}\"");

        response.Headers.ETag = tag;
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = "application/octet-stream";

        var (from, to) = (0L, content.Length);
        if (fault?.Kind != ContentFaultKind.IgnoresRange && AskedRange(request, tag) is { } range)
        {
            (from, to) = range.From is { } first
                ? (first, range.To is { } last ? Math.Min(last + 1, content.Length) : content.Length)
                : (Math.Max(0, content.Length - range.To!.Value), content.Length);
            if (from >= content.Length)
            {
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                response.Headers.ContentRange = $"bytes */{content.Length}";
                return;
            }

            if (fault?.Kind == ContentFaultKind.ShorterRange)
                to = Math.Max(from + 1, to - fault.Number);
            if (fault?.Kind == ContentFaultKind.ShiftedRange)
                from = (from + fault.Number) % to;
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {from}-{to - 1}/{content.Length}";
        }

        response.ContentLength = fault?.Kind == ContentFaultKind.Unsized || !tellsLength ? null : to - from;
        if (HttpMethods.IsHead(request.Method))
            return;

        if (fault?.Kind == ContentFaultKind.Nothing)
        {
            await response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return;
        }

        var shift = fault?.Kind == ContentFaultKind.MisplacedBytes ? fault.Number : 0;
        var wrong = fault?.Kind == ContentFaultKind.WrongBytes ? Places(new(fault.Number), from, to) : [];
        while (from < to)
        {
            var piece = content.At((from + shift) % content.Length);
            piece = piece[..(int)Math.Min(Math.Min(piece.Length, PieceLength), to - from)];
            if (wrong.Any(place => place >= from && place < from + piece.Length))
                piece = Spoil(piece, from, wrong);

            // Before it is sent: whoever has read it finds it counted.
            count(piece.Length);
            await response.Body.WriteAsync(piece, context.RequestAborted);
            from += piece.Length;
        }
    }

    private static long[] Places(Random random, long from, long to) => [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.NextInt64(from, to)).Distinct()];

    private static byte[] Spoil(ReadOnlyMemory<byte> piece, long from, long[] places)
    {
        var spoilt = piece.ToArray();
        foreach (var place in places.Where(place => place >= from && place < from + spoilt.Length))
            spoilt[place - from] ^= 0xFF;
        return spoilt;
    }

    /// <summary>The range to answer; null: the whole, as for more than one range, and where the client has a part of another content.</summary>
    private static RangeItemHeaderValue? AskedRange(HttpRequest request, string tag) =>
        request.Headers.IfRange is { Count: > 0 } condition && condition != tag
            ? null
            : RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var header) && header is { Unit.Value: "bytes", Ranges.Count: 1 } ? header.Ranges.First() : null;
}
