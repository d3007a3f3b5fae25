using System.Formats.Tar;
using System.Globalization;
using System.Reflection;
using System.Text;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Installation;

namespace ComfyAuth.Tests.Docker;

/// <summary>
/// An image in which ComfyUI is installed without ComfyUI-Login. Python and .NET are those of the machine, whose folders are mounted.
/// Its git makes a clone of nothing, its pip an empty module, and its server is the emulated one.
/// </summary>
internal static class ServerImage
{
    public const string Verb = "serve";

    private const string ComfyUI = "/workspace/ComfyUI";
    private const string Node = ComfyUI + "/custom_nodes/ComfyUI-Login";

    private const UnixFileMode ForAll = (UnixFileMode)0b111_101_101;

    // After the checkout HEAD holds the commit alone.
    private const string Git = """
        #!/bin/sh
        set -eu
        if [ "$1" = clone ]; then
            for folder; do :; done
            mkdir -p "$folder/.git"
            echo pass >"$folder/__init__.py"
            echo bcrypt >"$folder/requirements.txt"
            echo "ref: refs/heads/main" >"$folder/.git/HEAD"
        else
            echo "$6" >"$2/.git/HEAD"
        fi

        """;

    private static readonly Dictionary<string, string> Files = new()
    {
        ["usr/local/bin/git"] = Git,
        ["workspace/venv/bin/python"] = "#!/bin/sh\nPYTHONPATH=/modules exec /usr/bin/python3 \"$@\"\n",
        ["modules/aiohttp.py"] = "",
        ["modules/aiohttp_session/__init__.py"] = "",
        ["modules/aiohttp_session/cookie_storage.py"] = "",
        ["modules/cryptography.py"] = "",
        ["modules/jinja2.py"] = "",
        ["modules/Crypto/Cipher/AES.py"] = "",
        ["modules/pip.py"] = "open('/modules/bcrypt.py', 'w').close()\n",
        ["workspace/ComfyUI/main.py"] = "",
        ["workspace/ComfyUI/custom_nodes/.keep"] = "",
    };

    /// <summary>What has to be there for it on the machine, and is mounted.</summary>
    public static IReadOnlyList<string> Mounts { get; } = ["/usr/bin", "/usr/lib", "/lib", "/lib64", DotNet, AppContext.BaseDirectory.TrimEnd('/')];

    private static string DotNet => Path.GetFullPath("../../..", Path.GetDirectoryName(typeof(object).Assembly.Location)!);

    /// <summary>The line of shell that starts the server.</summary>
    public static string Command(int port) => $"export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_TieredPGO=0; exec {DotNet}/dotnet {Assembly.GetExecutingAssembly().Location} {Verb} {port}";

    public static async Task<MemoryStream> ArchiveAsync()
    {
        var archive = new MemoryStream();
        using (var reader = new TarReader(await EngineProcess.ArchiveAsync()))
        await using (var writer = new TarWriter(archive, leaveOpen: true))
        {
            while (await reader.GetNextEntryAsync(copyData: true) is { } entry)
                await writer.WriteEntryAsync(entry);
            foreach (var (name, text) in Files)
                await writer.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = ForAll, DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }

        archive.Position = 0;
        return archive;
    }

    /// <summary>The server, in the container. It has a login where ComfyUI-Login was there when it started.</summary>
    public static async Task<int> ServeAsync(string port)
    {
        await using var server = await EmulatedComfyUI.StartAsync(new()
        {
            Port = int.Parse(port, CultureInfo.InvariantCulture),
            Folder = ComfyUI,
            GpuMemory = null,
            PasswordFile = Directory.Exists(Node) ? DeploymentTemplates.PasswordFile : null,
        });
        await Task.Delay(Timeout.Infinite);
        return 0;
    }
}
