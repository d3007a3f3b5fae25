using System.Text.RegularExpressions;

namespace ComfyAuth.Containers;

/// <summary>What a line of a log, or an error of the engine, is about.</summary>
internal enum LogTopic
{
    /// <summary>An installation or a download goes on.</summary>
    Install,

    /// <summary>The program itself begins: an installation before it is over.</summary>
    Boot,

    /// <summary>The server listens.</summary>
    Listening,

    /// <summary>The source of a mount is not there.</summary>
    MountMissing,

    /// <summary>A directory stands where a file is meant.</summary>
    Directory,

    /// <summary>A port is taken.</summary>
    Port,

    /// <summary>The engine has nothing that gives GPUs to containers.</summary>
    GpuRuntime,

    /// <summary>The driver of the GPU is missing, too old, or does not know the GPU that is asked for.</summary>
    GpuDriver,

    /// <summary>The program sees no GPU: it has none reserved, or there is no driver.</summary>
    GpuAbsent,

    /// <summary>PyTorch was made for machines without a GPU.</summary>
    GpuTorch,

    /// <summary>Something went wrong.</summary>
    Failure,
}

/// <summary>A text that is known to mean something.</summary>
/// <param name="Topic">What it is about.</param>
/// <param name="Pattern">How it is recognised. Its groups, such as <c>package</c> and <c>size</c>, tell particulars.</param>
/// <param name="Meaning">What it means, as a clause without a full stop; empty where the line says it better.</param>
internal sealed record LogSignature(LogTopic Topic, Regex Pattern, string Meaning)
{
    // Logs are hostile: lines are cut before they are looked at, and what may repeat behind no anchor is bounded, so that no text
    // takes long. Plain regular expressions, because those that never go back take a second to make. An error is the same in
    // any letter case: Go writes in small letters what the C library begins with a capital. Those who install write one way
    // only, and 'collecting' and the like are words of others too.
    public LogSignature(LogTopic topic, string pattern, string meaning)
        : this(topic, new Regex(pattern, RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant | (topic == LogTopic.Install ? RegexOptions.None : RegexOptions.IgnoreCase)), meaning)
    {
    }
}

/// <summary>A line that a signature was found in.</summary>
/// <param name="Signature">The signature.</param>
/// <param name="Line">The line.</param>
/// <param name="Index">Its place in the log; -1 for the engine's own error.</param>
/// <param name="Groups">The particulars.</param>
internal sealed record LogSign(LogSignature Signature, LogEntry Line, int Index, GroupCollection Groups)
{
    /// <summary>A particular; null when the line does not tell it.</summary>
    public string? this[string group] => Groups[group] is { Success: true, Value: { Length: > 0 } value } ? value : null;
}

/// <summary>A line that is fit to be looked at.</summary>
/// <param name="Text">The line as a terminal shows it, without secrets.</param>
/// <param name="Timestamp">When it was written.</param>
internal sealed record LogEntry(string Text, DateTimeOffset? Timestamp);
