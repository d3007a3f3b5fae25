namespace ComfyAuth.DotEnv;

/// <summary>Reads a whole file the way one program does. Never throws on bad lines: they become failed statements.</summary>
internal abstract class DotEnvReader
{
    private static readonly DotEnvReader[] All =
        [new ComposeV2Reader(), new ComposeV1Reader(), new DockerRunReader(), new ShellReader()];

    public abstract DotEnvConsumer Consumer { get; }

    /// <summary>The program as every message names it.</summary>
    public abstract string Title { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="text">The file without its byte order mark.</param>
    /// <param name="byteOrderMark">Whether the file starts with one.</param>
    /// <param name="lookup">The program's environment: the value of a variable, or null.</param>
    protected abstract List<DotEnvStatement> Read(string text, bool byteOrderMark, Func<string, string?> lookup);

    public DotEnvView View(string text, bool byteOrderMark, Func<string, string?> lookup) =>
        new(Read(text, byteOrderMark, lookup));

    /// <summary>One reader for each of the programs, in the order of <see cref="DotEnvConsumer"/>; at least one.</summary>
    public static DotEnvReader[] For(DotEnvConsumer consumers)
    {
        var readers = Array.FindAll(All, reader => consumers.HasFlag(reader.Consumer));
        return readers.Length > 0
            ? readers
            : throw new ArgumentOutOfRangeException(nameof(consumers), consumers, "Name at least one consumer.");
    }

    public static string? NoVariable(string name) => null;
}
