using System.Diagnostics;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

/// <summary>A Docker engine that the tests start themselves: a private socket, private data, no network of its own.</summary>
public sealed class EngineProcess : IAsyncDisposable
{
    private const string Prefix = "comfyauth-dockerd-";
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "Engine", "engine.sh");
    private readonly Process _supervisor;

    private EngineProcess(Process supervisor, string root) => (_supervisor, Root) = (supervisor, root);

    public string Root { get; }

    public DockerEndpoint Endpoint => DockerEndpoint.Parse($"unix://{Root}/engine.sock", "the tests");

    public int ProcessId => int.Parse(File.ReadAllText(Path.Combine(Root, "pid")));

    /// <summary>Why no engine can be started here; null when it can.</summary>
    public static string? WhyNot()
    {
        if (!OperatingSystem.IsLinux())
            return "an engine of our own is started on Linux only";
        if (Environment.UserName != "root")
            return "starting an engine needs root";
        return Environment.GetEnvironmentVariable("PATH")!.Split(':').Append("/usr/sbin").Any(folder => File.Exists(Path.Combine(folder, "dockerd")))
            ? null
            : "dockerd is not installed";
    }

    /// <summary>The tar archive of the image for the containers: BusyBox under the names of some of its programs, and <c>/serve</c>.</summary>
    public static async Task<MemoryStream> ArchiveAsync()
    {
        using var script = Process.Start(new ProcessStartInfo("sh", [Script, "image"]) { RedirectStandardOutput = true })!;
        var archive = new MemoryStream();
        await script.StandardOutput.BaseStream.CopyToAsync(archive);
        await script.WaitForExitAsync();
        archive.Position = 0;
        return script.ExitCode == 0 ? archive : throw new InvalidOperationException($"{Script} made no image.");
    }

    /// <summary>Takes away what killed runs have left.</summary>
    public static async Task SweepAsync()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            var owner = folder[(folder.LastIndexOf('-') + 1)..];
            if (owner != Environment.ProcessId.ToString() && !Directory.Exists($"/proc/{owner}"))
                await Process.Start("sh", [Script, "clean", folder]).WaitForExitAsync();
        }
    }

    public static async Task<EngineProcess> StartAsync(string name, CancellationToken stop, params string[] arguments)
    {
        // The process id comes last: it tells later runs whether anybody still needs the folder.
        var root = Path.Combine(Path.GetTempPath(), $"{Prefix}{name}-{Environment.ProcessId}");
        if (Directory.Exists(root))
        {
            // A run that was killed had the same process id.
            await Process.Start("sh", [Script, "clean", root]).WaitForExitAsync(stop);
        }

        Directory.CreateDirectory(root);
        var start = new ProcessStartInfo("sh", [Script, "run", root, .. arguments]) { RedirectStandardInput = true };
        var engine = new EngineProcess(Process.Start(start)!, root);
        try
        {
            await engine.WaitUntilItAnswersAsync(stop);
            return engine;
        }
        catch
        {
            var log = File.Exists($"{root}/log") ? File.ReadAllLines($"{root}/log").TakeLast(3) : [];
            await engine.DisposeAsync();
            throw new InvalidOperationException("The engine did not start: " + string.Join('\n', log));
        }
    }

    /// <summary>As a crash would end it.</summary>
    public void Kill()
    {
        using var process = Process.GetProcessById(ProcessId);
        process.Kill();
    }

    /// <summary>Starts it again after it was killed; what was there is still there.</summary>
    public async Task StartAgainAsync(CancellationToken stop)
    {
        await _supervisor.StandardInput.WriteLineAsync();
        await _supervisor.StandardInput.FlushAsync(stop);
        await WaitUntilItAnswersAsync(stop);
    }

    public void Signal(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, ProcessId.ToString()]);
        kill.WaitForExit();
    }

    /// <summary>Stops the engine with SIGSTOP and waits until each of its threads stands: a busy one may still answer once.</summary>
    public async Task FreezeAsync(CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        Signal("STOP");
        while (!IsFrozen())
            await pause.WaitForNextTickAsync(deadline.Token);
    }

    public async ValueTask DisposeAsync()
    {
        _supervisor.StandardInput.Close();
        await _supervisor.WaitForExitAsync();
        _supervisor.Dispose();
    }

    private bool IsFrozen()
    {
        try
        {
            // man 5 proc: the state stands behind the name in parentheses, T is stopped.
            return Directory.EnumerateDirectories($"/proc/{ProcessId}/task").All(thread => File.ReadAllText($"{thread}/stat").Contains(") T ", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            // A thread ended meanwhile.
            return false;
        }
    }

    private async Task WaitUntilItAnswersAsync(CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromMinutes(3));
        await using var client = new DockerClient(Endpoint);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await pause.WaitForNextTickAsync(deadline.Token))
        {
            try
            {
                await client.PingAsync(deadline.Token);
                return;
            }
            catch (DockerException) when (!_supervisor.HasExited)
            {
                // Not yet.
            }
        }
    }
}
