namespace ComfyAuth.Emulator.Tests.Faults;

/// <summary>Counts the sockets of this process, on Linux only. Its other handles come and go with the threads of the runtime.</summary>
internal static class OpenHandles
{
    private const string Folder = "/proc/self/fd";

    /// <summary>Counts them now, without those that only wait for the garbage collector.</summary>
    public static int Count()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Directory.Exists(Folder) ? Directory.EnumerateFileSystemEntries(Folder).Count(IsSocket) : 0;
    }

    /// <summary>Waits until there are no more than so many; connections close a moment after they are told to.</summary>
    public static async Task<int> FallToAsync(int most, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(1));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (Count() > most)
                await pause.WaitForNextTickAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The number tells.
        }

        return Count();
    }

    private static bool IsSocket(string handle)
    {
        try
        {
            return File.ResolveLinkTarget(handle, returnFinalTarget: false)?.Name.StartsWith("socket:", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            // Closed in the meantime.
            return false;
        }
    }
}
