using System.Management.Automation;
using System.Security;
using ComfyAuth.Models;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Downloads model files from the model hub: those that a stack needs, or any file of a repository.</summary>
/// <remarks>
/// <para>
/// Each file is loaded over several connections and hashed while it is written. What is interrupted goes on where it stopped at the next
/// run. Under its final name there is never anything but a whole file that was verified; a file that is there and right is not loaded
/// again, and needs no network.
/// </para>
/// <para>
/// A file under the name that is not the right one stays until the right one is verified; then it is renamed to .corrupt and a warning
/// says so. Nothing is deleted.
/// </para>
/// <para>
/// The models of the stack are public and need no token. For others it is taken from -HuggingFaceToken, HF_TOKEN,
/// HUGGING_FACE_HUB_TOKEN, .secrets/.env.huggingface of the stack, or the file of the hub's own tools, in this order. HF_ENDPOINT names a mirror, and
/// HTTPS_PROXY a proxy.
/// </para>
/// </remarks>
/// <example>
/// <code>Save-ComfyModel</code>
/// Downloads the models that the stack of the current folder needs and does not have.
/// </example>
/// <example>
/// <code>Save-ComfyModel -Path D:\stacks\genai -Name *vae* -WhatIf</code>
/// Names the files that would be downloaded, and where to.
/// </example>
/// <example>
/// <code>Save-ComfyModel -Repository Comfy-Org/Qwen-Image_ComfyUI -File split_files/vae/qwen_image_vae.safetensors -Destination .\models\vae</code>
/// Downloads one file of a repository, which belongs to no stack.
/// </example>
[Cmdlet(VerbsData.Save, "ComfyModel", DefaultParameterSetName = StackSet, SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(ModelDownloadResult))]
public sealed class SaveComfyModelCommand : ComfyCmdlet
{
    private const string StackSet = "Stack";
    private const string FileSet = "File";

    private object? _current;

    /// <summary>The names of models of the stack; wildcards are allowed. Without it all of them are meant.</summary>
    [Parameter(ParameterSetName = StackSet, Position = 0)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[] Name { get; set; } = [];

    /// <summary>The stack's root, or a folder or file inside it. Without it the current location is meant.</summary>
    [Parameter(ParameterSetName = StackSet)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Only the models of these services of the stack, by name. Without it those of all are meant.</summary>
    [Parameter(ParameterSetName = StackSet)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ServiceCompleter))]
    public string[] Service { get; set; } = [];

    /// <summary>The repository of the model hub, such as Comfy-Org/Qwen-Image_ComfyUI.</summary>
    [Parameter(ParameterSetName = FileSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Repository { get; set; } = "";

    /// <summary>The path of the file in the repository.</summary>
    [Parameter(ParameterSetName = FileSet, Mandatory = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string File { get; set; } = "";

    /// <summary>A branch, a tag or a commit of the repository; main unless given. A commit gives the same file every time.</summary>
    [Parameter(ParameterSetName = FileSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Revision { get; set; } = "main";

    /// <summary>The folder to save in; it is made where there is none. Without it the current location is meant.</summary>
    [Parameter(ParameterSetName = FileSet, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string? Destination { get; set; }

    /// <summary>The SHA-256 that the file must have: 64 hexadecimal digits. Without it the one that the hub gives counts.</summary>
    [Parameter(ParameterSetName = FileSet, ValueFromPipelineByPropertyName = true)]
    [ValidatePattern("^[0-9A-Fa-f]{64}$")]
    public string? Sha256 { get; set; }

    /// <summary>Read every byte of files that are there, although they were verified before and have not changed since.</summary>
    [Parameter]
    public SwitchParameter Deep { get; set; }

    /// <summary>A token of the model hub, for files that are not public.</summary>
    [Parameter]
    public SecureString? HuggingFaceToken { get; set; }

    /// <summary>How many connections load parts of one file at the same time, 1 to 32; 8 unless given.</summary>
    [Parameter]
    [ValidateRange(1, 32)]
    public int Connections { get; set; } = 8;

    /// <summary>How many bytes a second all downloads together may take, such as 10MB. Without it there is no limit.</summary>
    [Parameter]
    [ValidateRange(1024, long.MaxValue)]
    public long BytesPerSecond { get; set; }

    /// <inheritdoc/>
    protected override object? CurrentInput => _current;

    /// <inheritdoc/>
    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        _current = ParameterSetName == FileSet ? $"{Repository}/{File}" : Path;
        var (downloads, root) = await DownloadsAsync(pipe);
        List<ModelDownload> approved = [];
        foreach (var download in downloads)
        {
            var size = download.SizeInBytes is { } bytes ? $" ({ByteSize.Format(bytes)})" : "";
            if (await pipe.ShouldProcessAsync(download.Target, $"Download {download.Source}{size} unless it is there"))
                approved.Add(download);
        }

        if (approved.Count == 0)
            return;

        var token = HubToken.Find(HuggingFaceToken is null ? null : SecureText.Of(HuggingFaceToken, "The token of the model hub"), root);
        var options = new ModelDownloadOptions
        {
            Token = token?.Secret,
            Connections = Connections,
            BytesPerSecond = BytesPerSecond > 0 ? BytesPerSecond : null,
            Deep = Deep,
        };
        using var downloader = new ModelDownloader(pipe.Redactor, options, pipe.Loggers.CreateLogger("ComfyAuth"));
        var progress = new ModelDownloadSummary((what, done, total) => pipe.WriteProgress("Downloading models", what, done, total));
        await foreach (var result in downloader.DownloadAsync(approved, progress, stop))
        {
            if (result.Error is { } error)
            {
                pipe.WriteError(error, result.Path);
                continue;
            }

            if (result.Note is { } note)
                pipe.WriteWarning($"{result.File}: {note}");
            pipe.WriteObject(result);
        }
    }

    private async Task<(IReadOnlyList<ModelDownload> Downloads, string? Root)> DownloadsAsync(CmdletPipe pipe)
    {
        var given = ParameterSetName == FileSet ? Destination : Path;
        var folder = (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, given, literal: true)))[0];
        if (ParameterSetName == StackSet)
        {
            var stack = GenAIStack.Find(folder);
            return (ModelCatalogue.Choose(stack, Service, Name), stack.Root);
        }

        var file = new HubFile(Repository, File, Revision);
        return ([new() { Source = file, Target = System.IO.Path.Combine(folder, file.Name), Sha256 = Sha256?.ToLowerInvariant() }], null);
    }
}
