using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Models;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth save-model</c>: downloads the model files of a stack, or any file of the model hub.</summary>
internal static class SaveModelCommand
{
    public static Command Create()
    {
        var names = new Argument<string[]>("name") { Description = "Only models with these names; * and ? stand for other characters. Default: all of the stack.", DefaultValueFactory = _ => [] };
        var path = new Option<string>("--path") { Description = "The stack's root, or a folder inside it. Default: the current folder.", DefaultValueFactory = _ => ".", Validators = { CommandSession.RequireValue } };
        var repository = new Option<string?>("--repository") { Description = "A repository of the model hub, for a file that belongs to no stack.", Validators = { CommandSession.RequireValue } };
        var file = new Option<string?>("--file") { Description = "The path of the file in the repository.", Validators = { CommandSession.RequireValue } };
        var revision = new Option<string>("--revision") { Description = "A branch, a tag or a commit. Default: main.", DefaultValueFactory = _ => "main", Validators = { CommandSession.RequireValue } };
        var destination = new Option<string>("--destination") { Description = "The folder to save the file in. Default: the current folder.", DefaultValueFactory = _ => ".", Validators = { CommandSession.RequireValue } };
        var sha256 = new Option<string?>("--sha256")
        {
            Description = "The SHA-256 that the file must have.",
            Validators =
            {
                CommandSession.RequireValue,
                result =>
                {
                    if (result.Tokens.Any(token => token.Value.Length != 64 || !token.Value.All(char.IsAsciiHexDigit)))
                        result.AddError("--sha256: give 64 hexadecimal digits.");
                },
            },
        };
        var deep = new Option<bool>("--deep") { Description = "Read every byte of files that are there, although they were verified before." };
        var connections = new Option<int>("--connections") { Description = "How many connections load parts of one file. Default: 8.", DefaultValueFactory = _ => 8, Validators = { CommandSession.RequireValue } };
        var limit = new Option<long?>("--bytes-per-second") { Description = "How many bytes a second all downloads together may take.", Validators = { CommandSession.RequireValue } };
        var (_, service, json, verbose) = CommandSession.CommonOptions;
        var command = new Command("save-model", "Downloads the model files that a stack needs, or any file of the model hub.")
        {
            names, path, service, repository, file, revision, destination, sha256, deep, connections, limit, json, verbose,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(repository) is { Implicit: false } != result.GetResult(file) is { Implicit: false })
                result.AddError("Give --repository and --file together.");
        });
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                var (downloads, root) = Downloads(parsed);
                var options = new ModelDownloadOptions
                {
                    Token = HubToken.Find(stackRoot: root)?.Secret,
                    Connections = parsed.GetValue(connections),
                    BytesPerSecond = parsed.GetValue(limit),
                    Deep = parsed.GetValue(deep),
                };
                using var downloader = new ModelDownloader(session.Redactor, options, session.Logger);
                var results = new List<ModelDownloadResult>();
                try
                {
                    await ModelDisplay.RunAsync(session, async progress =>
                    {
                        await foreach (var result in downloader.DownloadAsync(downloads, progress, stop))
                        {
                            if (result.Error is { } error)
                                await session.TryAsync(() => Task.FromException(error));
                            else
                                results.Add(result);
                        }
                    });
                }
                finally
                {
                    // What was loaded before a cancellation is said too.
                    session.Print(results, ReportJsonContext.Default.IReadOnlyListModelDownloadResult, _ => "", ModelDisplay.Of);
                }

                return ExitCode.Fine;
            },
            cancellationToken));
        return command;

        (IReadOnlyList<ModelDownload> Downloads, string? Root) Downloads(ParseResult parsed)
        {
            if (parsed.GetValue(repository) is not { } from)
            {
                var stack = GenAIStack.Find(parsed.GetValue(path)!);
                return (ModelCatalogue.Choose(stack, parsed.GetValue(service) ?? [], parsed.GetValue(names)!), stack.Root);
            }

            var source = new HubFile(from, parsed.GetValue(file)!, parsed.GetValue(revision)!);
            return ([new() { Source = source, Target = Path.GetFullPath(Path.Combine(parsed.GetValue(destination)!, source.Name)), Sha256 = parsed.GetValue(sha256)?.ToLowerInvariant() }], null);
        }
    }
}
