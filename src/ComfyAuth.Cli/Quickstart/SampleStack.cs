using System.Text;
using ComfyAuth.Files;
using ComfyAuth.Secrets;

namespace ComfyAuth.Cli.Quickstart;

/// <summary>
/// A stack like the original's, with the faults that its operators met. Every secret in it is made for the occasion.
/// </summary>
internal static class SampleStack
{
    /// <summary>The folder of the service whose faults are shown.</summary>
    public const string Service = "docker-configurations/services/comfyui-qwen";

    /// <summary>Lays the stack out in an empty folder.</summary>
    public static async Task LayOutAsync(string root, SecretRedactor redactor, CancellationToken cancellationToken)
    {
        var (password, hash) = NewCredential(redactor, cancellationToken);
        var (otherPassword, otherHash) = NewCredential(redactor, cancellationToken);
        var civitai = Random(redactor);
        var huggingFace = Random(redactor);
        var qwen = Random(redactor);

        Directory.CreateDirectory(root);
        await using var transaction = await FileTransaction.BeginAsync(root, cancellationToken: cancellationToken);
        Write(".secrets/comfyui_auth_tokens.conf", $$"""
            {
              "version": "1.0",
              "created_at": "2025-10-30T22:00:00Z",
              "raw_token": "{{password}}",
              "bcrypt_hash": "{{hash}}"
            }

            """);
        Write(".env", $"""
            # Shared by every service of the stack
            COMFYUI_API_TOKEN='{hash}'
            COMFYUI_RAW_TOKEN={password}
            TZ=Europe/Paris

            """);

        // A token from before the last rotation.
        Write(".secrets/qwen-api-user.token", otherHash);
        Write($"{Service}/.secrets/qwen-api-user.token", hash);

        // Saved by an editor on Windows: bearer calls pass, the web login never does.
        Write($"{Service}/.secrets/PASSWORD", $"{hash}\r\nadmin\r\n");

        // The hash without quotes, a password that it is not of, and no COMFYUI_LOGIN_ENABLED.
        Write($"{Service}/.env", $"""
            # ComfyUI with the Qwen image-edit models
            CIVITAI_TOKEN={civitai}
            HF_TOKEN={huggingFace}
            QWEN_API_TOKEN={qwen}

            # Login
            COMFYUI_USERNAME=admin
            COMFYUI_PASSWORD={otherPassword}
            COMFYUI_BEARER_TOKEN={hash}

            # GPU
            GPU_DEVICE_ID=0
            COMFYUI_PORT=8188

            """);
        await transaction.CommitAsync(cancellationToken);
        await SampleContent.LayOutAsync(root, cancellationToken);

        void Write(string path, string text) => transaction.Write(path, Encoding.UTF8.GetBytes(text), FileProtection.OwnerOnly);
    }

    /// <summary>
    /// A password and its hash; the salt starts with a letter, so that Compose v2 takes it for a variable's name.
    /// </summary>
    private static (string Password, string Hash) NewCredential(SecretRedactor redactor, CancellationToken cancellationToken)
    {
        var password = RandomSecret.Create();
        redactor.Register(password);
        while (true)
        {
            var hash = Bcrypt.Hash(password, cancellationToken: cancellationToken);
            redactor.Register(hash);
            if (char.IsAsciiLetter(hash.Reveal()["$2b$12$".Length]))
                return (password.Reveal(), hash.Reveal());
        }
    }

    private static string Random(SecretRedactor redactor)
    {
        var secret = RandomSecret.Create();
        redactor.Register(secret);
        return secret.Reveal();
    }
}
