using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ComfyAuth.Emulator.Hub;

/// <summary>
/// A stand-in for huggingface.co: it serves the files of repositories, the large ones from a storage on another port, to which
/// it redirects as the real one does.
/// </summary>
/// <remarks>
/// Its answers are those of the real one as of 2026: 302 to the storage for a large file, with its SHA-256, its size and its name there; 307 to a
/// relative address for a small file and for a renamed repository.
/// </remarks>
public sealed class EmulatedHub : EmulatedServer
{
    private readonly HubOptions _options;
    private readonly ConcurrentDictionary<(string Repository, string Branch, string Path), HostedFile> _files = new();
    private readonly ConcurrentDictionary<string, string> _renamed = new(StringComparer.Ordinal);
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
    /// <returns>The address under which the hub has it, in its branch.</returns>
    public Uri Add(HostedFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        _files[(file.Repository, file.Branch, file.Path)] = file;
        return new(Address, $"{file.Repository}/resolve/{Uri.EscapeDataString(file.Branch)}/{Escaped(file.Path)}");
    }

    /// <summary>Gives a repository another name; who asks for the old one is led to it.</summary>
    /// <param name="from">The old name.</param>
    /// <param name="to">The name under which its files were added.</param>
    public void Rename(string from, string to) => _renamed[from] = to;

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
        var headers = context.Response.Headers;
        if (_options.HasLinkedHeaders)
        {
            headers["RateLimit"] = "\"resolvers\";r=2999;t=300";
            headers["RateLimit-Policy"] = "\"fixed window\";\"resolvers\";q=3000;w=300";
        }

        var isGet = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        return context.Request.Path.Value!.Split('/') switch
        {
            _ when _options.OtherHub is { } other => RedirectAsync(context, StatusCodes.Status308PermanentRedirect, new Uri(other, context.Features.Get<IHttpRequestFeature>()!.RawTarget).AbsoluteUri),
            _ when !isGet => RefuseAsync(context, StatusCodes.Status405MethodNotAllowed, null, "Method not allowed"),
            _ when token is not null && !_options.Tokens.Contains(token) && !_options.TokensWithoutAccess.Contains(token) =>
                RefuseAsync(context, StatusCodes.Status401Unauthorized, null, "Invalid credentials in Authorization header"),
            ["", "api", "whoami-v2"] when token is null => RefuseAsync(context, StatusCodes.Status401Unauthorized, null, "Invalid username or password."),
            ["", "api", "whoami-v2"] => context.WriteJsonAsync(new JsonObject { ["type"] = "user", ["name"] = "someone" }),
            ["", var owner, var name, "resolve", var revision, .. var path] => ResolveAsync(context, $"{owner}/{name}", Uri.UnescapeDataString(revision), string.Join('/', path), token),
            ["", "api", "resolve-cache", "models", var owner, var name, var commit, .. var path] => ServeAsync(context, $"{owner}/{name}", commit, string.Join('/', path)),
            _ => RefuseAsync(context, StatusCodes.Status404NotFound, null, "Sorry, we can't find the page you are looking for."),
        };
    }

    private Task ResolveAsync(HttpContext context, string repository, string revision, string path, string? token)
    {
        if (_renamed.TryGetValue(repository, out var renamed))
            return RedirectAsync(context, StatusCodes.Status307TemporaryRedirect, $"/{renamed}/resolve/{Uri.EscapeDataString(revision)}/{Escaped(path)}");
        var files = _files.Values.Where(file => file.Repository == repository).ToList();

        // Without a token nobody is told which private repositories there are.
        if (files.Count == 0)
        {
            return token is null
                ? RefuseAsync(context, StatusCodes.Status401Unauthorized, "RepoNotFound", "Invalid username or password.")
                : RefuseAsync(context, StatusCodes.Status404NotFound, "RepoNotFound", "Repository not found");
        }

        var found = files.Where(file => file.Branch == revision || file.Commit == revision).ToList();
        if (found.Count == 0)
            return RefuseAsync(context, StatusCodes.Status404NotFound, "RevisionNotFound", $"Invalid rev id: {revision}");
        if (found.Find(file => file.Path == path) is not { } file)
            return RefuseAsync(context, StatusCodes.Status404NotFound, "EntryNotFound", "Entry not found");
        if (file.IsGated && (token is null || !_options.Tokens.Contains(token)))
        {
            return RefuseAsync(
                context,
                token is null ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden,
                "GatedRepo",
                $"Access to model {repository} is restricted.{(token is null ? " You must have access to it and be authenticated to access it. Please log in." : " You are not in the authorized list.")}");
        }

        if (!_options.Redirects)
            return ServeAsync(context, file);

        var headers = context.Response.Headers;
        headers.AcceptRanges = "bytes";
        if (_options.HasLinkedHeaders)
        {
            headers["X-Repo-Commit"] = file.Commit;
            headers["X-Linked-ETag"] = $"\"{(file.IsStored ? file.Content.Sha256 : file.Content.GitSha1)}\"";
            headers["X-Linked-Size"] = file.Content.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (!file.IsStored)
            return RedirectAsync(context, StatusCodes.Status307TemporaryRedirect, $"/api/resolve-cache/models/{repository}/{file.Commit}/{Escaped(path)}?{Uri.EscapeDataString(context.Request.Path)}=&etag=%22{file.Content.GitSha1}%22");

        if (_options.HasLinkedHeaders)
        {
            headers["X-Xet-Hash"] = file.Content.XetHash;
            headers.Link = $"<{Address}api/models/{repository}/xet-read-token/{file.Commit}>; rel=\"xet-auth\", <{Storage.Address}v1/reconstructions/{file.Content.XetHash}>; rel=\"xet-reconstruction-info\"";
        }

        return RedirectAsync(context, StatusCodes.Status302Found, Storage.Sign(file, context.Request.Headers.Range.ToString()).AbsoluteUri);
    }

    /// <summary>Serves a small file from where the hub led to; the query is a part of the address.</summary>
    private Task ServeAsync(HttpContext context, string repository, string commit, string path) =>
        _files.Values.FirstOrDefault(file => file.Repository == repository && file.Commit == commit && file.Path == path) is { IsStored: false } file && context.Request.Query["etag"] == $"\"{file.Content.GitSha1}\""
            ? ServeAsync(context, file)
            : RefuseAsync(context, StatusCodes.Status404NotFound, "EntryNotFound", "Entry not found");

    private Task ServeAsync(HttpContext context, HostedFile file)
    {
        if (_options.HasLinkedHeaders)
            context.Response.Headers["X-Repo-Commit"] = file.Commit;

        // A mirror that knows no more than the storage told it has the storage's tag.
        var tag = !file.IsStored ? file.Content.GitSha1 : _options.HasLinkedHeaders ? file.Content.Sha256 : file.Content.XetHash;
        return ContentAnswer.WriteAsync(context, file.Content, $"\"{tag}\"", _options.TellsLength, Storage.Count);
    }

    private static Task RedirectAsync(HttpContext context, int status, string location)
    {
        context.Response.Headers.Location = location;
        return context.WriteTextAsync($"Redirecting to {location}", status);
    }

    private static string Escaped(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));

    private static string? Token(HttpRequest request) => request.Headers.Authorization.ToString() is { Length: > 0 } header ? header.Split(' ')[^1] : null;

    private static Task RefuseAsync(HttpContext context, int status, string? code, string message)
    {
        context.Response.Headers["X-Error-Message"] = message;
        if (code is not null)
            context.Response.Headers["X-Error-Code"] = code;
        return context.WriteJsonAsync(new JsonObject { ["error"] = message }, status);
    }
}
