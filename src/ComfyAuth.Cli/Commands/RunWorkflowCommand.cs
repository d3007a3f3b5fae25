using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Nodes;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Comfy;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth run-workflow</c>: runs a workflow on ComfyUI, and saves and checks its pictures.</summary>
internal static class RunWorkflowCommand
{
    // The server, or a look before it was asked, says no; all else could not be done.
    private static readonly HashSet<string> Verdicts = ["WorkflowFailed", "WorkflowInterrupted", "WorkflowInvalid", "WorkflowLost", "WorkflowRefused", "WorkflowTimedOut"];

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "The workflow in the API format." };
        var input = new Option<string[]>("--input")
        {
            Description = "An input to set before, as node.name=value, such as 6.image=photo.png or KSampler.seed=7; may be repeated.",
            DefaultValueFactory = _ => [],
            Validators = { CommandSession.RequireValue, RequireAssignment },
        };
        var outFolder = new Option<string>("--out") { Description = "The folder to save in. Default: the current folder.", DefaultValueFactory = _ => ".", Validators = { CommandSession.RequireValue } };
        var timeout = CommandSession.Time("--timeout", "How long it may wait in the queue and run: 90s, 10m, 00:10:00, or seconds.", TimeSpan.FromMinutes(30));
        var path = new Option<string>("--path") { Description = "The stack's root, or a folder inside it. Default: the current folder.", DefaultValueFactory = _ => ".", Validators = { CommandSession.RequireValue } };
        var service = new Option<string?>("--service") { Description = "The service. Default: the only one behind ComfyUI-Login.", Validators = { CommandSession.RequireValue } };
        var uri = new Option<Uri?>("--uri")
        {
            Description = "The address of a ComfyUI without a login that is in no stack.",
            Validators = { CommandSession.RequireValue },
            CustomParser = result =>
            {
                if (!Uri.TryCreate(result.Tokens.Count > 0 ? result.Tokens[0].Value : "", UriKind.Absolute, out var address))
                    result.AddError("--uri: this is no address. Give one like http://localhost:8188.");
                return address;
            },
        };
        var (_, _, json, verbose) = CommandSession.CommonOptions;
        var command = new Command("run-workflow", "Runs a workflow on ComfyUI, and saves and checks its pictures.") { file, input, outFolder, timeout, path, service, uri, json, verbose };
        command.Validators.Add(result =>
        {
            if (result.GetResult(uri) is { Implicit: false } && (result.GetResult(service) is { Implicit: false } || result.GetResult(path) is { Implicit: false }))
                result.AddError("Give --uri, or --path and --service.");
        });
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                var options = new ComfyWorkflowOptions
                {
                    Inputs = [.. parsed.GetValue(input)!.Select(Assignment)],
                    OutFolder = Path.GetFullPath(parsed.GetValue(outFolder)!),
                    Timeout = parsed.GetValue(timeout),
                };
                var images = new List<ComfyImage>();
                var isRefused = false;
                try
                {
                    await session.TryAsync(async () =>
                    {
                        try
                        {
                            var workflow = await ComfyWorkflow.ReadAsync(Path.GetFullPath(parsed.GetValue(file)!), stop);
                            var (address, credential) = Target(session, parsed.GetValue(uri), parsed.GetValue(path)!, parsed.GetValue(service));
                            await using var client = new ComfyClient(address, credential, session.Redactor);
                            await WorkflowDisplay.RunAsync(session, workflow, async progress =>
                            {
                                await foreach (var image in new ComfyWorkflowRunner(client).RunAsync(workflow, options, progress, stop))
                                    images.Add(image);
                            });
                        }
                        catch (ComfyAuthException error) when (Verdicts.Contains(error.Code))
                        {
                            isRefused = true;
                            throw;
                        }
                    });
                }
                finally
                {
                    // What was saved before an error or a cancellation is said too.
                    session.Print(images, ReportJsonContext.Default.IReadOnlyListComfyImage, _ => "", WorkflowTables.Of);
                }

                return ExitCode.Of(isRefused || images.Exists(image => image.Problems.Count > 0), false);
            },
            cancellationToken));
        return command;
    }

    private static (Uri Address, ComfyCredential Credential) Target(CommandSession session, Uri? uri, string path, string? name)
    {
        if (uri is not null)
            return (uri, ComfyCredential.None);

        var stack = GenAIStack.Find(path);
        var service = ComfyServices.Choose(stack, name);
        return (service.Url, ComfyCredential.Bearer(BearerToken.Of(stack, service, session.Redactor)));
    }

    private static void RequireAssignment(OptionResult result)
    {
        foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) <= 0))
            result.AddError($"--input: '{token.Value}' is no node.name=value.");
    }

    /// <summary>What is JSON is taken as that, unless it is a text in quotes; anything else is a text.</summary>
    private static KeyValuePair<string, object?> Assignment(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var (name, value) = (text[..equals], text[(equals + 1)..]);
        try
        {
            var node = JsonNode.Parse(value);
            return new(name, node?.GetValueKind() is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False or JsonValueKind.Array ? node : value);
        }
        catch (JsonException)
        {
            return new(name, value);
        }
    }
}
