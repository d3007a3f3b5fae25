using System.Diagnostics;

namespace ComfyAuth.Tests.Environments;

/// <summary>The built program, on a stack of several services.</summary>
public sealed class RestoreEnvCommandTests
{
    [Fact]
    public async Task An_error_of_one_service_is_told_and_spares_those_that_share_a_file()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var stack = new TemporaryFolder();
        stack.Write("comfyauth.yml", "defaults: false\nservices:\n  bad: { url: 'http://localhost:1', env: { file: bad/.env } }\n  one: { url: 'http://localhost:2', env: { file: .env, template: one.example } }\n  two: { url: 'http://localhost:3', env: { file: .env, template: two.example } }\n");
        stack.Write("one.example", "ONE=1\n");
        stack.Write("two.example", "TWO=2\n");
        stack.Write(".env", "MINE=0\n");

        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        using var process = Process.Start(new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Repository.PathOf($"src/ComfyAuth.Cli/bin/{configuration}/net10.0/comfyauth.dll"), "restore-env", "--json", "--path", stack.Path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var errors = await process.StandardError.ReadToEndAsync(cancellation);
        await output;
        await process.WaitForExitAsync(cancellation);

        Assert.Equal(3, process.ExitCode);
        Assert.Single(errors.Split('\n'), line => line.StartsWith("comfyauth: ", StringComparison.Ordinal));
        Assert.Contains(stack.PathOf("bad/.env"), errors, StringComparison.Ordinal);
        Assert.Equal(["MINE=0", "ONE=1", "TWO=2"], stack.Read(".env").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }
}
