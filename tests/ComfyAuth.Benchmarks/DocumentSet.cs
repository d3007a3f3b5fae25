using System.Text;
using ComfyAuth.Secrets;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// Made-up documents of 2 to 6 KB: headings, paragraphs, lists and code. Words are as frequent as in a language (a few are
/// everywhere, most are rare). The same seed makes the same documents.
/// </summary>
internal sealed class DocumentSet
{
    private const int Words = 20_000;
    private const int DocumentsPerFolder = 40;

    private static readonly string[] Syllables = ["ba", "con", "de", "é", "fi", "gra", "in", "jo", "ker", "la", "mo", "né", "o", "por", "que", "ré", "se", "ta", "u", "ver", "x", "tion", "ment", "er"];

    private readonly Random _random = new(20_260_101);
    private readonly string[] _vocabulary;

    public DocumentSet() => _vocabulary = [.. Enumerable.Range(0, Words).Select(_ => string.Concat(Enumerable.Range(0, _random.Next(2, 5)).Select(_ => Pick(Syllables))))];

    /// <summary>A query of a few words, rare and frequent ones.</summary>
    public string Query() => string.Join(' ', Enumerable.Range(0, 8).Select(_ => Word()));

    /// <summary>Writes the documents into a stack that does not exist yet.</summary>
    /// <returns>How many characters they have.</returns>
    public long LayOut(string root, int count)
    {
        var length = 0L;
        Directory.CreateDirectory(root);
        File.WriteAllText(Path.Combine(root, "comfyauth.yml"), "");

        // Looked for in every document, in every encoding.
        File.WriteAllText(Path.Combine(root, ".env"), $"COMFYUI_API_TOKEN='$2b$12${new string('C', 21)}.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'\nCOMFYUI_RAW_TOKEN={RandomSecret.Create().Reveal()}\nHF_TOKEN={RandomSecret.Create().Reveal()}\n");
        for (var i = 0; i < count; i++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(root, "docs", $"{i / DocumentsPerFolder:000}")).FullName;
            var text = Document();
            length += text.Length;
            File.WriteAllText(Path.Combine(folder, $"{Word()}-{i:00000}.md"), text);
        }

        return length;
    }

    private string Document()
    {
        var target = _random.Next(2_000, 6_000);
        var text = new StringBuilder($"# {Sentence(4)}\n\n");
        while (text.Length < target)
        {
            switch (_random.Next(6))
            {
                case 0:
                    text.Append($"{(_random.Next(2) == 0 ? "##" : "###")} {Sentence(4)}\n\n");
                    break;
                case 1:
                    text.Append($"```bash\ndocker compose -f docker-compose.yml up -d\n# {Sentence(5)}\nexport COMFYUI_{Word().ToUpperInvariant()}=${{VALUE}}\n```\n\n");
                    break;
                case 2:
                    text.Append($"- {Sentence(8)}\n- {Sentence(8)}\n- {Sentence(8)}\n\n");
                    break;
                default:
                    text.Append($"{Sentence(20)} {Sentence(15)} {Sentence(25)}\n\n");
                    break;
            }
        }

        return text.ToString();
    }

    private string Sentence(int words)
    {
        var sentence = string.Join(' ', Enumerable.Range(0, words).Select(_ => Word()));
        return char.ToUpperInvariant(sentence[0]) + sentence[1..] + '.';
    }

    private string Word() => _vocabulary[(int)(Words * Math.Pow(_random.NextDouble(), 4))];

    private string Pick(string[] from) => from[_random.Next(from.Length)];
}
