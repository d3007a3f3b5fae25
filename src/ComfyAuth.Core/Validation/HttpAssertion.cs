using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using ComfyAuth.Comfy;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>That an address answers a GET as it should. Redirects are not followed.</summary>
internal static class HttpAssertion
{
    private const int LargestBody = 1024 * 1024;

    public static Func<CheckContext, CancellationToken, Task<CheckOutcome>> Read(YamlMap map)
    {
        map.Allow("url", "status", "contains", "bearerOf");
        var address = Uri.TryCreate(map.Text("url"), UriKind.Absolute, out var written) && written.Scheme is "http" or "https"
            ? written!
            : throw map.Error("url", "there is no http or https address", "Write 'url: http://localhost:8300/health'.");
        var status = map.Integer("status");
        var text = map.Text("contains");
        var bearerOf = map.Text("bearerOf");
        return (context, stop) => LookAsync(context, address, status, text, bearerOf, stop);
    }

    private static async Task<CheckOutcome> LookAsync(CheckContext context, Uri address, int? expected, string? text, string? bearerOf, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.Add(new("application/json"));
        request.Headers.Accept.Add(new("*/*", 0.5));
        if (bearerOf is not null)
        {
            var service = context.Stack.SelectServices([bearerOf])[0];
            if (Uri.Compare(service.Url, address, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) != 0)
                return CheckOutcome.Error($"The token of {bearerOf} is sent to {service.Url} only.") with { Remedy = "Take 'bearerOf' out, or ask that service." };
            if (BearerToken.Of(context.Stack, service, context.Redactor) is not { } token)
                return CheckOutcome.Error($"No token of {bearerOf} is known.") with { Remedy = "Synchronise: Sync-ComfyToken." };
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
        }

        using var client = ServiceHttp.Client(stop);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            var seen = string.Create(CultureInfo.InvariantCulture, $"GET {Shown(address)}: {status}");
            if (expected is { } wanted ? status != wanted : status is < 200 or > 299)
                return CheckOutcome.Failed(string.Create(CultureInfo.InvariantCulture, $"It answers {status}, not {expected?.ToString(CultureInfo.InvariantCulture) ?? "200 to 299"}."), seen);
            if (text is not null && !(await BodyAsync(response, stop).ConfigureAwait(false)).Contains(text, StringComparison.Ordinal))
                return CheckOutcome.Failed("Its answer does not hold the text that is looked for.", seen, $"looked for: {text}");
            return CheckOutcome.Passed("It answers as it should.", seen);
        }
        catch (Exception error) when (ServiceHttp.IsFailure(error))
        {
            // What refuses a connection is not there; what there is no way to is not known.
            var (what, isReachable) = ServiceHttp.Describe(error, address);
            return isReachable ? CheckOutcome.Failed($"It does not answer: {what}.", $"GET {Shown(address)}") : CheckOutcome.Error($"It could not be asked: {what}.", $"GET {Shown(address)}");
        }
    }

    /// <summary>An address without what may be a secret in it.</summary>
    private static string Shown(Uri address) => address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);

    private static async Task<string> BodyAsync(HttpResponseMessage response, CancellationToken stop)
    {
        var stream = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        await using var scope = stream.ConfigureAwait(false);
        var buffer = new byte[LargestBody];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }
}
