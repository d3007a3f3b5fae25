using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ComfyAuth.Tests.Documentation;

/// <summary>The document of the command line lists the verbs and options that the built program has.</summary>
public sealed partial class CommandLineTests
{
    [Fact]
    public async Task Every_verb_and_option_of_the_program_is_described()
    {
        var verbs = Verb().Matches((await HelpAsync())[^1]).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(verbs);
        foreach (var verb in verbs)
        {
            var options = Option().Matches((await HelpAsync(verb))[^1]).Select(match => match.Groups[1].Value);
            Assert.Equal(options, DocumentationTests.Rows("docs/cli.md", verb));
        }

        Assert.Equal(verbs, LowerCaseHeading().Matches(Repository.Read("docs/cli.md")).Select(match => match.Groups[1].Value));
    }

    /// <summary>The sections of the help, each after its title.</summary>
    private static async Task<string[]> HelpAsync(params string[] verb)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var program = Repository.PathOf($"src/ComfyAuth.Cli/bin/{configuration}/net10.0/comfyauth.dll");
        using var process = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program, .. verb, "--help"]) { RedirectStandardOutput = true })!;
        var text = await process.StandardOutput.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        Assert.Equal(0, process.ExitCode);
        return Title().Split(text.ReplaceLineEndings("\n"));
    }

    [GeneratedRegex("^[A-Z][a-z]+:$", RegexOptions.Multiline)]
    private static partial Regex Title();

    [GeneratedRegex("^  ([a-z-]+) ", RegexOptions.Multiline)]
    private static partial Regex Verb();

    [GeneratedRegex("^  (--[a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex Option();

    [GeneratedRegex("^## ([a-z-]+)$", RegexOptions.Multiline)]
    private static partial Regex LowerCaseHeading();
}
