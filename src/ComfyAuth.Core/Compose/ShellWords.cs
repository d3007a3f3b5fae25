using System.Text;

namespace ComfyAuth.Compose;

/// <summary>Splits a command line into words as a POSIX shell does, without expanding anything: that is how Compose splits it.</summary>
internal static class ShellWords
{
    /// <summary>The words; null where a quote is not closed or the text ends with a backslash.</summary>
    public static IReadOnlyList<string>? Split(string text)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isWord = false;
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quote == '\0' && c is ' ' or '\t' or '\r' or '\n')
            {
                if (isWord)
                    words.Add(word.ToString());
                word.Clear();
                isWord = false;
                continue;
            }

            isWord = true;
            if (c == quote)
                quote = '\0';
            else if (quote == '\0' && c is '"' or '\'')
                quote = c;
            else if (c == '\\' && quote != '\'' && i + 1 == text.Length)
                return null;
            else if (c == '\\' && (quote == '\0' || (quote == '"' && text[i + 1] is '"' or '\\')))
                word.Append(text[++i]);
            else
                word.Append(c);
        }

        if (isWord)
            words.Add(word.ToString());
        return quote == '\0' ? words : null;
    }
}
