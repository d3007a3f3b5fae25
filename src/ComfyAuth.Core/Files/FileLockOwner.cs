using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;

namespace ComfyAuth.Files;

/// <summary>The process that holds a <see cref="FileLock"/>.</summary>
/// <param name="ProcessId">Its process id.</param>
/// <param name="Started">When it started; tells it from a later process with the same id.</param>
/// <param name="Host">The machine (or container) it runs on.</param>
public sealed record FileLockOwner(int ProcessId, DateTimeOffset Started, string Host)
{
    // The start time is computed from the boot time, which moves a little with the clock.
    private static readonly TimeSpan StartTolerance = TimeSpan.FromSeconds(2);

    internal static FileLockOwner Current { get; } = FindCurrent();

    /// <summary>Whether the process still runs; null when it runs, or ran, on another host and cannot be asked.</summary>
    [JsonIgnore]
    public bool? IsAlive => Host == Environment.MachineName ? IsRunning(ProcessId, Started) : null;

    /// <summary>The owner in words.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"process {ProcessId} on {Host}, started {Started.ToUniversalTime():yyyy-MM-dd HH:mm:ss}Z");

    private static bool IsRunning(int processId, DateTimeOffset started)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return !IsZombie(processId) && (process.StartTime.ToUniversalTime() - started).Duration() <= StartTolerance;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (Win32Exception)
        {
            // There is such a process, but it does not let us look at it.
            return true;
        }
    }

    // A killed process stays in the table until its parent asks for it; in a container nobody may ever ask.
    private static bool IsZombie(int processId)
    {
        if (!OperatingSystem.IsLinux())
            return false;

        try
        {
            string status = File.ReadAllText($"/proc/{processId}/stat");
            // The command name stands in parentheses and may itself hold any (man 5 proc).
            return status.AsSpan(status.LastIndexOf(')') + 1).TrimStart() is ['Z' or 'X', ..];
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            return false;
        }
    }

    private static FileLockOwner FindCurrent()
    {
        using var process = Process.GetCurrentProcess();
        return new(process.Id, process.StartTime.ToUniversalTime(), Environment.MachineName);
    }
}
