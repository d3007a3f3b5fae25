using ComfyAuth.Containers;

namespace ComfyAuth.Tests.Containers;

public sealed class MountSourcesTests
{
    [Theory]
    [InlineData("/run/secrets/qwen-api-user.token", true)]
    [InlineData("/workspace/ComfyUI/login/PASSWORD", true)]
    [InlineData("/workspace/ComfyUI/login/GUEST_MODE", true)]
    [InlineData("/app/.env", true)]
    [InlineData("/app/.env.local", true)]
    [InlineData("/etc/nginx/nginx.conf", true)]
    [InlineData("""C:\stack\docker-configurations\entrypoint.sh""", true)]
    [InlineData("/root/.cache", false)]
    [InlineData("/workspace", false)]
    [InlineData("/usr/lib/python3.11", false)]
    [InlineData("/etc/conf.d", false)]
    [InlineData("/models.old/checkpoints", false)]
    [InlineData("/srv/a name. with a sentence", false)]
    [InlineData("/", false)]
    [InlineData("", false)]
    public void A_name_tells_whether_a_file_is_meant(string path, bool expected) => Assert.Equal(expected, MountSources.LooksLikeFile(path));

    [Theory]
    [InlineData("/srv/stack/.env", false, "/srv/stack/.env")]
    [InlineData("/host_mnt/Users/alice/.env", false, "/Users/alice/.env")]
    [InlineData("""C:\stack\.env""", true, """C:\stack\.env""")]
    [InlineData("/run/desktop/mnt/host/c/stack/.env", true, "C:/stack/.env")]
    [InlineData("/host_mnt/d/stack", true, "D:/stack")]
    [InlineData("/run/desktop/mnt/host/wsl/docker-desktop-bind-mounts/Ubuntu/1", true, null)]
    [InlineData("/var/lib/stack", true, null)]
    public void What_Docker_Desktop_calls_a_path_is_found_on_its_host(string source, bool isWindows, string? expected) =>
        Assert.Equal(expected, MountSources.HostPath(source, isWindows));
}
