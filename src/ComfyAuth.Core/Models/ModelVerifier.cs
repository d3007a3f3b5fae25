namespace ComfyAuth.Models;

/// <summary>Tells whether a model file is whole and right, and remembers it, so that the next look costs nothing.</summary>
public static class ModelVerifier
{
    /// <summary>Looks at a file: its size, the header of a safetensors file, and its SHA-256 where that is known.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sizeInBytes">The size that it must have; null: not known.</param>
    /// <param name="sha256">The SHA-256 that it must have; null: not known, so no byte but the header is read.</param>
    /// <param name="deep">Whether every byte is read although the file was verified before.</param>
    /// <param name="progress">Is told how many bytes were read.</param>
    /// <param name="stop">Gives up.</param>
    public static Task<ModelVerification> VerifyAsync(string path, long? sizeInBytes, string? sha256, bool deep = false, IProgress<long>? progress = null, CancellationToken stop = default) => throw new NotSupportedException();
}
