using ComfyAuth.Stacks;

namespace ComfyAuth.Models;

/// <summary>A file to get from the model hub, and where it is to be.</summary>
public sealed record ModelDownload
{
    private readonly string _target = "";

    /// <summary>What to get.</summary>
    public required HubFile Source { get; init; }

    /// <summary>The absolute path of the file when it is whole.</summary>
    /// <exception cref="ComfyAuthException"><c>ModelDownloadInvalid</c>: it is not absolute.</exception>
    public required string Target
    {
        get => _target;
        init => _target = Path.IsPathFullyQualified(value ?? "") && Path.GetFileName(value) is { Length: > 0 }
            ? Path.GetFullPath(value!)
            : throw new ComfyAuthException("ModelDownloadInvalid", $"'{value}' is no absolute path of a file.", "Give the whole path of the file.");
    }

    /// <summary>Its exact size; null when it is not known.</summary>
    public long? SizeInBytes { get; init; }

    /// <summary>The SHA-256 of its content, 64 lower-case hexadecimal digits; null when it is not known.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The file's name.</summary>
    public string Name => Path.GetFileName(Target);

    /// <summary>Gets a model of a catalogue into its folder.</summary>
    /// <param name="model">The model.</param>
    /// <param name="modelsFolder">The models folder; the file goes into the folder of its kind below it.</param>
    /// <exception cref="ComfyAuthException"><c>ModelSourceUnknown</c>: nobody says where it comes from; <c>ModelDownloadInvalid</c>; <c>HubFileInvalid</c>.</exception>
    public static ModelDownload Of(ModelFile model, string modelsFolder)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model is not { Repository: { } repository, PathInRepository: { } path })
            throw new ComfyAuthException("ModelSourceUnknown", $"Nobody says where the model {model.Path} comes from.", "Give its 'repository' and 'pathInRepository' in the stack file, or put the file there yourself.");
        if (!HubFile.AreNames(model.Path))
            throw new ComfyAuthException("ModelDownloadInvalid", $"'{model.Path}' leads out of the models folder.", "Correct the kind and the name of the model in the stack file.");
        return new()
        {
            Source = new(repository, path),
            Target = Path.Combine(Path.GetFullPath(modelsFolder), model.Path),
            SizeInBytes = model.SizeInBytes,
            Sha256 = model.Sha256,
        };
    }
}
