using ComfyAuth.Docker;
using ComfyAuth.Files;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>What the tests of the installation stand on.</summary>
public sealed class InstallSiteTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_container_that_is_deployed_answers_and_what_is_removed_is_gone()
    {
        await using var site = await InstallSite.StartAsync(withModels: true);
        foreach (var file in DeploymentTemplates.Plan(site.Root, new() { Cpu = true }).Missing)
            site.Write(file.Path, System.Text.Encoding.UTF8.GetString(file.Content.Span));
        site.Write(InstallSite.PasswordFile, "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW\nalice\n");

        await site.Deployer.BuildAsync(site.Stack, site.Stack.Definition.Services[0], null, Stop);
        await site.Deployer.UpAsync(site.Stack, site.Stack.Definition.Services[0], null, Stop);

        using var http = new HttpClient();
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await http.GetAsync($"http://127.0.0.1:{site.Port}/system_stats", Stop)).StatusCode);
        Assert.Contains("EixZaYVK", System.Text.Encoding.UTF8.GetString((await site.Client.ReadFileAsync(InstallSite.Service, DeploymentTemplates.PasswordFile, stop: Stop)).Content.Span), StringComparison.Ordinal);
        Assert.Equal(["container comfyui-qwen", "image comfyauth", "network comfyui-qwen_default", "volume comfyui-qwen_cache"], site.EngineSnapshot().Select(line => line.Split(' ', '/') is [var kind, var name, ..] ? $"{kind} {name}" : line));
        var error = await Assert.ThrowsAsync<DockerException>(() => site.Client.RemoveImageAsync(site.Engine.Images[0], Stop));
        Assert.Equal("DockerConflict", error.Code);

        await site.Client.StopAsync(InstallSite.Service, stop: Stop);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync($"http://127.0.0.1:{site.Port}/", Stop));
        await site.Client.RemoveContainerAsync(InstallSite.Service, stop: Stop);
        await site.Client.RemoveImageAsync(site.Engine.Images[0], Stop);
        Assert.Equal(["network comfyui-qwen_default", "volume comfyui-qwen_cache"], site.EngineSnapshot());
    }
}
