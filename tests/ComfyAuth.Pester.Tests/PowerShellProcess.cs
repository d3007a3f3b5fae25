using System.ComponentModel;
using System.Diagnostics;

namespace ComfyAuth.Pester.Tests;

/// <summary>PowerShell as a child process that leaves nothing in the user's home.</summary>
internal static class PowerShellProcess
{
    // PSModulePath is searched as the suites will search it, in the same child.
    private const string Probe = """
        if ($PSVersionTable.PSVersion -lt '7.4') { "PowerShell 7.4 or later is needed; this is $($PSVersionTable.PSVersion)." }
        elseif (-not (Get-Module Pester -ListAvailable | Where-Object Version -GE '5.5')) { 'Pester 5.5 or later is not installed.' }
        """;

    private static readonly Lazy<Task<string?>> Missing = new(ProbeAsync);

    /// <summary>Why no suite can run here, or nothing if they can; found out once.</summary>
    public static Task<string?> MissingAsync(CancellationToken cancellation) => Missing.Value.WaitAsync(cancellation);

    /// <summary>Runs PowerShell and gives all it wrote.</summary>
    public static async Task<string> RunAsync(IEnumerable<string> arguments, string scratchFolder, TimeSpan patience, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["NO_COLOR"] = "1",
                ["POWERSHELL_TELEMETRY_OPTOUT"] = "1",
                ["POWERSHELL_UPDATECHECK"] = "Off",
                ["PSModuleAnalysisCachePath"] = Path.Combine(scratchFolder, "analysis"),
                ["XDG_CACHE_HOME"] = scratchFolder,
            },
        };

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        deadline.CancelAfter(patience);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var errors = process.StandardError.ReadToEndAsync(deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
            return await output + await errors;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"PowerShell was killed after {patience}.";
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    private static async Task<string?> ProbeAsync()
    {
        var folder = Directory.CreateTempSubdirectory("comfyauth-pester-");
        try
        {
            var said = await RunAsync(["-Command", Probe], folder.FullName, TimeSpan.FromMinutes(5), CancellationToken.None);
            return said.Length == 0 ? null : said.Trim();
        }
        catch (Win32Exception)
        {
            return "PowerShell (pwsh) is not installed.";
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
