using System.Diagnostics;
using ComfyAuth.Tests.Files;

namespace ComfyAuth.Tests.Installation;

/// <summary>An installation in a process of its own, which is killed at a certain point.</summary>
internal static class InstallChild
{
    public const string Verb = "install";

    /// <summary>Runs it.</summary>
    /// <param name="root">The folder that is installed into.</param>
    /// <param name="killAt">The number of the point at which it is killed, from 1.</param>
    /// <param name="fails">Whether its last step fails.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>Whether it came to its end.</returns>
    public static async Task<bool> RunAsync(string root, int killAt, bool fails, CancellationToken stop)
    {
        using var child = TransactionChild.Start(new ProcessStartInfo(TransactionChild.Program, [Verb, root, $"{killAt}", $"{fails}"]));
        var errors = await child.StandardError.ReadToEndAsync(stop);
        await child.WaitForExitAsync(stop);
        Assert.True(errors.Length == 0, errors);
        return child.ExitCode == 0;
    }

    /// <summary>What the child does.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        var (root, killAt, fails) = (arguments[0], int.Parse(arguments[1], null), bool.Parse(arguments[2]));
        var point = 0;
        await InstallScenario.Of(root, fails, () =>
        {
            if (++point == killAt)
                Process.GetCurrentProcess().Kill();
        }).RunAsync(CancellationToken.None);
        return 0;
    }
}
