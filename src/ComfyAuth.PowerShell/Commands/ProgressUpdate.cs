using System.Management.Automation;

namespace ComfyAuth.PowerShell.Commands;

internal sealed record ProgressUpdate(string Activity, string Status, long Done, long? Total)
{
    // PowerShell refuses an empty text, and shows no percentage for -1.
    public ProgressRecord ToRecord(Func<string, string> redact)
    {
        var activity = redact(Activity);
        return new(0, activity, string.IsNullOrEmpty(Status) ? activity : redact(Status))
        {
            PercentComplete = Total > 0 ? (int)Math.Clamp(100.0 * Done / Total.Value, 0, 100) : -1,
        };
    }
}
