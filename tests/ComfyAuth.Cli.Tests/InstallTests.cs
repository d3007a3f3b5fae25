using System.Text.RegularExpressions;
using ComfyAuth.Tests;

namespace ComfyAuth.Cli.Tests;

/// <summary>On the installed sample of the quickstart, whose engine, hub and ComfyUI are emulated.</summary>
public sealed partial class InstallTests : IDisposable
{
    private const string Model = "docker-configurations/shared/models/vae/qwen_image_vae.safetensors";

    private readonly TemporaryFolder _folder = new();

    private string Stack => _folder.PathOf("sample/stack");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_quickstart_shows_an_installation_the_same_again_one_that_fails_and_the_removal()
    {
        var result = await CliProcess.RunAsync(_folder.Path, "quickstart", "--install", "--path", "sample");

        Assert.True(result.ExitCode == 0, result.Output + result.Errors);
        Assert.Equal(["Installed.", "Unchanged.", "RolledBack."], result.Output.Split('\n').Where(line => Outcome().IsMatch(line)));
        var again = Part(result.Output, "2. The same again", "3. A step fails");
        Assert.Equal(6, Regex.Count(again, "^[A-Z][A-Za-z]+ +Unchanged, ", RegexOptions.Multiline));
        Assert.Contains("Undone    container   comfyui-qwen", result.Output, StringComparison.Ordinal);
        Assert.Contains("Kept      volume      comfyui-qwen_cache", result.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Stack, "docker-configurations/services")));
        Assert.Contains(Directory.EnumerateFiles(_folder.PathOf("sample/reports")), file => file.EndsWith(".md", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_quickstart_leaves_only_the_reports_and_reads_well_in_eighty_columns()
    {
        var result = await CliProcess.RunAsync(_folder.Path, "quickstart", "--install");
        var reports = Reports().Match(result.Output).Groups[1].Value;

        Assert.Equal((0, ""), (result.ExitCode, result.Errors));
        Assert.Equal(["reports"], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(reports)!).Select(Path.GetFileName));
        Assert.All(result.Output.Split('\n').Where(line => !line.Contains(Path.GetDirectoryName(reports)!, StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 80));
        Directory.Delete(Path.GetDirectoryName(reports)!, recursive: true);
    }

    [Fact]
    public async Task An_installation_is_planned_gone_on_with_refused_and_removed_from_outside()
    {
        using var served = CliProcess.StartTalking(_folder.Path, "quickstart", "--install", "--path", "sample", "--serve");
        string? hub = null, engine = null;
        while (engine is null && await served.ReadLineAsync() is { } line)
        {
            hub ??= Address("hub", line);
            engine = Address("engine", line);
        }

        Task<CliResult> RunAsync(string at, params string[] arguments) => CliProcess.RunInAsync(Stack, new() { ["HF_ENDPOINT"] = at }, [.. arguments, "--docker-host", engine!]);

        var unchanged = await RunAsync(hub!, "install", "--cpu", "--json");
        File.Delete(Path.Combine(Stack, Model));
        var planned = await RunAsync(hub!, "install", "--cpu", "--plan");
        var failed = await RunAsync("http://127.0.0.1:9", "install", "--cpu", "--json");
        var isThere = File.Exists(Path.Combine(Stack, Model));
        var installed = await RunAsync(hub!, "install", "--cpu", "--skip", "auth", "--skip", "test", "--report-directory", "../mine");
        var removal = await RunAsync(hub!, "uninstall", "--plan");
        var removed = await RunAsync(hub!, "uninstall", "--remove-data", "--json");
        var nothing = await RunAsync(hub!, "uninstall", "--json");
        await served.InterruptAsync();
        await served.EndAsync();

        Assert.True(unchanged.ExitCode == 0, unchanged.Output + unchanged.Errors);
        Assert.Equal("Unchanged", unchanged.Json()[0].GetProperty("outcome").GetString());
        Assert.Equal(7, unchanged.Json()[0].GetProperty("steps").GetArrayLength());
        Assert.Equal(0, planned.ExitCode);
        Assert.Contains("Models          Planned", planned.Output, StringComparison.Ordinal);
        Assert.Equal((3, "RolledBack", false), (failed.ExitCode, failed.Json()[0].GetProperty("outcome").GetString(), isThere));
        Assert.Equal(0, installed.ExitCode);
        Assert.Contains("Installed.", installed.Output, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(_folder.PathOf("sample/mine")));
        Assert.Contains("Remove the container: comfyui-qwen", removal.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Remove the model", removal.Output, StringComparison.Ordinal);
        Assert.All(removed.Json().EnumerateArray(), thing => Assert.Equal("Undone", thing.GetProperty("outcome").GetString()));
        Assert.Equal((0, "[]"), (nothing.ExitCode, nothing.Output.Trim()));
        Assert.Contains("Nothing is installed", nothing.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--skip", "everything")]
    [InlineData("--port", "0")]
    [InlineData("--port", "65536")]
    [InlineData("--bytes-per-second", "1")]
    [InlineData("--path", "")]
    public async Task A_wrong_command_line_changes_nothing(string option, string value)
    {
        var result = await CliProcess.RunAsync(_folder.Path, "install", option, value);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public async Task Where_no_stack_is_nothing_is_removed()
    {
        var result = await CliProcess.RunAsync(_folder.Path, "uninstall", "--json");

        Assert.Equal((3, "[]"), (result.ExitCode, result.Output.Trim()));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private static string Part(string text, string start, string end) =>
        text[text.IndexOf(start, StringComparison.Ordinal)..text.IndexOf(end, StringComparison.Ordinal)];

    private static string? Address(string what, string line) => Regex.Match(line, $@"^The {what}: +(\S+)") is { Success: true } match ? match.Groups[1].Value : null;

    [GeneratedRegex(@"^[A-Z][A-Za-z]+\.\r?$")]
    private static partial Regex Outcome();

    [GeneratedRegex(@"The reports: (.*\S)")]
    private static partial Regex Reports();
}
