using ComfyAuth.Docker;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Docker;

public sealed class GuestModeSwitchTests(TestEngine engine)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_the_container_the_file_is_made_and_removed()
    {
        await using var container = await engine.RunAsync("mkdir -p /workspace/ComfyUI/login; touch /workspace/ComfyUI/main.py /workspace/ComfyUI/login/PASSWORD; echo made; sleep 600");
        await container.PrintedAsync("made");

        var folder = Directory.CreateTempSubdirectory("comfyauth-test-").FullName;
        try
        {
            var service = new ServiceDefinition { Name = "qwen", Container = container.Name, Url = new("http://127.0.0.1:9"), Auth = AuthKind.ComfyUILogin };
            var stack = new GenAIStack { Root = folder, Definition = new() { Source = "none", Services = [service] } };
            var guests = new GuestModeSwitch(engine.Client, new());

            var on = await (await guests.PlanAsync(stack, service, GuestModeState.On, Stop)).ApplyAsync(stop: Stop);
            var made = await engine.Client.HeadArchiveAsync(container.Id, "/workspace/ComfyUI/login/GUEST_MODE", Stop);
            var off = await (await guests.PlanAsync(stack, service, GuestModeState.Off, Stop)).ApplyAsync(stop: Stop);

            Assert.Equal((GuestModeState.On, true, null), (on.State, on.IsChanged, on.IsProven));
            Assert.Equal(0, made?.SizeInBytes);
            Assert.Equal((GuestModeState.Off, true, null), (off.State, off.IsChanged, off.IsProven));
            Assert.Null(await engine.Client.HeadArchiveAsync(container.Id, "/workspace/ComfyUI/login/GUEST_MODE", Stop));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
