using System.Text.Json.Serialization;

namespace ComfyAuth.Models;

/// <summary>What became of a download.</summary>
public sealed record ModelDownloadResult
{
    /// <summary>The file's name.</summary>
    public required string File { get; init; }

    /// <summary>Its absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>Where it comes from.</summary>
    public required HubFile Source { get; init; }

    /// <summary>How it ended.</summary>
    public required ModelDownloadOutcome Outcome { get; init; }

    /// <summary>Its size in bytes; zero when it failed.</summary>
    public long SizeInBytes { get; init; }

    /// <summary>The SHA-256 of its content, 64 lower-case hexadecimal digits; null when it failed.</summary>
    public string? Sha256 { get; init; }

    /// <summary>How many bytes came over the network in this run.</summary>
    public long BytesDownloaded { get; init; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>What one should know besides, such as a token that the hub did not take; null: nothing.</summary>
    public string? Note { get; init; }

    /// <summary>Why it failed; null when it did not.</summary>
    [JsonIgnore]
    public ComfyAuthException? Error { get; init; }
}
