namespace ComfyAuth.Secrets;

/// <summary>A part of a text that must not be shown, and what is shown in its place.</summary>
internal readonly record struct Redaction(int Start, int End, string Replacement);
