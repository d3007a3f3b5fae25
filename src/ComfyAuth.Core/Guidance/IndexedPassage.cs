using System.Runtime.InteropServices;

namespace ComfyAuth.Guidance;

/// <summary>A passage and how often each term stands in it and its headings.</summary>
internal sealed class IndexedPassage
{
    // A term of a heading counts as if it stood there so often: the simple BM25F of Robertson and Zaragoza (2009), section 3.6.1.
    private const int HeadingWeight = 3;

    public IndexedPassage(string file, MarkdownPassage passage)
    {
        (File, Heading, Line, Text) = (file, passage.Heading, passage.Line, passage.Text);
        var counts = new Dictionary<ulong, int>();
        var weight = HeadingWeight;
        void Count(ReadOnlySpan<char> term)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, TermReader.Hash(term), out _) += weight;
            Length += weight;
        }

        TermReader.Read(Heading, Count);
        weight = 1;
        TermReader.Read(Path.GetFileName(file.AsSpan()), Count);
        TermReader.Read(Text, Count);
        Terms = [.. counts.Keys];
        Counts = [.. counts.Values];
    }

    public string File { get; }

    public string Heading { get; }

    public int Line { get; }

    public string Text { get; }

    /// <summary>The number of terms, each as often as it counts.</summary>
    public int Length { get; private set; }

    /// <summary>The different terms, by their hashes.</summary>
    public ulong[] Terms { get; }

    /// <summary>How often each of them counts.</summary>
    public int[] Counts { get; }
}
