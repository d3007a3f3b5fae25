using System.Collections;
using System.Management.Automation;
using System.Security;
using ComfyAuth.Comfy;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Runs a workflow on ComfyUI, shows how far it is, and saves and checks its pictures.</summary>
/// <remarks>
/// <para>
/// The workflow is one in the API format: in ComfyUI, File > Export (API). Before it is submitted it is compared with what the
/// server knows, so that a missing custom node, model file or input is named. A node that fails ends it at once.
/// </para>
/// <para>
/// The service is the only one of the stack that is behind ComfyUI-Login, and the token that of the stack's source of truth, unless
/// others are given. Several workflows, or several sets of inputs, are piped and run one after the other; an error of one spares
/// the others.
/// </para>
/// <para>
/// Each picture is decoded: one that is a single colour, or noise, gives a warning and stands in Problems. No file is
/// overwritten. With Ctrl+C, and when it takes too long, the prompt is taken out of the queue or stopped; those of others are left
/// alone.
/// </para>
/// </remarks>
/// <example>
/// <code>Invoke-ComfyWorkflow .\qwen-image-edit.api.json -Input @{ '6.image' = '.\photo.png'; seed = 7 } -OutFolder .\out</code>
/// Uploads the photo, runs the workflow with it and another seed, and saves the pictures in the folder out.
/// </example>
/// <example>
/// <code>1..4 | ForEach-Object { @{ 'KSampler.seed' = $_ } } | Invoke-ComfyWorkflow .\flow.json -OutFolder .\out</code>
/// Runs one workflow with four seeds, one after the other.
/// </example>
/// <example>
/// <code>Get-ChildItem .\flows\*.api.json | Invoke-ComfyWorkflow -Uri http://gpu-box:8188 -Credential (Get-Credential admin) | Where-Object Problems</code>
/// Runs several workflows on a service that is in no stack, logged in as a browser is, and shows the pictures that are not right.
/// </example>
[Cmdlet(VerbsLifecycle.Invoke, "ComfyWorkflow", DefaultParameterSetName = StackSet, SupportsShouldProcess = true)]
[OutputType(typeof(ComfyImage))]
public sealed class InvokeComfyWorkflowCommand : ComfyCmdlet
{
    private const string StackSet = "Stack";
    private const string UriSet = "Uri";

    private object? _current;

    /// <summary>The workflow in the API format: a file (wildcards are allowed), its text, or the object that ConvertFrom-Json makes of it.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    [SupportsWildcards]
    public object Workflow { get; set; } = "";

    /// <summary>Inputs to set before, by node and input: '6.image', 'KSampler.seed', 'My title.text', or the input alone where only one node has it. A picture of this machine that is given for an input that loads one is uploaded.</summary>
    [Parameter(Position = 1, ValueFromPipeline = true)]
    public IDictionary? Input { get; set; }

    /// <summary>The folder to save in; it is made where there is none. Without it the current location is meant.</summary>
    [Parameter(Position = 2)]
    [ValidateNotNullOrEmpty]
    public string? OutFolder { get; set; }

    /// <summary>The stack's root, or a folder or file inside it. Without it the current location is meant.</summary>
    [Parameter(ParameterSetName = StackSet)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>The service of the stack, by name. Without it the only one that is behind ComfyUI-Login is meant.</summary>
    [Parameter(ParameterSetName = StackSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ServiceCompleter))]
    public string? Service { get; set; }

    /// <summary>The address of a ComfyUI that is in no stack, such as http://gpu-box:8188.</summary>
    [Parameter(ParameterSetName = UriSet, Mandatory = true)]
    [ValidateNotNull]
    public Uri? Uri { get; set; }

    /// <summary>The bearer token of ComfyUI-Login. Without it the token of the stack's source of truth is sent, and none to an address.</summary>
    [Parameter]
    public SecureString? Token { get; set; }

    /// <summary>The user name and the password of the web login, instead of the token.</summary>
    [Parameter]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>How long each workflow may wait in the queue and run; 30 minutes unless given. A bare number is in seconds; 10m and 00:10:00 are understood too.</summary>
    [Parameter]
    [Duration]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(30);

    /// <inheritdoc/>
    protected override object? CurrentInput => _current;

    /// <inheritdoc/>
    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        _current = Base(Workflow) as string ?? (Base(Workflow) as FileSystemInfo)?.FullName ?? "the workflow";

        // A piped hashtable that is the workflow binds to both.
        var inputs = Base(Input) is { } given && !ReferenceEquals(given, Base(Workflow)) ? (IDictionary)given : new Hashtable();
        var here = await pipe.AskAsync(cmdlet => cmdlet.SessionState.Path.CurrentFileSystemLocation.ProviderPath);
        var options = new ComfyWorkflowOptions
        {
            Inputs = [.. inputs.Cast<DictionaryEntry>().Select(entry => new KeyValuePair<string, object?>($"{entry.Key}", Value(entry.Value)))],
            OutFolder = OutFolder is null ? here : (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, OutFolder, literal: true)))[0],
            LocalFolder = here,
            Timeout = Timeout,
        };
        var (address, credential) = await TargetAsync(pipe);

        // Of this input alone: what is cancelled still tells the server, also when the cmdlet has ended.
        await using var client = new ComfyClient(address, credential, pipe.Redactor);
        foreach (var read in await WorkflowsAsync(pipe))
        {
            try
            {
                var workflow = await read(stop);
                _current = workflow.Name;
                if (await pipe.ShouldProcessAsync(client.Address.ToString(), $"Run {workflow.Name}"))
                    await RunAsync(pipe, client, workflow, options, stop);
            }
            catch (ComfyAuthException error)
            {
                pipe.WriteError(error, _current);
            }
        }
    }

    private static async Task RunAsync(CmdletPipe pipe, ComfyClient client, ComfyWorkflow workflow, ComfyWorkflowOptions options, CancellationToken stop)
    {
        var activity = $"Running {System.IO.Path.GetFileName(workflow.Name)}";
        var progress = new ComfyWorkflowProgress(
            workflow,
            (what, thousandths) => pipe.WriteProgress(activity, what, Math.Max(0, thousandths), thousandths < 0 ? null : 1000),
            pipe.WriteWarning,
            pipe.WriteVerbose);
        pipe.WriteProgress(activity, "is compared with what the service knows");
        await foreach (var image in new ComfyWorkflowRunner(client).RunAsync(workflow, options, progress, stop))
        {
            foreach (var problem in image.Problems)
                pipe.WriteWarning($"{image.Path}: {problem}");
            pipe.WriteObject(image);
        }
    }

    private static object? Base(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

    /// <summary>Texts stay texts, since they may name a picture.</summary>
    private static object? Value(object? value) => Base(value) switch
    {
        string text => (object)text,
        FileSystemInfo file => file.FullName,
        _ => JsonText.Of(value),
    };

    private async Task<(Uri Address, ComfyCredential Credential)> TargetAsync(CmdletPipe pipe)
    {
        if (Token is not null && Credential is not null)
            throw new ComfyAuthException("AmbiguousCredential", "Both a token and a credential are given.", "Give one of -Token and -Credential.");

        ComfyCredential? given = null;
        if (Token is not null)
        {
            var text = SecureText.Of(Token, "The token");
            pipe.Redactor.Register(text);
            given = ComfyCredential.Bearer(BcryptHash.Parse(text.Reveal()));
        }
        else if (Credential is not null)
        {
            given = ComfyCredential.Session(Credential.UserName, SecureText.Of(Credential.Password, "The password"));
        }

        if (Uri is not null)
            return (Uri, given ?? ComfyCredential.None);

        var folder = (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, Path, literal: true)))[0];
        var stack = GenAIStack.Find(folder);
        var service = ComfyServices.Choose(stack, Service);
        return (service.Url, given ?? ComfyCredential.Bearer(BearerToken.Of(stack, service, pipe.Redactor)));
    }

    /// <summary>The workflows that are meant, each to be read when its turn comes.</summary>
    private async Task<IReadOnlyList<Func<CancellationToken, Task<ComfyWorkflow>>>> WorkflowsAsync(CmdletPipe pipe)
    {
        switch (Base(Workflow))
        {
            case string text when text.TrimStart('\uFEFF', ' ', '\t', '\r', '\n').StartsWith('{'):
                return [_ => Task.FromResult(ComfyWorkflow.Parse(text))];
            case string path:
                var found = await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, path, literal: !WildcardPattern.ContainsWildcardCharacters(path)));
                return [.. found.Select(file => (Func<CancellationToken, Task<ComfyWorkflow>>)(stop => ComfyWorkflow.ReadAsync(file, stop)))];
            case FileSystemInfo file:
                return [stop => ComfyWorkflow.ReadAsync(file.FullName, stop)];
            default:
                return [_ => Task.FromResult(ComfyWorkflow.Parse(JsonText.Of(Workflow)?.ToJsonString() ?? "null"))];
        }
    }
}
