namespace ComfyAuth.Pester.Tests;

/// <summary>The Pester suites that start a Docker engine, and wait for it most of the time.</summary>
public sealed class EngineSuiteTests(ITestOutputHelper output)
{
    public static TheoryData<string> Suites => PesterSuite.Names(withEngine: true);

    [Theory]
    [MemberData(nameof(Suites))]
    public Task Suite_passes(string suite) => PesterSuite.RunAsync(suite, output);
}
