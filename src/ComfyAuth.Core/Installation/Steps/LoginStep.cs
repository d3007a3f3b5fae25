using System.Text.RegularExpressions;
using ComfyAuth.Comfy;
using ComfyAuth.Docker;
using ComfyAuth.Stacks;

namespace ComfyAuth.Installation.Steps;

/// <summary>ComfyUI-Login and further custom nodes in the container.</summary>
/// <remarks>
/// A node that is there stays as it is, at whatever commit: somebody may want that one. What is not there is cloned under a name that
/// ComfyUI does not load, gets what it requires, and only then its own name.
/// </remarks>
internal sealed partial class LoginStep : InstallStep
{
    /// <summary>In the clones that an installation made; whoever writes the journal cannot write it there.</summary>
    internal const string Marker = "/.git/comfyauth-installed";

    /// <summary>The end of the name of a clone that is not whole yet; ComfyUI loads no such folder.</summary>
    internal const string Unfinished = ".comfyauth.disabled";

    /// <summary>Removes folders; a link is not followed.</summary>
    internal const string Remove = """
        import os, shutil, sys
        for path in sys.argv[1:]:
            if os.path.lexists(path):
                shutil.rmtree(path)
        """;

    private const int LargestText = 1024 * 1024;
    private const int LogLines = 2000;
    private const int NotWritable = 3;

    /// <summary>Imports what ComfyUI-Login imports, in the environment of the server.</summary>
    private const string Import = """
        import importlib, sys
        for name in sys.argv[1:]:
            try:
                importlib.import_module(name)
            except BaseException as error:
                print("missing\t" + name + "\t" + type(error).__name__)
        print("comfyauth-imports\t" + sys.version.split()[0])
        """;

    private const string Writable = """
        import os, sys, sysconfig
        sys.exit(0 if all(os.access(path, os.W_OK) for path in (sys.argv[1], sysconfig.get_paths()["purelib"])) else 3)
        """;

    /// <summary>Where the server's user may not write, it must at least be able to keep a file beside those of the node, as ComfyUI-Login does.</summary>
    private const string Rename = """
        import os, sys
        if len(sys.argv) > 3:
            os.chmod(sys.argv[1], 0o1777)
        os.rename(sys.argv[1], sys.argv[2])
        """;

    private static readonly string[] Modules = ["aiohttp", "aiohttp_session.cookie_storage", "cryptography", "bcrypt", "jinja2", "Crypto.Cipher.AES"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public override InstallStepName Name => InstallStepName.Login;

    /// <inheritdoc/>
    public override InstallParts Part => InstallParts.Docker;

    /// <inheritdoc/>
    public override async Task<StepPlan> CheckAsync(InstallContext context, CancellationToken stop) => (await LookAsync(context, stop).ConfigureAwait(false)).Plan;

    /// <inheritdoc/>
    public override async Task<StepPlan> VerifyAsync(InstallContext context, CancellationToken stop)
    {
        var (plan, notLoaded) = await LookAsync(context, stop).ConfigureAwait(false);
        return notLoaded.Count == 0 ? plan : throw new ComfyAuthException(
            "CustomNodeNotLoaded",
            $"ComfyUI was restarted and has not loaded {string.Join(", ", notLoaded)}.",
            $"See why: docker logs {context.Service.Container}. Often a package is missing, or of a version that does not fit.");
    }

    private static List<CustomNode> Wanted(InstallContext context)
    {
        var nodes = context.Options.CustomNodes.Select(CustomNode.Parse).ToList();
        if (context.Service.Auth == AuthKind.ComfyUILogin)
            nodes.Insert(0, CustomNode.Login);
        return [.. nodes.DistinctBy(node => node.Name)];
    }

    private static async Task<(StepPlan Plan, IReadOnlyList<string> NotLoaded)> LookAsync(InstallContext context, CancellationToken stop)
    {
        var nodes = Wanted(context);
        if (nodes.Count == 0)
            return (new("The service has no login, and no custom node is wanted.") { IsSkipped = true }, []);

        var container = await ComfyContainer.FindRunningAsync(context, stop).ConfigureAwait(false);
        var folder = $"{await container.FolderAsync(stop).ConfigureAwait(false)}/custom_nodes";
        var evidence = new List<string>();
        var changes = new List<PlannedInstallChange>();
        var failed = await FailedImportsAsync(context, container, stop).ConfigureAwait(false);
        var notLoaded = new List<string>();
        string? login = null;
        foreach (var node in nodes)
        {
            if (await PlaceAsync(container, folder, node, stop).ConfigureAwait(false) is not { } path)
            {
                var wanted = $"{folder}/{node.Name}";
                changes.Add(new($"{container.Details.Name}:{wanted}", $"Clone {node.Address} at {node.Commit ?? "its newest commit"}", (at, token) => CloneAsync(at, container, node, wanted, token)));
                continue;
            }

            if (node == CustomNode.Login)
                login = path;
            evidence.Add(await TellAsync(container, node, path, stop).ConfigureAwait(false));
            if (failed.Contains(path[(folder.Length + 1)..]) || await IsNewerThanTheServerAsync(container, path, stop).ConfigureAwait(false))
                notLoaded.Add(node.Name);
        }

        if (login is not null)
        {
            var missing = await MissingAsync(container, evidence, stop).ConfigureAwait(false);
            if (missing.Count > 0)
                changes.Add(new($"{container.Details.Name}:{login}/requirements.txt", $"Install with pip what cannot be imported: {string.Join(", ", missing)}", (at, token) => InstallAsync(at, container, login, null, token)));
            else if (!notLoaded.Contains(CustomNode.Login.Name) && !await IsLoadedAsync(context, container, evidence, stop).ConfigureAwait(false))
                notLoaded.Add(CustomNode.Login.Name);
        }

        if (changes.Count > 0 || notLoaded.Count > 0)
            changes.Add(new(container.Details.Name, notLoaded.Count == 0 ? "Restart, so that ComfyUI loads them" : $"Restart, because ComfyUI has not loaded {string.Join(", ", notLoaded)}", (_, token) => container.RestartAsync(token)) { Interrupts = context.IsInUse(container.Details.Name) });
        var message = changes.Count == 0 ? $"{string.Join(", ", nodes.Select(node => node.Name))}: there, and loaded." : $"Not all is there: {string.Join(", ", nodes.Select(node => node.Name))}.";
        return (new(message, evidence) { Changes = changes }, notLoaded);
    }

    /// <summary>Where a node is; a registry of nodes may have given it a name in lower case. Null where it is not.</summary>
    private static async Task<string?> PlaceAsync(ComfyContainer container, string folder, CustomNode node, CancellationToken stop)
    {
        foreach (var name in new[] { node.Name, node.Name.ToLowerInvariant() })
        {
            if (await container.HeadAsync($"{folder}/{name}", stop).ConfigureAwait(false) is not null)
                return $"{folder}/{name}";
        }

        return null;
    }

    /// <summary>Whether an installation put a node there and was interrupted before the restart. Both times are of the engine's clock.</summary>
    private static async Task<bool> IsNewerThanTheServerAsync(ComfyContainer container, string path, CancellationToken stop) =>
        await container.HeadAsync(path + Marker, stop).ConfigureAwait(false) is not null
        && await container.HeadAsync($"{path}/.git/HEAD", stop).ConfigureAwait(false) is { ModifiedAt: { } madeAt }
        && madeAt > container.Details.StartedAt;

    /// <summary>Tells at which commit a node is.</summary>
    private static async Task<string> TellAsync(ComfyContainer container, CustomNode node, string path, CancellationToken stop)
    {
        if (await container.HeadAsync($"{path}/__init__.py", stop).ConfigureAwait(false) is null)
            throw new ComfyAuthException("CustomNodeBroken", $"{path} in the container '{container.Details.Name}' is no custom node: it has no __init__.py.", "Move the folder away; it is then cloned anew.");

        return await CommitAsync(container, path, stop).ConfigureAwait(false) switch
        {
            null => $"{node.Name}: at which commit it is cannot be told, because it is no clone; it was left as it is.",
            var commit when node.IsAt(commit) => $"{node.Name}: at commit {commit}{(node.Commit is null ? "" : ", the one that is wanted")}.",
            var commit => $"{node.Name}: at commit {commit}, not {node.Commit}; it was left as it is.",
        };
    }

    /// <summary>The commit that is checked out (gitrepository-layout(5)), or that the image says it installed; null where neither tells.</summary>
    private static async Task<string?> CommitAsync(ComfyContainer container, string path, CancellationToken stop)
    {
        var head = (await container.ReadAsync($"{path}/.git/HEAD", LargestText, stop).ConfigureAwait(false))?.Trim();
        if (head?.StartsWith("ref: refs/", StringComparison.Ordinal) == true && !head.Contains("..", StringComparison.Ordinal))
        {
            var name = head["ref: ".Length..];
            head = (await container.ReadAsync($"{path}/.git/{name}", LargestText, stop).ConfigureAwait(false))?.Trim()
                ?? (await container.ReadAsync($"{path}/.git/packed-refs", LargestText, stop).ConfigureAwait(false))?.Split('\n', StringSplitOptions.TrimEntries).FirstOrDefault(line => line.EndsWith(" " + name, StringComparison.Ordinal))?.Split(' ')[0];
        }

        if (head is null && path.EndsWith("/ComfyUI/custom_nodes/" + CustomNode.Login.Name, StringComparison.Ordinal))
        {
            // What install.sh of the templates leaves behind.
            var workspace = path[..path.LastIndexOf("/ComfyUI/", StringComparison.Ordinal)];
            head = (await container.ReadAsync($"{workspace}/.installed/login", LargestText, stop).ConfigureAwait(false))?.Trim();
        }

        return head is not null && Commit().IsMatch(head) ? head : null;
    }

    /// <summary>The modules of ComfyUI-Login that cannot be imported.</summary>
    private static async Task<IReadOnlyList<string>> MissingAsync(ComfyContainer container, List<string> evidence, CancellationToken stop)
    {
        var result = await container.RunPythonAsync(["-c", Import, .. Modules], null, stop).ConfigureAwait(false);
        var lines = result.StandardOutput.Split('\n', StringSplitOptions.TrimEntries).Select(line => line.Split('\t')).ToList();
        if (lines.Find(line => line is ["comfyauth-imports", _]) is not [_, var version])
            throw new ComfyAuthException("PythonNotFound", $"The Python of the container '{container.Details.Name}' does not say what it can import: {container.Said(result)}", "ComfyUI runs with Python: see that the container is the one of ComfyUI.");
        var missing = lines.Where(line => line is ["missing", _, _]).Select(line => line[1]).ToList();
        if (missing.Count == 0)
            evidence.Add($"Python {version} imports {string.Join(", ", Modules)}.");
        return missing;
    }

    /// <summary>Whether ComfyUI-Login works, which its page tells.</summary>
    private static async Task<bool> IsLoadedAsync(InstallContext context, ComfyContainer container, List<string> evidence, CancellationToken stop)
    {
        if (!container.AnswersItself)
            throw new ComfyAuthException("LoginNotAsked", $"Whether ComfyUI-Login is loaded could not be asked: another container answers at {context.Service.Url}.", "See with Get-GenAIContainer which container has the port, and mend the ports or the url of the service.");
        using var conversation = new LoginConversation(context.Service, Patience, stop);
        var page = await conversation.AskAsync(new(LoginPage.Path) { WantsBody = true }, stop).ConfigureAwait(false);
        if (page.Status is null or >= 500)
            throw new ComfyAuthException("LoginNotAsked", $"Whether ComfyUI-Login is loaded could not be asked: {page.What} at {context.Service.Url}.", "Wait until it answers with Wait-GenAIContainer, then start again.");
        var isLoaded = LoginPage.IsSet(page) || LoginPage.IsFirstLogin(page);
        if (isLoaded)
            evidence.Add("The login page is the one of ComfyUI-Login.");
        return isLoaded;
    }

    /// <summary>The nodes that ComfyUI says it could not import when it started.</summary>
    private static async Task<HashSet<string>> FailedImportsAsync(InstallContext context, ComfyContainer container, CancellationToken stop)
    {
        var failed = new HashSet<string>(StringComparer.Ordinal);
        var options = new ContainerLogOptions { Tail = LogLines, Since = container.Details.StartedAt, Tty = container.Details.Tty, Timestamps = false };
        await foreach (var line in context.Engine.LogsAsync(container.Details.Id, options, stop).ConfigureAwait(false))
        {
            if (FailedImport().Match(line.Text) is { Success: true } match)
                failed.Add(match.Groups["name"].Value);
        }

        return failed;
    }

    private static async Task CloneAsync(InstallContext context, ComfyContainer container, CustomNode node, string path, CancellationToken stop)
    {
        var (clone, name) = (path + Unfinished, container.Details.Name);
        var user = await UserAsync(container, path[..path.LastIndexOf('/')], stop).ConfigureAwait(false);

        context.Journal.Note(InstallChangeKind.Node, $"{name}:{path}");
        await MustAsync(container.RunPythonAsync(["-c", Remove, clone], user, stop), "what an earlier run left could not be removed").ConfigureAwait(false);
        context.Tell($"Cloning {node.Address}", 0, null);
        await MustAsync(GitAsync("clone", "--quiet", "--", node.Address, clone), "git could not clone it").ConfigureAwait(false);
        if (node.Commit is { } commit)
            await MustAsync(GitAsync("-C", clone, "checkout", "--quiet", "--detach", commit), $"git could not check out {commit}").ConfigureAwait(false);
        await context.Engine.WriteFileAsync(container.Details.Id, clone + Marker, new(new byte[] { (byte)'\n' }), stop).ConfigureAwait(false);
        if (await container.HeadAsync($"{clone}/requirements.txt", stop).ConfigureAwait(false) is not null)
            await InstallAsync(context, container, clone, user, stop).ConfigureAwait(false);
        await MustAsync(container.RunPythonAsync(user is null ? ["-c", Rename, clone, path] : ["-c", Rename, clone, path, "shared"], user, stop), "it could not be given its name").ConfigureAwait(false);

        async Task<ExecResult> GitAsync(params string[] arguments) => await container.RunAsync(["git", .. arguments], user, stop).ConfigureAwait(false)
            ?? throw new ComfyAuthException("GitNotFound", $"The container '{name}' has no git, with which {node.Name} would be cloned.", "Install git in the image, or have the container made of the image that Install-ComfyQwen lays out.");

        async Task MustAsync(Task<ExecResult> running, string what)
        {
            var result = await running.ConfigureAwait(false);
            if (result.ExitCode != 0)
                throw new ComfyAuthException("CustomNodeFailed", $"The custom node {node.Name} was not put into the container '{name}', because {what}: {container.Said(result)}", "See that the container reaches the network and may write to its folder custom_nodes, and that the address and the commit are right.");
        }
    }

    /// <summary>Installs what a node requires. Packages stay where it is taken back: others may need them by then, and they do nothing by themselves.</summary>
    private static async Task InstallAsync(InstallContext context, ComfyContainer container, string node, string? user, CancellationToken stop)
    {
        context.Tell($"Installing the requirements of {node[(node.LastIndexOf('/') + 1)..]}", 0, null);
        var result = await container.RunPythonAsync(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "-r", $"{node}/requirements.txt"], user ?? await UserAsync(container, node, stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (result.ExitCode != 0)
            throw new ComfyAuthException("CustomNodeFailed", $"pip could not install what {node}/requirements.txt in the container '{container.Details.Name}' asks for: {container.Said(result)}", "See that the container reaches the package index, then start again.");
    }

    /// <summary>As whom to write: the container's own user where that one may, else root.</summary>
    private static async Task<string?> UserAsync(ComfyContainer container, string folder, CancellationToken stop) =>
        (await container.RunPythonAsync(["-c", Writable, folder], null, stop).ConfigureAwait(false)).ExitCode == NotWritable ? "0" : null;

    [GeneratedRegex(@"\A[0-9a-f]{40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Commit();

    // As in "   0.1 seconds (IMPORT FAILED): /workspace/ComfyUI/custom_nodes/ComfyUI-Login".
    [GeneratedRegex(@"\(IMPORT FAILED\): .*[/\\](?<name>[^/\\]+)\s*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex FailedImport();
}
