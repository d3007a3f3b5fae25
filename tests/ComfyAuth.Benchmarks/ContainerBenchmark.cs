using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// Looking at the containers of a stack, in a warm process, against <c>docker ps</c> and <c>docker inspect</c> run as commands;
/// and reading a long log against <c>docker logs</c>. Needs an engine, as the Docker CLI finds it, and an image with
/// <c>sh</c>, <c>sleep</c>, <c>yes</c> and <c>head</c>. Medians; the contenders take turns.
/// </summary>
internal sealed class ContainerBenchmark : IAsyncDisposable
{
    public const string Verb = "containers";

    private const int Rounds = 21;
    private const int LogRounds = 5;
    private const int LogLines = 2_000_000;

    private readonly DockerClient _engine = new(new DockerEndpointResolver().Resolve());
    private readonly string _image;
    private readonly string _prefix = $"comfyauth-bench-{Environment.ProcessId}-";
    private readonly TcpListener _service = new(IPAddress.Loopback, 0);
    private readonly List<string> _containers = [];

    private ContainerBenchmark(string image) => _image = image;

    public static async Task RunAsync(string image, int[] counts)
    {
        await using var benchmark = new ContainerBenchmark(image);
        _ = benchmark.ServeAsync();
        Console.WriteLine("| containers | ComfyAuth, median | best | docker ps + inspect, median | best | ratio |");
        Console.WriteLine("| ---: | ---: | ---: | ---: | ---: | ---: |");
        foreach (var count in counts is [] ? [4, 50, 100, 200] : counts)
            await benchmark.LookAsync(count);
        await benchmark.ReadLogAsync();
        Console.WriteLine($"\nLoad at the end: {await File.ReadAllTextAsync("/proc/loadavg")}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var container in _containers)
            await _engine.RemoveContainerAsync(container, force: true);
        await _engine.DisposeAsync();
        _service.Dispose();
    }

    private async Task LookAsync(int count)
    {
        while (_containers.Count < count)
            await StartAsync("exec sleep 1000000");

        var services = _containers.Take(count).Select(name => new ServiceDefinition { Name = name, Container = name, Url = new($"http://{_service.LocalEndpoint}") }).ToList();
        var stack = new GenAIStack { Root = Path.GetTempPath(), Definition = new() { Source = "none", Services = services } };
        var redactor = new SecretRedactor();
        var observer = new ContainerObserver(_engine, redactor, (_, _) => null);
        var (ours, theirs) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var ready = 0;
            await foreach (var snapshot in observer.ObserveAsync(stack, services, CancellationToken.None))
                ready += ContainerDiagnostician.Diagnose(snapshot, redactor).Condition == ContainerCondition.Ready ? 1 : 0;
            ours.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (ready != count)
                throw new InvalidOperationException($"{ready} of {count} containers were found ready.");

            start = Stopwatch.GetTimestamp();
            await CommandAsync(["ps", "--all", "--no-trunc"]);
            await CommandAsync(["inspect", .. _containers.Take(count)]);
            theirs.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {count} | {Median(ours):0.0} ms | {ours.Min():0.0} ms | {Median(theirs):0.0} ms | {theirs.Min():0.0} ms | {Median(ours) / Median(theirs):0.00} |"));
    }

    private async Task ReadLogAsync()
    {
        var writer = await StartAsync(string.Create(CultureInfo.InvariantCulture, $"yes 'a line of a log that is about as long as one of those that pip writes, and goes on for a while' | head -n {LogLines}"));
        await _engine.WaitAsync(writer);
        var (ours, theirs, bytes) = (new List<double>(), new List<double>(), 0L);
        for (var round = 0; round < LogRounds; round++)
        {
            bytes = 0;
            var start = Stopwatch.GetTimestamp();
            await foreach (var line in _engine.LogsAsync(writer, new() { Timestamps = false }))
                bytes += line.Text.Length + 1;
            ours.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);

            start = Stopwatch.GetTimestamp();
            await CommandAsync(["logs", writer]);
            theirs.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        var megabytes = bytes / 1e6;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"\nA log of {megabytes:0} MB as lines: ComfyAuth {megabytes / Median(ours):0} MB/s, docker logs > /dev/null {megabytes / Median(theirs):0} MB/s"));
    }

    private async Task<string> StartAsync(string script)
    {
        var name = _prefix + _containers.Count.ToString(CultureInfo.InvariantCulture);
        await _engine.CreateContainerAsync(new() { Image = _image, Name = name, Entrypoint = ["/bin/sh", "-c"], Command = [script], NetworkMode = "none" });
        _containers.Add(name);
        await _engine.StartAsync(name);
        return name;
    }

    /// <summary>A service that is well, so that what is measured is the looking.</summary>
    private async Task ServeAsync()
    {
        _service.Start();
        while (true)
        {
            var client = await _service.AcceptTcpClientAsync();
            _ = AnswerAsync(client);
        }

        static async Task AnswerAsync(TcpClient client)
        {
            using (client)
            {
                var stream = client.GetStream();
                if (await stream.ReadAsync(new byte[4096]) > 0)
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"u8.ToArray());
            }
        }
    }

    private async Task CommandAsync(string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", "exec docker --host \"$0\" \"$@\" > /dev/null", _engine.Endpoint.Address.ToString(), .. arguments]))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"docker {arguments[0]} ended with {process.ExitCode}.");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
