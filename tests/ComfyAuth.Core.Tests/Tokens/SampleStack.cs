using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Tokens;

/// <summary>A stack of the original layout in which everything agrees, for a test to break.</summary>
public sealed class SampleStack : IDisposable
{
    public const string Source = ".secrets/comfyui_auth_tokens.conf";
    public const string RootEnv = ".env";
    public const string RootToken = ".secrets/qwen-api-user.token";
    public const string Service = "docker-configurations/services/comfyui-qwen";
    public const string ServiceEnv = $"{Service}/.env";
    public const string ServiceToken = $"{Service}/.secrets/qwen-api-user.token";
    public const string PasswordFile = $"{Service}/.secrets/PASSWORD";
    public const string NotebooksEnv = "MyIA.AI.Notebooks/GenAI/.env";

    public static IReadOnlyList<string> Files { get; } = [Source, RootEnv, RootToken, ServiceEnv, ServiceToken, PasswordFile, NotebooksEnv];

    private readonly TemporaryFolder _folder = new();

    public SampleStack(SampleCredential? credential = null)
    {
        Credential = credential ?? new();
        Write(Source, $$"""{"version": "1.0", "created_at": "2025-10-30T22:00:00Z", "raw_token": "{{Credential.Password}}", "bcrypt_hash": "{{Credential.Text}}", "note": "mine"}""");
        Write(RootEnv, $"# root\nCOMFYUI_API_TOKEN='{Credential.Text}'\nCOMFYUI_RAW_TOKEN={Credential.Password}\nTZ=Europe/Paris\n");
        Write(RootToken, Credential.Text);
        Write(ServiceEnv, $"CIVITAI_TOKEN=c\nHF_TOKEN=h\nQWEN_API_TOKEN=q\n\n# Login\nCOMFYUI_LOGIN_ENABLED=true\nCOMFYUI_USERNAME=alice\nCOMFYUI_PASSWORD={Credential.Password}\nCOMFYUI_BEARER_TOKEN='{Credential.Text}'\n\nGPU_DEVICE_ID=1\n");
        Write(ServiceToken, Credential.Text + "\n");
        Write(PasswordFile, $"{Credential.Text}\nalice\n");
        Write(NotebooksEnv, $"COMFYUI_API_TOKEN='{Credential.Text}'\n");
    }

    public SampleCredential Credential { get; }

    public string Root => _folder.Path;

    public GenAIStack Stack => GenAIStack.Find(Root);

    public PasswordVerifier Verifier { get; init; } = new();

    public Dictionary<string, string> Shell { get; } = [];

    public void Write(string path, string text)
    {
        var full = _folder.Write(path, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(full, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public string Read(string path) => _folder.Read(path);

    public string PathOf(string path) => _folder.PathOf(path);

    public void Delete(string path) => File.Delete(PathOf(path));

    public void Replace(string path, string old, string text)
    {
        var before = Read(path);
        Assert.Contains(old, before, StringComparison.Ordinal);
        Write(path, before.Replace(old, text, StringComparison.Ordinal));
    }

    /// <summary>Every file of the stack with its bytes and its time of change.</summary>
    public Dictionary<string, (string Bytes, DateTime Changed)> Snapshot() => Directory
        .EnumerateFiles(Root, "*", SearchOption.AllDirectories)
        .ToDictionary(path => path, path => (Convert.ToBase64String(File.ReadAllBytes(path)), File.GetLastWriteTimeUtc(path)));

    public IReadOnlyList<TokenObservation> Audit() =>
        new TokenAuditor(Verifier, new(), name => Shell.GetValueOrDefault(name)).Audit(Stack, cancellationToken: TestContext.Current.CancellationToken);

    public TokenValidation Validate() =>
        Assert.Single(new TokenAuditor(Verifier, new(), name => Shell.GetValueOrDefault(name)).Validate(Stack, cancellationToken: TestContext.Current.CancellationToken));

    public TokenObservation ObservationOf(string location) => Audit().Single(seen => seen.Location == location);

    public TokenSyncPlan Plan(TokenSyncRequest? request = null) =>
        new TokenSynchronizer(Verifier, new(), name => Shell.GetValueOrDefault(name)).Plan(Stack, request ?? new(), TestContext.Current.CancellationToken);

    public Task<IReadOnlyList<TokenSyncResult>> SynchronizeAsync(TokenSyncRequest? request = null, Func<PlannedTokenChange, Task<bool>>? approve = null) =>
        Plan(request).ApplyAsync(approve, TestContext.Current.CancellationToken);

    public void Dispose() => _folder.Dispose();
}
