using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace ComfyAuth.Emulator.Hub;

/// <summary>
/// A stand-in for huggingface.co: it serves the files of repositories, the large ones from a storage on another port, to which
/// it redirects as the real one does.
/// </summary>
public sealed class EmulatedHub : EmulatedServer
{
    private readonly HubOptions _options;
    private readonly ConcurrentDictionary<(string Repository, string Path), HostedFile> _files = new();
    private int _tokensSeen;

    private EmulatedHub(HubOptions options)
        : base(port: options.Port) => (_options, Storage) = (options, new(options));

    /// <summary>Where the large files lie.</summary>
    public EmulatedStorage Storage { get; }

    /// <summary>How many requests came with a token.</summary>
    public int TokensSeen => Volatile.Read(ref _tokensSeen);

    /// <summary>Starts a hub without files.</summary>
    /// <param name="options">How it behaves; null: as the real one.</param>
    /// <param name="stop">Gives up.</param>
    public static async Task<EmulatedHub> StartAsync(HubOptions? options = null, CancellationToken stop = default)
    {
        var hub = new EmulatedHub(options ?? new());
        try
        {
            await hub.Storage.StartAsync(stop);
            await hub.ListenAsync(stop);
            return hub;
        }
        catch
        {
            await hub.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a file, or a new version of it. A file that is replaced stays in the storage, for whoever has its address.</summary>
    /// <param name="file">The file.</param>
    /// <returns>The address under which the hub has it, in its branch <c>main</c>.</returns>
    public Uri Add(HostedFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        _files[(file.Repository, file.Path)] = file;
        return new(Address, $"{file.Repository}/resolve/main/{file.Path}");
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await base.DisposeAsyncCore();
        await Storage.DisposeAsync();
    }

    /// <inheritdoc/>
    protected override void Note(HttpRequest request)
    {
        if (Token(request) is not null)
            Interlocked.Increment(ref _tokensSeen);
    }

    /// <inheritdoc/>
    protected override Task AnswerAsync(HttpContext context)
    {
        var token = Token(context.Request);
        var isGet = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        return context.Request.Path.Value!.Split('/') switch
        {
            _ when !isGet => RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, null, "Method not allowed"),
            _ when token is not null && !_options.Tokens.Contains(token) && !_options.TokensWithoutAccess.Contains(token) =>
                RefuseAsync(context, StatusCodes.Status401Unauthorized, null, "Invalid credentials in Authorization header"),
            ["", "api", "whoami-v2"] when token is null => RefuseAsync(context, StatusCodes.Status401Unauthorized, null, "Invalid username or password."),
            ["", "api", "whoami-v2"] => context.WriteJsonAsync(new JsonObject { ["type"] = "user", ["name"] = "someone" }),
            ["", var owner, var name, "resolve", var revision, .. var path] => ResolveAsync(context, $"{owner}/{name}", revision, string.Join('/', path), token),
            _ => RefuseAsync(context, StatusCodes.Status404NotFound, null, "Sorry, we can't find the page you are looking for."),
        };
    }

    private Task ResolveAsync(HttpContext context, string repository, string revision, string path, string? token)
    {
        var commits = _files.Where(file => file.Key.Repository == repository).Select(file => file.Value.Commit).ToList();

        // Without a token nobody is told which private repositories there are.
        if (commits.Count == 0)
        {
            return token is null
                ? RefuseAsync(context, StatusCodes.Status401Unauthorized, "RepoNotFound", "Invalid username or password.")
                : RefuseAsync(context, StatusCodes.Status404NotFound, "RepoNotFound", "Repository not found");
        }

        if (revision != "main" && !commits.Contains(revision))
            return RefuseAsync(context, StatusCodes.Status404NotFound, "RevisionNotFound", $"Invalid rev id: {revision}");
        if (!_files.TryGetValue((repository, path), out var file) || (revision != "main" && file.Commit != revision))
            return RefuseAsync(context, StatusCodes.Status404NotFound, "EntryNotFound", "Entry not found");
        if (file.IsGated && (token is null || !_options.Tokens.Contains(token)))
        {
            return RefuseAsync(
                context,
                token is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden,
                "GatedRepo",
                $"Access to model {repository} is restricted.{(token is null ? " You must have access to it and be authenticated to access it. Please log in." : " You are not in the authorized list.")}");
        }

        var headers = context.Response.Headers;
        if (_options.HasLinkedHeaders)
            headers["X-Repo-Commit"] = file.Commit;
        if (!file.IsStored || !_options.Redirects)
            return ContentAnswer.WriteAsync(context, file.Content, $"\"{(file.IsStored ? file.Content.Sha256 : file.Content.GitSha1)}\"", Storage.Count);

        if (_options.HasLinkedHeaders)
        {
            headers["X-Linked-Etag"] = $"\"{file.Content.Sha256}\"";
            headers["X-Linked-Size"] = file.Content.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        var address = Storage.Sign(file);
        headers.AcceptRanges = "bytes";
        headers.Location = address.AbsoluteUri;
        return context.WriteTextAsync($"Found. Redirecting to {address.AbsoluteUri}", StatusCodes.Status302Found);
    }

    private static string? Token(HttpRequest request) => request.Headers.Authorization.ToString() is { Length: > 0 } header ? header.Split(' ')[^1] : null;

    private static Task RefuseAsync(HttpContext context, int status, string? code, string message)
    {
        context.Response.Headers["X-Error-Message"] = message;
        if (code is not null)
            context.Response.Headers["X-Error-Code"] = code;
        return context.WriteJsonAsync(new JsonObject { ["error"] = message }, status);
    }
}
