using System.Management.Automation;
using ComfyAuth.Secrets;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>How far the work is.</summary>
/// <param name="Activity">What is being done.</param>
/// <param name="Status">What it is at.</param>
/// <param name="Done">How much is done, in any unit.</param>
/// <param name="Total">How much there is; null where that is not known.</param>
public sealed record ProgressUpdate(string Activity, string Status, long Done = 0, long? Total = null)
{
    /// <summary>How long it takes; null where that is not known.</summary>
    public TimeSpan? TimeLeft { get; init; }

    /// <summary>The part that is under way, shown below it; null for none.</summary>
    public ProgressUpdate? Part { get; init; }

    /// <summary>The records of the work and of its parts, the outermost first.</summary>
    internal IEnumerable<ProgressRecord> ToRecords(SecretRedactor redactor, int id = 0)
    {
        // PowerShell refuses an empty text, and shows no percentage for -1.
        var activity = redactor.Redact(Activity);
        var record = new ProgressRecord(id, activity, string.IsNullOrEmpty(Status) ? activity : redactor.Redact(Status))
        {
            PercentComplete = Total > 0 ? (int)Math.Clamp(100.0 * Done / Total.Value, 0, 100) : -1,
            SecondsRemaining = TimeLeft is { TotalSeconds: < int.MaxValue } left ? (int)left.TotalSeconds : -1,
        };
        if (id > 0)
            record.ParentActivityId = id - 1;
        return [record, .. Part?.ToRecords(redactor, id + 1) ?? []];
    }
}
