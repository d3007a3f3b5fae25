using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using ComfyAuth.Docker;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>The Dockerfile that is laid out, built by a real BuildKit on a base image with stand-ins, and run as the compose file runs it.</summary>
public sealed class DeploymentImageTests(TestEngine engine) : IDisposable
{
    private static readonly string[] Clients = ["docker", "/usr/bin/docker"];

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_installed_while_the_image_is_built_starts_as_any_user_without_a_right_and_installs_nothing()
    {
        Assert.SkipUnless(engine.IsOurs, "images are left behind");
        foreach (var path in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Deployment", "data", "standins")))
            _folder.Write($"base/{Path.GetFileName(path)}", File.ReadAllText(path));
        _folder.Write("base/flock", "#!/bin/sh\n");
        _folder.Write("base/Dockerfile", $"""
            FROM {engine.Image}
            COPY git python3 flock /usr/bin/
            RUN ["/bin/busybox", "sh", "-c", "busybox --install -s /bin; chmod 755 /usr/bin/*; mkdir -m 1777 -p /record /tmp"]
            """);
        await BuildAsync("base", "comfyauth-base:1");
        foreach (var file in DeploymentTemplates.Plan(_folder.PathOf("stack")).Missing)
            _folder.Write($"image/{Path.GetFileName(file.Path)}", Encoding.UTF8.GetString(file.Content.Span));
        _folder.Write("image/PASSWORD", "never in an image");
        await BuildAsync("image", "comfyauth-built:1", "--build-arg", "BASE_IMAGE=comfyauth-base:1", "--build-arg", "PYTORCH_INDEX=https://download.pytorch.org/whl/cpu");

        await using var container = await engine.RunAsync("", creation => creation with
        {
            Image = "comfyauth-built:1",
            Entrypoint = ["sh", "-c"],
            Command = ["grep -c . /record/calls; ls /setup; touch /cache/mine /workspace/ComfyUI/custom_nodes/ComfyUI-Login/mine && echo writable; exec sleep 600"],
            User = "4321:4321",
        });
        var before = await SeeAsync(container, "writable");
        Assert.Equal(["14", "entrypoint.sh", "install.sh", "writable"], before);

        var password = _folder.Write("PASSWORD", "$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW\nalice\n");
        Process.Start("chmod", ["-R", "a+rX", _folder.Path]).WaitForExit();
        await using var server = await engine.RunAsync("", creation => creation with
        {
            Image = "comfyauth-built:1",
            Entrypoint = ["sh", "/setup/entrypoint.sh"],
            Command = ["--listen"],
            User = "4321:4321",
            Binds = [$"{password}:{DeploymentTemplates.PasswordFile}:ro"],
        });
        Assert.Equal(["To see the GUI go to: http://0.0.0.0:8188"], await SeeAsync(server, "To see the GUI"));
        var details = await server.InspectAsync();
        Assert.Equal("/cache", details.Environment.Single(variable => variable.Name == "HOME").Reveal());
        Assert.Equal(DeploymentTemplates.LoginCommit, details.Environment.Single(variable => variable.Name == "LOGIN_COMMIT").Reveal());
    }

    private async Task<List<string>> SeeAsync(TestContainer container, string text)
    {
        var seen = new List<string>();
        await foreach (var line in engine.Client.LogsAsync(container.Id, new() { Follow = true }, Stop))
        {
            seen.Add(line.Text);
            if (line.Text.Contains(text, StringComparison.Ordinal))
                break;
        }

        return seen;
    }

    private async Task BuildAsync(string folder, string tag, params string[] options)
    {
        // Since version 23 the client needs a plugin to build with BuildKit; an older one may stand beside it.
        var said = "docker is not installed";
        foreach (var docker in Clients)
        {
            var start = new ProcessStartInfo(docker, ["build", "--network", "none", "--tag", tag, .. options, _folder.PathOf(folder)]) { RedirectStandardError = true, RedirectStandardOutput = true };
            start.Environment["DOCKER_HOST"] = engine.Client.Endpoint.Address;
            start.Environment["DOCKER_BUILDKIT"] = "1";
            try
            {
                using var process = Process.Start(start)!;
                said = string.Concat(await Task.WhenAll(process.StandardError.ReadToEndAsync(Stop), process.StandardOutput.ReadToEndAsync(Stop)));
                await process.WaitForExitAsync(Stop);
                if (process.ExitCode == 0)
                    return;
            }
            catch (Win32Exception)
            {
                continue;
            }

            Assert.True(said.Contains("buildx component", StringComparison.Ordinal), said);
        }

        Assert.Skip($"no client here can build with BuildKit: {said}");
    }
}
