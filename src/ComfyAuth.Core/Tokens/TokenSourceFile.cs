using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tokens;

/// <summary>
/// The source of truth, in the original's own format: a JSON object with <c>version</c>, <c>created_at</c>,
/// <c>raw_token</c> (the password), <c>bcrypt_hash</c> and, in some files, <c>password</c>. What else stands in it is kept.
/// </summary>
internal sealed class TokenSourceFile
{
    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly JsonObject _content;

    private TokenSourceFile(JsonObject content) => _content = content;

    /// <summary>A file that does not exist yet.</summary>
    public static TokenSourceFile Empty() => new([]);

    /// <summary>
    /// Parses a file; throws <c>TokenSourceInvalid</c>, which never shows what stands in it.
    /// </summary>
    public static TokenSourceFile Parse(ReadOnlySpan<byte> bytes, string path)
    {
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[Encoding.UTF8.Preamble.Length..];

        JsonNode? node;
        try
        {
            node = JsonNode.Parse(bytes, documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            // Reading a member makes the node look at all of them: this is where repeated keys are found.
            _ = (node as JsonObject)?.ContainsKey("");
        }
        catch (JsonException error)
        {
            // The exception's own text may quote the file, so only its place is passed on.
            throw Invalid(path, $"it is not JSON (line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1})");
        }
        catch (ArgumentException)
        {
            throw Invalid(path, "a key stands in it twice");
        }

        return node is JsonObject content ? new(content) : throw Invalid(path, "it is not a JSON object");
    }

    /// <summary>The credential; throws <c>TokenSourceInvalid</c> where the file does not hold one.</summary>
    public TokenCredential Credential(string path)
    {
        if (Text("bcrypt_hash", path) is not { } text)
            throw Invalid(path, "it has no bcrypt_hash");
        if (!BcryptHash.TryParse(text, out var hash, out var reason))
            throw Invalid(path, $"its bcrypt_hash is not a bcrypt hash: {reason}");

        return new TokenCredential(hash, Secret("raw_token", path) ?? Secret("password", path), Text("username", path));
    }

    /// <summary>The password that stands beside raw_token, where a file has both.</summary>
    public SecretText? SecondPassword(string path) => Secret("raw_token", path) is null ? null : Secret("password", path);

    /// <summary>Puts a credential in, leaving every other key as it is; a password is forgotten only with its hash.</summary>
    public void Set(TokenCredential credential, DateTimeOffset now)
    {
        _content["version"] ??= "1.0";
        var hash = credential.Hash.Reveal();
        if (_content["bcrypt_hash"] is not JsonValue old || !old.TryGetValue(out string? text) || text != hash)
        {
            _content["created_at"] = now.ToString("yyyy-MM-ddTHH:mm:ssK", CultureInfo.InvariantCulture);
            _content["bcrypt_hash"] = hash;
            _content["raw_token"] = null;
            if (_content.ContainsKey("password"))
                _content["password"] = null;
        }

        if (credential.Password is { } password)
        {
            _content["raw_token"] = password.Reveal();
            if (_content.ContainsKey("password"))
                _content["password"] = password.Reveal();
        }

        if (credential.UserName is not null)
            _content["username"] = credential.UserName;
    }

    /// <summary>The file's text, indented, with a final newline.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(_content.ToJsonString(Layout) + "\n");

    private SecretText? Secret(string key, string path) => Text(key, path) is { } text ? new SecretText(text) : null;

    private string? Text(string key, string path) => _content[key] switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? text) => text.Length == 0 ? null : text,
        _ => throw Invalid(path, $"its {key} is not a text"),
    };

    private static ComfyAuthException Invalid(string path, string problem) => new(
        "TokenSourceInvalid",
        $"The source of truth '{path}' cannot be used: {problem}.",
        "Put the right file back, or make a new credential: -Rotate (--rotate), -Credential, or -Adopt (--adopt) for a hash that is in use.");
}
