namespace ComfyAuth.Models;

/// <summary>The hub has another content under the name than when the download began.</summary>
internal sealed class RemoteChangedException(HubFile file)
    : ComfyAuthException("ModelChangedMeanwhile", $"{file} changed on the hub while it was loaded.", "Run it again; name a commit as the revision to get the same file every time.");
