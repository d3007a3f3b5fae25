namespace ComfyAuth.Models;

/// <summary>The server sends the whole file where a range was asked for.</summary>
internal sealed class RangesIgnoredException() : Exception("The server sends the whole file where a range was asked for.");
