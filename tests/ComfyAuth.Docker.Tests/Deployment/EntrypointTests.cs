using System.Runtime.Versioning;
using System.Text;
using ComfyAuth.Docker;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>The entry point that is laid out, run in a container with stand-ins for git, Python, pip and ComfyUI.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class EntrypointTests(TestEngine engine) : IDisposable
{
    // Made for the tests.
    private const string Hash = "$2b$04$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
    private const string Ready = "To see the GUI go to";

    private const UnixFileMode ForAll = (UnixFileMode)0b111_101_101;

    private static readonly string[] Programs = ["/usr", "/bin", "/lib", "/lib64"];

    private static readonly string[] StandIns = ["git", "python3"];

    private static readonly string[] FirstStart =
    [
        "git ComfyUI init -q",
        "git ComfyUI sparse-checkout set --no-cone /* !/models/ !/input/ !/output/",
        $"git ComfyUI fetch -q --depth 1 https://github.com/comfyanonymous/ComfyUI.git {DeploymentTemplates.ComfyUICommit}",
        $"git ComfyUI checkout -q --force --detach {DeploymentTemplates.ComfyUICommit}",
        "git ComfyUI rev-parse HEAD",
        "python3 -m venv /workspace/venv",
        "pip install --index-url https://download.pytorch.org/whl/cpu torch==2.8.0 torchvision==0.23.0 torchaudio==2.8.0",
        "pip install -r /workspace/ComfyUI/requirements.txt transformers<5 av<17",
        "git ComfyUI-Login init -q",
        "git ComfyUI-Login sparse-checkout set --no-cone /* !/models/ !/input/ !/output/",
        $"git ComfyUI-Login fetch -q --depth 1 https://github.com/liusida/ComfyUI-Login.git {DeploymentTemplates.LoginCommit}",
        $"git ComfyUI-Login checkout -q --force --detach {DeploymentTemplates.LoginCommit}",
        "git ComfyUI-Login rev-parse HEAD",
        "pip install -r /workspace/ComfyUI/custom_nodes/ComfyUI-Login/requirements.txt",
    ];

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string[] Calls => File.Exists(_folder.PathOf("record/calls")) ? File.ReadAllLines(_folder.PathOf("record/calls")) : [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_first_start_installs_the_second_one_does_nothing_again()
    {
        Prepare();
        await using (var first = await RunAsync())
            await first.PrintedAsync(Ready);
        Assert.Equal([.. FirstStart, "server in /workspace/ComfyUI <main.py> <--listen> <0.0.0.0>"], Calls);

        File.Delete(_folder.PathOf("record/calls"));
        _folder.Write("record/git-fails", "");
        _folder.Write("record/pip-fails", "");
        await using var second = await RunAsync();
        await second.PrintedAsync(Ready);
        Assert.Equal(["server in /workspace/ComfyUI <main.py> <--listen> <0.0.0.0>"], Calls);
    }

    [Theory]
    [InlineData("git-hangs", 3)]
    [InlineData("pip-hangs", 6)]
    public async Task What_was_killed_in_the_middle_goes_on_there(string where, int callsThatStand)
    {
        Prepare();
        _folder.Write($"record/{where}", "");
        await using (var first = await RunAsync())
        {
            await first.PrintedAsync("hanging");
            await engine.Client.KillAsync(first.Id, stop: Stop);
            await engine.Client.WaitAsync(first.Id, Stop);
        }

        File.Delete(_folder.PathOf($"record/{where}"));
        File.Delete(_folder.PathOf("record/calls"));
        _folder.Write("workspace/ComfyUI/user/mine.json", "mine");
        await using var second = await RunAsync();
        await second.PrintedAsync(Ready);

        // A step of its own: git begins again within it.
        Assert.Equal(FirstStart[(callsThatStand == 3 ? 0 : callsThatStand)..], Calls[..^1]);
        Assert.False(Directory.Exists(_folder.PathOf("workspace/venv/lib/python3.11/site-packages/half-1.0.dist-info")));
        Assert.True(Directory.Exists(_folder.PathOf("workspace/venv/lib/python3.11/site-packages/whole-1.0.dist-info")));
        Assert.Equal("mine", _folder.Read("workspace/ComfyUI/user/mine.json"));
    }

    [Fact]
    public async Task An_install_that_fails_starts_nothing_and_is_tried_again()
    {
        Prepare();
        _folder.Write("record/pip-fails", "");
        await using (var first = await RunAsync())
        {
            Assert.Equal(1, await engine.Client.WaitAsync(first.Id, Stop));
            Assert.Contains((await first.LogAsync()).Select(line => line.Text), line => line.Contains("No matching distribution", StringComparison.Ordinal));
        }

        Assert.DoesNotContain(Calls, call => call.StartsWith("server", StringComparison.Ordinal));
        File.Delete(_folder.PathOf("record/pip-fails"));
        File.Delete(_folder.PathOf("record/calls"));
        await using var second = await RunAsync();
        await second.PrintedAsync(Ready);
        Assert.Equal(FirstStart[6..], Calls[..^1]);
    }

    public static TheoryData<string, byte[]?, string> Passwords => new()
    {
        { "missing", null, "there is no /workspace/ComfyUI/login/PASSWORD" },
        { "empty", [], "is empty" },
        { "byte order mark", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes($"{Hash}\nalice\n")], "byte order mark" },
        { "Windows line ends", Encoding.UTF8.GetBytes($"{Hash}\r\nalice\r\n"), "Windows line ends" },
        { "UTF-16", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes($"{Hash}\nalice\n")], "is UTF-16" },
        { "big-endian UTF-16", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes($"{Hash}\nalice\n")], "is UTF-16" },
        { "UTF-16 without a mark", Encoding.Unicode.GetBytes($"{Hash}\nalice\n"), "zero bytes" },
        { "the raw password", Encoding.UTF8.GetBytes("correct horse\nalice\n"), "not a whole bcrypt hash" },
        { "cut hash", Encoding.UTF8.GetBytes($"{Hash[..^1]}\nalice\n"), "not a whole bcrypt hash" },
        { "quoted hash", Encoding.UTF8.GetBytes($"'{Hash}'\nalice\n"), "not a whole bcrypt hash" },
        { "hash with a space", Encoding.UTF8.GetBytes($"{Hash} \nalice\n"), "not a whole bcrypt hash" },
        { "hash on line 2", Encoding.UTF8.GetBytes($"\n{Hash}\n"), "not a whole bcrypt hash" },
        { "far too large", Encoding.UTF8.GetBytes($"{Hash}\n{new string('x', 5000)}"), "too large" },
    };

    [Theory]
    [MemberData(nameof(Passwords))]
    public async Task Nothing_starts_with_a_password_file_that_may_leave_everything_open(string what, byte[]? content, string message)
    {
        Prepare(content);
        await using var container = await RunAsync();

        Assert.True(await engine.Client.WaitAsync(container.Id, Stop) == 78, what);

        var log = string.Join('\n', (await container.LogAsync()).Select(line => line.Text));
        Assert.Contains("Not started: ", log, StringComparison.Ordinal);
        Assert.Contains(message, log, StringComparison.Ordinal);
        Assert.DoesNotContain("EixZaYVK1fsb", log, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", log, StringComparison.Ordinal);
        Assert.Empty(Calls);
    }

    [Fact]
    public async Task A_password_file_that_became_a_folder_is_refused()
    {
        Prepare(null);
        Directory.CreateDirectory(_folder.PathOf("workspace/ComfyUI/login/PASSWORD"));
        await using var container = await RunAsync();

        Assert.Equal(78, await engine.Client.WaitAsync(container.Id, Stop));
        Assert.Contains("is a folder", Assert.Single(await container.LogAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_file_that_the_user_of_the_container_may_not_read_is_refused()
    {
        Prepare();
        File.SetUnixFileMode(_folder.PathOf("workspace/ComfyUI/login/PASSWORD"), UnixFileMode.UserRead);
        await using var container = await RunAsync(creation => creation with { User = "4321:4321" });

        Assert.Equal(78, await engine.Client.WaitAsync(container.Id, Stop));
        Assert.Contains("user 4321 may not read", Assert.Single(await container.LogAsync()).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("aiohttp_session.cookie_storage", "cannot be imported")]
    [InlineData("bcrypt", "cannot be imported")]
    [InlineData("jinja2", "cannot be imported")]
    [InlineData("Crypto.Cipher.AES", "cannot be imported")]
    [InlineData(null, "leaves ComfyUI-Login out", "--disable-all-custom-nodes")]
    [InlineData(null, "leaves ComfyUI-Login out", "--disable-al")]
    [InlineData(null, "look for custom nodes elsewhere", "--base-directory=/other")]
    [InlineData(null, "look for custom nodes elsewhere", "--base", "/other")]
    public async Task Nothing_starts_without_the_login(string? missing, string message, params string[] arguments)
    {
        Prepare();
        if (missing is not null)
            _folder.Write("record/no-imports", missing);
        await using var container = await RunAsync(creation => creation with { Command = ["--listen", .. arguments] });

        Assert.Equal(78, await engine.Client.WaitAsync(container.Id, Stop));

        Assert.Contains((await container.LogAsync()).Select(line => line.Text), line => line.StartsWith("Not started: ", StringComparison.Ordinal) && line.Contains(message, StringComparison.Ordinal));
        Assert.DoesNotContain(Calls, call => call.StartsWith("server", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("ckHAuqQZ3Tx0bYlxFbvbqNq0p2xwA1m9S5p1T8p0Q2w=,2026-01-01T00:00:00.123456", true)]
    [InlineData("ckHAuqQZ3Tx0bYlxFbvbqNq0p2xwA1m9S5p1T8p0Q2w=,2026-01-01T00:00:00", true)]
    [InlineData("ckHAuqQZ3Tx0bYlxFbvbqNq0p2xwA1m9S5p1T8p0Q2w=,2026-01-01T0", false)]
    [InlineData("ckHAuqQZ3Tx0bYlxFbvbqNq0p2xwA1m9S5,2026-01-01T00:00:00", false)]
    public async Task Half_a_session_key_does_not_keep_the_login_from_being_loaded(string content, bool isWhole)
    {
        Prepare();
        var key = _folder.Write("workspace/ComfyUI/custom_nodes/ComfyUI-Login/.secret-key.txt", content);
        await using var container = await RunAsync();
        await container.PrintedAsync(Ready);

        Assert.Equal(isWhole, File.Exists(key));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Nothing_starts_where_the_login_has_no_place_for_its_key(bool hasKeyOfAnother)
    {
        Prepare();
        await using (var first = await RunAsync())
            await first.PrintedAsync(Ready);
        if (hasKeyOfAnother)
            _folder.Write("workspace/ComfyUI/custom_nodes/ComfyUI-Login/.secret-key.txt", "ckHAuqQZ3Tx0bYlxFbvbqNq0p2xwA1m9S5p1T8p0Q2w=,2026-01-01T00:00:00");
        File.SetUnixFileMode(_folder.PathOf("workspace/ComfyUI/login/PASSWORD"), (UnixFileMode)0b110_100_100);
        await using var second = await RunAsync(creation => creation with { User = "4321:4321" });

        Assert.Equal(78, await engine.Client.WaitAsync(second.Id, Stop));
        Assert.Contains("the key of its session cookies", Assert.Single(await second.LogAsync()).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_was_removed_is_brought_back()
    {
        Prepare();
        await using (var first = await RunAsync())
            await first.PrintedAsync(Ready);
        Directory.Delete(_folder.PathOf("workspace/ComfyUI/custom_nodes/ComfyUI-Login"), recursive: true);
        File.Delete(_folder.PathOf("record/calls"));

        await using var second = await RunAsync();
        await second.PrintedAsync(Ready);

        Assert.Equal(FirstStart[8..], Calls[..^1]);
    }

    [Fact]
    public async Task Files_of_the_user_where_a_repository_belongs_are_not_touched()
    {
        Prepare();
        _folder.Write("workspace/ComfyUI/main.py", "mine");
        await using var container = await RunAsync();

        Assert.Equal(1, await engine.Client.WaitAsync(container.Id, Stop));

        Assert.Contains((await container.LogAsync()).Select(line => line.Text), line => line.Contains("was not made by git", StringComparison.Ordinal));
        Assert.Equal("mine", _folder.Read("workspace/ComfyUI/main.py"));
        Assert.Empty(Calls);
    }

    [Fact]
    public async Task Another_commit_moves_the_repository_without_force()
    {
        Prepare();
        await using (var first = await RunAsync())
            await first.PrintedAsync(Ready);
        File.Delete(_folder.PathOf("record/calls"));
        var commit = new string('a', 40);

        await using var second = await RunAsync(creation => creation with { Environment = new Dictionary<string, string>(creation.Environment!) { ["COMFYUI_COMMIT"] = commit } });
        await second.PrintedAsync(Ready);

        Assert.Equal(
            [
                $"git ComfyUI cat-file -e {commit}^{{commit}}", $"git ComfyUI fetch -q https://github.com/comfyanonymous/ComfyUI.git {commit}",
                $"git ComfyUI checkout -q --detach {commit}", "git ComfyUI rev-parse HEAD", "pip install -r /workspace/ComfyUI/requirements.txt",
            ],
            Calls[..^1]);
    }

    [Fact]
    public async Task Two_containers_do_not_install_in_one_folder()
    {
        Prepare();
        _folder.Write("record/pip-hangs", "");
        await using var first = await RunAsync();
        await first.PrintedAsync("hanging");

        await using var second = await RunAsync();

        Assert.Equal(1, await engine.Client.WaitAsync(second.Id, Stop));
        Assert.Contains((await second.LogAsync()).Select(line => line.Text), line => line.Contains("Another container installs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_reaches_the_server_at_once(bool init)
    {
        Prepare();
        await using var container = await RunAsync(creation => creation with { Init = init });
        await container.PrintedAsync(Ready);

        await engine.Client.StopAsync(container.Id, TimeSpan.FromSeconds(60), Stop);

        Assert.Equal(0, (await container.InspectAsync()).ExitCode);
        Assert.Contains("asked to stop", (await container.LogAsync()).Select(line => line.Text));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_does_not_wait_for_pip(bool init)
    {
        Prepare();
        _folder.Write("record/pip-hangs", "");
        await using var container = await RunAsync(creation => creation with { Init = init });
        await container.PrintedAsync("hanging");

        await engine.Client.StopAsync(container.Id, TimeSpan.FromSeconds(60), Stop);

        Assert.Equal(143, (await container.InspectAsync()).ExitCode);
    }

    [Fact]
    public async Task Arguments_arrive_as_they_are()
    {
        Prepare();
        await using var container = await RunAsync(creation => creation with { Command = ["--preview", "a b", "", "*", "$HOME", "it's"] });
        await container.PrintedAsync(Ready);

        Assert.Equal("server in /workspace/ComfyUI <main.py> <--preview> <a b> <> <*> <$HOME> <it's>", Calls[^1]);
    }

    private void Prepare() => Prepare(Encoding.UTF8.GetBytes($"{Hash}\nalice\n"));

    private void Prepare(byte[]? password)
    {
        foreach (var file in DeploymentTemplates.Plan(_folder.PathOf("stack")).Missing.Where(file => file.Path.EndsWith(".sh", StringComparison.Ordinal)))
            _folder.Write($"setup/{Path.GetFileName(file.Path)}", Encoding.UTF8.GetString(file.Content.Span));
        foreach (var name in StandIns)
        {
            _folder.Write($"standins/{name}", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Deployment", "data", "standins", name)));
            File.SetUnixFileMode(_folder.PathOf($"standins/{name}"), ForAll);
        }

        File.SetUnixFileMode(_folder.Path, ForAll);
        Directory.CreateDirectory(_folder.PathOf("record"));
        Directory.CreateDirectory(_folder.PathOf("workspace/ComfyUI/login"));
        if (password is not null)
            File.WriteAllBytes(_folder.PathOf("workspace/ComfyUI/login/PASSWORD"), password);
    }

    /// <summary>A container with the programs of this machine.</summary>
    private Task<TestContainer> RunAsync(Func<ContainerCreation, ContainerCreation>? change = null) => engine.RunAsync("", creation =>
    {
        creation = creation with
        {
            Entrypoint = ["sh", "/setup/entrypoint.sh"],
            Command = ["--listen", "0.0.0.0"],
            Environment = new Dictionary<string, string> { ["PATH"] = "/standins:/usr/bin:/bin", ["PYTORCH_INDEX"] = "https://download.pytorch.org/whl/cpu" },
            Binds =
            [
                .. Programs.Where(Directory.Exists).Select(folder => $"{folder}:{folder}:ro"),
                $"{_folder.PathOf("setup")}:/setup:ro",
                $"{_folder.PathOf("standins")}:/standins:ro",
                $"{_folder.PathOf("record")}:/record",
                $"{_folder.PathOf("workspace")}:/workspace",
            ],
        };
        return change?.Invoke(creation) ?? creation;
    });
}
