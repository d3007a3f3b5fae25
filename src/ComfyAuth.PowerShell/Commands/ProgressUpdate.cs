using System.Management.Automation;
using ComfyAuth.Secrets;

namespace ComfyAuth.PowerShell.Commands;

internal sealed record ProgressUpdate(string Activity, string Status, long Done, long? Total)
{
    // PowerShell refuses an empty text, and shows no percentage for -1.
    public ProgressRecord ToRecord(SecretRedactor redactor)
    {
        var activity = redactor.Redact(Activity);
        return new(0, activity, string.IsNullOrEmpty(Status) ? activity : redactor.Redact(Status))
        {
            PercentComplete = Total > 0 ? (int)Math.Clamp(100.0 * Done / Total.Value, 0, 100) : -1,
        };
    }
}
