using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Docker;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests;

/// <summary>A live audit of real containers: what the engine's archive shows of one that runs and of one that does not, and by which times.</summary>
public sealed class LiveTokenTests(TestEngine engine) : IDisposable
{
    private const string Path = "/workspace/ComfyUI/login/PASSWORD";
    private const string Install = "mkdir -p /workspace/ComfyUI/login; : > /workspace/ComfyUI/main.py; ";
    private const string Other = "$2b$12$FixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_a_container_writes_before_it_serves_has_been_loaded_and_what_is_written_later_has_not()
    {
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, $"{Install}printf '%s\\nadmin\\n' \"$TOKEN\" > {Path}; {TestService.Serve}");
        await service.UntilAsync(engine.Client, seen => seen.IsReady == true, Stop);

        // PASSWORD is younger than the container, but the server has it.
        var sound = await AuditAsync(service, TestService.Token);
        Assert.Equal((TokenState.Match, TokenState.Match), (StateOf(sound, TokenLayer.ContainerFile), StateOf(sound, TokenLayer.Server)));

        await WriteAsync(container, Other);
        var changed = await AuditAsync(service, Other);
        Assert.Equal((TokenState.NotLoadedSinceStart, TokenState.RefusedByServer), (StateOf(changed, TokenLayer.ContainerFile), StateOf(changed, TokenLayer.Server)));
        Assert.True((await engine.Client.ReadFileAsync(container.Id, Path, stop: Stop)).ModifiedAt > (await container.InspectAsync()).StartedAt);

        // Stopped, it shows its file all the same, and nothing of it is loaded any more.
        await engine.Client.StopAsync(container.Id, TimeSpan.Zero, Stop);
        var stopped = await AuditAsync(service, Other);
        Assert.Equal((TokenState.Match, TokenState.Unreadable), (StateOf(stopped, TokenLayer.ContainerFile), StateOf(stopped, TokenLayer.Server)));
    }

    [Fact]
    public async Task A_silent_server_is_judged_by_when_it_started_and_not_by_when_its_container_did()
    {
        // The container takes its time, writes PASSWORD, and only then starts its server, which does not answer.
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, $"{Install}printf '#!/bin/sh\necho ready\nsleep 600\n' > /bin/python; chmod 755 /bin/python; sleep 2; printf '%s\\nadmin\\n' \"$TOKEN\" > {Path}; sleep 2; /bin/python main.py & wait");
        await container.EventAsync(item => item.Action == "start");
        await container.PrintedAsync("ready");

        Assert.Equal(TokenState.Match, StateOf(await AuditAsync(service, TestService.Token), TokenLayer.ContainerFile));

        // Since when a process runs is told in seconds, and by an engine that takes its time.
        await WriteAsync(container, Other);
        await engine.Client.ExecAsync(container.Id, ["/bin/busybox", "touch", "-d", $"{DateTime.UtcNow.AddMinutes(10):yyyy-MM-dd HH:mm:ss}", Path], new() { Environment = new Dictionary<string, string> { ["TZ"] = "UTC0" } }, Stop);
        Assert.InRange((await engine.Client.ReadFileAsync(container.Id, Path, stop: Stop)).ModifiedAt!.Value, DateTimeOffset.UtcNow.AddMinutes(5), DateTimeOffset.UtcNow.AddMinutes(15));
        Assert.Equal(TokenState.NotLoadedSinceStart, StateOf(await AuditAsync(service, Other), TokenLayer.ContainerFile));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_folder_is_made_for_a_mount_that_is_missing(bool runs)
    {
        Assert.SkipUnless(engine.IsOurs, "The folders of this machine are those of an engine of our own only.");
        Directory.CreateDirectory(_folder.PathOf("models"));
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, $"{Install}echo '{TestService.Token}' > {Path}; echo ready; sleep 600", creation => creation with { Binds = [_folder.PathOf("models") + ":/models"] });
        await container.PrintedAsync("ready");
        if (!runs)
            await engine.Client.KillAsync(container.Id, stop: Stop);
        Assert.Equal(TokenState.Match, StateOf(await AuditAsync(service, TestService.Token), TokenLayer.ContainerFile));

        Directory.Delete(_folder.PathOf("models"));
        var seen = await AuditAsync(service, TestService.Token);

        Assert.Equal(TokenState.Unreadable, StateOf(seen, TokenLayer.ContainerFile));
        Assert.False(Directory.Exists(_folder.PathOf("models")));
    }

    [Fact]
    public async Task A_mounted_file_that_was_replaced_on_the_host_is_seen_as_the_next_start_will_read_it()
    {
        Assert.SkipUnless(engine.IsOurs, "The folders of this machine are those of an engine of our own only.");
        _folder.Write("PASSWORD", TestService.Token + "\nadmin\n");
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, TestService.Serve, creation => creation with { Binds = [$"{_folder.PathOf("PASSWORD")}:{Path}:ro"] });
        await service.UntilAsync(engine.Client, seen => seen.IsReady == true, Stop);

        _folder.Write("new", Other + "\nadmin\n");
        File.Move(_folder.PathOf("new"), _folder.PathOf("PASSWORD"), overwrite: true);
        var seen = await AuditAsync(service, Other);

        // The container itself still has the file that was there when it started.
        Assert.StartsWith(TestService.Token, (await engine.Client.ExecAsync(container.Id, ["cat", Path], stop: Stop)).StandardOutput, StringComparison.Ordinal);
        Assert.Equal(TokenState.NotLoadedSinceStart, StateOf(seen, TokenLayer.ContainerFile));
    }

    [Fact]
    public async Task A_lost_source_comes_back_out_of_a_stopped_container()
    {
        var service = new TestService(engine, login: true);
        await using var container = await service.RunAsync(engine, $"{Install}printf '%s\\r\\nadmin' \"$TOKEN\" > {Path}");
        await engine.Client.WaitAsync(container.Id, Stop);

        var place = $"{container.Name}:{Path}";
        var stack = Stack(service);
        var hashes = await Auditor().FindHashesAsync(stack, null, place, Stop);
        await new TokenSynchronizer(new(), new()).Plan(stack, new() { Adopt = place, InContainers = hashes }, Stop).ApplyAsync(cancellationToken: Stop);

        Assert.Contains(TestService.Token, _folder.Read("source.conf"), StringComparison.Ordinal);
    }

    private static TokenState StateOf(IReadOnlyList<TokenObservation> seen, TokenLayer layer) => seen.Single(observation => observation.Layer == layer).State;

    private async Task WriteAsync(TestContainer container, string hash) =>
        await engine.Client.WriteFileAsync(container.Id, Path, new(System.Text.Encoding.UTF8.GetBytes(hash + "\nadmin\n")), Stop);

    private GenAIStack Stack(TestService service) => new() { Root = _folder.Path, Definition = new() { Source = "source.conf", Services = [service.Definition] } };

    private LiveTokenAuditor Auditor()
    {
        var redactor = new SecretRedactor();
        return new(new(new(), redactor, _ => null), engine.Client, redactor) { Patience = TimeSpan.FromMinutes(1) };
    }

    private Task<IReadOnlyList<TokenObservation>> AuditAsync(TestService service, string token)
    {
        _folder.Write("source.conf", $$"""{"version": "1.0", "bcrypt_hash": "{{token}}"}""");
        return Auditor().AuditAsync(Stack(service), null, Stop);
    }
}
