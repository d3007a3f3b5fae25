namespace ComfyAuth.Installation;

/// <summary>What an installation did to the machine, by how it is undone.</summary>
internal enum InstallChangeKind
{
    /// <summary>Files were made or replaced; the target is the name of the record that keeps what they were.</summary>
    Files,

    /// <summary>A folder was made; it is removed if it is empty by then.</summary>
    Folder,

    /// <summary>A folder was made that the service writes into; what it holds goes with it, when the installation is taken back at once.</summary>
    DataFolder,

    /// <summary>A file that came into being while it was tried out, such as the test picture.</summary>
    Output,

    /// <summary>An image was made or pulled; the target is its name.</summary>
    Image,

    /// <summary>A network was made; the target is its name.</summary>
    Network,

    /// <summary>A volume was made; the target is its name.</summary>
    Volume,

    /// <summary>The container was made; the target is its name.</summary>
    Container,

    /// <summary>The container was started; it is stopped again.</summary>
    Started,

    /// <summary>The container was started anew with changed files; once more, when they are as they were.</summary>
    Restarted,

    /// <summary>A custom node was put into the container; the target is its folder there.</summary>
    Node,

    /// <summary>A model was downloaded; the target is the file. It becomes an unfinished download again, which the next run finishes at no cost.</summary>
    Model,

    /// <summary>A model was put where no folder of this machine is mounted; the target is the container and the file there.</summary>
    ContainerModel,
}
