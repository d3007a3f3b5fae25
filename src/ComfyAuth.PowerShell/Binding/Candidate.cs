namespace ComfyAuth.PowerShell.Binding;

/// <summary>A value that an argument could have.</summary>
/// <param name="Value">The value, unquoted.</param>
/// <param name="Description">What it is, for the tooltip.</param>
public sealed record Candidate(string Value, string? Description = null);
