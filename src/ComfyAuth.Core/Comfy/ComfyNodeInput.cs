using System.Text.Json;

namespace ComfyAuth.Comfy;

/// <summary>An input of a class of nodes, as the server describes it.</summary>
public sealed record ComfyNodeInput
{
    internal const string ChoiceType = "COMBO";
    internal const string AnyType = "*";

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its type, such as <c>INT</c>, <c>IMAGE</c> or <c>IMAGE,MASK</c>; <c>COMBO</c> for a choice, <c>*</c> for anything.</summary>
    public required string Type { get; init; }

    /// <summary>Whether a workflow must give it.</summary>
    public bool IsRequired { get; init; }

    /// <summary>What can be chosen, model files among them; null: it is no choice, or the server does not list it.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>Whether it takes files that are uploaded to the server, so that more than the listed ones may be right.</summary>
    public bool TakesUpload { get; init; }

    /// <summary>The smallest number it takes; null: any.</summary>
    public double? Minimum { get; init; }

    /// <summary>The largest number it takes; null: any.</summary>
    public double? Maximum { get; init; }

    internal static ComfyNodeInput Read(string name, bool isRequired, JsonElement shape)
    {
        var parts = shape.Items().Take(2).ToList();
        var kind = parts.Count > 0 ? parts[0] : default;
        var options = parts.Count > 1 ? parts[1] : default;

        // The list of choices stands in the place of the type, and in the options in newer versions.
        var choices = kind.ValueKind == JsonValueKind.Array ? kind : kind.ValueKind == JsonValueKind.String && kind.GetString() == ChoiceType ? options.Member("options") : default;
        return new()
        {
            Name = name,
            IsRequired = isRequired,
            Type = kind.ValueKind switch
            {
                JsonValueKind.Array => ChoiceType,
                JsonValueKind.String => kind.GetString()!,
                _ => AnyType,
            },
            Choices = choices.ValueKind == JsonValueKind.Array ? [.. choices.Items().Select(choice => choice.AsText()).OfType<string>()] : null,
            TakesUpload = options.Members().Any(option => option.Name.EndsWith("_upload", StringComparison.Ordinal) && option.Value.ValueKind == JsonValueKind.True),
            Minimum = options.Number("min"),
            Maximum = options.Number("max"),
        };
    }
}
