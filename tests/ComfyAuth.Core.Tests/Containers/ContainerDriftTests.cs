using ComfyAuth.Compose;
using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Tests.Compose;

namespace ComfyAuth.Tests.Containers;

/// <summary>What the engine and the Compose of the tests cannot show: other versions, other machines, and what is gone.</summary>
public sealed class ContainerDriftTests
{
    private static readonly ContainerDetails Container = new()
    {
        Id = "c1",
        Name = "web",
        Image = "comfyui:1",
        ImageId = "sha256:1",
        State = ContainerState.Running,
        Error = "",
        RestartPolicy = "no",
        HealthLog = [],
        Entrypoint = [],
        Command = ["run"],
        Environment = [],
        Labels = new Dictionary<string, string> { ["com.docker.compose.project"] = "stack", ["com.docker.compose.service"] = "web", ["com.docker.compose.version"] = "2.26.1" },
        User = "",
        WorkingDirectory = "",
        Runtime = "runc",
        DeviceRequests = [],
        NetworkMode = "bridge",
        RequestedPorts = [],
        Ports = [],
        Mounts = [],
        LogDriver = "json-file",
        LogOptions = new Dictionary<string, string>(),
    };

    private static readonly ImageDetails Image = new("sha256:1", [], [], 1, "linux", "amd64", [], ["run"], null) { Environment = [new("PATH", "/bin")] };

    private static string Differences(ContainerDetails container, string lines, ImageDetails? image, string? currentImage = "sha256:1") =>
        string.Join(", ", ContainerDrift.Of(container, image, currentImage, ComposeText.Web("image: comfyui:1\n" + lines)));

    private static ContainerDetails With(params ContainerVariable[] variables) => Container with { Environment = [new("PATH", "/bin"), .. variables] };

    private static ContainerDetails Mounting(params ContainerMount[] mounts) => With() with { Mounts = mounts };

    [Fact]
    public void What_clients_add_by_themselves_is_no_difference()
    {
        var container = With(new("HTTP_PROXY", "http://proxy"), new("no_proxy", "localhost"), new("affinity:container", "=c0"));

        Assert.Equal("", Differences(container, "", Image));
        Assert.Equal("OTHER", Differences(With(new ContainerVariable("OTHER", "1")), "", Image));
    }

    [Fact]
    public void A_variable_without_a_value_is_compared_with_nothing()
    {
        Assert.Equal("", Differences(With(), "environment: [PASSED_ON]", Image));
        Assert.Equal("", Differences(With(new ContainerVariable("PASSED_ON", "1")), "environment: [PASSED_ON]", Image));
    }

    [Fact]
    public void Without_its_image_only_what_the_file_says_is_compared()
    {
        var container = With(new("FROM_IMAGE", "1"), new("SAID", "1")) with { Healthcheck = new() { Test = ["CMD", "true"] }, Entrypoint = ["/entrypoint.sh"] };

        Assert.Equal("", Differences(container, "environment: { SAID: 1 }\nhealthcheck: { retries: 3 }", null, null));
        Assert.Equal("SAID, the command, the healthcheck", Differences(container, "environment: { SAID: 2 }\ncommand: other\nhealthcheck: { disable: true }", null, null));
    }

    [Theory]
    [InlineData("comfyui", "comfyui:latest", true)]
    [InlineData("docker.io/library/comfyui", "comfyui", true)]
    [InlineData("docker.io/yanwk/comfyui:cu124", "yanwk/comfyui:cu124", true)]
    [InlineData("registry:5000/comfyui", "registry:5000/comfyui:latest", true)]
    [InlineData("registry:5000/comfyui", "comfyui", false)]
    [InlineData("comfyui:1", "comfyui:2", false)]
    [InlineData("comfyui@sha256:0123456789012345678901234567890123456789012345678901234567890123", "comfyui", false)]
    public void Where_the_engine_has_no_image_of_the_name_the_names_are_compared(string made, string said, bool same)
    {
        var service = ComposeText.Web($"image: {said}");

        var drift = ContainerDrift.Of(With() with { Image = made }, Image, null, service);

        Assert.Equal(same ? "" : "the image", string.Join(", ", drift));
    }

    [Fact]
    public void A_name_that_stands_for_another_image_by_now_is_a_difference_and_another_name_of_the_same_is_none()
    {
        Assert.Equal("the image", Differences(With(), "", Image, "sha256:2"));
        Assert.Equal("", string.Join(", ", ContainerDrift.Of(With(), Image, "sha256:1", ComposeText.Web("image: another:name"))));
    }

    [Theory]
    [InlineData("/host_mnt/stack/models", true)]
    [InlineData("/run/desktop/mnt/host/stack/models", true)]
    [InlineData("/stack/models/", true)]
    [InlineData("/stack/model", false)]
    [InlineData("/else/stack/models", false)]
    public void The_engine_of_Docker_Desktop_sees_the_files_of_the_host_elsewhere(string source, bool same)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the folder of these texts is another one there");

        Assert.Equal(same ? "" : "the mount /models", Differences(Mounting(new ContainerMount("bind", "", source, "/models", false)), "volumes: [./models:/models]", Image));
    }

    [Theory]
    [InlineData("/run/desktop/mnt/host/c/models")]
    [InlineData("/host_mnt/c/models")]
    [InlineData("/c/models")]
    [InlineData(@"C:\models")]
    public void A_folder_of_Windows_has_many_names(string source) =>
        Assert.Equal("", Differences(Mounting(new ContainerMount("bind", "", source, "/models", false)), "volumes: ['C:/models:/models']", Image));

    [Fact]
    public void A_volume_has_the_name_of_the_project_unless_the_file_gives_it_one()
    {
        string Of(string volumes, string name) => string.Join(", ", ContainerDrift.Of(
            Mounting(new ContainerMount("volume", name, "/var/lib/docker/volumes/x", "/data", false)),
            Image,
            "sha256:1",
            ComposeText.Service($"services: {{ web: {{ image: 'comfyui:1', volumes: ['data:/data'] }} }}\nvolumes: {{ data: {volumes} }}\n")));

        Assert.Equal("", Of("", "stack_data"));
        Assert.Equal("the mount /data", Of("", "other_data"));
        Assert.Equal("", Of("{ name: kept }", "kept"));
        Assert.Equal("", Of("{ external: true }", "data"));
        Assert.Equal("", Of("{ external: true, name: kept }", "kept"));
        Assert.Equal("", Of("{ external: { name: kept } }", "kept"));
        Assert.Equal("the mount /data", Of("{ external: true }", "stack_data"));
    }

    [Fact]
    public void An_unnamed_volume_and_what_secrets_mount_are_no_difference_and_another_mount_is_one()
    {
        var unnamed = new ContainerMount("volume", new string('a', 64), "/var/lib/docker/volumes/x", "/of/the/image", false);
        var secret = new ContainerMount("bind", "", "/stack/token", "/run/secrets/token", true);

        Assert.Equal("", Differences(Mounting(unnamed), "", Image));
        Assert.Equal("", Differences(Mounting(unnamed), "volumes: [/of/the/image]", Image));
        Assert.Equal("the mount /run/secrets/token", Differences(Mounting(unnamed, secret), "", Image));
        Assert.Equal("", Differences(Mounting(unnamed, secret), "secrets: [token]", Image));
    }

    [Theory]
    [InlineData("{ start_interval: 2s }", "")]
    [InlineData("{ interval: 20s }", "the healthcheck")]
    [InlineData("{ interval: 0s }", "")]
    [InlineData("{ test: [CMD, ready] }", "the healthcheck")]
    [InlineData("{ disable: true }", "the healthcheck")]
    public void What_a_healthcheck_does_not_say_is_the_images(string healthcheck, string differences)
    {
        var check = new ContainerHealthcheck { Test = ["CMD", "true"], Interval = TimeSpan.FromSeconds(7), StartInterval = TimeSpan.FromSeconds(2) };
        var image = Image with { Healthcheck = check };

        Assert.Equal(differences, Differences(With() with { Healthcheck = check with { Test = ["CMD", "true"] } }, $"healthcheck: {healthcheck}", image));
    }

    [Fact]
    public void A_container_of_the_second_version_of_Compose_is_compared_by_what_that_reads()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("docker-compose.yml", "services: { web: { container_name: web, image: 'comfyui:1', environment: ['TOKEN=${TOKEN}'] } }\n");
        folder.Write(".env", "TOKEN=$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm\n");
        var labels = new Dictionary<string, string>(Container.Labels)
        {
            ["com.docker.compose.project.working_dir"] = folder.PathOf(""),
            ["com.docker.compose.project.config_files"] = path,
        };
        var service = new ComfyAuth.Stacks.ServiceDefinition { Name = "web", Container = "web", Url = new("http://localhost"), ComposeFile = "docker-compose.yml" };
        var stack = new ComfyAuth.Stacks.GenAIStack { Root = folder.PathOf(""), Definition = new() { Source = "s", Services = [service] } };
        string? TokenOf(string version)
        {
            labels["com.docker.compose.version"] = version;
            var (blueprint, obstacle) = ContainerBlueprint.Of(stack, service, ContainerOrigin.Of(Container with { Labels = labels }));
            Assert.Null(obstacle);
            return Assert.Single(blueprint!.Service!.Environment).Reveal();
        }

        Assert.Equal("$2b$04/TXg5uZV.0P.uO8m3YEm", TokenOf("2.26.1"));
        Assert.Equal("$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm", TokenOf("1.29.2"));
    }

    [Fact]
    public void No_difference_tells_a_value()
    {
        var drift = ContainerDrift.Of(
            With(new("TOKEN", "hunter2"), new("GONE", "hunter2")) with { Command = ["--token", "hunter2"], Healthcheck = new() { Test = ["CMD", "hunter2"] } },
            Image,
            "sha256:2",
            ComposeText.Web("image: hunter2\nenvironment: { TOKEN: hunter22 }\ncommand: [hunter222]\nentrypoint: [hunter2]"));

        Assert.Equal("GONE, TOKEN, the image, the entry point, the command, the healthcheck", string.Join(", ", drift));
    }
}
