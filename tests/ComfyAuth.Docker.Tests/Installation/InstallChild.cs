using System.Diagnostics;
using System.Reflection;
using System.Runtime.Versioning;
using ComfyAuth.Docker;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>An installation in a process of its own, which kills itself at a moment of a step.</summary>
internal static class InstallChild
{
    public const string Verb = "install";

    private const string AtJournal = "at the journal";
    private const int Killed = 128 + 9;

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, Assembly.GetExecutingAssembly().GetName().Name!);

    /// <summary>Runs it, and sees that it was killed.</summary>
    /// <param name="stack">Where to install.</param>
    /// <param name="step">The step and</param>
    /// <param name="moment">the moment at which it is killed.</param>
    /// <param name="stop">Gives up.</param>
    /// <param name="write">Before or after which time that it writes the journal it is killed, if that comes first: 1 is before the first, 2 after it; 0: none.</param>
    /// <returns>Whether it was killed at the journal.</returns>
    [UnsupportedOSPlatform("windows")]
    public static async Task<bool> KillAsync(InstallStack stack, InstallStepName step, InstallMoment moment, CancellationToken stop, int write = 0)
    {
        string[] arguments = [Verb, stack.Endpoint, stack.SearchPath, stack.Root, $"{stack.Port}", $"{stack.Hub!.Address}", $"{step}", $"{moment}", $"{write}", stack.Password?.Reveal() ?? ""];
        using var child = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = child.StandardOutput.ReadToEndAsync(stop);
        var errors = await child.StandardError.ReadToEndAsync(stop);
        await child.WaitForExitAsync(stop);
        Assert.True(child.ExitCode == Killed, $"{step} {moment} {write}: exit code {child.ExitCode}: {await output} {errors}");
        return await output == AtJournal;
    }

    /// <summary>What the child does.</summary>
    [UnsupportedOSPlatform("windows")]
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not [var endpoint, var searchPath, var root, var port, var hub, var step, var moment, var write, var password])
            return 2;
        var writes = int.Parse(write, null);
        await using var engine = new DockerClient(DockerEndpoint.Parse(endpoint, "the tests"));
        var options = InstallStack.OptionsOf(int.Parse(port, null), models: true, password.Length > 0 ? new(password) : null);
        var report = await InstallStack.InstallAsync(engine, options, searchPath, root, new(hub), AtMoment, AtWrite);
        await Console.Out.WriteLineAsync(InstallStack.Told(report));
        return 0;

        Task AtMoment(InstallStepName now, InstallMoment at)
        {
            if ($"{now}" == step && $"{at}" == moment)
                Process.GetCurrentProcess().Kill();
            return Task.CompletedTask;
        }

        void AtWrite()
        {
            if (--writes != 0)
                return;
            Console.Out.Write(AtJournal);
            Process.GetCurrentProcess().Kill();
        }
    }
}
