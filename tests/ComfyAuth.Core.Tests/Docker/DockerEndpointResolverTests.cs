using System.Security.Cryptography;
using System.Text;
using ComfyAuth.Docker;

namespace ComfyAuth.Tests.Docker;

public sealed class DockerEndpointResolverTests : IDisposable
{
    private readonly TemporaryFolder _home = new();
    private readonly Dictionary<string, string> _environment = [];

    public void Dispose() => _home.Dispose();

    [Fact]
    public void The_order_is_that_of_the_docker_cli()
    {
        Context("gpu", "tcp://gpu:2375");
        Context("lab", "tcp://lab:2375");
        Context("mine", "ssh://me@mine");
        _home.Write(".docker/config.json", """{"auths":{"registry":{"auth":"c2VjcmV0"}},"currentContext":"mine"}""");
        _environment["DOCKER_CONTEXT"] = "lab";
        _environment["DOCKER_HOST"] = "tcp://host:1234";

        Assert.Equal("tcp://explicit:2375", Resolve(host: "tcp://explicit").Address);
        Assert.Equal("tcp://gpu:2375", Resolve(context: "gpu").Address);
        Assert.Equal(("tcp://host:1234", "DOCKER_HOST"), (Resolve().Address, Resolve().Origin));
        Assert.Equal("tcp://host:1234", Resolve(context: "default").Address);
        Assert.Equal("DockerHostAndContext", Error(() => Resolve("tcp://x", "gpu")).Code);

        _environment["DOCKER_HOST"] = "";
        Assert.Equal(("tcp://lab:2375", "the context 'lab' (DOCKER_CONTEXT)"), (Resolve().Address, Resolve().Origin));
        _environment.Remove("DOCKER_CONTEXT");
        Assert.Equal("ssh://me@mine", Resolve().Address);
        Assert.Contains("config.json", Resolve().Origin, StringComparison.Ordinal);
        _environment["DOCKER_CONTEXT"] = "default";
        Assert.Equal(DefaultAddress, Resolve().Address);
    }

    [Fact]
    public void Without_anything_it_is_the_default_socket_or_the_rootless_one_when_that_is_missing()
    {
        Assert.Equal(DefaultAddress, Resolve().Address);

        _environment["XDG_RUNTIME_DIR"] = _home.PathOf("run");
        Assert.Equal(DefaultAddress, Resolve().Address);
        if (OperatingSystem.IsWindows())
            return;

        _home.Write("run/docker.sock", "");
        Assert.Equal("unix://" + _home.PathOf("run/docker.sock"), Resolve().Address);
        _home.Write("var/docker.sock", "");
        Assert.Equal(DefaultAddress, Resolve().Address);
    }

    [Fact]
    public void Hosts_take_their_tls_from_the_environment_and_contexts_from_their_own_files()
    {
        Context("gpu", "tcp://gpu:2376", ["ca.pem", "cert.pem", "key.pem"]);
        Context("plain", "tcp://plain:2375");
        Context("loose", "tcp://loose:2376", [], skipVerify: true);
        _environment["DOCKER_CERT_PATH"] = _home.PathOf("certificates");
        _home.Write("certificates/ca.pem", "");
        Assert.Null(Resolve(host: "tcp://host").Tls);

        _environment["DOCKER_TLS_VERIFY"] = "1";
        Assert.Equal(new DockerTlsMaterial(_home.PathOf("certificates/ca.pem"), null, null), Resolve(host: "tcp://host").Tls);
        Assert.Equal("tcp://host:2376", Resolve(host: "tcp://host").Address);
        Assert.Equal("tcp://localhost:2376", Resolve().Address);
        Assert.Null(Resolve(host: "unix:///x").Tls);
        Assert.Equal(_home.PathOf($".docker/contexts/tls/{Id("gpu")}/docker/key.pem"), Resolve(context: "gpu").Tls!.KeyPath);
        Assert.Null(Resolve(context: "plain").Tls);
        Assert.True(Resolve(context: "loose").Tls!.SkipVerify);

        _environment.Remove("DOCKER_TLS_VERIFY");
        _environment["DOCKER_TLS"] = "1";
        _environment.Remove("DOCKER_CERT_PATH");
        _home.Write(".docker/cert.pem", "");
        Assert.Equal(new DockerTlsMaterial(null, _home.PathOf(".docker/cert.pem"), null, SkipVerify: true), Resolve(host: "tcp://host").Tls);
    }

    [Fact]
    public void DOCKER_CONFIG_names_another_folder()
    {
        Context("gpu", "tcp://gpu:2375", folder: "elsewhere");
        _environment["DOCKER_CONFIG"] = _home.PathOf("elsewhere");
        _home.Write("elsewhere/config.json", """{"currentContext":"gpu"}""");

        Assert.Equal("tcp://gpu:2375", Resolve().Address);
    }

    [Fact]
    public void The_names_of_contexts_are_listed_whatever_lies_there()
    {
        Assert.Equal(["default"], Resolver().ContextNames());

        Context("zulu", "tcp://z");
        Context("alpha", "tcp://a");
        _home.Write(".docker/contexts/meta/broken/meta.json", "{");
        _home.Write(".docker/contexts/meta/null/meta.json", "null");
        _home.Write(".docker/contexts/meta/nameless/meta.json", "{}");
        Directory.CreateDirectory(_home.PathOf(".docker/contexts/meta/empty"));
        Assert.Equal(["default", "alpha", "zulu"], Resolver().ContextNames());
    }

    [Fact]
    public void A_context_that_is_unknown_or_broken_is_named_with_those_there_are()
    {
        Context("gpu", "tcp://gpu:2375");
        var unknown = Error(() => Resolve(context: "gup"));
        Assert.Equal("DockerContextUnknown", unknown.Code);
        Assert.Contains("default, gpu", unknown.Message, StringComparison.Ordinal);

        foreach (var meta in new[] { "", "{", "null", """{"Endpoints":null}""", """{"Endpoints":{"docker":null}}""", """{"Endpoints":{"docker":{"Host":""}}}""" })
        {
            _home.Write($".docker/contexts/meta/{Id("gpu")}/meta.json", meta);
            Assert.Equal("DockerContextInvalid", Error(() => Resolve(context: "gpu")).Code);
        }
    }

    [Fact]
    public void A_config_that_is_no_json_is_an_error_that_shows_none_of_it()
    {
        _home.Write(".docker/config.json", "{\n \"auths\": { \"r\": { \"auth\": hunter2");

        var error = Error(() => Resolve());

        Assert.Equal("DockerConfigInvalid", error.Code);
        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
        _environment["DOCKER_HOST"] = "tcp://host";
        Assert.Equal("tcp://host:2375", Resolve().Address);
    }

    [Theory]
    [InlineData("unix://", "unix:///var/run/docker.sock")]
    [InlineData(" unix:///run/user/1000/docker.sock ", "unix:///run/user/1000/docker.sock")]
    [InlineData("npipe://", "npipe:////./pipe/docker_engine")]
    [InlineData("npipe:////./pipe/dockerDesktopLinuxEngine", "npipe:////./pipe/dockerDesktopLinuxEngine")]
    [InlineData(@"npipe://\\.\pipe\docker_engine", "npipe:////./pipe/docker_engine")]
    [InlineData("tcp://", "tcp://localhost:2375")]
    [InlineData("10.0.0.5", "tcp://10.0.0.5:2375")]
    [InlineData("host:99", "tcp://host:99")]
    [InlineData("TCP://[::1]:2375/", "tcp://[::1]:2375")]
    [InlineData("ssh://me@gpu:22/run/user/1/docker.sock", "ssh://me@gpu:22/run/user/1/docker.sock")]
    public void An_address_is_read_as_the_cli_does(string text, string address) =>
        Assert.Equal(address, DockerEndpoint.Parse(text, "x").Address);

    [Theory]
    [InlineData("http://host")]
    [InlineData("fd://")]
    [InlineData("unix://relative")]
    [InlineData("npipe://pipe")]
    [InlineData("tcp://host:0")]
    [InlineData("tcp://host:65536")]
    [InlineData("tcp://host:x")]
    [InlineData("tcp://[::1")]
    [InlineData("tcp://user:hunter2@host")]
    [InlineData("ssh://user:hunter2@host")]
    [InlineData("ssh://-oProxyCommand=hunter2")]
    [InlineData("ssh://-x@host")]
    [InlineData("ssh://")]
    public void An_address_that_is_none_is_refused_without_being_repeated(string text)
    {
        var error = Error(() => DockerEndpoint.Parse(text, "DOCKER_HOST"));

        Assert.Equal("DockerHostInvalid", error.Code);
        Assert.Contains("DOCKER_HOST", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
    }

    private static string Id(string name) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(name))).ToLowerInvariant();

    private static DockerException Error(Action action) => Assert.Throws<DockerException>(action);

    private string DefaultAddress => OperatingSystem.IsWindows() ? "npipe:////./pipe/docker_engine" : "unix://" + _home.PathOf("var/docker.sock");

    private DockerEndpointResolver Resolver() => new(_environment.GetValueOrDefault, _home.Path) { DefaultSocketPath = _home.PathOf("var/docker.sock") };

    private DockerEndpoint Resolve(string? host = null, string? context = null) => Resolver().Resolve(host, context);

    private void Context(string name, string host, string[]? tls = null, bool skipVerify = false, string folder = ".docker")
    {
        _home.Write(
            $"{folder}/contexts/meta/{Id(name)}/meta.json",
            $$$"""{"Name":"{{{name}}}","Metadata":{"Description":"d"},"Endpoints":{"docker":{"Host":"{{{host}}}","SkipTLSVerify":{{{(skipVerify ? "true" : "false")}}} } } }""");
        foreach (var file in tls ?? [])
            _home.Write($"{folder}/contexts/tls/{Id(name)}/docker/{file}", "");
    }
}
