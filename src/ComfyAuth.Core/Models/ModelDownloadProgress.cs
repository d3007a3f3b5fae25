namespace ComfyAuth.Models;

/// <summary>How far a download is.</summary>
/// <param name="Download">The download.</param>
/// <param name="Phase">What is done for it.</param>
/// <param name="BytesDone">Bytes of the file that are there, those of an earlier run included; while a file is verified, bytes that were read.</param>
/// <param name="BytesTotal">Its size in bytes; null while it is not known.</param>
/// <param name="BytesPerSecond">The speed over the last seconds.</param>
/// <param name="TimeLeft">How long it takes at this speed; null when that cannot be told.</param>
public sealed record ModelDownloadProgress(
    ModelDownload Download, ModelDownloadPhase Phase, long BytesDone, long? BytesTotal, double BytesPerSecond, TimeSpan? TimeLeft);
