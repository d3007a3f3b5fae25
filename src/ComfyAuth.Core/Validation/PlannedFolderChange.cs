using ComfyAuth.Files;

namespace ComfyAuth.Validation;

/// <summary>A folder that is made to mend a failed check.</summary>
public sealed class PlannedFolderChange : PlannedChange
{
    internal PlannedFolderChange(string path)
        : base(path, "Make the folder")
    {
    }

    /// <summary>Makes the folder, and those that it stands in.</summary>
    internal void Make() => FileErrors.On(Target, () => Directory.CreateDirectory(Target));
}
