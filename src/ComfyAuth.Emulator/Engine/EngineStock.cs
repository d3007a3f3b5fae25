using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Engine;

/// <summary>The images, networks and volumes of an engine: names, as nobody needs more of them.</summary>
internal sealed class EngineStock(EngineState state)
{
    private static readonly string[] NetworksOfTheEngine = ["bridge", "host", "none"];

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, bool> _images = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, IReadOnlyDictionary<string, string>> _networks = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, IReadOnlyDictionary<string, string>> _volumes = new(StringComparer.Ordinal);

    public IReadOnlyList<string> Images => Names(_images);

    public IReadOnlyList<string> Networks => Names(_networks);

    public IReadOnlyList<string> Volumes => Names(_volumes);

    public void AddImage(string name) => Set(_images, name, true);

    public void AddNetwork(string name, IReadOnlyDictionary<string, string> labels) => Set(_networks, name, labels);

    public void AddVolume(string name, IReadOnlyDictionary<string, string> labels) => Set(_volumes, name, labels);

    public Task ListImagesAsync(HttpContext context) => context.WriteJsonAsync(new JsonArray([.. Images.Select(image => (JsonNode)new JsonObject
    {
        ["Id"] = Identifier(image),
        ["RepoTags"] = new JsonArray(image),
        ["RepoDigests"] = null,
        ["Created"] = 1_767_323_045,
        ["Size"] = 1_000_000,
        ["Labels"] = null,
    })]));

    public Task InspectImageAsync(HttpContext context, string name) => context.WriteJsonAsync(new JsonObject
    {
        ["Id"] = Identifier(Existing(_images, name, "image").Name),
        ["RepoTags"] = new JsonArray(name),
        ["RepoDigests"] = new JsonArray(),
        ["Created"] = "2026-01-02T03:04:05Z",
        ["Size"] = 1_000_000,
        ["Os"] = "linux",
        ["Architecture"] = "amd64",
        ["Config"] = new JsonObject { ["Env"] = null, ["Cmd"] = null, ["Entrypoint"] = null },
    });

    public Task RemoveImageAsync(HttpContext context, string name)
    {
        var image = Existing(_images, name, "image").Name;
        if (state.Containers.FirstOrDefault(container => container.Image == image) is { } user)
            throw new EngineError(StatusCodes.Status409Conflict, $"conflict: unable to remove repository reference \"{image}\" (must force) - container {user.Id[..12]} is using its referenced image {Identifier(image)[7..19]}");
        lock (_lock)
            _images.Remove(image);
        return context.WriteJsonAsync(new JsonArray(new JsonObject { ["Untagged"] = image }));
    }

    public Task ListNetworksAsync(HttpContext context) =>
        context.WriteJsonAsync(new JsonArray(
        [
            .. NetworksOfTheEngine.Select(name => (Name: name, Value: (IReadOnlyDictionary<string, string>)new Dictionary<string, string>()))
                .Concat(All(_networks))
                .Where(item => IsChosen(context, item.Value))
                .Select(item => (JsonNode)Network(item.Name, item.Value)),
        ]));

    public Task RemoveNetworkAsync(HttpContext context, string name)
    {
        if (NetworksOfTheEngine.Contains(name))
            throw new EngineError(StatusCodes.Status403Forbidden, $"{name} is a pre-defined network and cannot be removed");
        var network = Existing(_networks, name, "network").Name;
        if (state.Containers.Any(container => container.Network == network && container.IsRunning))
            throw new EngineError(StatusCodes.Status403Forbidden, $"error while removing network: network {network} id {Identifier(network)[7..]} has active endpoints");
        lock (_lock)
            _networks.Remove(network);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    public Task ListVolumesAsync(HttpContext context) => context.WriteJsonAsync(EngineJson.Members(
        (nameof(Volumes), new JsonArray([.. All(_volumes).Where(item => IsChosen(context, item.Value)).Select(item => (JsonNode)Volume(item.Name, item.Value))])),
        ("Warnings", null)));

    public Task RemoveVolumeAsync(HttpContext context, string name)
    {
        var volume = Existing(_volumes, name, "volume").Name;
        if (state.Containers.FirstOrDefault(container => container.Mounts.Any(mount => mount.Type == "volume" && mount.Name == volume)) is { } user)
            throw new EngineError(StatusCodes.Status409Conflict, $"remove {volume}: volume is in use - [{user.Id}]");
        lock (_lock)
            _volumes.Remove(volume);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static bool IsChosen(HttpContext context, IReadOnlyDictionary<string, string> labels) =>
        ContainerFilters.ReadAll(context.Request.Query["filters"]).GetValueOrDefault("label", []).All(label => ContainerFilters.HasLabel(labels, label));

    private static JsonObject Network(string name, IReadOnlyDictionary<string, string> labels) => new()
    {
        ["Name"] = name,
        ["Id"] = Identifier(name)[7..],
        ["Driver"] = name switch { "host" => "host", "none" => "null", _ => "bridge" },
        ["Scope"] = "local",
        ["Labels"] = EngineJson.Map(labels),
    };

    private static JsonObject Volume(string name, IReadOnlyDictionary<string, string> labels) => new()
    {
        ["Name"] = name,
        ["Driver"] = "local",
        ["Mountpoint"] = $"/var/lib/docker/volumes/{name}/_data",
        ["Scope"] = "local",
        ["Labels"] = EngineJson.Map(labels),
    };

    private static string Identifier(string name) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    private List<string> Names<T>(SortedDictionary<string, T> stock) => [.. All(stock).Select(item => item.Name)];

    private List<(string Name, T Value)> All<T>(SortedDictionary<string, T> stock)
    {
        lock (_lock)
            return [.. stock.Select(item => (item.Key, item.Value))];
    }

    private void Set<T>(SortedDictionary<string, T> stock, string name, T value)
    {
        lock (_lock)
            stock[name] = value;
    }

    private (string Name, T Value) Existing<T>(SortedDictionary<string, T> stock, string name, string what) => All(stock).Find(item => item.Name == name || Identifier(item.Name) == name || Identifier(item.Name)[7..] == name) is { Name: not null } found
        ? found
        : throw new EngineError(StatusCodes.Status404NotFound, $"No such {what}: {name}");
}
