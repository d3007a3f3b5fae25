using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ComfyAuth.Files;

namespace ComfyAuth.Models;

/// <summary>The header of a safetensors file: what tensors it holds, and how long it must be. It stands at the beginning, so a download can be judged in its first second.</summary>
/// <param name="HeaderLength">The length of its JSON in bytes; the tensors begin 8 bytes after that.</param>
/// <param name="TensorCount">How many tensors there are.</param>
/// <param name="FileLength">How many bytes a whole file has.</param>
/// <remarks>See https://huggingface.co/docs/safetensors and the reference implementation, which refuses what is refused here.</remarks>
public sealed record SafetensorsHeader(long HeaderLength, int TensorCount, long FileLength)
{
    /// <summary>The longest header that the reference implementation reads.</summary>
    public const long LongestHeader = 100_000_000;

    private const int LengthBytes = 8;

    // Enough to tell what came instead.
    private const int Beginning = 512;

    private const string DownloadAgain = "Download the file again.";

    private static readonly Dictionary<string, int> BytesOfType = new(StringComparer.Ordinal)
    {
        ["BOOL"] = 1, ["U8"] = 1, ["I8"] = 1, ["F8_E4M3"] = 1, ["F8_E5M2"] = 1,
        ["I16"] = 2, ["U16"] = 2, ["F16"] = 2, ["BF16"] = 2,
        ["I32"] = 4, ["U32"] = 4, ["F32"] = 4,
        ["I64"] = 8, ["U64"] = 8, ["F64"] = 8,
    };

    /// <summary>Reads and checks the header of a file, and that the file is as long as it says.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>ModelFileInvalid</c>: it is something else, or damaged, or cut; <c>FileMissing</c>; or what the system says of a file that cannot be read.</exception>
    public static async Task<SafetensorsHeader> ReadFileAsync(string path, CancellationToken stop)
    {
        FileStream file;
        try
        {
            if (RegularFile.IsSomethingElse(path))
                throw Invalid(path, "it is a folder, device, pipe or socket", "Put the model file there.");
            file = RegularFile.OpenRead(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ComfyAuthException("FileMissing", $"There is no file {path}.", "Check the path.", error);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Translate(path, error);
        }

        await using var scope = file.ConfigureAwait(false);
        return await ReadAsync(file, file.Length, path, stop).ConfigureAwait(false);
    }

    /// <summary>Reads and checks a header from the beginning of a stream.</summary>
    /// <param name="stream">The stream; is left after the header.</param>
    /// <param name="length">The length of the whole in bytes, to compare with what the header says; null: not known yet.</param>
    /// <param name="name">What is read, for messages.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ComfyAuthException"><c>ModelFileInvalid</c>.</exception>
    public static async Task<SafetensorsHeader> ReadAsync(Stream stream, long? length, string name, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var beginning = new byte[Beginning];
        var count = await stream.ReadAtLeastAsync(beginning, Beginning, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        if (NameOfOther(beginning.AsSpan(0, count)) is { } other)
            throw Invalid(name, other.What, other.Remedy);
        if (count < LengthBytes)
            throw Invalid(name, Cut(count, LengthBytes), DownloadAgain);

        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(beginning);
        if (headerLength is < 2 or > (ulong)LongestHeader || (count > LengthBytes && beginning[LengthBytes] != (byte)'{'))
            throw Invalid(name, "it does not begin with a safetensors header", DownloadAgain);
        if (length < (long)headerLength + LengthBytes)
            throw Invalid(name, Cut(length.Value, (long)headerLength + LengthBytes), DownloadAgain);

        var header = new byte[(int)headerLength];
        var taken = Math.Min(header.Length, count - LengthBytes);
        beginning.AsSpan(LengthBytes, taken).CopyTo(header);
        taken += await stream.ReadAtLeastAsync(header.AsMemory(taken), header.Length - taken, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        if (taken < header.Length)
            throw Invalid(name, Cut(taken + LengthBytes, (long)headerLength + LengthBytes), DownloadAgain);

        var (tensors, dataLength) = Tensors(header, name);
        var whole = LengthBytes + header.Length + dataLength;
        if (length is { } actual && actual != whole)
            throw Invalid(name, actual < whole ? Cut(actual, whole) : string.Create(CultureInfo.InvariantCulture, $"it has {actual:N0} bytes, and its header speaks of {whole:N0}"), DownloadAgain);
        return new(header.Length, tensors, whole);
    }

    private static string Cut(long has, long needs) => string.Create(CultureInfo.InvariantCulture, $"it is cut: it has {has:N0} bytes of {needs:N0}{(needs <= LengthBytes ? " or more" : "")}");

    /// <summary>What came in place of a model, by its beginning.</summary>
    private static (string What, string Remedy)? NameOfOther(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return ("it is empty", DownloadAgain);
        if (!bytes.ContainsAnyExcept((byte)0))
            return ("it holds nothing but zeros, as a file does whose place was reserved and that was never filled", DownloadAgain);
        if (bytes.StartsWith("PK\u0003\u0004"u8))
            return ("it is a zip, as torch.save writes them, not safetensors", "Take the safetensors form of the model.");

        var text = Encoding.UTF8.GetString(bytes).TrimStart('\uFEFF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("<!doc", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase))
            return ("it is a web page, as a login or an error page is that was saved in place of the file", "Download the file again, with a token of the model hub where it asks for one.");
        if (text.StartsWith("version https://git-lfs.github.com/spec/", StringComparison.Ordinal))
            return ("it is a Git LFS pointer, which stands for the file in a repository", "Run 'git lfs pull' in the repository, or download the file from the model hub.");
        if (text.StartsWith("{\"error\"", StringComparison.Ordinal) || text.StartsWith("{ \"error\"", StringComparison.Ordinal) || text.StartsWith("{\"message\"", StringComparison.Ordinal))
            return ("it is an error message of a model hub", "Download the file again, with a token of the model hub where it asks for one.");
        return bytes[0] == 0x80 && bytes.Length > 1 && bytes[1] is >= 2 and <= 5 && bytes[LengthOr(bytes)] != (byte)'{'
            ? ("it is a pickle, as older versions of torch.save write them, not safetensors", "Take the safetensors form of the model.")
            : null;
    }

    private static int LengthOr(ReadOnlySpan<byte> bytes) => Math.Min(LengthBytes, bytes.Length - 1);

    /// <summary>Counts the tensors, and how many bytes they take: they must lie one behind the other, without gaps.</summary>
    private static (int Count, long Length) Tensors(byte[] header, string name)
    {
        List<(long Begin, long End)> places = [];
        try
        {
            // A header is padded with spaces.
            var reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Invalid(name, "its header is no JSON object", DownloadAgain);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isMetadata = reader.ValueTextEquals("__metadata__"u8);
                reader.Read();
                if (isMetadata)
                    reader.Skip();
                else
                    places.Add(Place(ref reader, name));
            }

            if (reader.Read())
                throw Invalid(name, "something follows the JSON of its header", DownloadAgain);
        }
        catch (Exception error) when (error is JsonException or OverflowException or FormatException or InvalidOperationException)
        {
            throw Invalid(name, "its header is damaged", DownloadAgain, error);
        }

        places.Sort();
        var end = 0L;
        foreach (var place in places)
        {
            if (place.Begin != end)
                throw Invalid(name, "its tensors do not lie one behind the other", DownloadAgain);
            end = place.End;
        }

        return (places.Count, end);
    }

    private static (long Begin, long End) Place(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Invalid(name, "one of its tensors is not described", DownloadAgain);

        var (type, elements, begin, end) = (0, -1L, -1L, -1L);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            switch (key)
            {
                case "dtype":
                    if (!BytesOfType.TryGetValue(reader.GetString() ?? "", out type))
                        throw Invalid(name, "it has a tensor of a type that is not known", "If the file is newer than this program, take the check out with -Exclude; else download it again.");
                    break;
                case "shape":
                    elements = 1;
                    foreach (var size in Numbers(ref reader))
                        elements = checked(elements * size);
                    break;
                case "data_offsets":
                    if (Numbers(ref reader) is not [var first, var second])
                        throw Invalid(name, "one of its tensors has no place", DownloadAgain);
                    (begin, end) = (first, second);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return type > 0 && elements >= 0 && begin >= 0 && end >= begin && end - begin == checked(elements * type)
            ? (begin, end)
            : throw Invalid(name, "one of its tensors is not as long as its shape says", DownloadAgain);
    }

    private static List<long> Numbers(ref Utf8JsonReader reader)
    {
        List<long> numbers = [];
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new FormatException();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var number = reader.GetInt64();
            numbers.Add(number >= 0 ? number : throw new FormatException());
        }

        return numbers;
    }

    private static ComfyAuthException Invalid(string name, string why, string remedy, Exception? cause = null) =>
        new("ModelFileInvalid", $"'{name}' is no whole model file: {why}.", remedy, cause);
}
