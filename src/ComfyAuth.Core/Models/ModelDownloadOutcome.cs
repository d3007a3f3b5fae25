namespace ComfyAuth.Models;

/// <summary>How the download of a file ended.</summary>
public enum ModelDownloadOutcome
{
    /// <summary>The file was there, whole and right; nothing was loaded.</summary>
    Present,

    /// <summary>All of it was loaded.</summary>
    Downloaded,

    /// <summary>A download that had been interrupted was finished.</summary>
    Resumed,

    /// <summary>It could not be had; <see cref="ModelDownloadResult.Error"/> says why.</summary>
    Failed,
}
