using System.Diagnostics;
using System.Globalization;
using ComfyAuth.Compose;
using ComfyAuth.Stacks;
using CsCheck;

namespace ComfyAuth.Tests.Compose;

public sealed class ComposeFuzzTests
{
    private const int Count = 20_000;

    /// <summary>Where Linux tells how many nanoseconds the thread that asks has been at work.</summary>
    private const string Work = "/proc/thread-self/schedstat";

    // On a busy machine, or one that stood still for a while, a moment is long.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static readonly string[] Seeds =
        [.. Directory.GetFiles(ComposeText.Data("."), "*.yml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(File.ReadAllText)];

    /// <summary>Pieces that mean something to YAML or to Compose.</summary>
    private static readonly string[] Pieces =
    [
        "", "\n", "  ", "\t", ":", "- ", "[", "]", "{", "}", "&a ", "*a", "<<: *a\n", "'", "\"", "|", ">-", "#", "!", "!!binary ", "!reset ", "!override ", "? ", "---\n", "\0", "\u0085", "\ud800",
        "${", "}", "$", "$$", "${A:-", "${A:?", "$2b$12$", "%", "@", "`", "-", "99999999999999999999", "1e999", "-1", "0-65535", "::", "/", "~", "C:\\", "null", "true", "all", "services:\n",
        "environment:\n", "ports:\n", "volumes:\n", "healthcheck:\n", "extends: x\n", "\uFEFF", "\\", "\\0", "1h", "\r",
    ];

    private static readonly Gen<string> Mutated =
        from first in AnyOf(Seeds)
        from second in AnyOf(Seeds)
        from edits in Gen.Select(Gen.Double[0, 1], Gen.Int[0, 12], AnyOf(Pieces)).List[1, 3]
        from splice in Gen.Double[0, 8]
        select Mutate(splice < 1 ? first[..(int)(first.Length * splice)] + second[(int)(second.Length * splice)..] : first, edits);

    private static Gen<string> AnyOf(string[] texts) => Gen.Int[0, texts.Length - 1].Select(index => texts[index]);

    private static string Mutate(string text, List<(double At, int Length, string Piece)> edits)
    {
        foreach (var (at, length, piece) in edits)
        {
            var start = (int)(at * text.Length);
            text = text[..start] + piece + text[Math.Min(text.Length, start + length)..];
        }

        return text;
    }

    [Fact]
    public void Any_mutated_file_is_read_and_checked_or_refused_with_its_place()
    {
        ServiceDefinition[] services = [new() { Name = "comfyui-qwen", Container = "comfyui-qwen", Url = new Uri("http://localhost"), Auth = AuthKind.ComfyUILogin }];
        var slowest = 0L;
        var read = 0;
        Check.Sample(
            Gen.Select(Mutated, Mutated, Gen.Int[0, 4].Select(number => number == 0)),
            (text, over, isMerged) =>
            {
                var clock = Stopwatch.StartNew();
                try
                {
                    var file = ComposeText.Load(isMerged ? [text, over] : [text], name => name == "A" ? "a" : null, "*");
                    Interlocked.Increment(ref read);
                    Assert.All(ComposeLint.Run(services, [file]), finding => Assert.True(finding.Line > 0 && finding.Column > 0));
                }
                catch (ComfyAuthException error)
                {
                    Assert.Equal("ComposeFileInvalid", error.Code);
                    Assert.Matches(@"\(\d+,\d+\): ", error.Message);
                }

                Interlocked.Exchange(ref slowest, Math.Max(slowest, clock.ElapsedMilliseconds));
            },
            iter: Count);

        Assert.InRange(slowest, 0, (long)Patience.TotalMilliseconds);
        // Mutations that the parser refuses at once would prove nothing about the rest.
        Assert.InRange(read, Count / 5, Count);
    }

    public static TheoryData<string, string> HeavyInputs => new()
    {
        { "brackets", new string('[', 900_000) },
        { "dashes", string.Concat(Enumerable.Repeat("- ", 450_000)) },
        { "keys", string.Concat(Enumerable.Range(0, 90_000).Select(i => $"k{i}: 1\n")) },
        { "one word", new string('x', 900_000) },
        { "one key", "services:\n  " + new string('k', 900_000) + ": {}\n" },
        { "long line of a plain value", "services: { a: { image: " + string.Concat(Enumerable.Repeat("x ", 440_000)) + "} }\n" },
        { "lost variables", "services: { a: { image: '" + string.Concat(Enumerable.Repeat("$a", 440_000)) + "' } }\n" },
        { "distinct variables", "services: { a: { image: '" + string.Concat(Enumerable.Range(0, 90_000).Select(i => $"${{v{i}-}}")) + "' } }\n" },
        { "nested variables", "services: { a: { image: '" + string.Concat(Enumerable.Repeat("${a-", 150)) + "' } }\n" },
        { "ranges of ports", "services: { a: { ports: [" + string.Concat(Enumerable.Repeat("1-65535, ", 90_000)) + "] } }\n" },
        { "ports of many addresses", "services: { a: { ports: [" + string.Concat(Enumerable.Range(0, 40_000).Select(i => $"'127.0.{i / 256}.{i % 256}:80:80', ")) + "] } }\n" },
        { "variables in the container", "services: { a: { environment: [" + string.Concat(Enumerable.Range(0, 60_000).Select(i => $"V{i}=$$x, ")) + "] } }\n" },
        { "healthcheck", "services: { comfyui-qwen: { healthcheck: { test: '" + string.Concat(Enumerable.Repeat("curl http://x||", 60_000)) + "' } } }\n" },
        { "mounts", "services: { a: { volumes: [" + string.Concat(Enumerable.Range(0, 30_000).Select(i => $"./{i}:/{i}.sh, ")) + "], command: [" + string.Concat(Enumerable.Range(0, 30_000).Select(i => $"/{i}.sh, ")) + "] } }\n" },
    };

    [Theory]
    [MemberData(nameof(HeavyInputs))]
    public void No_file_of_a_megabyte_takes_long(string name, string text)
    {
        var before = Worked();
        try
        {
            var file = ComposeText.Load([text, text], _ => null);
            ComposeLint.Run([], [file]);
        }
        catch (ComfyAuthException error)
        {
            Assert.Equal("ComposeFileInvalid", error.Code);
        }

        var took = Worked() - before;
        Assert.True(took < (File.Exists(Work) ? TimeSpan.FromSeconds(10) : Patience), $"{name}: {took}");
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: {took.TotalMilliseconds:0} ms");
    }

    /// <summary>How long this thread has been at work; where the system does not tell, how long it has been.</summary>
    private static TimeSpan Worked() =>
        File.Exists(Work) ? TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText(Work).Split(' ')[0], CultureInfo.InvariantCulture) / 1000) : Stopwatch.GetElapsedTime(0);
}
