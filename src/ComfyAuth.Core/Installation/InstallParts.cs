namespace ComfyAuth.Installation;

/// <summary>Parts of an installation that can be left out.</summary>
[Flags]
public enum InstallParts
{
    /// <summary>Nothing is left out.</summary>
    None = 0,

    /// <summary>The files of the deployment, the image and the container; a container that runs already is used.</summary>
    Docker = 1,

    /// <summary>The model files.</summary>
    Models = 2,

    /// <summary>The credential: none is made, written or proven.</summary>
    Auth = 4,

    /// <summary>The test picture.</summary>
    Test = 8,
}
