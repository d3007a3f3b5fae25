namespace ComfyAuth.Pester.Tests;

/// <summary>The Pester suites that need no engine. Those that do run beside them.</summary>
public sealed class PesterSuiteTests(ITestOutputHelper output)
{
    public static TheoryData<string> Suites => PesterSuite.Names(withEngine: false);

    [Theory]
    [MemberData(nameof(Suites))]
    public Task Suite_passes(string suite) => PesterSuite.RunAsync(suite, output);
}
