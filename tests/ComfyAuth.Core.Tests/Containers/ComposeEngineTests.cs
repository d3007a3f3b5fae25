using ComfyAuth.Containers;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Containers;

public sealed class ComposeEngineTests
{
    [Theory]
    [InlineData("unix:///run/user/1000/docker.sock")]
    [InlineData("npipe:////./pipe/docker_engine")]
    [InlineData("ssh://me@gpu-box:2222")]
    [InlineData("tcp://gpu-box:2375")]
    public void Compose_is_led_to_the_same_engine_whatever_the_environment_says(string address)
    {
        var variables = ComposeEngine.Variables(DockerEndpoint.Parse(address, "the test"));

        Assert.Equal(address, variables["DOCKER_HOST"]);
        Assert.All(["DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"], name => Assert.True(variables.ContainsKey(name) && variables[name] is null));
    }

    [Theory]
    [InlineData(false, "DOCKER_TLS_VERIFY", "DOCKER_TLS")]
    [InlineData(true, "DOCKER_TLS", "DOCKER_TLS_VERIFY")]
    public void With_certificates_it_is_led_to_them(bool skipVerify, string set, string unset)
    {
        var folder = Path.GetFullPath("/certificates");
        var tls = new DockerTlsMaterial(Path.Combine(folder, "ca.pem"), Path.Combine(folder, "cert.pem"), Path.Combine(folder, "key.pem"), skipVerify);

        var variables = ComposeEngine.Variables(DockerEndpoint.Parse("tcp://gpu-box", "the test", tls));

        Assert.Equal(("tcp://gpu-box:2376", folder, "1", null), (variables["DOCKER_HOST"], variables["DOCKER_CERT_PATH"], variables[set], variables[unset]));
    }
}
