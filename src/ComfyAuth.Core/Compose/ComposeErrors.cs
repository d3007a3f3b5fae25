using ComfyAuth.Secrets;

namespace ComfyAuth.Compose;

/// <summary>The errors of reading compose files.</summary>
internal static class ComposeErrors
{
    private static readonly SecretRedactor Redactor = new();

    /// <summary>The parser's messages and the names in ours may quote a broken file, so both are redacted.</summary>
    public static ComfyAuthException Invalid(ComposePlace place, string problem, string remedy) =>
        new("ComposeFileInvalid", $"{place}: {Redactor.Redact(problem)}.", Redactor.Redact(remedy));
}
