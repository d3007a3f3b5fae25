using System.Globalization;
using ComfyAuth.Comfy;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ComfyAuth.Cli.Rendering;

/// <summary>The results of workflows as a table for people, with what is the matter below.</summary>
internal static class WorkflowTables
{
    public static IRenderable Of(IReadOnlyList<ComfyImage> images)
    {
        var table = TokenTables.New("Image", "Size", "Seconds", "Seed");
        foreach (var image in images)
        {
            table.AddRow(
                image.Path.EscapeMarkup(),
                image.Width == 0 ? "" : $"{image.Width} x {image.Height}",
                image.IsCached ? "cached" : image.Seconds.ToString("0.0", CultureInfo.InvariantCulture),
                image.Seed?.ToString(CultureInfo.InvariantCulture) ?? "");
        }

        return new Rows(
        [
            table,
            .. images.SelectMany(image => image.Problems.Select(problem => new Markup($"[yellow]{Path.GetFileName(image.Path).EscapeMarkup()}[/]: {problem.EscapeMarkup()}"))),
        ]);
    }
}
