using System.Net;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Comfy;

/// <summary>
/// ComfyUI's own guard against pages of other sites that call a server on the same machine. With
/// <c>--enable-cors-header</c> there is none.
/// </summary>
internal sealed class OriginGate(string? corsOrigin)
{
    public bool Refuses(HttpContext context)
    {
        var request = context.Request;
        if (corsOrigin is not null)
        {
            context.Response.Headers.AccessControlAllowOrigin = corsOrigin;
            return false;
        }

        return request.Headers.Origin.ToString() is { Length: > 0 } text
            && Uri.TryCreate(text, UriKind.Absolute, out var origin)
            && IsLoopback(request.Host.Host)
            && !(origin.Host.Equals(request.Host.Host, StringComparison.OrdinalIgnoreCase) && (origin.IsDefaultPort || request.Host.Port is not { } port || origin.Port == port));
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
