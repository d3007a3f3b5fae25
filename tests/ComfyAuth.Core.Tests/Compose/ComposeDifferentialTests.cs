using System.Diagnostics;
using System.Globalization;
using ComfyAuth.Compose;

namespace ComfyAuth.Tests.Compose;

/// <summary>
/// The reader against docker-compose 1.29: its <c>config</c> prints the effective file, with every <c>$</c> doubled, so read
/// again it must give the same services. <c>NAME.over.yml</c> is laid over <c>NAME.yml</c>.
/// </summary>
public sealed class ComposeDifferentialTests
{
    private static readonly Lazy<string?> Command = new(() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, "docker-compose")).FirstOrDefault(File.Exists));

    public static TheoryData<string> Cases =>
        [.. Directory.GetFiles(ComposeText.Data("differential"), "*.yml").Select(path => Path.GetFileNameWithoutExtension(path)).Where(name => !name.EndsWith(".over", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task The_first_version_of_Compose_sees_the_same(string name)
    {
        Assert.SkipWhen(Command.Value is null, "docker-compose 1.29 is not installed");
        var stop = TestContext.Current.CancellationToken;
        var folder = ComposeText.Data("differential");
        var env = Path.Combine(folder, "variables.env");
        string[] files = [.. new[] { $"{name}.yml", $"{name}.over.yml" }.Select(file => Path.Combine(folder, file)).Where(File.Exists)];

        var start = new ProcessStartInfo(Command.Value!, ["--env-file", env, .. files.SelectMany(file => new[] { "--file", file }), "--profile", "on", "config"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.Environment["IN_SHELL"] = "from shell";
        start.Environment["HOME"] = "/home/u";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(stop);
        var output = await process.StandardOutput.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        Assert.SkipUnless(process.ExitCode == 0 || !(await errors).Contains("client version", StringComparison.Ordinal), "docker-compose does not work here");
        Assert.True(process.ExitCode == 0, await errors);

        string? Shell(string variable) => variable switch { "IN_SHELL" => "from shell", "HOME" => "/home/u", _ => null };
        var ours = ComposeFile.Load(files, Shell, ["on"], env);
        var theirs = ComposeFile.Parse([(Path.Combine(folder, "config.yml"), output)], Shell, ["on"], environmentFile: null);

        Assert.Equal(theirs.Services.Select(Describe).Order(StringComparer.Ordinal), ours.Services.Select(Describe).Order(StringComparer.Ordinal));
        Assert.NotEmpty(ours.Services);
    }

    [Fact]
    public async Task The_first_version_of_Compose_is_found_and_its_refusal_is_passed_on()
    {
        Assert.SkipWhen(Command.Value is null, "docker-compose 1.29 is not installed");
        var stop = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var path = folder.Write("docker-compose.yml", "version: '3.9'\nservices: { web: { image: a, nonsense: 1 } }\n");

        var command = await ComposeCommand.FindAsync(new(), stop, Path.GetDirectoryName(Command.Value));
        Assert.SkipWhen(command.IsPlugin, "docker compose stands beside it and comes first");
        var error = await Assert.ThrowsAsync<ComposeCommandException>(() => command.UpAsync(new ComposeProject { Files = [path] }, [], null, stop));

        Assert.Equal((1, 1), (command.Version.Major, error.ExitCode));
        Assert.Contains("nonsense", error.ErrorOutput, StringComparison.Ordinal);
    }

    private static string Describe(ComposeService service) => string.Join('\n',
    [
        service.Name,
        $"{service.ContainerName} {service.Image} {service.HasBuild} {service.Restart} {service.Runtime} {service.NetworkMode} {service.User}",
        $"{service.Init} {service.Privileged} {service.MemoryLimitInBytes} {service.MemoryReservationInBytes}",
        Join("command", service.Command),
        Join("entrypoint", service.Entrypoint),
        Join("environment", service.Environment.Select(variable => $"{variable.Name}={variable.Reveal() ?? "none"}").Order(StringComparer.Ordinal)),
        Join("ports", service.Ports.Select(port => $"{port.HostAddress}:{port.Published}-{port.PublishedTo}:{port.Target}/{port.Protocol}").Order(StringComparer.Ordinal)),
        Join("mounts", service.Mounts.Select(mount => $"{mount.Kind} {mount.Source} {mount.Target} {mount.IsReadOnly}").Order(StringComparer.Ordinal)),
        Join("devices", service.DeviceReservations.Select(device => string.Create(CultureInfo.InvariantCulture, $"{device.Driver} {device.Count} {string.Join(',', device.DeviceIds)} {string.Join(',', device.Capabilities)}"))),
        Join("networks", service.Networks.Where(network => network != "default").Order(StringComparer.Ordinal)),
        Join("labels", service.Labels.Select(label => $"{label.Key}={label.Value}").Order(StringComparer.Ordinal)),
        $"logging {service.Logging?.Driver}",
        Join("options", service.Logging?.Options.Select(option => $"{option.Key}={option.Value}").Order(StringComparer.Ordinal)),
        service.Healthcheck is not { } health ? "" : Join($"{health.Kind} {health.Interval} {health.Timeout} {health.Retries} {health.StartPeriod}", health.Test),
    ]);

    private static string Join(string title, IEnumerable<string>? texts) => $"{title}: {(texts is null ? "none" : string.Join(" | ", texts))}";
}
