using System.Text.RegularExpressions;
using ComfyAuth.Comfy;

namespace ComfyAuth.Tests.Comfy;

/// <summary>The table of the rules; what they find is shown on the emulator.</summary>
public sealed partial class AuthProbeTests
{
    [Fact]
    public void The_documentation_lists_the_rules_as_they_are() => Assert.Equal(
        AuthProbe.Rules.Select(rule => $"| `{rule.Id}` | {rule.Severity} | {rule.Title} | {(rule.IsInherent ? "every login" : "by set-up")} | {rule.Question} | {rule.Meaning} | {rule.Remedy} |"),
        DocumentedRule().Matches(Repository.Read("docs/auth-probe.md")).Select(row => row.Value));

    [Fact]
    public void The_documentation_lists_the_readings_as_they_are() => Assert.Equal(
        typeof(LoginProof).GetProperties().Where(property => property.PropertyType == typeof(bool?)).Select(property => property.Name).Where(name => name != nameof(LoginProof.IsProven)).Order(StringComparer.Ordinal),
        Documentation.DocumentationTests.Rows("docs/auth-probe.md", "The proof").Order(StringComparer.Ordinal));

    [Fact]
    public void Rules_come_by_what_an_attacker_gains() =>
        Assert.Equal(AuthProbe.Rules.Select(rule => rule.Severity).OrderDescending(), AuthProbe.Rules.Select(rule => rule.Severity));

    [GeneratedRegex(@"^\| `[a-z-]+` \| [A-Z].*$", RegexOptions.Multiline)]
    private static partial Regex DocumentedRule();
}
