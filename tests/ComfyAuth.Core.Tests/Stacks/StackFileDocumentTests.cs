using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Stacks;

/// <summary>The reader of the stack file, its schema and its document say the same.</summary>
public sealed partial class StackFileDocumentTests
{
    private const string DocumentedPath = @"D:\stacks\genai\comfyauth.yml";

    private static readonly string FilePath = Path.GetFullPath("/stack/comfyauth.yml");
    private static readonly string Document = Repository.Read("docs/stack-file.md");
    private static readonly JsonObject Schema = JsonNode.Parse(Repository.Read("docs/schemas/comfyauth.schema.json"))!.AsObject();

    /// <summary>An object of the schema, and a stack file that goes wrong in that object, at a key nobody knows.</summary>
    public static TheoryData<string, string> Objects => new()
    {
        { "", "zzz: 1\n" },
        { "$defs/service", "services: { sd35: { zzz: 1 } }\n" },
        { "$defs/env", "services: { sd35: { env: { zzz: 1 } } }\n" },
        { "$defs/token", "services: { sd35: { tokens: [ { zzz: 1 } ] } }\n" },
        { "$defs/content", "content: { zzz: 1 }\n" },
        { "$defs/api", "apis: { openai: { zzz: 1 } }\n" },
        { "$defs/python", "python: { zzz: 1 }\n" },
        { "$defs/model", "services: { sd35: { models: [ { zzz: 1 } ] } }\n" },
    };

    /// <summary>A choice of the schema, and a stack file that chooses what nobody knows.</summary>
    public static TheoryData<string, string> Choices => new()
    {
        { "$defs/service/properties/auth", "services: { sd35: { auth: zzz } }\n" },
        { "$defs/token/properties/format", "services: { sd35: { tokens: [ { format: zzz } ] } }\n" },
        { "$defs/token/properties/role", "services: { sd35: { tokens: [ { file: x, role: zzz } ] } }\n" },
        { "$defs/token/properties/presence", "services: { sd35: { tokens: [ { file: x, presence: zzz } ] } }\n" },
        { "$defs/consumers/items", "services: { sd35: { env: { file: x, consumers: [zzz] } } }\n" },
    };

    [Theory]
    [MemberData(nameof(Objects))]
    public void The_schema_and_the_document_have_the_keys_that_the_reader_knows(string place, string text)
    {
        var known = ListIn(RemedyOf(text), "Known: ");
        var schema = At(place);

        Assert.Equal(known.Order(StringComparer.Ordinal), schema["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal));
        Assert.False((bool)schema["additionalProperties"]!);
        Assert.All(known, key => Assert.Contains($"| `{key}` |", Document, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Choices))]
    public void The_schema_and_the_document_have_the_choices_that_the_reader_knows(string place, string text)
    {
        var known = ListIn(RemedyOf(text), "Choices: ");

        Assert.Equal(known, At(place)["enum"]!.AsArray().Select(value => (string)value!));
        Assert.All(known, choice => Assert.Contains($"`{choice}`", Document, StringComparison.Ordinal));
    }

    [Fact]
    public void The_schema_has_the_defaults_of_the_reader()
    {
        var stack = StackFile.Parse("", FilePath);
        var top = Schema["properties"]!;

        Assert.Equal(StackFile.Version, (int)top["version"]!["const"]!);
        Assert.Equal(stack.Source, (string)top["source"]!["default"]!);
        Assert.Equal(stack.KeepBackups, (int)top["keepBackups"]!["default"]!);
        Assert.Equal(stack.Services.Select(service => service.Name), top["services"]!["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal(stack.Content!.Folder, (string)At("$defs/content/properties/folder")["default"]!);
        Assert.Equal(stack.Apis.Select(api => api.Name), top["apis"]!["properties"]!.AsObject().Select(property => property.Key));
    }

    [Fact]
    public void Every_example_of_the_document_is_read()
    {
        var examples = Example().Matches(Document).Select(match => match.Groups[1].Value).ToList();
        Assert.True(examples.Count >= 4);
        Assert.All(examples, text => StackFile.Parse(text, FilePath));
    }

    [Fact]
    public void Every_error_of_the_document_is_the_one_that_is_reported()
    {
        var errors = ErrorExample().Matches(Document);
        Assert.True(errors.Count >= 3);
        foreach (var groups in errors.Select(match => match.Groups))
        {
            var error = Assert.Throws<ComfyAuthException>(() => StackFile.Parse(groups[1].Value, FilePath));
            Assert.Equal(groups[2].Value, $"{error.Message.Replace(FilePath, DocumentedPath, StringComparison.Ordinal)}\n{error.Remedy}\n");
        }
    }

    [Fact]
    public void The_document_lists_the_built_in_places()
    {
        var stack = StackFile.Parse("", FilePath);
        foreach (var service in stack.Services)
            Assert.Contains($"| {service.Name} | {service.Container} | `{service.Url.GetLeftPart(UriPartial.Authority)}` | `{service.HealthPath}` |", Document, StringComparison.Ordinal);
        foreach (var location in stack.Services.SelectMany(service => service.TokenLocations))
        {
            Assert.Contains($"| `{location.Path.Replace(DefaultLayout.QwenFolders[0], "service", StringComparison.Ordinal)}` |", Document, StringComparison.Ordinal);
            if (location.Variable is not null)
                Assert.Contains($"`{location.Variable}`", Document, StringComparison.Ordinal);
        }

        foreach (var model in stack.Services.SelectMany(service => service.Models))
            Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"| `{model.Path}` | {model.SizeInBytes:N0} | `{model.Repository}` |"), Document, StringComparison.Ordinal);
    }

    [Fact]
    public void The_document_lists_the_built_in_content_apis_and_packages()
    {
        var stack = StackFile.Parse("", FilePath);
        var content = stack.Content!;

        Assert.Equal([8, 9, 5, 4, 4], new[] { content.Folders, content.Notebooks, content.Documents, content.Tutorials, content.Examples }.Select(list => list.Count));
        foreach (var path in content.Folders.Concat(content.Notebooks).Concat(content.Documents).Concat(content.Tutorials).Concat(content.Examples))
            Assert.Contains($"`{path.Replace($"{content.Folder}/", "", StringComparison.Ordinal)}`", Document, StringComparison.Ordinal);
        foreach (var api in stack.Apis)
            Assert.Contains($"| {api.Name} | `{api.Url.GetLeftPart(UriPartial.Authority)}{api.Path}` | `{api.Variable}` |", Document, StringComparison.Ordinal);
        Assert.Contains($"| {string.Join(", ", stack.Python!.Packages.Select(package => $"{package.Key} {package.Value}"))} |", Document, StringComparison.Ordinal);
    }

    private static string RemedyOf(string text) => Assert.Throws<ComfyAuthException>(() => StackFile.Parse(text, FilePath)).Remedy;

    private static string[] ListIn(string remedy, string label) => remedy[(remedy.IndexOf(label, StringComparison.Ordinal) + label.Length)..].TrimEnd('.').Split(", ");

    private static JsonObject At(string place) =>
        place.Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate((JsonNode)Schema, (node, name) => node[name]!).AsObject();

    [GeneratedRegex(@"^```yaml\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^```yaml error\n(.*?)^```\n```text\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex ErrorExample();
}
