using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace ComfyAuth.Stacks;

/// <summary>Reads YAML within bounds: no text makes a reader exhaust the stack.</summary>
internal static class BoundedYaml
{
    /// <summary>Deeper than any file that we read goes, and far from what would exhaust the stack.</summary>
    public const int MaximumDepth = 32;

    private const int MaximumLength = 1_000_000;

    /// <summary>Makes the error of a reader.</summary>
    /// <param name="place">Where.</param>
    /// <param name="problem">What is wrong, as a clause without a full stop.</param>
    /// <param name="remedy">What to do.</param>
    /// <param name="cause">The parser's own error, if it was one.</param>
    public delegate ComfyAuthException Complaint(Mark place, string problem, string remedy, Exception? cause = null);

    /// <summary>The events of a text; what is no YAML, too long or too deep is complained about.</summary>
    public static IEnumerable<ParsingEvent> Events(string text, Complaint complain)
    {
        if (text.Length > MaximumLength)
            throw complain(new Mark(0, 1, 1), "the file is longer than 1,000,000 characters", "Check that it is the right file.");

        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (Next(parser, complain) is { } current)
        {
            depth += current.NestingIncrease;
            // The stream and the document count as one level each.
            if (depth > MaximumDepth + 2)
                throw complain(current.Start, $"the nesting is deeper than {MaximumDepth} levels", "Check the brackets and the indentation.");
            yield return current;
        }
    }

    /// <summary>The complaint about a text that the parser or the node loader refuses.</summary>
    public static ComfyAuthException Malformed(Exception error, Complaint complain) =>
        // The parser reports some malformed documents as a bad argument, without a place.
        complain((error as YamlException)?.Start ?? new Mark(0, 1, 1), $"this is not valid YAML: {error.Message.TrimEnd('.')}", "Check indentation, quotes and repeated keys.", error);

    /// <summary>Whether an error is one of a malformed text.</summary>
    public static bool IsMalformed(Exception error) => error is YamlException or ArgumentException or InvalidOperationException;

    private static ParsingEvent? Next(Parser parser, Complaint complain)
    {
        try
        {
            return parser.MoveNext() ? parser.Current : null;
        }
        catch (Exception error) when (IsMalformed(error))
        {
            throw Malformed(error, complain);
        }
    }
}
