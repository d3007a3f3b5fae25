namespace ComfyAuth.Emulator.Hub;

/// <summary>In what way content is not what was asked for.</summary>
public enum ContentFaultKind
{
    /// <summary>The whole, with 200, where a range was asked for.</summary>
    IgnoresRange,

    /// <summary>Another content of the same length, generated with the number as seed, with an entity tag of its own: the file has changed.</summary>
    OtherContent,

    /// <summary>Some bytes have other values; the number is the seed that chooses them.</summary>
    WrongBytes,

    /// <summary>A range that ends sooner than asked for, by the number of bytes, and says so. HTTP allows it.</summary>
    ShorterRange,

    /// <summary>A range that begins earlier or later than asked for, by the number of bytes, and says so.</summary>
    ShiftedRange,

    /// <summary>The range says it is what was asked for, and its bytes lie elsewhere in the file, by the number of bytes.</summary>
    MisplacedBytes,

    /// <summary>Its length is not told: only the end of the chunks says that it is complete.</summary>
    Unsized,

    /// <summary>The head promises what was asked for, and then the connection ends without a byte of it, as some servers of a storage do.</summary>
    Nothing,
}
