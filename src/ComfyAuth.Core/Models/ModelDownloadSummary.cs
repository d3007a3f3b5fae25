namespace ComfyAuth.Models;

/// <summary>Says in one line how far all downloads together are.</summary>
/// <param name="tell">Is told what they are at, how many bytes are there, and how many there will be; null while that is not known.</param>
public sealed class ModelDownloadSummary(Action<string, long, long?> tell) : IProgress<ModelDownloadProgress>
{
    private readonly object _lock = new();
    private readonly Dictionary<ModelDownload, ModelDownloadProgress> _latest = [];

    /// <inheritdoc/>
    public void Report(ModelDownloadProgress value)
    {
        ArgumentNullException.ThrowIfNull(value);
        lock (_lock)
        {
            if (value.Phase == ModelDownloadPhase.Done)
                _latest.Remove(value.Download);
            else
                _latest[value.Download] = value;
            if (_latest.Count == 0)
                return;

            var all = _latest.Values;
            var (done, speed) = (all.Sum(each => each.BytesDone), all.Sum(each => each.BytesPerSecond));
            var total = all.All(each => each.BytesTotal is not null) ? all.Sum(each => each.BytesTotal) : null;
            var what = all.Count == 1 ? $"{all.First().Download.Name}: {Words(all.First().Phase)}" : $"{all.Count} files";
            var size = total is null or 0 ? "" : $", {ByteSize.Format(done)} of {ByteSize.Format(total.Value)}";
            var left = total > done && speed > 1 ? $", {ByteSize.Format((long)speed)}/s, {Duration.Format(TimeSpan.FromSeconds(Math.Min((total.Value - done) / speed, 1e8)))} left" : "";
            tell(what + size + left, done, total);
        }
    }

    private static string Words(ModelDownloadPhase phase) => phase switch
    {
        ModelDownloadPhase.Waiting => "waits for another that loads it",
        ModelDownloadPhase.Verifying => "is verified",
        ModelDownloadPhase.Resolving => "is looked up",
        ModelDownloadPhase.Downloading => "is loaded",
        _ => "is written to the disk",
    };
}
