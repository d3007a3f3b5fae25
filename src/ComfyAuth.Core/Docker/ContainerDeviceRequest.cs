namespace ComfyAuth.Docker;

/// <summary>A reservation of devices, in practice of GPUs.</summary>
/// <param name="Driver">Such as <c>nvidia</c>; empty when the engine chooses by capability.</param>
/// <param name="Count">How many; -1 means all; 0 when <paramref name="DeviceIds"/> name them.</param>
/// <param name="DeviceIds">Indices or UUIDs.</param>
/// <param name="Capabilities">Such as <c>gpu</c>; alternatives are not kept apart.</param>
public sealed record ContainerDeviceRequest(string Driver, int Count, IReadOnlyList<string> DeviceIds, IReadOnlyList<string> Capabilities);
