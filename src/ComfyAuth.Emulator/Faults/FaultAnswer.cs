using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Faults;

/// <summary>What is answered instead of what should be.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">The media type.</param>
/// <param name="Body">The body.</param>
/// <param name="IsEndless">Whether the body is said again and again for as long as somebody listens.</param>
public sealed record FaultAnswer(int Status, string ContentType, string Body, bool IsEndless = false)
{
    // One for all: answers that are the same are equal.
    private static readonly Dictionary<string, string> NoHeaders = [];

    private static readonly string[] Rubbish =
    [
        "", "null", "[]", "{}", "0", "\"\"", "[[[1]]]", "[null]", "{\"Id\":7,\"State\":\"x\"}", "{\"read\":[]}", "{", "}", "tru", "1e999", "\u0000", "\uFEFF{}", "<html>",
        new('[', 100_000), "{\"a\":" + new string('9', 100_000) + "}",
    ];

    private static readonly string[] Chants =
    [
        " ", "\n", "[", "{\"a\":1}\n", "{\"Type\":\"container\",\"Action\":\"start\"}\n", "\u0001\0\0\0\0\0\0\u0005line\n", "\u0001\0\0\0\u007F\0\0\0", "x",
    ];

    /// <summary>Headers of the answer, beside its media type.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = NoHeaders;

    /// <summary>An error in the engine's form.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="message">What the error says.</param>
    public static FaultAnswer Error(int status, string message) => new(status, "application/json", new JsonObject { ["message"] = message }.ToJsonString());

    /// <summary>Something that calls itself JSON: it is none, or none that anybody asked for.</summary>
    /// <param name="random">Chooses.</param>
    public static FaultAnswer Garbage(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return new(200, "application/json", Rubbish[random.Next(Rubbish.Length)]);
    }

    /// <summary>A body without an end.</summary>
    /// <param name="random">Chooses.</param>
    public static FaultAnswer Endless(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return new(200, "application/json", Chants[random.Next(Chants.Length)], IsEndless: true);
    }

    internal async Task WriteAsync(HttpContext context)
    {
        var bytes = Encoding.UTF8.GetBytes(Body);
        context.Response.StatusCode = Status;
        context.Response.ContentType = ContentType;
        foreach (var (name, value) in Headers)
            context.Response.Headers[name] = value;
        if (HttpMethods.IsHead(context.Request.Method) || Status is < 200 or 204 or 205 or 304)
            return;

        if (IsEndless)
            bytes = [.. Enumerable.Repeat(bytes, 1 + (16 * 1024 / bytes.Length)).SelectMany(part => part)];
        do
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
        while (IsEndless);
    }
}
