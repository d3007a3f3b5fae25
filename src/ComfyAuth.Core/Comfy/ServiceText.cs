using System.Text;
using ComfyAuth.Secrets;

namespace ComfyAuth.Comfy;

/// <summary>Makes texts of a server fit to be shown: without secrets, without characters that a terminal obeys, on one line, and short.</summary>
internal static class ServiceText
{
    private const int Longest = 500;

    public static string Clean(string? text, SecretRedactor redactor)
    {
        // More than is shown, so that a secret at the end is recognised as a whole.
        var start = text is null ? "" : text.Length > 4 * Longest ? text[..(4 * Longest)] : text;
        var shown = new StringBuilder(start.Length);
        foreach (var character in redactor.Redact(start))
        {
            var isSpace = char.IsWhiteSpace(character) || char.IsControl(character);
            if (!isSpace)
                shown.Append(char.GetUnicodeCategory(character) == System.Globalization.UnicodeCategory.Format ? '?' : character);
            else if (shown.Length > 0 && shown[^1] != ' ')
                shown.Append(' ');
        }

        var line = shown.ToString().TrimEnd();
        return line.Length <= Longest ? line : line[..(Longest - 3)] + "...";
    }
}
