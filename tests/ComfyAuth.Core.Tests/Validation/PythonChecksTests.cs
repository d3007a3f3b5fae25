using System.Diagnostics;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class PythonChecksTests : IDisposable
{
    private readonly ContentFolder _folder = new("defaults: false\npython: { packages: { openai: 1.3.0, python-dotenv: 1.0.0 }, environment: env }\n");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("env/lib/python3.12/site-packages")]
    [InlineData("env/Lib/site-packages")]
    public async Task Packages_of_an_environment_are_compared_and_nothing_is_run(string place)
    {
        Install(place, "openai-1.3.0", "openai", "1.3.0");
        Install(place, "python_dotenv-1.0.1", "python-dotenv", "1.0.1");

        var result = await RunAsync();

        Assert.Equal(CheckStatus.Passed, result.Status);
        Assert.Equal(["openai 1.3.0", "python-dotenv 1.0.1"], result.Evidence);
    }

    [Fact]
    public async Task Missing_and_old_packages_fail_and_the_remedy_names_them()
    {
        const string place = "env/lib/python3.12/site-packages";
        Install(place, "openai-1.3.0rc1", "OpenAI", "1.3.0rc1");
        _folder.MakeFolder($"{place}/python_dotenv-1.0.1.dist-info");

        var result = await RunAsync();

        Assert.Equal((CheckStatus.Failed, "2 of 2 packages are missing or too old, in the environment 'env'."), (result.Status, result.Message));
        Assert.Equal(["openai: 1.3.0rc1 is installed, 1.3.0 or later is needed", "python-dotenv: not installed"], result.Evidence);
        Assert.Contains("\"openai>=1.3.0\" \"python-dotenv>=1.0.0\"", result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_environment_takes_from_the_system_is_not_called_missing()
    {
        _folder.MakeFolder("env/lib/python3.12/site-packages");
        _folder.Write("env/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = true\n");

        Assert.Equal(CheckStatus.Error, (await RunAsync()).Status);
    }

    [Fact]
    public async Task A_version_that_is_none_is_worth_a_warning()
    {
        const string place = "env/lib/python3.12/site-packages";
        Install(place, "openai-1.3.0", "openai", "unknown");
        Install(place, "python_dotenv-1.0.1", "python-dotenv", "1.0.1");

        Assert.Equal(CheckStatus.Warning, (await RunAsync()).Status);
    }

    [Fact]
    public async Task A_named_folder_that_is_no_environment_fails()
    {
        var result = await RunAsync();

        Assert.Equal((CheckStatus.Failed, "'env' is no Python environment."), (result.Status, result.Message));
    }

    [Fact]
    public async Task A_stack_that_names_no_packages_skips()
    {
        _folder.Define("defaults: false\n");

        Assert.Equal(CheckStatus.Skipped, (await RunAsync()).Status);
    }

    [Fact]
    public async Task The_folder_venv_serves_where_none_is_named()
    {
        _folder.Define("defaults: false\npython: { packages: { openai: 1.3.0 } }\n");
        Install(".venv/lib/python3.12/site-packages", "openai-2.0", "openai", "2.0");

        Assert.Equal("All 1 packages are installed, in the environment '.venv'.", (await RunAsync()).Message);
    }

    [Fact]
    public async Task The_python_of_this_machine_tells_what_it_has_and_takes_no_module_from_the_current_folder()
    {
        _folder.Define("defaults: false\npython: { packages: { pip: '1', no-such-package-at-all: '1' } }\n");
        if (await PythonEnvironment.OnThisMachineAsync(["pip"], TestContext.Current.CancellationToken) is not { } installed)
        {
            Assert.Skip("There is no Python here.");
            return;
        }

        var result = await RunAsync();

        Assert.Equal(CheckStatus.Failed, result.Status);
        Assert.Contains("no-such-package-at-all: not installed", result.Evidence);
        Assert.Equal(installed.Versions.ContainsKey("pip"), !result.Evidence.Contains("pip: not installed"));
        Assert.StartsWith("Python 3.", installed.Where, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_engine_a_container_cannot_be_asked()
    {
        _folder.Define("python: { packages: { openai: 1.3.0 }, container: comfyui-qwen }\n");

        Assert.Equal(CheckStatus.Error, (await RunAsync()).Status);
    }

    [Fact]
    public async Task Pipes_and_huge_files_in_an_environment_hold_up_nothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no pipes among files.");
        const string place = "env/lib/python3.12/site-packages";
        _folder.MakeFolder($"{place}/openai-1.3.0.dist-info");
        using var maker = Process.Start("mkfifo", [_folder.PathOf($"{place}/openai-1.3.0.dist-info/METADATA")]);
        await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
        _folder.Write($"{place}/python_dotenv-1.0.1.dist-info/METADATA", $"Name: python-dotenv\nVersion: 1.0.1\n\n{new string('x', 5_000_000)}");

        Assert.Equal(["openai: not installed", "python-dotenv 1.0.1"], (await RunAsync()).Evidence);
    }

    private void Install(string place, string title, string name, string version) =>
        _folder.Write($"{place}/{title}.dist-info/METADATA", $"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: not this\n");

    private Task<CheckResult> RunAsync() => CheckRun.OneAsync(_folder.Stack, "python.packages");
}
