using System.Diagnostics;
using System.Text.Json;
using ComfyAuth.Compose;
using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Docker;

/// <summary>The compose file that is laid out, read by docker-compose 1.29 and carried out by an engine.</summary>
[Collection("comfyui-qwen")]
public sealed class DeploymentComposeTests(TestEngine engine) : IDisposable
{
    private const string Service = "docker-configurations/services/comfyui-qwen";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Compose_takes_it(bool cpu)
    {
        await LayOutAsync(new() { Cpu = cpu });

        var (status, said) = await ComposeAsync("config");

        Assert.True(status == 0, said);
        Assert.DoesNotContain("WARNING", said, StringComparison.Ordinal);
        Assert.Equal(!cpu, said.Contains("driver: nvidia", StringComparison.Ordinal));
        Assert.Equal(cpu, said.Contains("--cpu", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Compose_mounts_a_models_folder_of_any_name()
    {
        // Compose is asked once, for one service with each of them.
        var names = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "Deployment", "data", "odd-folders.txt"), Stop);
        string FileOf(int at) => $"{Service}/{at}.yml";
        _folder.Write("comfyauth.yml", "defaults: false\nservices:\n" + string.Concat(names.Select((name, at) =>
            $$"""  "{{at}}": { url: "http://localhost:9999", container: "{{at}}e3", auth: comfyui-login, compose: {{FileOf(at)}}, modelsFolder: {{name}} }""" + "\n")));
        for (var at = 0; at < names.Length; at++)
            await LayOutAsync(new() { Cpu = true, Service = $"{at}" });

        var (status, said) = await ComposeAsync([.. names.SelectMany((_, at) => new[] { "-f", _folder.PathOf(FileOf(at)) }), "config"]);

        Assert.True(status == 0, said);
        Assert.DoesNotContain("WARNING", said, StringComparison.Ordinal);
        var services = ComposeFile.Parse([(_folder.PathOf("said.yml"), said)], _ => null, [], null).Services.ToDictionary(service => service.Name);
        Assert.All(Enumerable.Range(0, names.Length), at =>
        {
            Assert.Equal($"{at}e3", services[$"{at}"].ContainerName);
            Assert.Contains((_folder.PathOf(JsonSerializer.Deserialize<string>(names[at])!), "/workspace/ComfyUI/models"), services[$"{at}"].Mounts.Select(mount => (mount.Source, mount.Target)));
        });
    }

    [Fact]
    public async Task Compose_takes_the_override_of_the_documentation()
    {
        await LayOutAsync(new());
        var document = await File.ReadAllTextAsync(DocumentPath(), Stop);
        var start = document.IndexOf("```yaml\n", StringComparison.Ordinal) + "```yaml\n".Length;
        _folder.Write($"{Service}/docker-compose.override.yml", document[start..document.IndexOf("```", start, StringComparison.Ordinal)]);

        var (status, said) = await ComposeAsync("config");

        Assert.True(status == 0, said);
        Assert.Contains("/setup/entrypoint.sh", said, StringComparison.Ordinal);
        Assert.Contains("target: /workspace/ComfyUI/login/PASSWORD", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_container_that_it_makes_is_hardened_and_nothing_is_built_for_it()
    {
        Assert.SkipUnless(engine.IsOurs, "it makes a container of a fixed name");
        await LayOutAsync(new() { Cpu = true, User = (1000, 1000), MemoryLimit = 2L << 30 });
        _folder.Write($"{Service}/.secrets/PASSWORD", "$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW\nalice\n");
        StandIn();
        var (status, said) = await ComposeAsync("up", "-d");
        await using var container = new TestContainer(engine.Client, "comfyui-qwen", "comfyui-qwen");
        Assert.True(status == 0, said);

        var details = await container.InspectAsync();
        Assert.Equal(("1000:1000", 2L << 30, true, "unless-stopped", "json-file"), (details.User, details.MemoryLimit, details.Init, details.RestartPolicy, details.LogDriver));
        Assert.Equal("10m", details.LogOptions["max-size"]);
        Assert.Equal(TimeSpan.FromMinutes(20), details.Healthcheck!.StartPeriod);
        var validator = new StackValidator(new SecretRedactor(), new PasswordVerifier(), () => new DockerClient(engine.Client.Endpoint));
        var results = new List<CheckResult>();
        await foreach (var result in validator.RunAsync(GenAIStack.Find(_folder.Path), new() { Ids = ["hardening.*"] }, Stop))
            results.Add(result);
        Assert.Equal(5, results.Count);
        Assert.All(results, result => Assert.True(result.Status == CheckStatus.Passed, $"{result.Id}: {result.Message}"));
    }

    [Fact]
    public async Task Without_a_password_file_no_container_starts_and_no_folder_is_made_of_it()
    {
        Assert.SkipUnless(engine.IsOurs, "it makes a container of a fixed name");
        await LayOutAsync(new() { Cpu = true });
        StandIn();

        var (status, said) = await ComposeAsync("up", "-d");

        Assert.NotEqual(0, status);
        Assert.Contains("bind source path does not exist", said, StringComparison.Ordinal);
        Assert.False(Path.Exists(_folder.PathOf($"{Service}/.secrets/PASSWORD")));
    }

    private static string DocumentPath()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ComfyAuth.psd1")))
            folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "docs", "deployment.md");
    }

    private async Task LayOutAsync(DeploymentOptions options)
    {
        await using var transaction = await FileTransaction.BeginAsync(_folder.Path, cancellationToken: Stop);
        DeploymentTemplates.Plan(_folder.Path, options).AddTo(transaction);
        await transaction.CommitAsync(Stop);
    }

    /// <summary>Another image, which is there already, and no network: the engine of the tests has none.</summary>
    private void StandIn()
    {
        File.AppendAllText(_folder.PathOf($"{Service}/.env"), $"COMFYUI_IMAGE={engine.Image}\n");
        var path = _folder.PathOf($"{Service}/docker-compose.yml");
        var lines = File.ReadAllLines(path).Where(line => !line.Contains("ports:", StringComparison.Ordinal) && !line.Contains(":8188\"", StringComparison.Ordinal));
        File.WriteAllLines(path, lines.Select(line => line.StartsWith("    command:", StringComparison.Ordinal) ? "    network_mode: none\n    command: [sleep, '600']" : line));
    }

    private async Task<(int Status, string Said)> ComposeAsync(params string[] arguments)
    {
        Assert.SkipUnless(ComposeStack.HasCompose, "docker-compose is not installed");
        var start = new ProcessStartInfo("docker-compose", arguments) { WorkingDirectory = _folder.PathOf(Service), RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DOCKER_HOST"] = engine.Client.Endpoint.Address;
        using var process = Process.Start(start)!;
        var said = await Task.WhenAll(process.StandardError.ReadToEndAsync(Stop), process.StandardOutput.ReadToEndAsync(Stop));
        await process.WaitForExitAsync(Stop);
        return (process.ExitCode, string.Concat(said));
    }
}
