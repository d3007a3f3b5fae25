using ComfyAuth.Emulator.Engine;
using ComfyAuth.Emulator.Faults;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Emulator.Tests.Validation;

public sealed class AuthChecksTests
{
    private static readonly string[] Ids = ["auth.api.protected", "auth.api.wrongtoken", "auth.api.token", "auth.web.login", "auth.websocket"];

    [Fact]
    public async Task A_login_that_takes_what_it_should_passes()
    {
        await using var bench = await StackBench.StartAsync();

        var results = await bench.RunAsync(new() { Ids = Ids });

        Assert.Equal(Ids.Order(StringComparer.Ordinal), results.Select(result => result.Id).Order(StringComparer.Ordinal));
        Assert.All(results, result => Assert.Equal(CheckStatus.Passed, result.Status));
        Assert.Equal(["401 without a token", "401 with an empty token"], results.Single(result => result.Id == "auth.api.protected").Evidence);
        Assert.Equal(["200 with ours"], results.Single(result => result.Id == "auth.api.token").Evidence);
        Assert.Equal(2, results.Single(result => result.Id == "auth.websocket").Evidence.Count);
    }

    [Fact]
    public async Task All_checks_of_a_login_log_in_once()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Engine.Change(StackBench.Service, container => container with
        {
            Environment = [$"COMFYUI_BEARER_TOKEN={bench.Files.Credential.Text}"],
            Files = new Dictionary<string, EmulatedFile> { ["/workspace/ComfyUI/login/PASSWORD"] = new(bench.Files.Credential.Text + "\nalice\n") },
        });
        var logins = 0;
        bench.Comfy.Faults = request =>
        {
            if (request.Method == "POST")
                Interlocked.Increment(ref logins);
            return null;
        };

        var results = await bench.RunAsync(new() { Ids = ["auth.*", "token.running"] });

        Assert.Equal(1, logins);
        Assert.Equal(CheckStatus.Passed, results.Single(result => result.Id == "token.running").Status);
        Assert.DoesNotContain(results.Single(result => result.Id == "auth.surface").Evidence, line => line.Contains("not known: cookie-attributes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_without_the_login_fails_and_gets_no_token()
    {
        await using var bench = await StackBench.StartAsync(options: options => options with { PasswordFile = null });
        var tokens = 0;
        bench.Comfy.Faults = request =>
        {
            Interlocked.Add(ref tokens, request.Headers.Authorization.Count);
            return null;
        };

        var results = await bench.RunAsync(new() { Ids = Ids });

        Assert.Equal(CheckStatus.Failed, results.Single(result => result.Id == "auth.api.protected").Status);
        Assert.All(results.Where(result => result.Id != "auth.api.protected"), result => Assert.Equal(CheckStatus.Skipped, result.Status));
        Assert.Equal(0, tokens);
    }

    [Fact]
    public async Task The_hole_of_a_login_without_a_password_is_found_without_any_source()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.PasswordFile, "");
        bench.Comfy.Restart();
        bench.Files.Delete(SampleStack.Source);

        var result = await bench.CheckAsync("auth.api.protected");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("empty token", result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_was_started_with_another_token_refuses_ours()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.PasswordFile, new SampleCredential().Text + "\nalice\n");
        bench.Comfy.Restart();

        var results = (await bench.RunAsync(new() { Ids = Ids })).ToDictionary(result => result.Id);

        Assert.Equal(CheckStatus.Passed, results["auth.api.protected"].Status);
        Assert.Equal(CheckStatus.Failed, results["auth.api.token"].Status);
        Assert.Equal(CheckStatus.Failed, results["auth.web.login"].Status);
        Assert.Equal(CheckStatus.Failed, results["auth.websocket"].Status);
        Assert.All(results.Values.Where(result => result.Status == CheckStatus.Failed), result => Assert.NotEmpty(result.Remedy));
    }

    [Fact]
    public async Task A_login_that_answers_nonsense_is_neither_passed_nor_failed()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Comfy.Faults = _ => new() { Answer = FaultAnswer.Error(503, "") };

        Assert.Equal(CheckStatus.Error, (await bench.CheckAsync("auth.api.protected")).Status);
    }

    [Fact]
    public async Task A_password_that_nobody_knows_is_not_tried()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.Source, $$"""{"bcrypt_hash": "{{bench.Files.Credential.Text}}"}""");
        foreach (var path in new[] { SampleStack.RootEnv, SampleStack.ServiceEnv })
            bench.Files.Replace(path, bench.Files.Credential.Password, "");

        Assert.Equal(CheckStatus.Skipped, (await bench.CheckAsync("auth.web.login")).Status);
        Assert.Equal(CheckStatus.Passed, (await bench.CheckAsync("auth.api.token")).Status);
    }

    [Fact]
    public async Task Weaknesses_of_the_login_are_told_the_worst_first()
    {
        await using var bench = await StackBench.StartAsync(container => container with { Ports = [container.Ports[0] with { HostAddress = "0.0.0.0" }] }, options => options with { CorsOrigin = "*" });
        bench.Engine.Write(StackBench.Service, $"For direct API calls, use token={bench.Files.Credential.Text}");

        var result = await bench.CheckAsync("auth.surface");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains(result.Evidence, line => line.StartsWith("High published-in-the-clear: ", StringComparison.Ordinal));
        var log = Assert.Single(result.Evidence, line => line.StartsWith("Medium token-in-log, of every ComfyUI-Login: ", StringComparison.Ordinal));
        Assert.True(result.Evidence.ToList().IndexOf(log) > 0);
        Assert.NotEmpty(result.Remedy);
    }

    [Fact]
    public async Task A_login_that_asks_for_everything_has_small_weaknesses_only()
    {
        await using var bench = await StackBench.StartAsync();

        var result = await bench.CheckAsync("auth.surface");

        Assert.DoesNotContain(result.Evidence, line => line.StartsWith("Critical", StringComparison.Ordinal));
        Assert.DoesNotContain(result.Evidence, line => line.Contains("published-in-the-clear", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_first_visitor_who_may_set_the_password_is_the_worst()
    {
        await using var bench = await StackBench.StartAsync();
        bench.Files.Write(SampleStack.PasswordFile, "");
        bench.Comfy.Restart();

        var result = await bench.CheckAsync("auth.surface");

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.StartsWith("Critical", result.Evidence[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_is_not_sent_to_who_answers_in_place_of_a_container_that_is_down()
    {
        await using var bench = await StackBench.StartAsync(container => container with { State = Docker.ContainerState.Exited, FinishedAt = DateTimeOffset.UtcNow });
        var tokens = 0;
        bench.Comfy.Faults = request =>
        {
            Interlocked.Add(ref tokens, request.Headers.Authorization.Count);
            return null;
        };

        var results = await bench.RunAsync(new() { Ids = Ids });

        Assert.All(results, result => Assert.Equal(CheckStatus.Skipped, result.Status));
        Assert.Equal(0, tokens);
    }
}
