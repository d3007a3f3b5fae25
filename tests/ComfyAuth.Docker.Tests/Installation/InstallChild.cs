using System.Diagnostics;
using System.Reflection;
using ComfyAuth.Docker;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>An installation in a process of its own, which kills itself at a moment of a step.</summary>
internal static class InstallChild
{
    public const string Verb = "install";

    private const int Killed = 128 + 9;

    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, Assembly.GetExecutingAssembly().GetName().Name!);

    /// <summary>Runs it, and sees that it was killed.</summary>
    public static async Task KillAsync(InstallStack stack, InstallStepName step, InstallMoment moment, CancellationToken stop)
    {
        var start = new ProcessStartInfo(Program, [Verb, stack.Endpoint, stack.SearchPath, stack.Root, $"{stack.Port}", $"{stack.Hub!.Address}", $"{step}", $"{moment}"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEndAsync(stop);
        var errors = await child.StandardError.ReadToEndAsync(stop);
        await child.WaitForExitAsync(stop);
        Assert.True(child.ExitCode == Killed, $"{step} {moment}: exit code {child.ExitCode}: {await output} {errors}");
    }

    /// <summary>What the child does.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not [var endpoint, var searchPath, var root, var port, var hub, var step, var moment])
            return 2;
        await using var engine = new DockerClient(DockerEndpoint.Parse(endpoint, "the tests"));
        var report = await InstallStack.InstallAsync(engine, searchPath, root, int.Parse(port, null), new(hub), (now, at) =>
        {
            if ($"{now}" == step && $"{at}" == moment)
                Process.GetCurrentProcess().Kill();
            return Task.CompletedTask;
        });
        await Console.Out.WriteLineAsync(InstallStack.Told(report));
        return 0;
    }
}
