using ComfyAuth.Secrets;

namespace ComfyAuth.Models;

/// <summary>How models are downloaded.</summary>
public sealed record ModelDownloadOptions
{
    /// <summary>The variable that names another hub than Hugging Face, such as a mirror.</summary>
    public const string EndpointVariable = "HF_ENDPOINT";

    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    /// <summary>The address of the hub; null: what <c>HF_ENDPOINT</c> says, else <c>https://huggingface.co</c>.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The token of the hub; null: none, which does for public files. It goes to the hub's own address only.</summary>
    public SecretText? Token { get; init; }

    /// <summary>How many connections get parts of one file at the same time, 1 to 32.</summary>
    public int Connections { get; init; } = 8;

    /// <summary>How many files are got at the same time, 1 to 16.</summary>
    public int FilesAtOnce { get; init; } = 2;

    /// <summary>How many bytes a second all files together may take; null: as many as there are.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>After how long without a byte, or with less than 4 KiB, a connection is given up and made anew.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often a part of a file is asked for, without getting anything, before the download fails. The time between two grows from half a second to half a minute.</summary>
    public int Attempts { get; init; } = 8;

    /// <summary>How long to wait for another process that downloads the same file.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Whether every byte of a file that is there is read, although it was verified before and its size and time have not changed.</summary>
    public bool Deep { get; init; }

    /// <summary>How many bytes are asked for at a time.</summary>
    internal int ChunkBytes { get; init; } = 4 << 20;

    /// <summary>The time before the second attempt.</summary>
    internal TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often is written down what is there.</summary>
    internal TimeSpan JournalInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Refuses what is not possible.</summary>
    /// <exception cref="ComfyAuthException"><c>ModelDownloadOptionsInvalid</c>.</exception>
    internal void Validate()
    {
        Ensure(Connections is >= 1 and <= 32, "1 to 32 connections are possible", "Give a number from 1 to 32; 8 is enough for most lines.");
        Ensure(FilesAtOnce is >= 1 and <= 16, "1 to 16 files at once are possible", "Give a number from 1 to 16.");
        Ensure(BytesPerSecond is null or >= 1024, "A download of less than 1,024 bytes a second never ends", "Give the limit in bytes a second, or none.");
        Ensure(StallTimeout > TimeSpan.Zero && StallTimeout <= LongestWait, "The time without a byte must be more than nothing and at most a day", "Give some seconds, such as 30s.");
        Ensure(Attempts is >= 1 and <= 1000, "1 to 1,000 attempts are possible", "Give a number from 1 to 1000.");
        Ensure(LockTimeout >= TimeSpan.Zero && LockTimeout <= LongestWait, "The time to wait for another process must be at most a day", "Give some minutes, such as 10m.");
        Ensure(ChunkBytes > 0, "A part has at least a byte", "Give more.");

        static void Ensure(bool isFine, string message, string remedy)
        {
            if (!isFine)
                throw new ComfyAuthException("ModelDownloadOptionsInvalid", message + ".", remedy);
        }
    }
}
