namespace ComfyAuth.Models;

/// <summary>The whole is not the right file, and a part of it came in an earlier run: loaded anew, it may be right.</summary>
internal sealed class PartRefusedException() : Exception("The whole is not the right file, and a part of it came in an earlier run.");
