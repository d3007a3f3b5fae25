using System.Globalization;
using System.Security.Cryptography;
using ComfyAuth.Files;

namespace ComfyAuth.Models;

/// <summary>
/// Tells whether a model file is whole and right, and remembers it, so that the next look costs nothing. What is remembered is
/// forgotten when the file's size or time is another.
/// </summary>
/// <remarks>
/// It is remembered in <c>.comfyauth/&lt;name&gt;.verified.json</c> beside the file: one for each file, so that two processes that verify
/// two files never write into the same one. In a folder that may not be written nothing is remembered, and nothing fails.
/// </remarks>
public static class ModelVerifier
{
    /// <summary>Reads ahead of the hash, so that disk and processor work at the same time.</summary>
    internal const int BlockBytes = 1 << 20;

    /// <summary>Looks at a file: its size, the header of a safetensors file, and its SHA-256 where that is known.</summary>
    /// <param name="path">The file; a link is followed.</param>
    /// <param name="sizeInBytes">The size that it must have; null: not known.</param>
    /// <param name="sha256">The SHA-256 that it must have; null: not known, so no byte but the header's is read.</param>
    /// <param name="deep">Whether every byte is read although the file was verified before.</param>
    /// <param name="progress">Is told how many bytes were read.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>TargetIsDirectory</c>, <c>TargetIsNotFile</c>, <c>LinkLoop</c>, <c>FileAccessDenied</c>, <c>FileOperationFailed</c>.</exception>
    public static async Task<ModelVerification> VerifyAsync(
        string path, long? sizeInBytes, string? sha256, bool deep = false, IProgress<long>? progress = null, CancellationToken stop = default)
    {
        var places = ModelPlaces.Of(path);
        if (Look(places) is not var (size, modifiedAt))
        {
            Absence.Ensure(path);
            return new(ModelState.Missing);
        }

        if (sizeInBytes is { } wanted && wanted != size)
            return new(ModelState.Wrong, size, Reason: string.Create(CultureInfo.InvariantCulture, $"It has {size:N0} bytes, and should have {wanted:N0}."));
        var known = Recall(places);
        if (!deep && known is { } remembered)
            return Judge(remembered.Sha256, isRemembered: true);

        try
        {
            if (HasHeader(path))
                await SafetensorsHeader.ReadFileAsync(places.File, stop).ConfigureAwait(false);
        }
        catch (ComfyAuthException error) when (error.Code == "ModelFileInvalid")
        {
            return new(ModelState.Wrong, size, Reason: error.Message);
        }

        if (sha256 is null && !deep)
            return new(ModelState.Whole, size);

        var hash = await HashAsync(places.File, progress, stop).ConfigureAwait(false);
        var verification = Judge(hash, isRemembered: false);

        // A file that was written meanwhile has a hash that is of neither state.
        if (verification.State == ModelState.Whole && Look(places) == (size, modifiedAt))
            Remember(places, known?.Sha256 == hash ? known : new(size, modifiedAt, hash));
        else
            Forget(places);
        return verification;

        ModelVerification Judge(string hash, bool isRemembered) => sha256 is null || hash == sha256
            ? new(ModelState.Whole, size, hash, isRemembered)
            : new(ModelState.Wrong, size, hash, isRemembered, $"Its SHA-256 is {hash}, and should be {sha256}.");
    }

    /// <summary>The SHA-256 of a file that was verified before and has kept its size and time; null: not known.</summary>
    /// <param name="path">The file; a link is followed.</param>
    public static string? RememberedHash(string path) => Recall(ModelPlaces.Of(path))?.Sha256;

    /// <summary>Whether a file of this name begins with the header of safetensors.</summary>
    internal static bool HasHeader(string path) => Path.GetExtension(path).ToUpperInvariant() is ".SAFETENSORS" or ".SFT";

    internal static (long Size, DateTime ModifiedAt)? Look(ModelPlaces places) => Look(places.File);

    internal static (long Size, DateTime ModifiedAt)? Look(string path) => new FileInfo(path) is { Exists: true } file ? (file.Length, file.LastWriteTimeUtc) : null;

    internal static VerifiedFile? Recall(ModelPlaces places) =>
        ModelPlaces.Read(places.Memory, ModelsJson.Default.VerifiedFile) is { Sha256.Length: 64 } remembered && Look(places) == (remembered.Size, remembered.ModifiedAt) ? remembered : null;

    internal static void Remember(ModelPlaces places, VerifiedFile file)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(places.Memory)!);
            ModelPlaces.Write(places.Memory, file, ModelsJson.Default.VerifiedFile, isLocked: false);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            // The next look takes longer, that is all.
        }
    }

    internal static void Forget(ModelPlaces places)
    {
        try
        {
            if (File.Exists(places.Memory))
                File.Delete(places.Memory);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(places.Memory, error);
        }
    }

    internal static async Task<string> HashAsync(string path, IProgress<long>? progress, CancellationToken stop)
    {
        try
        {
            var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.SequentialScan, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 });
            await using var scope = file.ConfigureAwait(false);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var block = GC.AllocateUninitializedArray<byte>(BlockBytes);
            var done = 0L;
            for (int count; (count = await file.ReadAsync(block, stop).ConfigureAwait(false)) > 0;)
            {
                hash.AppendData(block.AsSpan(0, count));
                progress?.Report(done += count);
            }

            return Convert.ToHexString(hash.GetHashAndReset()).ToLowerInvariant();
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(path, error);
        }
    }
}
