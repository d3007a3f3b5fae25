using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text;

namespace ComfyAuth.Processes;

/// <summary>Runs a program to its end, line by line.</summary>
/// <param name="executable">The program.</param>
/// <param name="arguments">Its arguments, which every user of the machine can read.</param>
/// <param name="folder">The folder that it runs in; that of this process when null or missing.</param>
/// <param name="environment">Variables that it gets instead of this process's own; a null value: it does not get the variable.</param>
internal sealed class ChildProcess(string executable, IReadOnlyList<string> arguments, string? folder, IReadOnlyDictionary<string, string?>? environment = null)
{
    private const int LongestLine = 64_000;

    /// <summary>How long after its end a program's children may still write into its output.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    /// <summary>How long a killed program is waited for; one that the kernel holds longer is left to it.</summary>
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Runs the program.</summary>
    /// <param name="say">Gets each line, and whether it stood in the error output; never on two threads at once.</param>
    /// <param name="stop">Kills the program and its children, and waits for them to end.</param>
    /// <returns>The exit code; null when the program cannot be started.</returns>
    public async Task<int?> RunAsync(Action<string, bool> say, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(executable, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = Directory.Exists(folder) ? folder : "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }

        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Win32Exception)
        {
            return null;
        }

        // Nobody is there to answer a question.
        process.StandardInput.Close();
        var listener = new Listener(say);
        var output = Task.WhenAll(
            ReadAsync(process.StandardOutput, line => listener.Say(line, isError: false)),
            ReadAsync(process.StandardError, line => listener.Say(line, isError: true)));
        try
        {
            await process.WaitForExitAsync(stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await KillAsync(process).ConfigureAwait(false);
            listener.Close();
            throw;
        }

        // A grandchild that keeps the output open would keep us for ever; a read from a pipe cannot be cancelled everywhere.
        await ((Task)output.WaitAsync(Grace, CancellationToken.None)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        listener.Close();
        return process.ExitCode;
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> say)
    {
        var buffer = new char[4096];
        var line = new StringBuilder();
        var isTooLong = false;
        int count;
        while ((count = await reader.ReadAsync(buffer.AsMemory(), CancellationToken.None).ConfigureAwait(false)) > 0)
        {
            foreach (var c in buffer.AsSpan(0, count))
            {
                if (c is '\r' or '\n')
                    Flush();
                else if (line.Length < LongestLine)
                    line.Append(c);
                else
                    isTooLong = true;
            }
        }

        Flush();

        void Flush()
        {
            // A piece of a line could end inside a secret, where nobody would know it any more.
            if (line.Length > 0)
                say(isTooLong ? "(a line that is too long to show)" : line.ToString());
            line.Clear();
            isTooLong = false;
        }
    }

    private static async Task KillAsync(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception error) when (error is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended meanwhile, or belongs to somebody else by now.
        }

        using var deadline = new CancellationTokenSource(KillTimeout);
        try
        {
            await process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The caller hears of the cancellation in any case.
        }
    }

    /// <summary>Passes lines on, one at a time, until it is closed. What the receiver throws is thrown when it is closed.</summary>
    private sealed class Listener(Action<string, bool> say)
    {
        private readonly object _turn = new();
        private ExceptionDispatchInfo? _failure;
        private bool _isClosed;

        public void Say(string line, bool isError)
        {
            lock (_turn)
            {
                if (_isClosed || _failure is not null)
                    return;
                try
                {
                    say(line, isError);
                }
                catch (Exception error)
                {
                    // Whoever stops reading lets the program wait for ever for somebody to take its output.
                    _failure = ExceptionDispatchInfo.Capture(error);
                }
            }
        }

        public void Close()
        {
            lock (_turn)
                _isClosed = true;
            _failure?.Throw();
        }
    }
}
