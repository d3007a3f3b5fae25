using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Text.RegularExpressions;

namespace ComfyAuth.PowerShell.Rendering;

/// <summary>
/// The cells of the table views. Colours come out only where the host shows them; PowerShell itself takes them out again
/// where the output is piped or redirected, and under NO_COLOR.
/// </summary>
public static partial class TableCell
{
    private const string Green = "\e[32m";
    private const string Yellow = "\e[33m";
    private const string Red = "\e[31m";
    private const string Reset = "\e[0m";

    private const int UsualWidth = 120;

    /// <summary>A state by name: green where all is well, yellow where it is not known or only unsafe, else red.</summary>
    /// <param name="state">The state: an enum, or what remoting makes of one.</param>
    /// <param name="host"><c>$Host</c>.</param>
    /// <param name="rendering"><c>$PSStyle.OutputRendering</c>.</param>
    /// <returns>The cell.</returns>
    public static string State(object? state, PSHost host, object? rendering)
    {
        var name = state?.ToString() ?? "";
        return Coloured(name, name switch { "Match" => Green, "Exposed" or "Unreadable" or "Undetermined" => Yellow, _ => Red }, host, rendering);
    }

    /// <summary>The condition of a container by name: green where it is ready, yellow where it is on its way or nobody knows, else red.</summary>
    /// <param name="condition">The condition: an enum, or what remoting makes of one.</param>
    /// <param name="host"><c>$Host</c>.</param>
    /// <param name="rendering"><c>$PSStyle.OutputRendering</c>.</param>
    /// <returns>The cell.</returns>
    public static string Condition(object? condition, PSHost host, object? rendering)
    {
        var name = condition?.ToString() ?? "";
        return Coloured(name, name switch { "Ready" => Green, "Starting" or "Installing" or "Restarting" or "Unknown" => Yellow, _ => Red }, host, rendering);
    }

    /// <summary>How a check ended: green where it passed, yellow where it is to be looked at or not known, red where it failed.</summary>
    /// <param name="status">The status: an enum, or what remoting makes of one.</param>
    /// <param name="isFixed">Whether it was mended in this run.</param>
    /// <param name="host"><c>$Host</c>.</param>
    /// <param name="rendering"><c>$PSStyle.OutputRendering</c>.</param>
    /// <returns>The cell.</returns>
    public static string Status(object? status, bool isFixed, PSHost host, object? rendering)
    {
        var name = isFixed ? "Fixed" : status?.ToString() ?? "";
        return name == "Skipped" ? name : Coloured(name, name switch { "Passed" or "Fixed" => Green, "Failed" => Red, _ => Yellow }, host, rendering);
    }

    /// <summary>How a step of an installation or of a removal ended: green where it did well, yellow where something is left, red where it failed.</summary>
    /// <param name="outcome">The outcome: an enum, or what remoting makes of one.</param>
    /// <param name="host"><c>$Host</c>.</param>
    /// <param name="rendering"><c>$PSStyle.OutputRendering</c>.</param>
    /// <returns>The cell.</returns>
    public static string Outcome(object? outcome, PSHost host, object? rendering)
    {
        var name = outcome?.ToString() ?? "";
        return name switch
        {
            "Unchanged" or "Done" or "Undone" or "Installed" => Coloured(name, Green, host, rendering),
            "Declined" or "Kept" => Coloured(name, Yellow, host, rendering),
            "Failed" or "RolledBack" or "RollbackIncomplete" => Coloured(name, Red, host, rendering),
            _ => name,
        };
    }

    /// <summary>Yes, no, or that nobody knows.</summary>
    /// <param name="verdict">True, false or null.</param>
    /// <param name="host"><c>$Host</c>.</param>
    /// <param name="rendering"><c>$PSStyle.OutputRendering</c>.</param>
    /// <returns>The cell.</returns>
    public static string Verdict(object? verdict, PSHost host, object? rendering) => verdict switch
    {
        true => Coloured("yes", Green, host, rendering),
        false => Coloured("no", Red, host, rendering),
        _ => Coloured("unknown", Yellow, host, rendering),
    };

    /// <summary>A place, without the folders that lead to its service.</summary>
    /// <param name="location">The place, relative to the stack's root.</param>
    /// <returns>The cell.</returns>
    public static string Location(string? location) => LeadingFolders().Replace(location ?? "", "\u2026/");

    /// <summary>A length of time in whole units, such as <c>15m</c>.</summary>
    /// <param name="time">The length of time; null for none.</param>
    /// <returns>The cell.</returns>
    public static string Time(TimeSpan? time) => time is { } some ? Duration.Format(some) : "";

    /// <summary>A size in the largest unit that it fills, such as <c>1.2 GiB</c>.</summary>
    /// <param name="bytes">The size; null for none.</param>
    /// <returns>The cell.</returns>
    public static string Size(long? bytes) => bytes is { } some ? ByteSize.Format(some) : "";

    /// <summary>A share of one processor, such as <c>12 %</c>.</summary>
    /// <param name="percent">The share; null for none.</param>
    /// <returns>The cell.</returns>
    public static string Percent(double? percent) => percent is { } some ? string.Create(CultureInfo.InvariantCulture, $"{some:0} %") : "";

    /// <summary>Lines broken between words, which PowerShell's own wrapping does not do.</summary>
    /// <param name="text">The text.</param>
    /// <param name="host"><c>$Host</c>, whose width the table has.</param>
    /// <param name="taken">How many characters the columns of a fixed width and the gaps between all columns take.</param>
    /// <param name="sharing">How many columns share what is left.</param>
    /// <returns>The cell.</returns>
    public static string Text(string? text, PSHost host, int taken, int sharing)
    {
        // A host that is too narrow for the others shows none of these; a file that is as wide as usual does.
        // The last column of a window stays free.
        var left = WidthOf(host) - 1 - taken;
        return Broken(text, Math.Max(8, (left < 8 * sharing ? UsualWidth - taken : left) / sharing), Piece());
    }

    /// <summary>A name that is broken behind its dashes, where it is too long for its column.</summary>
    /// <param name="name">The name.</param>
    /// <param name="width">The width of the column.</param>
    /// <returns>The cell.</returns>
    public static string Name(string? name, int width) => Broken(name, width, PartOfName());

    private static string Broken(string? text, int width, Regex pieces)
    {
        var lines = new List<string>();
        foreach (var line in (text ?? "").Split('\n'))
        {
            var current = "";
            foreach (var match in pieces.EnumerateMatches(line))
            {
                var piece = line.Substring(match.Index, match.Length);
                if (current.Length > 0 && current.Length + piece.TrimEnd().Length > width)
                {
                    lines.Add(current.TrimEnd());
                    current = "";
                }

                current += piece;
            }

            lines.Add(current.TrimEnd());
        }

        return string.Join('\n', lines);
    }

    private static string Coloured(string text, string colour, PSHost host, object? rendering) =>
        host.UI is { SupportsVirtualTerminal: true } && Convert.ToString(rendering, CultureInfo.InvariantCulture) != "PlainText" ? colour + text + Reset : text;

    private static int WidthOf(PSHost host)
    {
        try
        {
            return host.UI?.RawUI?.BufferSize.Width is > 0 and var width ? width : UsualWidth;
        }
        catch (Exception error) when (error is HostException or NotImplementedException or PSNotSupportedException or IOException)
        {
            return UsualWidth;
        }
    }

    [GeneratedRegex(@"^.{3,}?/(?=[^/]+/(\.secrets/)?[^/]+$)", RegexOptions.CultureInvariant)]
    private static partial Regex LeadingFolders();

    // A word with the space behind it; a path also breaks behind a separator and before the name of a variable.
    [GeneratedRegex(@"#?[^ /#]*[ /]*", RegexOptions.CultureInvariant)]
    private static partial Regex Piece();

    [GeneratedRegex("[^-_.]*[-_.]*", RegexOptions.CultureInvariant)]
    private static partial Regex PartOfName();
}
