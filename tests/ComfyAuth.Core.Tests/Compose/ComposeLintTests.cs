using System.Text.RegularExpressions;
using ComfyAuth.Compose;
using ComfyAuth.Stacks;

namespace ComfyAuth.Tests.Compose;

public sealed partial class ComposeLintTests
{
    private static readonly ServiceDefinition Qwen = new() { Name = "comfyui-qwen", Container = "comfyui-qwen", Url = new Uri("http://localhost:8188"), Auth = AuthKind.ComfyUILogin };

    public static TheoryData<string> RuleIds => [.. ComposeLint.Rules.Select(rule => rule.Id)];

    private static IReadOnlyList<ComposeFinding> Lint(string path) =>
        ComposeLint.Run([Qwen], [ComposeFile.Load([path], name => name switch { "SET" => "value", "COMFYUI_API_TOKEN" => "abcdef", _ => null })]);

    private static IEnumerable<string> Ids(string text) => ComposeLint.Run([Qwen], [ComposeText.Load(text)]).Select(finding => finding.RuleId);

    [Theory]
    [MemberData(nameof(RuleIds))]
    public void A_file_that_breaks_a_rule_is_found_at_the_marked_line(string rule)
    {
        var path = ComposeText.Data($"lint/{rule}.fails.yml");
        var marked = Array.FindIndex(File.ReadAllLines(path), line => line.EndsWith("# <-", StringComparison.Ordinal)) + 1;

        var finding = Assert.Single(Lint(path), finding => finding.RuleId == rule);

        Assert.Equal((path, marked), (finding.File, finding.Line));
        Assert.True(finding.Message.EndsWith('.') && finding.Fix.Length > 0);
    }

    [Theory]
    [MemberData(nameof(RuleIds))]
    public void A_file_that_keeps_a_rule_is_not(string rule) =>
        Assert.DoesNotContain(Lint(ComposeText.Data($"lint/{rule}.passes.yml")), finding => finding.RuleId == rule);

    [Fact]
    public void The_original_service_is_told_what_made_its_author_guess()
    {
        var findings = Lint(ComposeText.Data("qwen.yml"));

        Assert.Contains(findings, finding => finding.RuleId == "healthcheck-cannot-pass" && finding.Message.Contains("curl -f gets 401", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding.RuleId == "healthcheck-gives-up-early" && finding.Message.Contains("about 270 s (120 s + 5 x 30 s)", StringComparison.Ordinal));
        Assert.Contains(findings, finding => finding.RuleId == "bind-file-missing");
        Assert.DoesNotContain(findings, finding => finding.RuleId is "gpu-reservation-missing" or "no-restart-policy");
    }

    [Fact]
    public void No_finding_holds_a_secret()
    {
        const string Secret = "s3cr3tvalue";
        var findings = ComposeLint.Run([Qwen], [ComposeText.Load($$"""
            services:
              comfyui-qwen:
                command: run --token={{Secret}}
                environment:
                  API_TOKEN: {{Secret}}
                  PASSWORD: a${{Secret}}
                  HASH: $2b$12${{Secret}}
                healthcheck: { test: "curl -f -H 'Authorization: Bearer {{Secret}}' http://x/" }
            """)]);

        Assert.Superset(
            new HashSet<string> { "literal-secret", "undefined-variable", "hash-cut-by-interpolation", "healthcheck-token" },
            findings.Select(finding => finding.RuleId).ToHashSet());
        Assert.All(findings, finding => Assert.DoesNotContain(Secret, finding.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("curl -f http://localhost:8188/", false)]
    [InlineData("curl -fsS http://localhost:8188/system_stats || exit 1", false)]
    [InlineData("curl --fail --silent localhost:8188", false)]
    [InlineData("wget --spider -q http://localhost:8188/", false)]
    [InlineData("python -c \\\"import urllib.request; urllib.request.urlopen('http://localhost:8188/')\\\"", false)]
    [InlineData("test $$(curl -s -o /dev/null -w '%{http_code}' http://localhost:8188/) = 200", false)]
    [InlineData("curl -s -o /dev/null -w '%{http_code}' http://localhost:8188/ | grep -q 200", false)]
    [InlineData("curl -f http://localhost:8188/login", true)]
    [InlineData("curl -s http://localhost:8188/", true)]
    [InlineData("curl -f http://localhost:8188/ || exit 0", true)]
    [InlineData("curl -f http://localhost:8188/ || nc -z localhost 8188", true)]
    [InlineData("curl -s -o /dev/null -w '%{http_code}' http://localhost:8188/ | grep -qE '200|401'", true)]
    [InlineData("curl -f -H \\\"Authorization: Bearer $$(head -n1 /run/token)\\\" http://localhost:8188/", true)]
    [InlineData("curl -fL -H 'Accept: text/html' http://localhost:8188/", true)]
    [InlineData("wget -q -O- http://localhost:8188/login", true)]
    [InlineData("nc -z localhost 8188", true)]
    [InlineData("/healthcheck.sh", true)]
    public void A_healthcheck_behind_the_login_is_foreseen(string test, bool passes) =>
        Assert.Equal(passes, !Ids($"services: {{ comfyui-qwen: {{ healthcheck: {{ test: \"{test}\" }} }} }}\n").Contains("healthcheck-cannot-pass"));

    [Fact]
    public void Without_a_login_the_same_healthcheck_is_fine() =>
        Assert.DoesNotContain("healthcheck-cannot-pass", Ids("services: { flux: { healthcheck: { test: curl -f http://localhost:8188/ } } }\n"));

    [Theory]
    [InlineData("curl -f -H 'Authorization: Bearer abcdef123456' http://x/", true)]
    [InlineData("curl -f http://x/?token=$$2b$$12$$Abcdefghijklmnopqrstuv", true)]
    [InlineData("curl -f -H \\\"Authorization: Bearer $$(cat /run/token)\\\" http://x/", false)]
    [InlineData("curl -f -H \\\"Authorization: Bearer $$TOKEN\\\" http://x/", false)]
    [InlineData("curl -f http://x/login", false)]
    public void A_token_in_the_healthcheck_is_seen(string test, bool isSeen) =>
        Assert.Equal(isSeen, Ids($"services: {{ web: {{ healthcheck: {{ test: \"{test}\" }} }} }}\n").Contains("healthcheck-token"));

    [Fact]
    public void An_install_in_a_mounted_script_counts()
    {
        using var folder = new TemporaryFolder();
        folder.Write("entrypoint.sh", "#!/bin/bash\npip install torch\n");
        var path = folder.Write("docker-compose.yml", "services: { web: { image: own:1, entrypoint: /entrypoint.sh, volumes: ['./entrypoint.sh:/entrypoint.sh'], healthcheck: { test: x } } }\n");

        Assert.Contains(Lint(path), finding => finding.RuleId == "healthcheck-gives-up-early");
    }

    [Fact]
    public void Host_ports_are_compared_across_files()
    {
        var one = ComposeText.Load("services: { a: { ports: ['127.0.0.1:80:1'] } }\n");
        var findings = ComposeLint.Run([], [one, ComposeText.Load("services: { b: { ports: ['80:1'] }, c: { ports: ['80:1/udp', '127.0.0.2:81:1'] }, d: { ports: ['127.0.0.1:81:1', '80-90:5'] } }\n")]);

        Assert.Equal("b", Assert.Single(findings, finding => finding.RuleId == "duplicate-host-port").Service);
    }

    [Fact]
    public void The_documentation_lists_the_rules_as_they_are()
    {
        var rows = DocumentedRule().Matches(File.ReadAllText(Path.Combine(Root(), "docs", "compose-lint.md"))).Select(row => row.Value.Trim());

        Assert.Equal(ComposeLint.Rules.Select(rule => $"| `{rule.Id}` | {rule.Severity} | {rule.Why} | {rule.Fix} |"), rows);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "ComfyAuth.Module.sln")))
            folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex(@"^\| `.*$", RegexOptions.Multiline)]
    private static partial Regex DocumentedRule();
}
