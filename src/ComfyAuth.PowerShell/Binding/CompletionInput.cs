using System.Collections;

namespace ComfyAuth.PowerShell.Binding;

/// <summary>What is known when the user asks for a completion.</summary>
/// <param name="Word">What has been typed of the argument, without quotes.</param>
/// <param name="Location">The current folder, or <see langword="null"/> where PowerShell is not in the file system.</param>
/// <param name="Bound">The parameters given so far, by name, as far as their values are known before running.</param>
public sealed record CompletionInput(string Word, string? Location, IDictionary Bound);
