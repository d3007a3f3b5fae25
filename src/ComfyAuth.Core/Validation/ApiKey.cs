using ComfyAuth.DotEnv;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Validation;

/// <summary>The key of an API, as it stands in its <c>.env</c> file.</summary>
/// <param name="Api">The API.</param>
/// <param name="File">The file, relative to the root.</param>
internal sealed record ApiKey(ExternalApi Api, string File)
{
    /// <summary>The key; null where there is none, or a placeholder. A secret.</summary>
    public string? Value { get; init; }

    /// <summary>Why there is none, as a clause.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Whether the file could not be read, so that nothing is known.</summary>
    public bool IsUnknown { get; init; }

    /// <summary>Whether the variable is set in the environment of this process.</summary>
    public bool IsInShell { get; init; }

    /// <summary>Reads the key as python-dotenv does. The environment is not looked into for it: a stack file could name any variable of it, and any address.</summary>
    public static ApiKey Of(ExternalApi api, string path, StackFiles files, Func<string, string?> shell)
    {
        var key = new ApiKey(api, path) { IsInShell = !string.IsNullOrWhiteSpace(shell(api.Variable)) };
        var file = files.Get(path);
        if (file.Problem == TokenState.Missing)
            return key with { Reason = $"there is no file {path}" };
        if (file.Problem is not null)
            return key with { Reason = $"{path} cannot be read: {file.Evidence}", IsUnknown = true };

        try
        {
            return file.Document.Read(api.Variable, DotEnvConsumer.ComposeV1) switch
            {
                null => key with { Reason = $"{api.Variable} is not in {path}" },
                { Failure: { } failure } => key with { Reason = $"{api.Variable} of {path} cannot be read: {failure}", IsUnknown = true },
                { Value: { } value } when Environments.EnvironmentValidator.IsPlaceholder(value) => key with { Reason = $"{api.Variable} of {path} is empty or a placeholder" },
                { Value: { } value } when value.AsSpan().ContainsAnyExceptInRange('!', '~') => key with { Reason = $"{api.Variable} of {path} holds a character that no key has" },
                var reading => key with { Value = reading.Value, Reason = $"{api.Variable} of {path} has no value" },
            };
        }
        catch (DotEnvSyntaxException error)
        {
            return key with { Reason = error.Message.TrimEnd('.'), IsUnknown = true };
        }
    }
}
