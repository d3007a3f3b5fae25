using System.Globalization;

namespace ComfyAuth.Compose;

/// <summary>A reservation of devices, such as GPUs (Compose specification, "devices" under "reservations").</summary>
public sealed record ComposeDeviceReservation
{
    /// <summary>The driver, such as <c>nvidia</c>; null for the engine's choice.</summary>
    public string? Driver { get; init; }

    /// <summary>How many devices; null for all of them, or when <see cref="DeviceIds"/> names them.</summary>
    public int? Count { get; init; }

    /// <summary>The devices by index or UUID; empty when they are counted.</summary>
    public IReadOnlyList<string> DeviceIds { get; init; } = [];

    /// <summary>What the devices must be able to do; <c>gpu</c> for a GPU.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>Why Compose or the engine would refuse it, as a clause without a full stop; null when they would not.</summary>
    public string? Fault { get; init; }

    /// <summary>Where it is written.</summary>
    public required ComposePlace Place { get; init; }

    /// <summary>Whether it reserves a GPU.</summary>
    public bool IsGpu => Capabilities.Contains("gpu") || Capabilities.Contains("nvidia");

    /// <summary>Reads <c>gpus</c> and <c>deploy.resources.reservations.devices</c> of a service.</summary>
    internal static IEnumerable<ComposeDeviceReservation> ReadAll(ComposeReader service)
    {
        if (service.Node["gpus"] is ComposeScalar { Text: "all" } all)
            yield return new ComposeDeviceReservation { Capabilities = ["gpu"], Place = all.Place };
        else if (service.Node["gpus"] is not null)
            foreach (var item in service.List("gpus"))
                yield return Read(item, isGpu: true);

        foreach (var item in service.Map("deploy")?.Map("resources")?.Map("reservations")?.List("devices") ?? [])
            yield return Read(item, isGpu: false);
    }

    private static ComposeDeviceReservation Read(ComposeNode node, bool isGpu)
    {
        if (node is not ComposeMapping map)
            throw node.Error("a device reservation takes a mapping", "Write '- driver: nvidia', with 'count: all' and 'capabilities: [gpu]' below it.");

        var reader = new ComposeReader(map);
        var capabilities = reader.Scalars("capabilities").Select(capability => capability.Text ?? "").ToList();
        var devices = reader.Scalars("device_ids").Select(device => device.Text ?? "").ToList();
        var count = reader.Text("count");
        int? number = int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;
        var fault = capabilities.Count == 0 && !isGpu ? "it names no capabilities"
            : count is not null && devices.Count > 0 ? "count and device_ids exclude each other"
            : count is not null and not "all" && number is null ? "count takes a whole number or all"
            : number == 0 ? "count is 0"
            : null;
        return new ComposeDeviceReservation
        {
            Driver = reader.Text("driver"),
            Count = number,
            DeviceIds = devices,
            Capabilities = isGpu && !capabilities.Contains("gpu") ? [.. capabilities, "gpu"] : capabilities,
            Fault = fault,
            Place = node.Place,
        };
    }
}
