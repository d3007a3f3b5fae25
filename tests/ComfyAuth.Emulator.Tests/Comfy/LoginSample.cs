using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests;

namespace ComfyAuth.Emulator.Tests.Comfy;

/// <summary>A server whose login is in one of the states that happen.</summary>
internal static class LoginSample
{
    public static readonly SecretText Password = new("correct-horse");
    public static readonly BcryptHash Hash = Bcrypt.Hash(Password, Bcrypt.MinimumCost);
    public static readonly BcryptHash OtherHash = Bcrypt.Hash(new("other-horse"), Bcrypt.MinimumCost);

    public static async Task<EmulatedComfyUI> StartAsync(TemporaryFolder folder, string state, CancellationToken stop)
    {
        var text = state switch
        {
            "set" or "cors" or "cors-any" => $"{Hash.Reveal()}\nadmin\n",
            "hash" => Hash.Reveal(),
            "crlf" => $"{Hash.Reveal()}\r\nadmin\r\n",
            "bom" => $"\uFEFF{Hash.Reveal()}\nadmin\n",
            "word" => "plainword\nadmin\n",
            "empty" => "",
            _ => null,
        };
        if (text is not null)
            folder.Write("login/PASSWORD", text);
        return await EmulatedComfyUI.StartAsync(
            new()
            {
                PasswordFile = state == "open" ? null : folder.PathOf("login/PASSWORD"),
                CorsOrigin = state switch { "cors" => "https://site.example", "cors-any" => "*", _ => null },
            },
            stop);
    }

    /// <summary>What stands in the file of the password; null: there is none.</summary>
    public static string? FileOf(TemporaryFolder folder) => File.Exists(folder.PathOf("login/PASSWORD")) ? folder.Read("login/PASSWORD") : null;

    public static ServiceDefinition Service(Uri url, AuthKind auth = AuthKind.ComfyUILogin) => new() { Name = "comfyui-qwen", Container = "comfyui-qwen", Url = url, HealthPath = "/system_stats", Auth = auth };

    public static string Letter(bool? reading) => reading switch { true => "y", false => "n", null => "?" };
}
