using ComfyAuth.Compose;

namespace ComfyAuth.Tests.Compose;

/// <summary>Reads compose texts as if they stood in one folder.</summary>
internal static class ComposeText
{
    public static readonly string Folder = Path.GetFullPath("/stack");

    public static ComposeFile Load(params string[] texts) => Load(texts, _ => null);

    public static ComposeFile Load(string[] texts, Func<string, string?> environment, params string[] profiles) => ComposeFile.Parse(
        [.. texts.Select((text, index) => (Path.Combine(Folder, index == 0 ? "docker-compose.yml" : $"docker-compose.{index}.yml"), text))],
        environment,
        profiles,
        environmentFile: null);

    public static ComposeService Service(params string[] texts) => Assert.Single(Load(texts).Services);

    /// <summary>The only service, called web, with these lines below it.</summary>
    public static ComposeService Web(string lines) => Service("services:\n  web:\n    " + lines.Trim().ReplaceLineEndings("\n    ") + "\n");

    public static string Data(string name) => Path.Combine(AppContext.BaseDirectory, "Compose", "data", name);
}
