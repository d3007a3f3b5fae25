using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace ComfyAuth.Benchmarks;

/// <summary>Notebooks as people have them: text and code in cells, printed lines, tables, and a picture in every third. The same each time.</summary>
internal sealed class NotebookSet
{
    private const string StackFileName = "comfyauth.yml";
    private const int EveryWithPicture = 3;
    private const int EveryMarked = 50;
    private const int EveryCut = 70;

    private static readonly string[] Words = "the model image prompt token of to a for steps seed with width height guidance sampler returns url response client latent and in is output input file path".Split(' ');
    private static readonly string[] Code =
    [
        "import os, requests, json", "from openai import OpenAI", "client = OpenAI(api_key=os.getenv(\"OPENAI_API_KEY\"))",
        "response = client.images.generate(model=\"dall-e-3\", prompt=prompt, size=\"1024x1024\", n=1)",
        "headers = {\"Authorization\": f\"Bearer {token}\", \"Content-Type\": \"application/json\"}",
        "for i, item in enumerate(response.data):", "    print(f\"{i}: {item.url}\")", "    with open(os.path.join(\"outputs\", f\"{i}.png\"), \"wb\") as f:",
        "        f.write(requests.get(item.url, timeout=60).content)", "plt.figure(figsize=(12, 8)); plt.imshow(image); plt.axis('off')", "# d\u00e9finir les param\u00e8tres",
    ];

    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Random _random = new(20251030);

    /// <summary>How many of so many begin with a byte order mark or are cut short.</summary>
    public static long BadOf(int count) => Enumerable.Range(0, count).Sum(i => (i % EveryMarked == 1 ? 1 : 0) + (i % EveryCut == 2 ? 1 : 0));

    /// <summary>Writes them; gives their length in bytes.</summary>
    public long LayOut(string root, int count)
    {
        Directory.CreateDirectory(root);
        File.WriteAllText(Path.Combine(root, StackFileName), "defaults: false\ncontent: { folder: notebooks }\n");
        var length = 0L;
        for (var i = 0; i < count; i++)
        {
            var folder = Directory.CreateDirectory(Path.Combine(root, "notebooks", $"{i / 100:000}")).FullName;
            var bytes = Notebook(i % EveryWithPicture == 0);
            if (i % EveryCut == 2)
                bytes = bytes[..(bytes.Length * 2 / 3)];
            if (i % EveryMarked == 1)
                bytes = [.. Encoding.UTF8.Preamble, .. bytes];
            File.WriteAllBytes(Path.Combine(folder, $"{i:00000}.ipynb"), bytes);
            length += bytes.Length;
        }

        return length;
    }

    private byte[] Notebook(bool hasPicture)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options))
        {
            json.WriteStartObject();
            json.WriteStartArray("cells");
            var cells = _random.Next(12, 40);
            for (var cell = 0; cell < cells; cell++)
                WriteCell(json, cell, hasPicture && cell == cells / 2);
            json.WriteEndArray();
            json.WriteStartObject("metadata");
            json.WriteStartObject("kernelspec");
            json.WriteString("display_name", "Python 3");
            json.WriteString("name", "python3");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteNumber("nbformat", 4);
            json.WriteNumber("nbformat_minor", 5);
            json.WriteEndObject();
        }

        return stream.ToArray();
    }

    private void WriteCell(Utf8JsonWriter json, int number, bool hasPicture)
    {
        var isCode = number % 2 == 1 || hasPicture;
        json.WriteStartObject();
        json.WriteString("cell_type", isCode ? "code" : "markdown");
        if (isCode)
            json.WriteNumber("execution_count", number);
        json.WriteString("id", $"{_random.Next():x8}");
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        if (isCode)
        {
            json.WriteStartArray("outputs");
            WriteOutputs(json, number, hasPicture);
            json.WriteEndArray();
        }

        json.WriteStartArray("source");
        for (var line = _random.Next(3, 16); line > 0; line--)
            json.WriteStringValue((isCode ? Code[_random.Next(Code.Length)] : Prose(12)) + "\n");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteOutputs(Utf8JsonWriter json, int number, bool hasPicture)
    {
        json.WriteStartObject();
        json.WriteString("name", "stdout");
        json.WriteString("output_type", "stream");
        json.WriteStartArray("text");
        for (var line = _random.Next(1, 30); line > 0; line--)
            json.WriteStringValue($"{number}/{line}: {Prose(8)} \u001b[32m{_random.NextDouble():0.0000}\u001b[0m\n");
        json.WriteEndArray();
        json.WriteEndObject();
        if (!hasPicture)
            return;

        var picture = new byte[_random.Next(20_000, 120_000)];
        _random.NextBytes(picture);
        json.WriteStartObject();
        json.WriteStartObject("data");
        json.WriteString("image/png", Convert.ToBase64String(picture) + "\n");
        json.WriteString("text/plain", "<Figure size 1200x800 with 1 Axes>");
        json.WriteEndObject();
        json.WriteStartObject("metadata");
        json.WriteEndObject();
        json.WriteString("output_type", "display_data");
        json.WriteEndObject();
    }

    private string Prose(int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[_random.Next(Words.Length)]));
}
