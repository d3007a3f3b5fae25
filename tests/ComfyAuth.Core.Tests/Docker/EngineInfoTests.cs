using System.Text.Json;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

public sealed class EngineInfoTests
{
    [Theory]
    [InlineData("""{ "Runtimes": { "runc": {}, "nvidia": {} } }""", "nvidia,runc", "")]
    [InlineData("""{ "DiscoveredDevices": [{ "Source": "cdi", "ID": "nvidia.com/gpu=0" }, { "Source": "cdi" }, null] }""", "", "nvidia.com/gpu=0")]
    [InlineData("""{ "DiscoveredDevices": null }""", "", "")]
    public void What_an_engine_can_give_to_containers_is_read(string answer, string runtimes, string devices)
    {
        var info = EngineInfo.From(JsonSerializer.Deserialize(answer, DockerJson.Default.InfoAnswer)!);

        Assert.Equal((runtimes, devices), (string.Join(',', info.Runtimes), string.Join(',', info.Devices)));
    }
}
