namespace ComfyAuth.Models;

/// <summary>Whether a model file is whole and right.</summary>
/// <param name="State">What it is.</param>
/// <param name="SizeInBytes">Its size in bytes; zero where there is none.</param>
/// <param name="Sha256">Its SHA-256, where it was computed or is remembered; else null.</param>
/// <param name="IsRemembered">Whether it was verified before, and its size and time are still the same, so that no byte of it was read.</param>
/// <param name="Reason">What is wrong with it, as a sentence; null when nothing is.</param>
public sealed record ModelVerification(ModelState State, long SizeInBytes = 0, string? Sha256 = null, bool IsRemembered = false, string? Reason = null);
