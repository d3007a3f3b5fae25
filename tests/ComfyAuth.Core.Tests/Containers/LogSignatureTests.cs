using ComfyAuth.Containers;

namespace ComfyAuth.Tests.Containers;

public sealed class LogSignatureTests
{
    private static readonly string[][] Rows =
    [
        .. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Containers", "data", "signatures.tsv")).Where(line => !line.StartsWith('#')).Select(line => line.Split('\t')),
    ];

    public static TheoryData<string, string, string> Lines => [.. Rows.Select(row => new TheoryDataRow<string, string, string>(row[0], row[1], row[2]))];

    private static LogSignature? Find(LogTopic topic, string line) => LogSignatures.All.FirstOrDefault(signature => signature.Topic == topic && signature.Pattern.IsMatch(line));

    [Theory]
    [MemberData(nameof(Lines))]
    public void A_line_tells_what_it_is_known_to_tell(string topic, string groups, string line)
    {
        if (topic == "-")
        {
            Assert.DoesNotContain(LogSignatures.All, signature => signature.Pattern.IsMatch(line));
            return;
        }

        var signature = Find(Enum.Parse<LogTopic>(topic), line);

        Assert.NotNull(signature);
        var match = signature.Pattern.Match(line);
        Assert.Equal(groups, string.Join("; ", match.Groups.Values.Skip(1).Where(group => group.Success && group.Length > 0).Select(group => $"{group.Name}={group.Value}")));
    }

    [Fact]
    public void Each_signature_has_a_line()
    {
        var hit = Rows.Where(row => row[0] != "-").Select(row => Find(Enum.Parse<LogTopic>(row[0]), row[2])).ToHashSet();

        Assert.Empty(LogSignatures.All.Where(signature => !hit.Contains(signature)).Select(signature => signature.Pattern.ToString()));
    }

    [Theory]
    [InlineData("/workspace/venv/bin/python3 /workspace/venv/bin/pip install -r requirements.txt", "pip", "requirements.txt")]
    [InlineData("python -u -m pip3.11 install --index-url https://download.pytorch.org/whl/cu128 torch torchvision", "pip", "torch, torchvision")]
    [InlineData("pip install a b c d e", "pip", "a, b, c and 2 more")]
    [InlineData("uv pip install torch", "uv", "torch")]
    [InlineData("uv sync", "uv", null)]
    [InlineData("git clone --depth 1 https://user:secret@github.com/liusida/ComfyUI-Login.git custom_nodes/ComfyUI-Login", "git", "ComfyUI-Login")]
    [InlineData("/usr/lib/git-core/git-remote-https origin https://github.com/comfyanonymous/ComfyUI.git", "git-remote-https", "ComfyUI")]
    [InlineData("apt-get install -y --no-install-recommends git curl", "apt-get", "git, curl")]
    [InlineData("wget -q https://huggingface.co/a/b/resolve/main/model.safetensors?token=secret -O /models/x", "wget", "model.safetensors")]
    [InlineData("curl -L -o /tmp/x https://example.org/files/archive.zip#part", "curl", "archive.zip")]
    [InlineData("hf download Comfy-Org/Qwen-Image-Edit_ComfyUI", "hf", "Qwen-Image-Edit_ComfyUI")]
    [InlineData("/usr/bin/dpkg --status-fd 12 --unpack --auto-deconfigure", "dpkg", null)]
    [InlineData("/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet -O3", "cc1plus", null)]
    public void A_program_that_installs_is_recognised(string command, string tool, string? package) =>
        Assert.Equal(new InstallProcess(tool, package), InstallProcess.Of(command));

    [Theory]
    [InlineData("/bin/bash -c pip install torch && python main.py")]
    [InlineData("/bin/bash /workspace/entrypoint.sh")]
    [InlineData("python3 main.py --listen 0.0.0.0 --port 8188")]
    [InlineData("python3 -m comfy")]
    [InlineData("curl -f http://localhost:8188/")]
    [InlineData("wget -qO- http://127.0.0.1:8188/login")]
    [InlineData("curl -f http://[::1]:8188/")]
    [InlineData("pip")]
    [InlineData("pip list")]
    [InlineData("git status")]
    [InlineData("pipewire install")]
    [InlineData("python3 -u")]
    [InlineData("-")]
    [InlineData("   ")]
    [InlineData("")]
    public void Another_program_is_not(string command) => Assert.Null(InstallProcess.Of(command));
}
