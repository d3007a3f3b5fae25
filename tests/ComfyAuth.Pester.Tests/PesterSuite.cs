using System.Text.Json;
using ComfyAuth.Tests;

namespace ComfyAuth.Pester.Tests;

/// <summary>Runs a Pester suite on the built module, in a PowerShell of its own.</summary>
internal static class PesterSuite
{
    private static readonly string Folder = Repository.PathOf("tests/pester");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    /// <summary>The names of the suites.</summary>
    /// <param name="withEngine">Those that start a Docker engine, or those that do not.</param>
    public static TheoryData<string> Names(bool withEngine) =>
    [
        .. from path in Directory.EnumerateFiles(Folder, "*.Tests.ps1")
           where File.ReadAllText(path).Contains("TestEngine.ps1", StringComparison.Ordinal) == withEngine
           orderby Path.GetFileName(path)
           select Path.GetFileName(path),
    ];

    public static async Task RunAsync(string suite, ITestOutputHelper output)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var missing = await PowerShellProcess.MissingAsync(cancellation);
        if (missing is not null)
        {
            // The runner's console does not show why a test was skipped, but it shows this.
            TestContext.Current.SendDiagnosticMessage($"{suite} is skipped: {missing}");
            Assert.Skip(missing);
        }

        var folder = Directory.CreateTempSubdirectory("comfyauth-pester-");
        try
        {
            var resultPath = Path.Combine(folder.FullName, "result.json");
            var said = await PowerShellProcess.RunAsync(
                ["-File", Path.Combine(Folder, "Invoke-Suite.ps1"), "-Suite", Path.Combine(Folder, suite), "-Result", resultPath],
                folder.FullName,
                Patience,
                cancellation);

            Assert.True(File.Exists(resultPath), $"{suite} came to no result:\n{said}");
            var result = JsonSerializer.Deserialize<SuiteResult>(await File.ReadAllTextAsync(resultPath, cancellation))!;
            output.WriteLine($"{suite}: {result.Passed} passed, {result.Failed} failed, {result.Skipped} skipped");

            Assert.True(result.Failures.Count == 0 && result.Failed == 0, string.Join("\n\n", result.Failures));
            Assert.True(result.Passed > 0, $"{suite} ran no test.");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed record SuiteResult(int Passed, int Failed, int Skipped, IReadOnlyList<string> Failures);
}
