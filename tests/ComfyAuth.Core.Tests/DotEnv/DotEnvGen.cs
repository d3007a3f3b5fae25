using ComfyAuth.DotEnv;
using CsCheck;

namespace ComfyAuth.Tests.DotEnv;

/// <summary>Random documents and values, rich in what quoting and interpolation trip over.</summary>
internal static class DotEnvGen
{
    private static readonly string[] Pieces =
    [
        "a", "Z", "1", "_", "token", "$", "$$", "$A", "${A}", "${", "}", "${A:-", "${E:+x}", "'", "\"", "\\", "\\'", "\\\"", "\\n", "\\$",
        "\\0101", "#", " #", " ", "  ", "\t", "=", ":", "`", "~", "(", ")", ";", "&", "|", "<", ">", "!", "*", "é", "\U0001F600", "\u00A0",
        "\u0085", "\u2028", "\u001C", "\u007F", "\u0001", "\uFEFF", "%", "/", "$2b$12$Ab.",
    ];

    private static readonly string[] Breaks = ["\n", "\r\n", "\r", "\n\n", "\n# it's\n", "\nA=\""];

    public static readonly Gen<string> Line = Gen.OneOf(Pieces).List[0, 8].Select(string.Concat);

    public static readonly Gen<string> Value =
        Gen.Frequency((4, Line), (1, Gen.OneOf([.. Pieces, .. Breaks]).List[0, 8].Select(string.Concat)), (1, Gen.String.Select(Storable)));

    public static readonly Gen<string> Name = Gen.OneOf("A", "B", "C", "TOKEN", "E", "A_B", "x.y", "é");

    public static readonly Gen<DotEnvConsumer> Consumers = Gen.Int[1, 15].Select(flags => (DotEnvConsumer)flags);

    /// <summary>Mostly readable text in all its odd forms.</summary>
    public static readonly Gen<string> Document =
        from mark in Gen.Frequency((9, Gen.Const("")), (1, Gen.Const("\uFEFF")))
        from newline in Gen.Frequency((3, Gen.Const("\n")), (1, Gen.Const("\r\n")))
        from lines in Gen.Frequency((8, EntryLine), (1, Gen.OneOf("", "  ", "# it's \"a\" note", "\t# $A", "A: b", "B", "export C")), (1, Line)).List[0, 7]
        from mixed in Gen.Frequency((5, Gen.Const("")), (1, Gen.OneOf(Breaks)))
        from end in Gen.Frequency((2, Gen.Const(newline)), (1, Gen.Const("")))
        select mark + string.Join(newline, lines) + mixed + end;

    public static IEnumerable<DotEnvConsumer> Single(DotEnvConsumer consumers) =>
        Enum.GetValues<DotEnvConsumer>().Where(consumer => consumer != DotEnvConsumer.None && consumers.HasFlag(consumer));

    private static Gen<string> EntryLine =>
        from lead in Gen.OneOf("", "", "", " ", "export ", "\texport  ")
        from name in Name
        from separator in Gen.OneOf("=", "=", "=", " = ", ": ", "=\t")
        from value in Line
        from quote in Gen.OneOf("", "", "'", "\"")
        from tail in Gen.OneOf("", "", "", " # it's a note", "  ", "#")
        select lead + name + separator + quote + (quote.Length == 0 ? value : value.Replace(quote, "", StringComparison.Ordinal).TrimEnd('\\')) + quote + tail;

    private static string Storable(string value)
    {
        value = value.Replace("\0", "", StringComparison.Ordinal);
        return System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(value));
    }
}
