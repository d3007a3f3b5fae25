using System.Text;
using ComfyAuth.Emulator.Hub;
using ComfyAuth.Installation;
using ComfyAuth.Stacks;

namespace ComfyAuth.Emulator.Tests.Installation;

/// <summary>Small files in place of the models.</summary>
internal static class StandInModels
{
    /// <summary>Puts stand-ins of 200 to 300 KB onto a hub.</summary>
    /// <param name="hub">The hub.</param>
    /// <param name="port">The port of the service.</param>
    /// <param name="description">The text of the stack file that an installation lays out, with the sizes and digests of the stand-ins.</param>
    public static IReadOnlyList<HostedFile> Add(EmulatedHub hub, int port, out string description)
    {
        List<HostedFile> models = [.. DefaultLayout.QwenModels.Select((model, index) => new HostedFile(model.Repository!, model.PathInRepository!, HubContent.Safetensors(200_000 + (50_000 * index), index + 1)))];
        foreach (var model in models)
            hub.Add(model);
        description = Encoding.UTF8.GetString(DeploymentTemplates.Plan(Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), new() { Cpu = true, Port = port }).Missing.Single(file => file.Path == GenAIStack.FileName).Content.Span);
        foreach (var (model, standIn) in DefaultLayout.QwenModels.Zip(models))
        {
            description = description
                .Replace($"size: {model.SizeInBytes}", $"size: {standIn.Content.Length}", StringComparison.Ordinal)
                .Replace(model.Sha256!, standIn.Content.Sha256, StringComparison.Ordinal);
        }

        return models;
    }
}
