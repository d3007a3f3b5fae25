using System.Text;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

/// <summary>The part of docs/checks.md that is made of the catalogue.</summary>
internal static class CheckDocument
{
    public const string Path = "docs/checks.md";

    /// <summary>Set to 1, it has the tests write the part anew instead of comparing it.</summary>
    public const string WriteVariable = "COMFYAUTH_WRITE_DOCS";

    /// <summary>What is before it is written by hand, and all that follows is made.</summary>
    private const string Heading = "## The checks\n";

    /// <summary>The document with its last part made anew.</summary>
    public static string Renew(string document, IReadOnlyList<Check> checks) =>
        document[..(document.IndexOf(Heading, StringComparison.Ordinal) + Heading.Length)] + Render(checks);

    private static string Render(IReadOnlyList<Check> checks)
    {
        var text = new StringBuilder();
        foreach (var category in checks.GroupBy(check => check.Category))
        {
            text.Append("\n### ").Append(category.Key).Append("\n\n| check | what is checked | why | what to do | builds on | made for | `-Fix` |\n| --- | --- | --- | --- | --- | --- | --- |\n");
            foreach (var check in category)
            {
                var grounds = string.Join(", ", check.DependsOn.Select(id => $"`{id}`"));
                text.Append("| `").Append(check.Id).Append("` | ").Append(check.Title).Append(" | ").Append(check.Meaning).Append(" | ").Append(check.Remedy)
                    .Append(" | ").Append(grounds.Length == 0 ? "nothing" : grounds)
                    .Append(" | ").Append(check.IsOfService ? "each service" : "the stack")
                    .Append(" | ").Append(check.HasFix ? "yes" : "no").Append(" |\n");
            }
        }

        return text.ToString();
    }
}
