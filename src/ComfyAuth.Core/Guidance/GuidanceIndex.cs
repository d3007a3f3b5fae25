using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Guidance;

/// <summary>
/// The documents of a stack, the <c>*.md</c> files under its root, made ready for a search. It is held in memory only.
/// Immutable, so safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>
/// Passages are ranked by BM25 (S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
/// Foundations and Trends in Information Retrieval 3(4), 2009, equation 3.15), with k1 = 1.2 and b = 0.75. The weight of a term
/// that n of N passages hold is ln(1 + (N - n + 0.5) / (n + 0.5)), which unlike the original's is never negative. A term of a
/// heading counts three times.
/// </para>
/// <para>
/// Left out are <c>node_modules</c>, <c>_backups</c>, whatever begins with a dot, and what lies behind a link. Secrets are taken
/// out before anything is indexed: nobody can find out by asking whether a document holds one.
/// </para>
/// </remarks>
public sealed class GuidanceIndex
{
    private const double K1 = 1.2;
    private const double B = 0.75;

    // A whole log as a query shall not take longer than a long message.
    private const int MostTerms = 128;

    private readonly SecretRedactor _redactor;
    private readonly IndexedPassage[] _passages;
    private readonly double _averageLength;

    private GuidanceIndex(string stack, SecretRedactor redactor, IndexedPassage[] passages)
    {
        Stack = stack;
        _redactor = redactor;
        _passages = passages;
        _averageLength = passages.Length == 0 ? 0 : passages.Average(passage => passage.Length);
    }

    /// <summary>The root of the stack.</summary>
    public string Stack { get; }

    /// <summary>How many documents there are; not those that could not be read at all.</summary>
    public int DocumentCount { get; private init; }

    /// <summary>How many passages they have.</summary>
    public int PassageCount => _passages.Length;

    /// <summary>What could not be searched, in the order of the paths.</summary>
    public required IReadOnlyList<GuidanceGap> NotRead { get; init; }

    /// <summary>Reads and indexes the documents of a stack, on as many threads as there are processors.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="redactor">Takes out the secrets that it knows by now.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <returns>The index. What cannot be read is in <see cref="NotRead"/>.</returns>
    public static GuidanceIndex Build(GenAIStack stack, SecretRedactor redactor, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(redactor);

        var gaps = new List<GuidanceGap>();
        var files = StackDocuments.Find(stack.Root, gaps, cancellationToken);
        var documents = new (IndexedPassage[]? Passages, string? Gap)[files.Count];
        Parallel.For(
            0,
            files.Count,
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken },
            i =>
            {
                var (text, gap) = StackDocuments.Read(stack.PathOf(files[i]));
                documents[i] = (text is null ? null : Index(redactor.Redact(files[i]), text, redactor), gap);
            });

        gaps.AddRange(files.Zip(documents).Where(pair => pair.Second.Gap is not null).Select(pair => new GuidanceGap(pair.First, pair.Second.Gap!)));
        return new(stack.Root, redactor, [.. documents.SelectMany(document => document.Passages ?? [])])
        {
            DocumentCount = documents.Count(document => document.Passages is not null),
            NotRead = [.. gaps.OrderBy(gap => gap.Path, StringComparer.Ordinal).Select(gap => new GuidanceGap(redactor.Redact(gap.Path), redactor.Redact(gap.Reason)))],
        };
    }

    /// <summary>Whether a query holds anything to search for: not so when it is empty or has words like "the" and "le" only.</summary>
    /// <param name="query">The query.</param>
    public static bool IsSearchable(string query) => TermsOf(query).Count > 0;

    /// <summary>Finds the passages that speak most of a query.</summary>
    /// <param name="query">Words, in any order; the first 128 different ones count. A passage need not hold all of them.</param>
    /// <param name="count">How many passages are wanted at most.</param>
    /// <returns>The best first; of equals the one whose file and line come first. Empty when no passage has any of the words.</returns>
    public IReadOnlyList<GuidancePassage> Search(string query, int count)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegative(count);

        var scores = new double[_passages.Length];
        foreach (var holders in HoldersOf(TermsOf(query)).Values)
            AddScores(holders, scores);

        var shown = _redactor.Redact(query);
        return
        [
            .. Enumerable.Range(0, scores.Length)
                .Where(index => scores[index] > 0)
                .OrderByDescending(index => scores[index])
                .ThenBy(index => index)
                .Take(count)
                .Select(index => (Passage: _passages[index], Score: scores[index]))
                .Select(found => new GuidancePassage
                {
                    Query = shown,
                    Stack = Stack,
                    File = found.Passage.File,
                    Heading = found.Passage.Heading,
                    Line = found.Passage.Line,
                    Score = found.Score,
                    Text = found.Passage.Text,
                }),
        ];
    }

    private static HashSet<ulong> TermsOf(string query)
    {
        var terms = new HashSet<ulong>();
        TermReader.Read(query, term =>
        {
            if (terms.Count < MostTerms)
                terms.Add(TermReader.Hash(term));
        });
        return terms;
    }

    private static IndexedPassage[] Index(string file, string text, SecretRedactor redactor)
    {
        var redacted = redactor.Redact(text);
        var lines = new RedactedLines(text, redacted);
        return [.. MarkdownReader.Read(redacted).Select(passage => new IndexedPassage(file, passage with { Line = lines.Original(passage.Line) }))];
    }

    /// <summary>For each term the passages that hold it, and how often it counts there.</summary>
    private Dictionary<ulong, List<(int Index, int Count)>> HoldersOf(HashSet<ulong> terms)
    {
        // Going through all terms in the order of memory is faster than looking for a few in each passage.
        const int filterSize = 1 << 14;
        var filter = new bool[filterSize];
        foreach (var term in terms)
            filter[term % filterSize] = true;

        var holders = terms.ToDictionary(term => term, _ => new List<(int Index, int Count)>());
        for (var i = 0; i < _passages.Length; i++)
        {
            var held = _passages[i].Terms;
            for (var j = 0; j < held.Length; j++)
            {
                if (filter[held[j] % filterSize] && holders.TryGetValue(held[j], out var places))
                    places.Add((i, _passages[i].Counts[j]));
            }
        }

        return holders;
    }

    private void AddScores(List<(int Index, int Count)> holders, double[] scores)
    {
        var weight = Math.Log(1 + ((_passages.Length - holders.Count + 0.5) / (holders.Count + 0.5)));
        foreach (var (index, count) in holders)
            scores[index] += weight * count * (K1 + 1) / (count + (K1 * (1 - B + (B * _passages[index].Length / _averageLength))));
    }
}
