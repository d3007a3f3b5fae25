using ComfyAuth.DotEnv;

namespace ComfyAuth.Stacks;

/// <summary>
/// The layout of the original stack, so that it works with no stack file at all.
/// </summary>
public static class DefaultLayout
{
    /// <summary>The source of truth.</summary>
    public const string Source = ".secrets/comfyui_auth_tokens.conf";

    /// <summary>A <c>.env</c> file that may hold the token of the model hub.</summary>
    public const string HuggingFaceFile = ".secrets/.env.huggingface";

    /// <summary>Folders where the Qwen service may stand, the newer place first.</summary>
    public static IReadOnlyList<string> QwenFolders { get; } =
        ["docker-configurations/services/comfyui-qwen", "docker-configurations/comfyui-qwen"];

    /// <summary>Variables that hold the hash. One secret, many names: each script of the original had its own.</summary>
    public static IReadOnlyList<string> HashVariables { get; } =
        ["COMFYUI_API_TOKEN", "COMFYUI_BEARER_TOKEN", "COMFYUI_AUTH_TOKEN", "QWEN_API_USER_TOKEN"];

    /// <summary>Variables that hold the password that the hash is of.</summary>
    public static IReadOnlyList<string> PasswordVariables { get; } = ["COMFYUI_RAW_TOKEN", "COMFYUI_PASSWORD"];

    /// <summary>The variable that holds the user name.</summary>
    public const string UserNameVariable = "COMFYUI_USERNAME";

    /// <summary>Variables that the Qwen service's <c>.env</c> cannot do without.</summary>
    public static IReadOnlyList<string> RequiredVariables { get; } =
    [
        "CIVITAI_TOKEN", "HF_TOKEN", "QWEN_API_TOKEN", "COMFYUI_BEARER_TOKEN",
        "COMFYUI_LOGIN_ENABLED", "COMFYUI_USERNAME", "COMFYUI_PASSWORD",
    ];

    /// <summary>The folder that the notebooks lie in.</summary>
    public const string NotebooksFolder = "MyIA.AI.Notebooks/GenAI";

    /// <summary>The APIs that the notebooks call. The list of models of OpenRouter is public, so that only <c>/api/v1/key</c> tells whether a key is valid.</summary>
    public static IReadOnlyList<ExternalApi> Apis { get; } =
    [
        new() { Name = "openai", Url = new Uri("https://api.openai.com"), Path = "/v1/models", Variable = "OPENAI_API_KEY" },
        new() { Name = "openrouter", Url = new Uri("https://openrouter.ai"), Path = "/api/v1/key", Variable = "OPENROUTER_API_KEY" },
    ];

    /// <summary>The Python packages that the notebooks need.</summary>
    public static PythonDefinition Python { get; } = new()
    {
        Packages = new Dictionary<string, string>
        {
            ["openai"] = "1.3.0",
            ["Pillow"] = "10.0.0",
            ["requests"] = "2.31.0",
            ["python-dotenv"] = "1.0.0",
            ["jupyter"] = "1.0.0",
        },
    };

    /// <summary>The folder of the model files.</summary>
    public const string ModelsFolder = "docker-configurations/shared/models";

    /// <summary>The FP8 models of Qwen image edit, with the sizes and hashes that the hub gives them.</summary>
    public static IReadOnlyList<ModelFile> QwenModels { get; } =
    [
        new()
        {
            Name = "qwen_image_edit_2509_fp8_e4m3fn.safetensors",
            Kind = "diffusion_models",
            SizeInBytes = 20_430_698_424,
            Sha256 = "318568f61951ab9da21100c7b896e3c1da67f0d2efad6421545e022cfaa2b2b4",
            Repository = "Comfy-Org/Qwen-Image-Edit_ComfyUI",
            PathInRepository = "split_files/diffusion_models/qwen_image_edit_2509_fp8_e4m3fn.safetensors",
        },
        new()
        {
            Name = "qwen_2.5_vl_7b_fp8_scaled.safetensors",
            Kind = "text_encoders",
            SizeInBytes = 9_384_670_680,
            Sha256 = "cb5636d852a0ea6a9075ab1bef496c0db7aef13c02350571e388aea959c5c0b4",
            Repository = "Comfy-Org/Qwen-Image_ComfyUI",
            PathInRepository = "split_files/text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors",
        },
        new()
        {
            Name = "qwen_image_vae.safetensors",
            Kind = "vae",
            SizeInBytes = 253_806_246,
            Sha256 = "a70580f0213e67967ee9c95f05bb400e8fb08307e017a924bf3441223e023d1f",
            Repository = "Comfy-Org/Qwen-Image_ComfyUI",
            PathInRepository = "split_files/vae/qwen_image_vae.safetensors",
        },
    ];

    /// <summary>Describes the original stack under a root.</summary>
    /// <param name="root">The stack's root; decides which of the two places of the Qwen service is meant.</param>
    /// <returns>The definition; nothing in it is checked to exist.</returns>
    public static StackDefinition Describe(string root)
    {
        var qwen = QwenFolders.FirstOrDefault(folder => Directory.Exists(System.IO.Path.Combine(root, folder))) ?? QwenFolders[0];
        return new StackDefinition
        {
            Source = Source,
            Services = [Qwen(qwen), Flux, StableDiffusion, Orchestrator],
            Content = Content(NotebooksFolder),
            Apis = Apis,
            Python = Python,
        };
    }

    /// <summary>Describes the notebooks of the original stack, and what belongs to them.</summary>
    /// <param name="folder">The folder that they lie in.</param>
    /// <returns>The definition; nothing in it is checked to exist.</returns>
    public static ContentDefinition Content(string folder) => new()
    {
        Folder = folder,
        Folders = In(
            folder,
            "00-GenAI-Environment", "01-Images-Foundation", "02-Images-Advanced", "03-Images-Orchestration",
            "04-Images-Applications", "tutorials", "examples", "outputs"),
        Notebooks = In(
            folder,
            "00-GenAI-Environment/00-1-Environment-Setup.ipynb",
            "00-GenAI-Environment/00-3-API-Endpoints-Configuration.ipynb",
            "00-GenAI-Environment/00-4-Environment-Validation.ipynb",
            "01-Images-Foundation/01-1-OpenAI-DALL-E-3.ipynb",
            "01-Images-Foundation/01-2-GPT-5-Image-Generation.ipynb",
            "01-Images-Foundation/01-3-Basic-Image-Operations.ipynb",
            "04-Images-Applications/04-1-Educational-Content-Generation.ipynb",
            "04-Images-Applications/04-2-Creative-Workflows.ipynb",
            "04-Images-Applications/04-3-Production-Integration.ipynb"),
        Documents = [.. In(folder, "README.md", "INDEX.md", "TROUBLESHOOTING.md", "DEPLOYMENT.md"), "docs/genai-images-mission-complete.md"],
        Tutorials = In(
            folder,
            "tutorials/dalle3-complete-guide.md", "tutorials/gpt5-image-analysis-guide.md",
            "tutorials/openrouter-ecosystem-guide.md", "tutorials/educational-workflows.md"),
        Examples = In(
            folder,
            "examples/science-diagrams.ipynb", "examples/history-geography.ipynb",
            "examples/literature-visual.ipynb", "examples/mathematics-physics.ipynb"),
        Environment = NotebookEnvironment(folder),
    };

    /// <summary>The <c>.env</c> file beside notebooks; they read it with python-dotenv.</summary>
    internal static EnvironmentFile NotebookEnvironment(string folder) => new()
    {
        Path = $"{folder}/.env",
        Template = $"{folder}/.env.example",
        Consumers = DotEnvConsumer.ComposeV1,
    };

    private static string[] In(string folder, params string[] names) => [.. names.Select(name => $"{folder}/{name}")];

    private static ServiceDefinition Qwen(string folder) => new()
    {
        Name = "comfyui-qwen",
        Container = "comfyui-qwen",
        Url = new Uri("http://localhost:8188"),
        HealthPath = "/system_stats",
        Auth = AuthKind.ComfyUILogin,
        ComposeFile = $"{folder}/docker-compose.yml",
        Environment = new EnvironmentFile
        {
            Path = $"{folder}/.env",
            Template = $"{folder}/.env.example",
            Required = RequiredVariables,
        },
        TokenLocations =
        [
            .. EnvironmentLocations(".env", TokenPresence.Always, "COMFYUI_API_TOKEN", "COMFYUI_RAW_TOKEN"),
            File(".secrets/qwen-api-user.token", TokenFormat.TokenFile, TokenPresence.Always),
            .. EnvironmentLocations($"{folder}/.env", TokenPresence.Always, "COMFYUI_BEARER_TOKEN", "COMFYUI_PASSWORD", UserNameVariable),
            File($"{folder}/.secrets/qwen-api-user.token", TokenFormat.TokenFile, TokenPresence.Always),
            File($"{folder}/.secrets/PASSWORD", TokenFormat.PasswordFile, TokenPresence.WhenPresent),
            File($"{folder}/workspace/ComfyUI/login/PASSWORD", TokenFormat.PasswordFile, TokenPresence.WhenPresent),
            .. EnvironmentLocations($"{NotebooksFolder}/.env", TokenPresence.WhenFileExists, "COMFYUI_API_TOKEN"),
        ],
        ModelsFolder = ModelsFolder,
        Models = QwenModels,
    };

    private static ServiceDefinition Flux { get; } = new()
    {
        Name = "flux-1-dev",
        Container = "coursia-flux-1-dev",
        Url = new Uri("http://localhost:8189"),
        HealthPath = "/system_stats",
    };

    private static ServiceDefinition StableDiffusion { get; } = new()
    {
        Name = "sd35",
        Container = "coursia-sd35",
        Url = new Uri("http://localhost:8190"),
        HealthPath = "/health",
    };

    private static ServiceDefinition Orchestrator { get; } = new()
    {
        Name = "orchestrator",
        Container = "coursia-genai-orchestrator",
        Url = new Uri("http://localhost:8090"),
        HealthPath = "/health",
    };

    private static TokenLocation File(string path, TokenFormat format, TokenPresence presence) =>
        new() { Path = path, Format = format, Presence = presence };

    /// <summary>The variables that a file must hold, and every other name of the same secret that it may hold.</summary>
    private static IEnumerable<TokenLocation> EnvironmentLocations(string path, TokenPresence presence, params string[] expected)
    {
        var names = expected.Concat(HashVariables).Concat(PasswordVariables).Append(UserNameVariable).Distinct();
        return names.Select(name => new TokenLocation
        {
            Path = path,
            Format = TokenFormat.DotEnv,
            Variable = name,
            Role = RoleOf(name),
            Presence = expected.Contains(name) ? presence : TokenPresence.WhenPresent,
        });
    }

    /// <summary>Which part of the credential a variable of the original stack holds.</summary>
    /// <param name="variable">The variable's name.</param>
    /// <returns>The role; <see cref="TokenRole.Hash"/> for a name that the original stack did not use.</returns>
    public static TokenRole RoleOf(string variable) =>
        PasswordVariables.Contains(variable) ? TokenRole.Password
        : variable == UserNameVariable ? TokenRole.UserName
        : TokenRole.Hash;
}
