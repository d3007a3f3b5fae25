using System.Text;

namespace ComfyAuth.DotEnv;

/// <summary>The grammar of <c>docker run --env-file</c>: a line is <c>NAME=value</c> as it stands, or a name to inherit.</summary>
internal sealed class DockerRunReader : DotEnvReader
{
    /// <summary>The longest line that the client's line scanner takes, in bytes.</summary>
    private const int LongestLine = 64 * 1024 - 1;

    public override DotEnvConsumer Consumer => DotEnvConsumer.DockerRun;

    public override string Title => "docker run --env-file";

    protected override List<DotEnvStatement> Read(string text, bool byteOrderMark, Func<string, string?> lookup)
    {
        var statements = new List<DotEnvStatement>();
        var values = new Dictionary<string, string>();
        for (var lineStart = 0; lineStart < text.Length;)
        {
            var lineEnd = text.IndexOf('\n', lineStart);
            if (lineEnd < 0)
                lineEnd = text.Length;
            var next = Math.Min(lineEnd + 1, text.Length);
            var extraBytes = byteOrderMark && lineStart == 0 ? 3 : 0;
            var isTooLong = (lineEnd - lineStart) * 3L + extraBytes > LongestLine
                && Encoding.UTF8.GetByteCount(text.AsSpan(lineStart, lineEnd - lineStart)) + extraBytes > LongestLine;

            if (lineEnd > lineStart && text[lineEnd - 1] == '\r')
                lineEnd--;
            var start = lineStart;
            while (start < lineEnd && char.IsWhiteSpace(text[start]))
                start++;

            if (isTooLong)
                statements.Add(Refused(start, next, "refuses the file for a line of more than 65535 bytes"));
            else if (start < lineEnd && text[start] != '#')
                statements.Add(ReadLine(text, start, lineEnd, next, values, lookup));
            lineStart = next;
        }

        return statements;
    }

    private static DotEnvStatement ReadLine(
        string text, int start, int end, int next, Dictionary<string, string> values, Func<string, string?> lookup)
    {
        var equals = text.IndexOf('=', start, end - start);
        var nameEnd = equals < 0 ? end : equals;
        if (nameEnd == start)
            return Refused(start, next, "refuses the file for a line without a name");
        if (text.AsSpan(start, nameEnd - start).ContainsAny(' ', '\t'))
            return Refused(start, next, "refuses the file for white space before the =");

        var name = text[start..nameEnd];
        var value = equals < 0 ? lookup(name) ?? values.GetValueOrDefault(name) : text[(equals + 1)..end];
        if (value is not null)
            values[name] = value;
        return new(start, next) { Name = name, IsInherited = equals < 0, Value = value };
    }

    private static DotEnvStatement Refused(int start, int next, string reason) =>
        new(start, next) { Failure = reason, Reach = FailureReach.File };
}
