using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Tests.Comfy;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Tokens;

/// <summary>A server whose login folder is a folder of this machine, and a container that has it mounted, or has one of its own.</summary>
public sealed class GuestModeSwitchTests : IAsyncDisposable
{
    private const string Login = "/workspace/ComfyUI/login";

    private readonly TemporaryFolder _folder = new();
    private readonly CancellationToken _stop = TestContext.Current.CancellationToken;
    private EmulatedComfyUI? _comfy;
    private EmulatedEngine? _engine;
    private DockerClient? _client;

    private string File => _folder.PathOf("login/GUEST_MODE");

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_engine is not null)
            await _engine.DisposeAsync();
        if (_comfy is not null)
            await _comfy.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task In_a_folder_of_this_machine_it_is_switched_on_and_off_and_the_server_agrees()
    {
        var (guests, stack) = await StartAsync(isMounted: true);

        var on = await SetAsync(guests, stack, GuestModeState.On);
        Assert.True(System.IO.File.Exists(File));
        var again = await SetAsync(guests, stack, GuestModeState.On);
        var off = await SetAsync(guests, stack, GuestModeState.Off);

        Assert.Equal((GuestModeState.On, true, true, File), (on.State, on.IsChanged, on.IsProven, on.File));
        Assert.Equal((GuestModeState.On, false, true), (again.State, again.IsChanged, again.IsProven));
        Assert.Equal((GuestModeState.Off, true, true), (off.State, off.IsChanged, off.IsProven));
        Assert.Contains("Guests who are in stay in", off.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Guests who are in", on.Message, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task What_is_not_approved_is_not_done()
    {
        var (guests, stack) = await StartAsync(isMounted: true);
        var plan = await guests.PlanAsync(stack, stack.Definition.Services[0], GuestModeState.On, _stop);

        var result = await plan.ApplyAsync(_ => Task.FromResult(false), _stop);

        Assert.Equal(("Switch guest mode on", File), (plan.Change!.Action, plan.Change.Target));
        Assert.Equal((GuestModeState.Off, false, true), (result.State, result.IsChanged, result.IsProven));
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public async Task In_the_container_it_is_made_there_and_a_server_that_looks_elsewhere_is_noticed()
    {
        var (guests, stack) = await StartAsync(isMounted: false);

        var on = await SetAsync(guests, stack, GuestModeState.On);

        Assert.Equal((GuestModeState.On, true, false, $"qwen:{Login}/GUEST_MODE"), (on.State, on.IsChanged, on.IsProven, on.File));
        Assert.Contains("not the folder that the server looks at", on.Message, StringComparison.Ordinal);
        Assert.False(System.IO.File.Exists(File));
        Assert.Null((await guests.PlanAsync(stack, stack.Definition.Services[0], GuestModeState.On, _stop)).Change);
    }

    [Fact]
    public async Task Of_a_container_that_does_not_run_the_file_cannot_be_removed_and_nothing_is_proven()
    {
        var (guests, stack) = await StartAsync(isMounted: false);
        await SetAsync(guests, stack, GuestModeState.On);
        _engine!.Change("qwen", now => now with { State = ContainerState.Exited, FinishedAt = now.StartedAt });

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => SetAsync(guests, stack, GuestModeState.Off));

        Assert.Equal("GuestModeNotSet", error.Code);
        Assert.Null((await SetAsync(guests, stack, GuestModeState.On)).IsProven);
    }

    [Fact]
    public async Task Only_what_is_behind_the_login_and_is_found_has_a_guest_mode()
    {
        var (guests, stack) = await StartAsync(isMounted: false);
        var service = stack.Definition.Services[0];

        async Task<string> CodeAsync(ServiceDefinition of) => (await Assert.ThrowsAsync<ComfyAuthException>(() => guests.PlanAsync(stack, of, GuestModeState.On, _stop))).Code;

        Assert.Equal("NoLoginService", await CodeAsync(service with { Auth = AuthKind.Bearer }));
        Assert.Equal("ContainerAbsent", await CodeAsync(service with { Container = "nobody" }));
        _engine!.Change("qwen", now => now with { Files = new Dictionary<string, EmulatedFile>() });
        Assert.Equal("LoginFolderUnknown", await CodeAsync(service));
        _engine.Change("qwen", now => now with { Mounts = [new("bind", "", _folder.PathOf("login/PASSWORD"), Login + "/PASSWORD", false), new("volume", "v", "/v", Login + "/GUEST_MODE", false)], Files = Files });
        Assert.Equal("GuestModeNotSet", await CodeAsync(service));
    }

    [Fact]
    public async Task A_folder_in_the_place_of_the_file_counts_as_the_server_counts_it_and_is_not_removed()
    {
        var (guests, stack) = await StartAsync(isMounted: true);
        Directory.CreateDirectory(File);

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => SetAsync(guests, stack, GuestModeState.Off));

        Assert.Equal("GuestModeNotSet", error.Code);
        Assert.True(Directory.Exists(File));
    }

    private static Dictionary<string, EmulatedFile> Files => new() { ["/workspace/ComfyUI/main.py"] = new("pass\n"), [Login + "/PASSWORD"] = new($"{LoginSample.Hash.Reveal()}\nadmin\n") };

    private async Task<GuestModeChange> SetAsync(GuestModeSwitch guests, GenAIStack stack, GuestModeState state) =>
        await (await guests.PlanAsync(stack, stack.Definition.Services[0], state, _stop)).ApplyAsync(stop: _stop);

    private async Task<(GuestModeSwitch Guests, GenAIStack Stack)> StartAsync(bool isMounted)
    {
        _comfy = await LoginSample.StartAsync(_folder, "set", _stop);
        var container = new EmulatedContainer
        {
            Name = "qwen",
            Image = "python:3.11",
            CreatedAt = DateTimeOffset.UtcNow.AddMinutes(-2),
            StartedAt = DateTimeOffset.UtcNow.AddMinutes(-1),
            Ports = [new(8188, "tcp", "127.0.0.1", _comfy.Address.Port)],
            Mounts = isMounted ? [new("bind", "", _folder.PathOf("login"), Login, false)] : [],
            Files = Files,
        };
        _engine = await EmulatedEngine.StartAsync([container], overTcp: true, stop: _stop);
        _client = new(_engine.Endpoint);
        var service = LoginSample.Service(_comfy.Address) with { Container = "qwen" };
        return (new(_client, new()), new() { Root = _folder.Path, Definition = new() { Source = "none", Services = [service] } });
    }
}
