using System.Text;
using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Models;

/// <summary>A token of the model hub, and where it was found.</summary>
/// <param name="Secret">The token.</param>
/// <param name="Origin">Where it was found, in words, such as <c>the variable HF_TOKEN</c>.</param>
public sealed record HubToken(SecretText Secret, string Origin)
{
    private const int LargestFile = 64 * 1024;

    private static readonly string[] Variables = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

    /// <summary>
    /// Finds the token. The first of these that is given counts: the parameter, <c>HF_TOKEN</c>, <c>HUGGING_FACE_HUB_TOKEN</c>, the stack's
    /// <c>.secrets/.env.huggingface</c>, the file in which the hub's own tools keep it: <c>$HF_TOKEN_PATH</c>, <c>$HF_HOME/token</c>,
    /// <c>$XDG_CACHE_HOME/huggingface/token</c> or <c>~/.cache/huggingface/token</c>.
    /// </summary>
    /// <param name="given">An explicit token, or null.</param>
    /// <param name="stackRoot">The root of a stack, or null.</param>
    /// <param name="environment">Gives the value of an environment variable, or null; null: those of this process.</param>
    /// <returns>The token; null: there is none, and public files need none.</returns>
    /// <remarks>A file that cannot be read is passed over: most files of the hub need no token.</remarks>
    public static HubToken? Find(SecretText? given = null, string? stackRoot = null, Func<string, string?>? environment = null)
    {
        if (given is not null)
            return new(given, "the parameter");

        environment ??= Environment.GetEnvironmentVariable;
        foreach (var variable in Variables)
        {
            if (Of(environment(variable), $"the variable {variable}") is { } token)
                return token;
        }

        if (stackRoot is not null && OfStack(Path.Combine(stackRoot, DefaultLayout.HuggingFaceFile)) is { } ofStack)
            return ofStack;

        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        var file = PathIn("HF_TOKEN_PATH") ?? Path.Combine(PathIn("HF_HOME") ?? Path.Combine(PathIn("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "huggingface"), "token");
        return Of(Text(file), file);

        // No shell has replaced a '~' that comes from a compose file or a service.
        string? PathIn(string variable) =>
            environment(variable) is not { Length: > 0 } path ? null : path is "~" || path.StartsWith("~/", StringComparison.Ordinal) ? home + path[1..] : path;
    }

    private static HubToken? OfStack(string file)
    {
        try
        {
            var document = DotEnvDocument.Parse(Encoding.UTF8.GetBytes(Text(file) ?? ""), file);
            return Variables.Select(variable => Of(document.Get(variable), file)).FirstOrDefault(token => token is not null);
        }
        catch (DotEnvSyntaxException)
        {
            return null;
        }
    }

    // A token that nobody filled in yet is none.
    private static HubToken? Of(string? text, string origin) =>
        text?.Trim() is { Length: > 0 } token && !token.StartsWith("your", StringComparison.OrdinalIgnoreCase) && token[0] is not ('<' or '$') ? new(new(token), origin) : null;

    private static string? Text(string file)
    {
        try
        {
            return new FileInfo(file) is { Exists: true, Length: <= LargestFile } ? File.ReadAllText(file) : null;
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            return null;
        }
    }
}
