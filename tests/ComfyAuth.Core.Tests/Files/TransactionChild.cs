using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using ComfyAuth.Files;

namespace ComfyAuth.Tests.Files;

/// <summary>The test program as a second process.</summary>
public static class TransactionChild
{
    public const string Verb = "files";

    public static string Program { get; } = Path.Combine(
        AppContext.BaseDirectory,
        Assembly.GetExecutingAssembly().GetName().Name! + (OperatingSystem.IsWindows() ? ".exe" : ""));

    public static Process Start(params string[] arguments) => Start(new ProcessStartInfo(Program, [Verb, .. arguments]));

    public static Process Start(ProcessStartInfo start)
    {
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        // It lives for a moment only, too short for the compiler to learn from it.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return Process.Start(start)!;
    }

    /// <summary>Runs to the end; the exit code and what it wrote.</summary>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using Process child = Start(arguments);
        Task<string> errors = child.StandardError.ReadToEndAsync(cancellationToken);
        string output = await child.StandardOutput.ReadToEndAsync(cancellationToken);
        await child.WaitForExitAsync(cancellationToken);
        return (child.ExitCode, output + await errors);
    }

    public static async Task<int> RunAsync(string[] arguments)
    {
        switch (arguments)
        {
            case ["loop", string root, string tellAtStep]:
                await LoopAsync(root, tellAtStep);
                return 0;
            case ["commit", string root, string number, string dieAtStep]:
                await CommitAsync(root, Number(number), At(dieAtStep, Die));
                return 0;
            case ["prove", string root, string number]:
                await ProveForeverAsync(root, Number(number));
                return 0;
            case ["recover", string root, string dieAtStep]:
                await FileTransaction.RecoverAsync(root, At(dieAtStep, Die));
                return 0;
            case ["hold", string path, string timeoutInSeconds]:
                return await HoldAsync(path, TimeSpan.FromSeconds(Number(timeoutInSeconds)));
            case ["write", string root, string path, string content]:
                return await WriteAsync(root, path, content);
            case ["count", string root, string times]:
                await CountAsync(root, Number(times));
                return 0;
            default:
                await Console.Error.WriteLineAsync("unknown verb");
                return 2;
        }
    }

    // Says that it loops in its second commit, which is no slower than the later ones.
    private static async Task LoopAsync(string root, string tellAtStep)
    {
        int generation = GenerationFiles.Common(GenerationFiles.Read(root))!.Value;
        await CommitAsync(root, ++generation, new());
        await CommitAsync(root, ++generation, At(tellAtStep, () => Console.Out.WriteLine("looping")));
        while (true)
            await CommitAsync(root, ++generation, new());
    }

    private static async Task CommitAsync(string root, int generation, FileTransactionOptions options)
    {
        await using FileTransaction transaction = await FileTransaction.BeginAsync(root, options);
        GenerationFiles.Change(transaction, generation);
        await transaction.CommitAsync();
    }

    // Says when the new files are in place, and never comes to the end of the proof.
    private static async Task ProveForeverAsync(string root, int generation)
    {
        await using FileTransaction transaction = await FileTransaction.BeginAsync(root);
        GenerationFiles.Change(transaction, generation);
        await transaction.CommitAsync(async stop =>
        {
            await Console.Out.WriteLineAsync("proving");
            await Task.Delay(Timeout.Infinite, stop);
        });
    }

    // Says that it holds the lock, and holds it until its input ends.
    private static async Task<int> HoldAsync(string path, TimeSpan timeout)
    {
        try
        {
            using FileLock held = await FileLock.AcquireAsync(path, timeout);
            await Console.Out.WriteLineAsync("held");
            await Console.In.ReadToEndAsync();
            return 0;
        }
        catch (ComfyAuthException error)
        {
            await Console.Out.WriteLineAsync(error.Code);
            return 1;
        }
    }

    private static async Task<int> WriteAsync(string root, string path, string content)
    {
        try
        {
            await using FileTransaction transaction = await FileTransaction.BeginAsync(root);
            transaction.Write(path, Encoding.UTF8.GetBytes(content), FileProtection.Keep);
            await transaction.CommitAsync();
            return 0;
        }
        catch (ComfyAuthException error)
        {
            await Console.Out.WriteLineAsync(error.Code);
            return 1;
        }
    }

    private static async Task CountAsync(string root, int times)
    {
        for (int i = 0; i < times; i++)
        {
            // Whoever else counts may be slow and come first each time.
            await using FileTransaction transaction = await FileTransaction.BeginAsync(root, new() { LockTimeout = TimeSpan.FromMinutes(10) });
            int count = int.Parse(await File.ReadAllTextAsync(Path.Combine(root, "count")), CultureInfo.InvariantCulture);
            transaction.Write("count", Encoding.UTF8.GetBytes((count + 1).ToString(CultureInfo.InvariantCulture)), FileProtection.Keep);
            await transaction.CommitAsync();
        }
    }

    // A step is given by its number or its name.
    private static FileTransactionOptions At(string step, Action act)
    {
        int steps = 0;
        return new()
        {
            BeforeStep = name =>
            {
                if (name == step || (++steps).ToString(CultureInfo.InvariantCulture) == step)
                    act();
            },
        };
    }

    private static void Die() => Process.GetCurrentProcess().Kill();

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
