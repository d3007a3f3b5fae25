namespace ComfyAuth.Comfy;

/// <summary>What a look at a picture says.</summary>
public sealed record ImageCheckResult
{
    /// <summary>Whether it is a picture that can be decoded to its end; null: it is of a kind, or a size, that is not decoded here.</summary>
    public bool? IsImage { get; init; }

    /// <summary>Pixels in a row; 0 when not known.</summary>
    public int Width { get; init; }

    /// <summary>Rows; 0 when not known.</summary>
    public int Height { get; init; }

    /// <summary>Whether it is one colour, or as good as that.</summary>
    public bool IsFlat { get; init; }

    /// <summary>
    /// Whether it is noise: neighbours have nothing to do with one another, of pixels or of larger parts, and it cannot be compressed.
    /// Variance proves nothing: noise has more of it than a photograph.
    /// </summary>
    public bool IsNoise { get; init; }

    /// <summary>
    /// How far it is from the reference: the mean absolute difference of the colours, from 0 for the same picture to 1 for black
    /// against white. Pictures of different sizes are compared coarsely. Null: there is no reference that can be decoded.
    /// </summary>
    public double? DifferenceFromReference { get; init; }

    /// <summary>What is the matter with it, as sentences; empty when nothing is.</summary>
    public IReadOnlyList<string> Problems { get; init; } = [];
}
