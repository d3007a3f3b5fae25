using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ComfyAuth.Secrets;
using CsCheck;

namespace ComfyAuth.Tests.Secrets;

public sealed class SecretRedactorTests
{
    private const string Hash = "$2b$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Dictionary<string, Func<string, string>> Writers = new(StringComparer.Ordinal)
    {
        ["plain"] = text => text,
        ["percent"] = Uri.EscapeDataString,
        ["percent, lower case"] = text => Lower(Uri.EscapeDataString(text)),
        ["percent, all bytes"] = text => string.Concat(Encoding.UTF8.GetBytes(text).Select(value => $"%{value:X2}")),
        ["form"] = text => WebUtility.UrlEncode(text),
        ["json"] = text => JsonSerializer.Serialize(text),
        ["json, relaxed"] = text => JsonSerializer.Serialize(text, Relaxed),
        ["json, all characters"] = text => string.Concat(text.Select(character => $"\\u{(int)character:x4}")),
        ["json in json"] = text => JsonSerializer.Serialize(JsonSerializer.Serialize(text), Relaxed),
        ["percent in json"] = text => JsonSerializer.Serialize(new { url = "http://localhost/?q=" + Uri.EscapeDataString(text) }),
        ["html"] = text => WebUtility.HtmlEncode(text),
        ["html in json"] = text => JsonSerializer.Serialize(WebUtility.HtmlEncode(text)),
        ["base64"] = text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)),
        ["base64url"] = text => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
        ["base64 in json"] = text => JsonSerializer.Serialize(Convert.ToBase64String(Encoding.UTF8.GetBytes(text))),
        ["base64 in percent"] = text => Uri.EscapeDataString(Convert.ToBase64String(Encoding.UTF8.GetBytes(text))),
        ["compose"] = text => text.Replace("$", "$$", StringComparison.Ordinal),
        ["single quotes, shell"] = text => $"'{text.Replace("'", @"'\''", StringComparison.Ordinal)}'",
        ["single quotes, YAML"] = text => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'",
        ["double quotes, shell"] = text => $"\"{text.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal).Replace("`", "\\`", StringComparison.Ordinal)}\"",
    };

    // Longer than anything that could be in the text by chance, also without the quotes around it.
    private static readonly Gen<string> Secret = Gen.OneOf(
        Gen.Char.AlphaNumeric.Array[8, 40].Select(characters => new string(characters)),
        Gen.Char[' ', '~'].Array[8, 40].Select(characters => new string(characters)),
        Gen.OneOf("a", "Z", "7", " ", "$", "'", "\"", "\\", "%", "+", "/", "=", "&", "#", "é", "ß", "漢", "🔑", "\t", "<", "[", "-").Array[10, 30].Select(string.Concat)).Where(secret => WithoutQuotes(secret).Length >= 8);

    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.Char[' ', '~'].Array[0, 30].Select(characters => new string(characters)),
        Gen.OneOf("", " ", "name: ", "x=", "[", "\"", "'", "\n", "é", "path/", "a&b", "50%", "[redacted]").Array[0, 4].Select(string.Concat));

    public static TheoryData<string> WriterNames() => [.. Writers.Keys];

    public static TheoryData<string> OrdinaryLines() => [.. ReadData("ordinary-lines.txt")];

    public static TheoryData<string, string> Redactions()
    {
        var data = new TheoryData<string, string>();
        foreach (var line in ReadData("redactions.tsv"))
        {
            var fields = line.Split('\t');
            data.Add(fields[0], fields[1].Replace("{fingerprint}", BcryptHash.Parse(Hash).ToString(), StringComparison.Ordinal));
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(OrdinaryLines))]
    public void An_ordinary_line_loses_nothing(string line)
    {
        var redactor = new SecretRedactor();
        redactor.Register(RandomSecret.Create());

        Assert.Same(line, redactor.Redact(line));
    }

    [Theory]
    [MemberData(nameof(Redactions))]
    public void A_secret_is_recognised_by_its_look(string line, string expected) => Assert.Equal(expected, new SecretRedactor().Redact(line));

    [Theory]
    [MemberData(nameof(WriterNames))]
    public void A_known_secret_survives_in_no_encoding(string writer)
    {
        var write = Writers[writer];
        Gen.Select(Secret, Text, Text).Sample(
            (secret, before, after) =>
            {
                var redactor = new SecretRedactor();
                redactor.Register(new SecretText(secret));
                var redacted = redactor.Redact(write(before + secret + after));
                return !Leaks(redacted, secret) && redactor.Redact(redacted) == redacted;
            },
            iter: 1000);
    }

    [Fact]
    public void Redacting_twice_changes_nothing_more()
    {
        string[] secrets = ["redacted", "[redacted]", "d][r", "a[redacted]", "bcrypt:0a1b2c3d", "crypt", "dact", "aaaa", "=[re", "password", Hash];
        var fragment = Gen.OneOf(
            [
                .. secrets, .. ReadData("redactions.tsv").Select(line => line.Split('\t')[0]), "[redacted]", "bcrypt:0a1b2c3d", "a", " ", "\n", "=", ":", "\"", "'", "\\", "TOKEN=",
                "token: ", "Bearer ", "Authorization: ", "?token=", "&", ",", "]", "[", "%24", "$", "://u:", "@", "-----BEGIN PRIVATE KEY-----", "hf_", "sk-",
            ]);
        Gen.Select(fragment.Array[0, 8].Select(string.Concat), Gen.Int[0, (1 << secrets.Length) - 1]).Sample(
            (text, chosen) =>
            {
                var redactor = new SecretRedactor();
                for (var i = 0; i < secrets.Length; i++)
                {
                    if ((chosen & (1 << i)) != 0)
                        redactor.Register(secrets[i]);
                }

                var once = redactor.Redact(text);
                return redactor.Redact(once) == once;
            },
            iter: 5_000);
    }

    [Fact]
    public void The_longest_known_secret_goes_first_and_overlapping_ones_go_together()
    {
        var redactor = new SecretRedactor();
        redactor.Register("secret");
        redactor.Register("secret-longer");
        redactor.Register("longer-tail");

        Assert.Equal("a [redacted] b", redactor.Redact("a secret b"));
        Assert.Equal("a [redacted] b", redactor.Redact("a secret-longer b"));
        Assert.Equal("a [redacted] b", redactor.Redact("a secret-longer-tail b"));
        Assert.Equal("[redacted][redacted]", redactor.Redact("secretsecret"));
    }

    [Fact]
    public void A_known_secret_of_three_characters_does_not_shred_the_text()
    {
        var redactor = new SecretRedactor();
        redactor.Register("abc");
        redactor.Register("a");

        Assert.Equal("abc abacus", redactor.Redact("abc abacus"));
        Assert.Equal("COMFYUI_PASSWORD=[redacted]", redactor.Redact("COMFYUI_PASSWORD=abc"));
    }

    [Fact]
    public void A_known_hash_shows_its_fingerprint_and_its_parts_show_nothing()
    {
        var redactor = new SecretRedactor();
        var hash = BcryptHash.Parse(Hash);
        redactor.Register(hash);
        redactor.Register(default(BcryptHash));

        Assert.Equal($"is {hash}", redactor.Redact($"is {Hash}"));
        Assert.Equal("is [redacted]", redactor.Redact($"is {Hash[7..]}"));
    }

    [Fact]
    public void Nothing_of_nothing_is_nothing()
    {
        var redactor = new SecretRedactor();
        redactor.Register((string?)null);
        redactor.Register("");

        Assert.Equal("", redactor.Redact(null));
        Assert.Equal("", redactor.Redact(""));
    }

    [Fact]
    public void Registering_and_redacting_at_once_is_safe()
    {
        var redactor = new SecretRedactor();
        Parallel.For(0, 200, i =>
        {
            var secret = RandomSecret.Create().Reveal();
            redactor.Register(secret);
            Assert.Equal("is [redacted].", redactor.Redact($"is {secret}."));
            Assert.Equal(i.ToString(CultureInfo.InvariantCulture), redactor.Redact(i.ToString(CultureInfo.InvariantCulture)));
        });
    }

    [Theory]
    [InlineData("a")]
    [InlineData("sk-")]
    [InlineData("hf_")]
    [InlineData("$2b$12$")]
    [InlineData("$$")]
    [InlineData("2b12")]
    [InlineData("_TOKEN")]
    [InlineData("TOKEN=")]
    [InlineData("TOKEN=\"")]
    [InlineData("token='\\\"")]
    [InlineData("token: \\\"\\")]
    [InlineData("?token=")]
    [InlineData("Bearer ")]
    [InlineData("Bearer a")]
    [InlineData("Authorization:")]
    [InlineData("://a:")]
    [InlineData("-----BEGIN PRIVATE KEY-----")]
    [InlineData("-----BEGIN ")]
    [InlineData("%24")]
    [InlineData("\\")]
    [InlineData("\\u0024")]
    [InlineData("&amp;")]
    [InlineData("'\\''")]
    [InlineData("secret")]
    [InlineData("secre")]
    [InlineData("[redacted]")]
    [InlineData("bcrypt:0a1b2c3d ")]
    [InlineData("\n")]
    [InlineData(" ")]
    [InlineData("token=\t")]
    [InlineData("TOKEN:")]
    [InlineData("TOKEN:a")]
    public void A_hostile_line_takes_linear_time(string fragment)
    {
        const int length = 1_000_000;
        var redactor = new SecretRedactor();
        redactor.Register("secret text");
        redactor.Register("secresecresecreX");
        var text = new StringBuilder(length).Insert(0, fragment, length / fragment.Length).ToString();

        // Linear time is below a second, on a busy machine a few; quadratic time would be a quarter of an hour.
        var watch = Stopwatch.StartNew();
        redactor.Redact(text);
        Assert.True(watch.Elapsed < TimeSpan.FromMinutes(3), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public void A_secret_at_the_end_of_ten_megabytes_is_found()
    {
        var redactor = new SecretRedactor();
        redactor.Register("open sesame");
        var line = string.Concat(Enumerable.Repeat("GET /view?filename=a.png&type=output 200 ", 250_000));

        Assert.Equal(line + "[redacted]", redactor.Redact(line + "open sesame"));
    }

    [Fact]
    public void A_description_of_an_error_has_the_chain_and_no_secret_and_no_stack_trace()
    {
        var redactor = new SecretRedactor();
        redactor.Register("hunter22");
        var error = Thrown(() => throw new InvalidOperationException("Login failed.", new AggregateException(new IOException("hunter22 was refused."))));

        Assert.Equal("Login failed. Cause: One or more errors occurred. ([redacted] was refused.)", redactor.Describe(error));
    }

    [Fact]
    public void Each_message_of_a_chain_is_redacted_by_itself()
    {
        var error = new IOException("It began with COMFYUI_PASSWORD=hunter22", new IOException($"The line was COMFYUI_API_TOKEN={Hash}"));

        Assert.Equal(
            $"It began with COMFYUI_PASSWORD=[redacted] Cause: The line was COMFYUI_API_TOKEN={BcryptHash.Parse(Hash)}",
            new SecretRedactor().Describe(error));
    }

    [Fact]
    public void A_line_of_an_environment_file_does_not_swallow_the_cause() =>
        Assert.Equal(
            "COMFYUI_PASSWORD=[redacted] Cause: The disk is full.",
            new SecretRedactor().Describe(new IOException("COMFYUI_PASSWORD=a b", new IOException("The disk is full."))));

    [Theory]
    [InlineData("HF_TOKEN", true)]
    [InlineData("Password", true)]
    [InlineData("openai_api_key", true)]
    [InlineData("MaxTokens", false)]
    [InlineData("Path", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Names_of_secrets_are_recognised(string? name, bool expected) => Assert.Equal(expected, SecretRedactor.IsSecretName(name));

    private static Exception Thrown(Action action) => Record.Exception(action) ?? throw new InvalidOperationException("Nothing was thrown.");

    private static bool Leaks(string redacted, string secret)
    {
        var shown = redacted.Replace("[redacted]", "\uFFFF", StringComparison.Ordinal);
        return Writers.Values.Any(write => shown.Contains(WithoutQuotes(write(secret)), StringComparison.Ordinal));
    }

    private static string WithoutQuotes(string text) => text.Trim('"', '\'', '=');

    private static string Lower(string escaped)
    {
        var lower = escaped.ToCharArray();
        for (var i = 0; i < lower.Length; i++)
        {
            if (lower[i] != '%')
                continue;
            lower[i + 1] = char.ToLowerInvariant(lower[i + 1]);
            lower[i + 2] = char.ToLowerInvariant(lower[i + 2]);
        }

        return new string(lower);
    }

    private static IEnumerable<string> ReadData(string file) => File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Secrets", "data", file));
}
