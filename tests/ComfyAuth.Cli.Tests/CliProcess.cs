using System.Diagnostics;
using System.Text;

namespace ComfyAuth.Cli.Tests;

/// <summary>The built command line as a process of its own.</summary>
internal sealed class CliProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    private readonly Process _process;
    private readonly StringBuilder _lines = new();
    private readonly StringBuilder _errors = new();
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;

    // What hangs is killed, so that its test ends and says so.
    private readonly Timer _deadline;
    private bool _isLate;
    private Task<string>? _output;

    private CliProcess(Process process)
    {
        _process = process;
        _deadline = new Timer(
            _ =>
            {
                _isLate = true;
                _process.Kill(entireProcessTree: true);
            },
            null,
            Patience,
            Timeout.InfiniteTimeSpan);
    }

    public static async Task<CliResult> RunAsync(string folder, params string[] arguments)
    {
        using var cli = Start(folder, arguments);
        return await cli.EndAsync();
    }

    /// <summary>Runs it with variables of its own.</summary>
    public static async Task<CliResult> RunInAsync(string folder, Dictionary<string, string> environment, params string[] arguments)
    {
        using var cli = Start(folder, [Program, .. arguments], environment);
        return await cli.EndAsync();
    }

    /// <summary>Runs it with other frameworks than it asks for.</summary>
    public static async Task<CliResult> RunWithAsync(string runtimeConfiguration, string folder, params string[] arguments)
    {
        using var cli = Start(folder, ["exec", "--runtimeconfig", runtimeConfiguration, Program, .. arguments], []);
        return await cli.EndAsync();
    }

    public static CliProcess Start(string folder, params string[] arguments)
    {
        var cli = StartTalking(folder, arguments);
        cli.ReadOutput();
        return cli;
    }

    /// <summary>Starts it without reading what it prints, so that it can be read line by line.</summary>
    public static CliProcess StartTalking(string folder, params string[] arguments) => Start(folder, [Program, .. arguments], []);

    /// <summary>Starts it with a folder of its own for temporary files (Unix).</summary>
    public static CliProcess StartWithTemporaryFolder(string temporary, string folder, params string[] arguments) =>
        Start(folder, [Program, .. arguments], new() { ["TMPDIR"] = temporary, ["DOTNET_EnableDiagnostics"] = "0" });

    private static string Program => Path.Combine(AppContext.BaseDirectory, "comfyauth.dll");

    private static CliProcess Start(string folder, IEnumerable<string> arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            // The stack's variables of whoever runs the tests would shadow the samples'.
            Environment = { ["COMFYUI_API_TOKEN"] = null, ["COMFYUI_BEARER_TOKEN"] = null, ["COMFYUI_PASSWORD"] = null, ["COMFYUI_RAW_TOKEN"] = null, ["COMFYUI_USERNAME"] = null },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return new CliProcess(process);
    }

    /// <summary>Reads lines of standard error until one begins with the text.</summary>
    public async Task ReadErrorsUntilAsync(string beginning)
    {
        while (await _process.StandardError.ReadLineAsync(_stop) is { } line)
        {
            _errors.AppendLine(line);
            if (line.StartsWith(beginning, StringComparison.Ordinal))
                return;
        }

        Assert.Fail($"Ended without '{beginning}': {await ReadOutput()}{_errors}");
    }

    /// <summary>The next line of standard output.</summary>
    public async Task<string> ReadLineAsync()
    {
        if (await _process.StandardOutput.ReadLineAsync(_stop) is not { } line)
            throw new InvalidOperationException($"Ended: {_lines}{await _process.StandardError.ReadToEndAsync(_stop)}");
        _lines.AppendLine(line);
        return line;
    }

    /// <summary>What Ctrl+C sends.</summary>
    public async Task InterruptAsync()
    {
        // It may have ended by itself, and its number be another's.
        if (_process.HasExited)
            return;

        using var kill = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        await kill.WaitForExitAsync(_stop);
    }

    /// <summary>Ends it at once; it is told nothing.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(_stop);
    }

    public async Task<CliResult> EndAsync()
    {
        var output = ReadOutput();
        _errors.Append(await _process.StandardError.ReadToEndAsync(_stop));
        await _process.WaitForExitAsync(_stop);
        if (_isLate)
            Assert.Fail($"It did not end within {Patience}, and was killed: {_lines}{await output}{_errors}");
        return new(_process.ExitCode, _lines + await output, _errors.ToString());
    }

    private Task<string> ReadOutput() => _output ??= _process.StandardOutput.ReadToEndAsync(_stop);

    public void Dispose()
    {
        _deadline.Dispose();
        _process.Kill(entireProcessTree: true);

        // Until then it may write into a folder that is about to be deleted.
        _process.WaitForExit();
        _process.Dispose();
    }
}
