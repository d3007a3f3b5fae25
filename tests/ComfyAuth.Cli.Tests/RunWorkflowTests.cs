using System.Text.Json.Nodes;
using ComfyAuth.Tests;

namespace ComfyAuth.Cli.Tests;

public sealed class RunWorkflowTests : IDisposable
{
    private const string Workflow = """{"1":{"class_type":"EmptyImage","inputs":{"width":8,"height":8,"batch_size":1,"color":0}},"2":{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"x"}}}""";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_saves_pictures_and_its_exit_code_tells_what_is_wrong_from_what_could_not_be_done()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "signals");
        _folder.Write("flow.json", Workflow);
        // Nobody else's after its end.
        using var service = CliProcess.StartTalking(_folder.Path, "emulate", "--json", "--no-login", "--port", $"{FreePort.Next()}");
        var address = JsonNode.Parse(await service.ReadLineAsync())!["address"]!.GetValue<string>();

        var flat = await RunAsync("--json", "--input", "color=255", "--input", "1.width=16", "--out", "out");
        var image = Assert.Single(JsonNode.Parse(flat.Output)!.AsArray())!;
        Assert.Equal((1, _folder.PathOf("out/x_00001_.png"), 16), (flat.ExitCode, image["path"]!.GetValue<string>(), image["width"]!.GetValue<int>()));
        Assert.True(File.Exists(_folder.PathOf("out/x_00001_.png")));

        var invalid = await RunAsync("--json", "--input", "1.width=0");
        Assert.Equal((1, "[]"), (invalid.ExitCode, invalid.Output.Trim()));
        Assert.Contains("input width: 0 is not between", invalid.Errors, StringComparison.Ordinal);

        Assert.Equal(3, (await RunAsync("--input", "colour=3")).ExitCode);
        Assert.Equal(2, (await RunAsync("--input", "width")).ExitCode);
        Assert.Equal(2, (await RunAsync("--path", ".")).ExitCode);

        await service.InterruptAsync();
        await service.EndAsync();
        Assert.Equal(3, (await RunAsync()).ExitCode);

        Task<CliResult> RunAsync(params string[] arguments) => CliProcess.RunAsync(_folder.Path, ["run-workflow", "flow.json", "--uri", address, .. arguments]);
    }
}
