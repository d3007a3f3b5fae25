using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ComfyAuth.Emulator.Hub;

/// <summary>Writes content, or the range of it that was asked for.</summary>
internal static class ContentAnswer
{
    // More at once would only lie in the server's buffers.
    private const int PieceLength = 256 * 1024;

    /// <summary>Writes an answer.</summary>
    /// <param name="context">The request and its answer.</param>
    /// <param name="content">What is asked for.</param>
    /// <param name="tag">Its entity tag, with the quotes.</param>
    /// <param name="count">Is told of each piece that was written.</param>
    public static async Task WriteAsync(HttpContext context, HubContent content, string tag, Action<int> count)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.ETag = tag;
        response.Headers.AcceptRanges = "bytes";
        response.ContentType = "application/octet-stream";

        var (from, to) = (0L, content.Length);
        if (AskedRange(request, tag) is { } range)
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

            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {from}-{to - 1}/{content.Length}";
        }

        response.ContentLength = to - from;
        if (HttpMethods.IsHead(request.Method))
            return;

        while (from < to)
        {
            var piece = content.At(from);
            piece = piece[..(int)Math.Min(Math.Min(piece.Length, PieceLength), to - from)];
            await response.Body.WriteAsync(piece, context.RequestAborted);
            count(piece.Length);
            from += piece.Length;
        }
    }

    /// <summary>The range to answer; null: the whole, as for more than one range, and where the client has a part of another content.</summary>
    private static RangeItemHeaderValue? AskedRange(HttpRequest request, string tag) =>
        request.Headers.IfRange is { Count: > 0 } condition && condition != tag
            ? null
            : RangeHeaderValue.TryParse(request.Headers.Range.ToString(), out var header) && header is { Unit.Value: "bytes", Ranges.Count: 1 } ? header.Ranges.First() : null;
}
