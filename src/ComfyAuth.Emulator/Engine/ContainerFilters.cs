using System.Text.Json;
using System.Text.RegularExpressions;
using ComfyAuth.Docker;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>The filters of a list of containers: all names must fit, and one of the values of each (of labels all).</summary>
internal sealed class ContainerFilters
{
    private static readonly string[] Known = ["ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network", "publish", "since", "status", "volume"];

    private readonly Dictionary<string, IReadOnlyList<string>> _wanted;

    private ContainerFilters(Dictionary<string, IReadOnlyList<string>> wanted) => _wanted = wanted;

    /// <summary>Whether it is said which states are wanted, so that those are looked at that do not run.</summary>
    public bool ChooseStates => _wanted.ContainsKey("status");

    public static ContainerFilters Read(string? text)
    {
        var wanted = ReadAll(text);
        if (wanted.Keys.FirstOrDefault(name => !Known.Contains(name)) is { } unknown)
            throw new EngineError(StatusCodes.Status400BadRequest, $"Invalid filter '{unknown}'");
        return wanted.Keys.FirstOrDefault(name => name is not ("health" or "id" or "label" or "name" or "status")) is { } other
            ? throw EngineError.NotEmulated($"the filter '{other}'")
            : new(wanted);
    }

    public bool Choose(EmulatedContainer container) =>
        Any("name", value => Regex.IsMatch("/" + container.Name, value, RegexOptions.None, TimeSpan.FromSeconds(1)) || Regex.IsMatch(container.Name, value, RegexOptions.None, TimeSpan.FromSeconds(1)))
        && Any("id", value => container.Id.StartsWith(value, StringComparison.Ordinal))
        && Any("status", value => value.Equals(container.State.ToString(), StringComparison.OrdinalIgnoreCase))
        && Any("health", value => value.Equals(container.Health.ToString(), StringComparison.OrdinalIgnoreCase))
        && (!_wanted.TryGetValue("label", out var labels) || labels.All(label => HasLabel(container.Labels, label)));

    public static bool HasLabel(IReadOnlyDictionary<string, string> labels, string label) =>
        label.Split('=', 2) is [var name, .. var rest] && labels.TryGetValue(name, out var value) && (rest.Length == 0 || rest[0] == value);

    /// <summary>Names with their values, as a list or, as the Docker CLI writes them, as the names of a map.</summary>
    public static Dictionary<string, IReadOnlyList<string>> ReadAll(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return [];
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.EnumerateObject().ToDictionary(
                filter => filter.Name,
                filter => (IReadOnlyList<string>)(filter.Value.ValueKind == JsonValueKind.Object
                    ? [.. filter.Value.EnumerateObject().Select(value => value.Name)]
                    : [.. filter.Value.EnumerateArray().Select(value => value.GetString() ?? "")]));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new EngineError(StatusCodes.Status500InternalServerError, "invalid character looking for beginning of value");
        }
    }

    private bool Any(string name, Func<string, bool> fits) => !_wanted.TryGetValue(name, out var values) || values.Count == 0 || values.Any(fits);
}
