using System.Text.RegularExpressions;

namespace ComfyAuth.Compose;

/// <summary>One line of what a compose command says while it works.</summary>
public sealed partial record ComposeProgress
{
    /// <summary>What it is about: <c>Container</c>, <c>Network</c>, <c>Volume</c> or <c>Image</c>; null for other lines.</summary>
    public string? Kind { get; init; }

    /// <summary>The name of the container, network, volume or image layer; null for other lines.</summary>
    public string? Name { get; init; }

    /// <summary>What happens to it, such as <c>Creating</c>, <c>Started</c>, <c>Downloading</c> or <c>done</c>; null for other lines.</summary>
    public string? Status { get; init; }

    /// <summary>The line as it was said, without control characters and secrets.</summary>
    public required string Line { get; init; }

    /// <summary>Understands a line of Compose v2 (<c>Container x  Started</c>) or docker-compose v1 (<c>Creating x ... done</c>).</summary>
    internal static ComposeProgress Parse(string line)
    {
        var text = Control().Replace(line, "").Trim();
        if (SecondVersion().Match(text) is { Success: true } second)
            return new ComposeProgress { Kind = second.Groups["kind"].Value, Name = second.Groups["name"].Value, Status = second.Groups["status"].Value, Line = text };
        if (Made().Match(text) is { Success: true } made)
            return new ComposeProgress { Kind = char.ToUpperInvariant(made.Groups["kind"].Value[0]) + made.Groups["kind"].Value[1..], Name = made.Groups["name"].Value, Status = made.Groups["verb"].Value, Line = text };
        if (FirstVersion().Match(text) is { Success: true } first)
        {
            var outcome = first.Groups["outcome"].Value;
            return new ComposeProgress { Kind = "Container", Name = first.Groups["name"].Value, Status = outcome.Length > 0 ? outcome : first.Groups["verb"].Value, Line = text };
        }

        if (Layer().Match(text) is { Success: true } layer)
            return new ComposeProgress { Kind = "Image", Name = layer.Groups["name"].Value, Status = layer.Groups["status"].Value, Line = text };
        return new ComposeProgress { Line = text };
    }

    [GeneratedRegex(@"\x1B\[[0-9;?]{0,16}[A-Za-z]|[\x00-\x08\x0B-\x1F\x7F]", RegexOptions.CultureInvariant)]
    private static partial Regex Control();

    [GeneratedRegex(@"\A(?<kind>Container|Network|Volume|Image) ""?(?<name>[A-Za-z0-9][^\s""]{0,255})""?\s{1,8}(?<status>[A-Z][A-Za-z ]{1,40}?)(\s+[0-9.]+s)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SecondVersion();

    [GeneratedRegex(@"\A(?<verb>Creating|Removing) (?<kind>network|volume) ""?(?<name>[^\s""]{1,255})""?", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Made();

    [GeneratedRegex(@"\A(?<verb>Creating|Recreating|Starting|Stopping|Restarting|Removing|Killing) (?<name>[A-Za-z0-9][^\s]{0,255}) \.\.\.\s*(?<outcome>done|error)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex FirstVersion();

    [GeneratedRegex(@"\A(?<name>[A-Za-z0-9][A-Za-z0-9_./:-]{0,255})( Image)?:? (?<status>Pulling fs layer|Pulling|Pulled|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists|Building|Built)\b", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Layer();
}
