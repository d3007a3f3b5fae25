using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using ComfyAuth.Reports;

namespace ComfyAuth.Tests.Documentation;

/// <summary>The built program does what the document of the command line says.</summary>
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

    [Fact]
    public void The_properties_of_the_JSON_documents_are_those_described()
    {
        var context = ReportJsonContext.Default;
        var written = new Dictionary<string, JsonTypeInfo>
        {
            ["install"] = context.InstallReport,
            ["uninstall"] = context.UndoneChange,
            ["sync-token --audit"] = context.TokenObservation,
            ["sync-token --validate"] = context.TokenValidation,
            ["sync-token"] = context.TokenSyncResult,
            ["sync-token --restart"] = context.RolloutResultTokenSyncResult,
            ["restore-env --validate"] = context.EnvironmentValidation,
            ["restore-env"] = context.EnvironmentRestoreResult,
            ["restore-env --restart"] = context.RolloutResultEnvironmentRestoreResult,
            ["containers"] = context.ContainerDiagnosis,
            ["wait"] = context.ContainerWaitResult,
            ["test"] = context.CheckResult,
            ["run-workflow"] = context.ComfyImage,
            ["save-model"] = context.ModelDownloadResult,
        };

        var rows = DocumentRow().Matches(Repository.Read("docs/cli.md")).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal(DocumentationTests.Rows("docs/cli.md", "JSON"), rows.Keys);
        foreach (var (verb, type) in written)
        {
            // Behind them stands an explanation in parentheses.
            var named = Quoted().Matches(rows[verb].Split('(')[0]).Select(match => match.Groups[1].Value);
            Assert.Equal(type.Properties.Where(property => property.Get is not null).Select(property => property.Name), named);
        }
    }

    [Fact]
    public async Task The_exit_codes_are_those_described()
    {
        using var stack = new TemporaryFolder();
        stack.Write("comfyauth.yml", "services: { comfyui-qwen: { tokens: [ { file: token } ] } }\n");

        Assert.Equal((1, true), await JsonAsync("sync-token", "--audit", "--path", stack.Path));
        Assert.Equal((2, false), await JsonAsync("sync-token", "--audit", "--rotate", "--path", stack.Path));
        Assert.Equal((2, false), await JsonAsync("sync-token", "--path", stack.Path, "--report", stack.PathOf("report.txt")));
        Assert.Equal((3, true), await JsonAsync("sync-token", "--path", stack.PathOf("nowhere")));
        Assert.Equal([stack.PathOf("comfyauth.yml")], Directory.EnumerateFileSystemEntries(stack.Path));

        Assert.Equal((0, true), await JsonAsync("sync-token", "--path", stack.Path));
        Assert.Equal((0, true), await JsonAsync("sync-token", "--audit", "--path", stack.Path));

        // Nobody knows the password of a hash that was only found.
        File.Delete(stack.PathOf(".secrets/comfyui_auth_tokens.conf"));
        Assert.Equal((0, true), await JsonAsync("sync-token", "--path", stack.Path));
        Assert.Equal((3, true), await JsonAsync("sync-token", "--validate", "--path", stack.Path));
    }

    /// <summary>The exit code, and whether standard output is one JSON document; it must be that or empty.</summary>
    private static async Task<(int Code, bool IsJson)> JsonAsync(params string[] arguments)
    {
        var (code, output) = await RunAsync([.. arguments, "--json"]);
        if (output.Length == 0)
            return (code, false);

        using var document = JsonDocument.Parse(output);
        return (code, true);
    }

    /// <summary>The sections of the help, each after its title.</summary>
    private static async Task<string[]> HelpAsync(params string[] verb)
    {
        var (code, output) = await RunAsync([.. verb, "--help"]);
        Assert.Equal(0, code);
        return Title().Split(output);
    }

    private static async Task<(int Code, string Output)> RunAsync(string[] arguments)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var program = Repository.PathOf($"src/ComfyAuth.Cli/bin/{configuration}/net10.0/comfyauth.dll");
        using var process = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(cancellation);
        await errors;
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, output.ReplaceLineEndings("\n"));
    }

    [GeneratedRegex("^[A-Z][a-z]+:$", RegexOptions.Multiline)]
    private static partial Regex Title();

    [GeneratedRegex("^  ([a-z-]+) ", RegexOptions.Multiline)]
    private static partial Regex Verb();

    [GeneratedRegex("^  (--[a-z0-9-]+)", RegexOptions.Multiline)]
    private static partial Regex Option();

    [GeneratedRegex("^\\| `([a-z -]+)` \\| [a-z]+: (.*) \\|$", RegexOptions.Multiline)]
    private static partial Regex DocumentRow();

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex("^## ([a-z-]+)$", RegexOptions.Multiline)]
    private static partial Regex LowerCaseHeading();
}
