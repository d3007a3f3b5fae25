namespace ComfyAuth.Docker;

/// <summary>The version of an engine.</summary>
/// <param name="Version">Of the engine, such as <c>28.3.0</c>.</param>
/// <param name="ApiVersion">The newest API version that it speaks.</param>
/// <param name="MinimumApiVersion">The oldest; empty when it does not say.</param>
/// <param name="OperatingSystem"><c>linux</c> or <c>windows</c>.</param>
/// <param name="Architecture">Such as <c>amd64</c>.</param>
/// <param name="KernelVersion">Of its kernel; tells WSL 2 by <c>microsoft</c> in it.</param>
public sealed record EngineVersion(string Version, string ApiVersion, string MinimumApiVersion, string OperatingSystem, string Architecture, string KernelVersion);
