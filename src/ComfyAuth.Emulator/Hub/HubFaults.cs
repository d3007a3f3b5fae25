using System.Globalization;
using ComfyAuth.Emulator.Faults;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Hub;

/// <summary>What goes wrong with downloads in life. The hub and its storage have their faults apart; the same function can choose for both.</summary>
public static class HubFaults
{
    private const string Lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:0000000000000000000000000000000000000000000000000000000000000000\nsize 9000001\n";

    /// <summary>A web page with 200, as of a network that wants a login first.</summary>
    public static Fault WebPage { get; } = new() { Answer = new(StatusCodes.Status200OK, "text/html", "<!DOCTYPE html>\n<html><body>Please log in to this network.</body></html>") };

    /// <summary>The pointer that stands for a large file in a Git repository.</summary>
    public static Fault LfsPointer { get; } = new() { Answer = new(StatusCodes.Status200OK, "text/plain", Lfs) };

    /// <summary>The address has expired, or the storage says so.</summary>
    public static Fault Expired { get; } = Refusal(StatusCodes.Status403Forbidden, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");

    /// <summary>The token is not valid any more: refused, even for a public file.</summary>
    public static Fault StaleToken { get; } = Refusal(StatusCodes.Status401Unauthorized, "", ("X-Error-Message", "Invalid credentials in Authorization header"));

    /// <summary>The repository asks for access that was not granted.</summary>
    public static Fault Gated { get; } = Refusal(StatusCodes.Status403Forbidden, "", ("X-Error-Code", "GatedRepo"), ("X-Error-Message", "Access to this model is restricted."));

    /// <summary>The repository was shut by those who run the hub.</summary>
    public static Fault Disabled { get; } = Refusal(StatusCodes.Status403Forbidden, "", ("X-Error-Message", "Access to this resource is disabled."));

    /// <summary>The storage does not know the key that the hub signs with: a new address is as bad.</summary>
    public static Fault UnknownKey { get; } = new() { Answer = new(StatusCodes.Status403Forbidden, "text/plain", "SignatureError: invalid key pair id") };

    /// <summary>The file is not in the repository.</summary>
    public static Fault EntryNotFound { get; } = Refusal(StatusCodes.Status404NotFound, "", ("X-Error-Code", "EntryNotFound"), ("X-Error-Message", "Entry not found"));

    /// <summary>A redirect to where it came from.</summary>
    public static Fault RedirectLoop { get; } = RedirectTo("?again");

    /// <summary>A redirect that does not say where to.</summary>
    public static Fault RedirectToNowhere { get; } = Refusal(StatusCodes.Status302Found, "");

    /// <summary>It never answers.</summary>
    public static Fault Silence { get; } = new() { Delay = Timeout.InfiniteTimeSpan };

    /// <summary>A redirect.</summary>
    /// <param name="location">Where to; a relative address, or one of another scheme, too.</param>
    public static Fault RedirectTo(string location) => Refusal(StatusCodes.Status302Found, "", ("Location", location));

    /// <summary>Too many requests.</summary>
    /// <param name="retryAfter">When to come again: seconds, a date, or something else; null: that is not said.</param>
    public static Fault TooManyRequests(string? retryAfter) =>
        retryAfter is null ? Refusal(StatusCodes.Status429TooManyRequests, "") : Refusal(StatusCodes.Status429TooManyRequests, "", ("Retry-After", retryAfter));

    /// <summary>Too many requests, in the words of the hub.</summary>
    /// <param name="seconds">In how many seconds more are allowed.</param>
    public static Fault RateLimited(int seconds) => Refusal(
        StatusCodes.Status429TooManyRequests,
        "",
        (Name: "RateLimit", string.Create(CultureInfo.InvariantCulture, $"\"resolvers\";r=0;t={seconds}")),
        ("RateLimit-Policy", "\"fixed window\";\"resolvers\";q=3000;w=300"));

    /// <summary>An error of the server.</summary>
    /// <param name="status">The HTTP status, 500 to 599.</param>
    public static Fault ServerError(int status) => Refusal(status, "<html><body><h1>Error</h1></body></html>");

    /// <summary>The range is refused: the file is said to have another length.</summary>
    /// <param name="length">The length it is said to have, in bytes.</param>
    public static Fault RangeRefused(long length) =>
        Refusal(StatusCodes.Status416RangeNotSatisfiable, "", ("Content-Range", $"bytes */{length.ToString(CultureInfo.InvariantCulture)}"));

    /// <summary>A fault of any kind that the storage can have.</summary>
    /// <param name="random">Chooses.</param>
    /// <param name="reach">About how many bytes an answer has: cuts lie within.</param>
    public static Fault NextOfStorage(Random random, int reach)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.Next(22) switch
        {
            0 or 1 => new() { CutAfter = random.Next(reach) },
            2 or 3 => new() { CutAfter = random.Next(reach), Reset = true },
            4 => new() { CutAfter = random.Next(600), Reset = random.Next(2) == 0 },
            5 => new() { StallAfter = random.Next(reach) },
            6 => Silence,
            7 => new() { Trickle = TimeSpan.FromMilliseconds(random.Next(1, 20)) },
            8 => WebPage,
            9 => LfsPointer,
            10 or 11 => Expired,
            12 => RangeRefused(random.Next(2 * reach)),
            13 => OfContent(ContentFaultKind.IgnoresRange),
            14 => OfContent(ContentFaultKind.OtherContent),
            15 or 16 => OfContent(ContentFaultKind.WrongBytes),
            17 => OfContent(ContentFaultKind.ShorterRange),
            18 => OfContent(ContentFaultKind.ShiftedRange),
            19 => OfContent(ContentFaultKind.MisplacedBytes),
            20 => OfContent(ContentFaultKind.Unsized),
            _ => NextOfAny(random),
        };

        Fault OfContent(ContentFaultKind kind) => new() { Content = new(kind, random.Next(1, reach)) };
    }

    /// <summary>A fault of any kind that the hub can have.</summary>
    /// <param name="random">Chooses.</param>
    public static Fault NextOfHub(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        return random.Next(12) switch
        {
            0 => new() { CutAfter = random.Next(600), Reset = random.Next(2) == 0 },
            1 => Silence,
            2 => WebPage,
            3 => StaleToken,
            4 => Gated,
            5 => EntryNotFound,
            6 => RedirectLoop,
            7 => RedirectToNowhere,
            8 => RedirectTo(random.Next(4) switch { 0 => "ftp://127.0.0.1/model", 1 => "file:///etc/passwd", 2 => "http://", _ => "http://127.0.0.1:1/model" }),
            9 => new() { Trickle = TimeSpan.FromMilliseconds(random.Next(1, 4)) },
            _ => NextOfAny(random),
        };
    }

    /// <summary>
    /// Chooses faults by a seed, for the hub and for its storage. The n-th request for a path has the same fault in each run.
    /// </summary>
    /// <param name="seed">The seed.</param>
    /// <param name="share">Which part of the answers is spoilt, 0 to 1.</param>
    /// <param name="reach">About how many bytes an answer of the storage has.</param>
    public static Func<HttpRequest, Fault?> Seeded(int seed, double share, int reach = 1 << 20) => Fault.Seeded(
        seed, share, (request, random) => request.Path.StartsWithSegments(EmulatedStorage.Root) ? NextOfStorage(random, reach) : NextOfHub(random));

    private static Fault NextOfAny(Random random) => random.Next(5) switch
    {
        0 => TooManyRequests(random.Next(2) == 0 ? "0" : "soon"),
        1 => TooManyRequests("Wed, 21 Oct 2015 07:28:00 GMT"),
        2 => new() { Delay = TimeSpan.FromMilliseconds(random.Next(50)) },
        _ => ServerError(random.Next(500, 505)),
    };

    private static Fault Refusal(int status, string body, params (string Name, string Value)[] headers) => new()
    {
        Answer = new(status, "text/html", body) { Headers = headers.ToDictionary(header => header.Name, header => header.Value) },
    };
}
