using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tokens;

/// <summary>The files of a stack, each read from the disk once.</summary>
internal sealed class StackFiles(GenAIStack stack)
{
    /// <summary>No file that carries a credential comes near it; what does is not one.</summary>
    private const long MaximumSizeInBytes = 16 << 20;

    // By where the links lead: two paths to one file are one file.
    private readonly Dictionary<string, StackFileContent> _contents = new(RealPath.Comparer);

    /// <summary>Throws <c>RecoveryPending</c> where an interrupted change would make what is read neither old nor new.</summary>
    public static void EnsureSettled(GenAIStack stack)
    {
        if (FileTransaction.IsRecoveryPending(stack.Root))
        {
            throw new ComfyAuthException(
                "RecoveryPending",
                $"An earlier change of '{stack.Root}' was interrupted, so its files may be half old and half new.",
                "Synchronise or restore: either one first puts the files back as they were.");
        }
    }

    /// <summary>Reads a file; never throws, because a file that cannot be read is a finding.</summary>
    public StackFileContent Get(string relativePath)
    {
        var path = stack.PathOf(relativePath);
        string real;
        try
        {
            real = RealPath.Of(path);
        }
        catch (ComfyAuthException error)
        {
            return new(path) { Problem = TokenState.Unreadable, Evidence = error.Message };
        }

        if (!_contents.TryGetValue(real, out var content))
            _contents.Add(real, content = Read(path, real));
        return content;
    }

    private static StackFileContent Read(string path, string real)
    {
        if (Directory.Exists(real))
            return new(path) { Problem = TokenState.IsDirectory, Evidence = "A folder stands where the file belongs, as Docker makes one when it mounts a file that is missing." };

        try
        {
            if (RegularFile.IsSomethingElse(real))
                return new(path) { Problem = TokenState.Unreadable, Evidence = "It is a device, pipe or socket, not a file." };

            var length = new FileInfo(real).Length;
            return length > MaximumSizeInBytes
                ? new(path) { Problem = TokenState.Unreadable, Evidence = $"The file has {length:N0} bytes; nothing over {MaximumSizeInBytes:N0} is read as a credential." }
                : new(path) { Bytes = File.ReadAllBytes(real) };
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(path) { Problem = TokenState.Missing, Evidence = "The file does not exist." };
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new(path) { Problem = TokenState.Unreadable, Evidence = error.Message };
        }
    }
}

/// <summary>One file as it was read.</summary>
internal sealed class StackFileContent(string path)
{
    private readonly Dictionary<(DotEnvConsumer Consumer, Func<string, string?> Shell), DotEnvView> _views = [];
    private DotEnvDocument? _document;
    private bool? _isExposed;

    public string Path => path;

    /// <summary>The content; null where <see cref="Problem"/> says why there is none.</summary>
    public byte[]? Bytes { get; init; }

    public TokenState? Problem { get; init; }

    public string Evidence { get; init; } = "";

    /// <summary>Whether others than its owner may read it; asked once.</summary>
    public bool IsExposed => _isExposed ??= Bytes is not null && !FilePermissions.IsOwnerOnly(path);

    /// <summary>The content as a <c>.env</c> file, parsed once; an empty document where the file is missing.</summary>
    public DotEnvDocument Document => _document ??= DotEnvDocument.Parse(Bytes ?? [], path);

    /// <summary>How one program sees one key of the file as it was read; interpolated once for all keys.</summary>
    public DotEnvReading? Read(string name, DotEnvConsumer consumer, Func<string, string?> shell)
    {
        if (!_views.TryGetValue((consumer, shell), out var view))
            _views.Add((consumer, shell), view = Document.View(consumer, shell));
        return Document.ReadFrom(view, name, consumer);
    }
}
