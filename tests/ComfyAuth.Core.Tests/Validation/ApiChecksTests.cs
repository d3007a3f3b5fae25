using ComfyAuth.Tests.Comfy;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class ApiChecksTests : IDisposable
{
    private const string Key = "sk-test-Abc123Def456";

    private readonly ContentFolder _folder = new("");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("api.key.present")]
    [InlineData("api.reachable")]
    [InlineData("api.key.accepted")]
    public async Task What_nobody_uses_is_skipped(string id)
    {
        Assert.Equal(CheckStatus.Skipped, (await RunAsync(id)).Status);
        _folder.Define("defaults: false\n");
        Assert.Equal(CheckStatus.Skipped, (await RunAsync(id)).Status);
    }

    [Theory]
    [InlineData("", "openai: OPENAI_API_KEY is not in nb/.env")]
    [InlineData("OPENAI_API_KEY=\n", "openai: OPENAI_API_KEY of nb/.env is empty or a placeholder")]
    [InlineData("OPENAI_API_KEY=your-key-here\n", "openai: OPENAI_API_KEY of nb/.env is empty or a placeholder")]
    [InlineData("OPENAI_API_KEY='sk a'\n", "openai: OPENAI_API_KEY of nb/.env holds a character that no key has")]
    [InlineData("OPENAI_API_KEY\n", "openai: OPENAI_API_KEY of nb/.env has no value")]
    [InlineData(null, "openai: there is no file nb/.env")]
    public async Task A_missing_key_fails(string? text, string evidence)
    {
        _folder.Define("content: { folder: nb }\napis: { openrouter: { remove: true } }\n");
        if (text is not null)
            _folder.Write("nb/.env", text);

        var result = await RunAsync("api.key.present");

        Assert.Equal((CheckStatus.Failed, "openai has no key."), (result.Status, result.Message));
        Assert.Equal([evidence], result.Evidence);
        Assert.Equal(CheckStatus.Skipped, (await RunAsync("api.reachable")).Status);
        Assert.Equal(CheckStatus.Skipped, (await RunAsync("api.key.accepted")).Status);
    }

    [Fact]
    public async Task A_key_of_the_environment_is_worth_a_warning_and_is_sent_nowhere()
    {
        await using var server = new RawServer(_ => RawServer.Status("200 OK"));
        Define(server);
        _folder.Write("keys.env", "OTHER=1\n");
        var shell = new Dictionary<string, string> { ["MY_KEY"] = Key };

        Assert.Equal(CheckStatus.Warning, (await CheckRun.OneAsync(_folder.Stack, "api.key.present", shell)).Status);
        Assert.Equal(CheckStatus.Skipped, (await CheckRun.OneAsync(_folder.Stack, "api.key.accepted", shell)).Status);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_file_that_cannot_be_parsed_is_an_error()
    {
        _folder.Define("content: { folder: nb }\n");
        _folder.Write("nb/.env", "A B C\n\"\n");

        Assert.Equal(CheckStatus.Error, (await RunAsync("api.key.present")).Status);
    }

    [Theory]
    [InlineData("200 OK", CheckStatus.Passed, CheckStatus.Passed)]
    [InlineData("401 Unauthorized", CheckStatus.Passed, CheckStatus.Failed)]
    [InlineData("402 Payment Required", CheckStatus.Passed, CheckStatus.Warning)]
    [InlineData("403 Forbidden", CheckStatus.Passed, CheckStatus.Warning)]
    [InlineData("404 Not Found", CheckStatus.Passed, CheckStatus.Error)]
    [InlineData("429 Too Many Requests", CheckStatus.Passed, CheckStatus.Error)]
    [InlineData("302 Found", CheckStatus.Error, CheckStatus.Error)]
    [InlineData("500 Oops", CheckStatus.Error, CheckStatus.Error)]
    public async Task What_the_api_answers_decides(string status, CheckStatus reachable, CheckStatus accepted)
    {
        await using var server = new RawServer(_ => RawServer.Status(status, "Location: http://localhost:1/\r\n"));
        Define(server);
        _folder.Write("keys.env", $"MY_KEY={Key}\n");

        Assert.Equal(CheckStatus.Passed, (await RunAsync("api.key.present")).Status);
        Assert.Equal(reachable, (await RunAsync("api.reachable")).Status);
        Assert.DoesNotContain("Authorization", Assert.Single(server.Requests), StringComparison.OrdinalIgnoreCase);

        var result = await RunAsync("api.key.accepted");
        Assert.Equal(accepted, result.Status);
        Assert.StartsWith("mine (127.0.0.1) answers ", Assert.Single(result.Evidence), StringComparison.Ordinal);
        Assert.Equal(2, server.Requests.Count);
        Assert.StartsWith("GET /base/free HTTP/1.1", server.Requests.Last(), StringComparison.Ordinal);
        Assert.Contains($"Authorization: Bearer {Key}\r\n", server.Requests.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_not_sent_where_a_redirect_leads()
    {
        await using var thief = new RawServer(_ => RawServer.Status("200 OK"));
        await using var server = new RawServer(_ => RawServer.Status("307 Temporary Redirect", $"Location: {thief.Url}\r\n"));
        Define(server);
        _folder.Write("keys.env", $"MY_KEY={Key}\n");

        await RunAsync("api.key.accepted");

        Assert.Empty(thief.Requests);
    }

    [Fact]
    public async Task A_broken_connection_is_an_error_and_no_fault_of_the_key()
    {
        await using var server = new RawServer((_, connection, _) => RawServer.Reset(connection));
        Define(server);
        _folder.Write("keys.env", $"MY_KEY={Key}\n");

        Assert.Equal(CheckStatus.Error, (await RunAsync("api.reachable")).Status);
        Assert.Equal(CheckStatus.Error, (await RunAsync("api.key.accepted")).Status);
    }

    [Fact]
    public async Task Nobody_there_is_an_error()
    {
        using var nobody = new ClosedPort();
        _folder.Define($"defaults: false\napis: {{ mine: {{ url: 'http://127.0.0.1:{nobody.Number}', path: /free, variable: MY_KEY, file: keys.env }} }}\n");
        _folder.Write("keys.env", $"MY_KEY={Key}\n");

        Assert.Equal(CheckStatus.Error, (await RunAsync("api.key.accepted")).Status);
    }

    private void Define(RawServer server) => _folder.Define($"defaults: false\napis: {{ mine: {{ url: '{server.Url}base', path: /free, variable: MY_KEY, file: keys.env }} }}\n");

    private Task<CheckResult> RunAsync(string id) => CheckRun.OneAsync(_folder.Stack, id);
}
