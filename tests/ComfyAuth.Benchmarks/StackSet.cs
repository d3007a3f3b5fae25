using ComfyAuth.Secrets;

namespace ComfyAuth.Benchmarks;

/// <summary>
/// Stacks of the default layout that share one credential: a source of truth and five files each, all five of which
/// still hold the credential before.
/// </summary>
internal sealed class StackSet
{
    private const string Service = "docker-configurations/services/comfyui-qwen";

    private readonly (string Password, string Hash) _current = NewCredential();
    private readonly (string Password, string Hash) _old = NewCredential();

    /// <summary>Lays the stacks out in a folder that does not exist yet.</summary>
    public void LayOut(string folder, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var root = Path.Combine(folder, $"stack-{i:00000}");
            Write(root, ".secrets/comfyui_auth_tokens.conf", $$"""
                {
                  "version": "1.0",
                  "created_at": "2025-10-30T22:00:00Z",
                  "raw_token": "{{_current.Password}}",
                  "bcrypt_hash": "{{_current.Hash}}"
                }

                """);
            Write(root, ".env", $"# Shared by every service\nCOMFYUI_API_TOKEN='{_old.Hash}'\nCOMFYUI_RAW_TOKEN={_old.Password}\nTZ=Europe/Paris\n");
            Write(root, ".secrets/qwen-api-user.token", _old.Hash);
            Write(root, $"{Service}/.env", $"""
                # ComfyUI with the Qwen image-edit models
                CIVITAI_TOKEN=0123456789abcdef
                HF_TOKEN=hf_0123456789abcdef
                QWEN_API_TOKEN=0123456789abcdef

                # Login
                COMFYUI_LOGIN_ENABLED=true
                COMFYUI_USERNAME=admin
                COMFYUI_PASSWORD={_old.Password}
                COMFYUI_BEARER_TOKEN='{_old.Hash}'
                GUEST_MODE_ENABLED=false

                # GPU
                GPU_DEVICE_ID=0
                CUDA_VISIBLE_DEVICES=0
                COMFYUI_PORT=8188
                TZ=Europe/Paris

                """);
            Write(root, $"{Service}/.secrets/qwen-api-user.token", _old.Hash);
            Write(root, "MyIA.AI.Notebooks/GenAI/.env", $"COMFYUI_URL=http://localhost:8188\nCOMFYUI_API_TOKEN='{_old.Hash}'\n");
        }
    }

    private static (string Password, string Hash) NewCredential()
    {
        var password = RandomSecret.Create();
        return (password.Reveal(), Bcrypt.Hash(password).Reveal());
    }

    private static void Write(string root, string path, string text)
    {
        var full = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(full, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
