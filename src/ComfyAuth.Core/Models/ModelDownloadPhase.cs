namespace ComfyAuth.Models;

/// <summary>What is done for a file.</summary>
public enum ModelDownloadPhase
{
    /// <summary>Waits for its turn, or for another process that downloads the same file.</summary>
    Waiting,

    /// <summary>Reads the file that is there, to tell whether it is the right one.</summary>
    Verifying,

    /// <summary>Asks the hub what and where the file is.</summary>
    Resolving,

    /// <summary>Loads it, and hashes what came.</summary>
    Downloading,

    /// <summary>Hands it to the disk and gives it its name.</summary>
    Finishing,

    /// <summary>Has ended, well or not.</summary>
    Done,
}
