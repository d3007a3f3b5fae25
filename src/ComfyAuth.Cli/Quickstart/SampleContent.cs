using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Cli.Quickstart;

/// <summary>What lies in the sample stack beside its secrets: compose file, notebooks, documents, packages and models, all of them small.</summary>
internal static partial class SampleContent
{
    public const string ComposeFile = $"{SampleStack.Service}/docker-compose.yml";

    private const string StackFileName = "comfyauth.yml";
    private const string ModelsFolder = "docker-configurations/shared/models";

    /// <summary>What the operators of the original wrote: a page behind the login, which answers 401 for ever.</summary>
    public static ContainerHealthcheck FaultyHealthcheck { get; } = HealthcheckOf("curl -f http://localhost:8188/", TimeSpan.FromSeconds(120));

    /// <summary>What can pass, and waits until everything is installed.</summary>
    public static ContainerHealthcheck Healthcheck { get; } = HealthcheckOf("curl -f http://localhost:8188/login", TimeSpan.FromMinutes(15));

    // The name of each model, and the folder of its kind.
    private static readonly (string Kind, string Name)[] Models = [("diffusion_models", "edit.safetensors"), ("text_encoders", "encoder.safetensors"), ("vae", "vae.safetensors")];

    /// <summary>Lays it out.</summary>
    public static async Task LayOutAsync(string root, CancellationToken stop)
    {
        var model = Model();

        await WriteAsync(StackFileName, StackFileText([]));
        await WriteAsync(ComposeFile, Compose(FaultyHealthcheck));
        foreach (var (kind, name) in Models)
            await WriteBytesAsync($"{ModelsFolder}/{kind}/{name}", model);

        var definition = GenAIStack.Find(root).Definition;
        var content = definition.Content!;
        await WriteAsync(content.Environment!.Path, "# The notebooks need no key.\nCOMFYUI_URL=http://localhost:8188\n");
        await WriteAsync(content.Environment.Template!, "COMFYUI_URL=\n");
        await WriteAsync($"{SampleStack.Service}/.env.example", "CIVITAI_TOKEN=\nHF_TOKEN=\nQWEN_API_TOKEN=\n\n# Login\nCOMFYUI_LOGIN_ENABLED=true\nCOMFYUI_USERNAME=\nCOMFYUI_PASSWORD=\nCOMFYUI_BEARER_TOKEN=\n");
        foreach (var folder in content.Folders)
            Directory.CreateDirectory(Path.Combine(root, folder));
        foreach (var notebook in content.Notebooks.Concat(content.Examples))
            await WriteAsync(notebook, Notebook(Path.GetFileNameWithoutExtension(notebook)));
        foreach (var document in content.Documents.Concat(content.Tutorials))
            await WriteAsync(document, document.EndsWith("TROUBLESHOOTING.md", StringComparison.Ordinal) ? Troubleshooting : $"# {Path.GetFileNameWithoutExtension(document)}\n\nA document of the sample stack.\n");
        foreach (var (name, version) in definition.Python!.Packages)
            await WriteAsync($".venv/lib/python3.11/site-packages/{name.Replace('-', '_')}-{version}.dist-info/METADATA", $"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");

        // Saved by an editor on Windows: a byte order mark, which Jupyter refuses.
        var marked = content.Notebooks[0];
        await WriteBytesAsync(marked, [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Notebook(Path.GetFileNameWithoutExtension(marked)))]);

        Task WriteAsync(string path, string text) => WriteBytesAsync(path, Encoding.UTF8.GetBytes(text));

        Task WriteBytesAsync(string path, byte[] bytes)
        {
            var full = Path.Combine(root, path);
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            return File.WriteAllBytesAsync(full, bytes, stop);
        }
    }

    /// <summary>Does what the remedy of the healthcheck says, as a person would.</summary>
    public static Task MendHealthcheckAsync(string root, CancellationToken stop) =>
        File.WriteAllTextAsync(Path.Combine(root, ComposeFile), Compose(Healthcheck), stop);

    /// <summary>Writes down where the services are.</summary>
    public static Task WriteAddressesAsync(string root, IReadOnlyList<ServiceDefinition> services, CancellationToken stop) =>
        File.WriteAllTextAsync(Path.Combine(root, StackFileName), StackFileText(services), stop);

    /// <summary>Gives the compose file the port that the system chose for comfyui-qwen, as if its operator had.</summary>
    public static async Task WritePortAsync(string root, int port, CancellationToken stop)
    {
        var path = Path.Combine(root, ComposeFile);
        await File.WriteAllTextAsync(path, PublishedPort().Replace(await File.ReadAllTextAsync(path, stop), $"127.0.0.1:{port}:"), stop);
    }

    /// <summary>Nothing is asked of a network: the sample has no external APIs, and its models are not those of the original.</summary>
    private static string StackFileText(IReadOnlyList<ServiceDefinition> services)
    {
        var text = new StringBuilder($$"""
            version: 1
            apis:
              openai: { remove: true }
              openrouter: { remove: true }
            services:
              comfyui-qwen:
                modelsFolder: {{ModelsFolder}}
                models:

            """);
        foreach (var (kind, name) in Models)
            text.Append(CultureInfo.InvariantCulture, $"      - {{ file: {kind}/{name}, size: {Model().Length} }}\n");
        foreach (var service in services)
            text.Append(service.Auth == AuthKind.ComfyUILogin ? $"    url: {service.Url}\n" : $"  {service.Name}: {{ url: '{service.Url}' }}\n");
        return text.ToString();
    }

    private static ContainerHealthcheck HealthcheckOf(string command, TimeSpan startPeriod) =>
        new() { Test = ["CMD-SHELL", command], Interval = TimeSpan.FromSeconds(30), Timeout = TimeSpan.FromSeconds(10), StartPeriod = startPeriod, Retries = 5 };

    private static string Compose(ContainerHealthcheck healthcheck) => $$"""
        services:
          comfyui-qwen:
            image: python:3.11
            container_name: comfyui-qwen
            restart: unless-stopped
            init: true
            user: "1000:1000"
            mem_limit: 48g
            ports: ["127.0.0.1:8188:8188"]
            env_file: .env
            volumes:
              - { type: bind, source: ./.secrets/PASSWORD, target: /workspace/ComfyUI/login/PASSWORD, read_only: true, bind: { create_host_path: false } }
            healthcheck:
              test: {{healthcheck.Test[1]}}
              interval: {{healthcheck.Interval.TotalSeconds}}s
              timeout: {{healthcheck.Timeout.TotalSeconds}}s
              start_period: {{healthcheck.StartPeriod.TotalSeconds}}s
              retries: {{healthcheck.Retries}}
            logging: { driver: json-file, options: { max-size: 10m, max-file: "3" } }
            deploy:
              resources:
                reservations:
                  devices: [{ driver: nvidia, count: all, capabilities: [gpu] }]

        """;

    private static string Notebook(string title) => $$"""
        {
         "cells": [
          { "cell_type": "markdown", "metadata": {}, "source": ["# {{title}}"] },
          { "cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": ["print('hello')"] }
         ],
         "metadata": { "kernelspec": { "display_name": "Python 3", "language": "python", "name": "python3" } },
         "nbformat": 4,
         "nbformat_minor": 4
        }

        """;

    private const string Troubleshooting = """
        # Troubleshooting

        ## The container is unhealthy

        The healthcheck of comfyui-qwen asks a page behind the login, which answers 401. Let it ask /login.

        ## The API answers 401

        The bearer token is the bcrypt hash in login/PASSWORD. A hash without quotes in a .env file is cut by Docker Compose.

        ## A notebook does not open

        It was saved with a byte order mark. Save it as UTF-8 without one.

        """;

    /// <summary>A model file with one tensor of four bytes.</summary>
    private static byte[] Model()
    {
        var header = """{"weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""u8;
        var file = new byte[sizeof(ulong) + header.Length + sizeof(float)];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)header.Length);
        header.CopyTo(file.AsSpan(sizeof(ulong)));
        return file;
    }

    [GeneratedRegex("127\\.0\\.0\\.1:[0-9]+:", RegexOptions.CultureInvariant)]
    private static partial Regex PublishedPort();
}
