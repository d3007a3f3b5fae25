using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ComfyAuth.Compose;
using ComfyAuth.DotEnv;
using ComfyAuth.Files;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Validation;
using ComfyAuth.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Installation;

public sealed class DeploymentTemplatesTests : IDisposable
{
    private const string Service = "docker-configurations/services/comfyui-qwen";
    private const string Compose = $"{Service}/docker-compose.yml";

    private readonly TemporaryFolder _folder = new();

    /// <summary>Names that mean something to YAML, to Compose or to our own templates. Windows has none with some of these characters, or with a dot or a space at the end.</summary>
    public static TheoryData<string> OddFolders => [.. File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Installation", "data", "odd-folders.txt"))
        .Select(line => JsonSerializer.Deserialize<string>(line)!).Where(name => !OperatingSystem.IsWindows() || !(name.Any(letter => letter < ' ' || ":\"*?|<>".Contains(letter, StringComparison.Ordinal)) || name[^1] is ' ' or '.'))];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_empty_folder_gets_every_file_once_and_a_second_plan_is_empty()
    {
        var plan = await LayOutAsync();

        Assert.Equal(
            [
                "comfyauth.yml", ".secrets/.gitignore",
                $"{Service}/docker-compose.yml", $"{Service}/Dockerfile", $"{Service}/.dockerignore", $"{Service}/install.sh", $"{Service}/entrypoint.sh",
                $"{Service}/.gitignore", $"{Service}/.gitattributes", $"{Service}/.env.example", $"{Service}/.env",
                "docker-configurations/shared/models/.gitignore", "docker-configurations/shared/inputs/.gitignore",
                "docker-configurations/shared/outputs/.gitignore", "docker-configurations/shared/user/.gitignore",
            ],
            plan.Missing.Select(file => file.Path));
        Assert.All(plan.Missing, file => Assert.EndsWith(".", file.Why, StringComparison.Ordinal));
        Assert.All(plan.Missing, file => Assert.DoesNotMatch("(?m)\r| $|#<|@[A-Z_]+@", Encoding.UTF8.GetString(file.Content.Span)));
        Assert.True(FilePermissions.IsOwnerOnly(_folder.PathOf($"{Service}/.env")));

        var second = DeploymentTemplates.Plan(_folder.Path);
        Assert.Empty(second.Missing);
        Assert.Empty(second.Kept);
        Assert.Equal(_folder.PathOf("comfyauth.yml"), second.Stack.DefinitionPath);
    }

    [Fact]
    public void A_plan_writes_nothing()
    {
        DeploymentTemplates.Plan(_folder.Path);

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_rule_finds_fault_with_it(bool cpu)
    {
        var stack = (await LayOutAsync(new() { Cpu = cpu })).Stack;
        _folder.Write($"{Service}/.secrets/PASSWORD", "");

        foreach (var consumer in new[] { DotEnvConsumer.ComposeV1, DotEnvConsumer.ComposeV2 })
        {
            var compose = ComposeFile.Load([_folder.PathOf(Compose)], _ => null, consumer: consumer);
            Assert.Empty(ComposeLint.Run(stack.Definition.Services, [compose]));
            Assert.Equal(!cpu, Assert.Single(compose.Services).DeviceReservations.Any(device => device.IsGpu));
        }
    }

    [Fact]
    public async Task A_missing_password_file_is_the_one_thing_found_before_there_is_a_credential()
    {
        var stack = (await LayOutAsync()).Stack;

        var finding = Assert.Single(ComposeLint.Run(stack.Definition.Services, [ComposeFile.Load([_folder.PathOf(Compose)], _ => null)]));

        Assert.Equal("bind-file-missing", finding.RuleId);
    }

    [Fact]
    public async Task Once_it_has_a_credential_every_check_of_its_files_passes()
    {
        var stack = (await LayOutAsync()).Stack;
        using (var git = Process.Start(new ProcessStartInfo("git", ["init", "-q", _folder.Path]))!)
            await git.WaitForExitAsync(Stop);
        await SynchronizeAsync(stack);
        stack = GenAIStack.Find(_folder.Path);

        var results = await CheckRun.AllAsync(stack, ["compose.*", "env.*", "token.*", "secrets.*", "git.secrets.*", "content.*", "api.*", "python.*", "notebook.*"]);

        var command = new[] { "compose.command", "token.live" };
        Assert.DoesNotContain(
            results.Where(result => !command.Contains(result.Id)),
            result => result.Status is not (CheckStatus.Passed or CheckStatus.Skipped));
        Assert.Superset(
            new HashSet<string> { "compose.valid", "compose.lint", "env.required", "env.quoting", "env.bcrypt", "env.template.present", "git.secrets.ignored" },
            results.Where(result => result.Status == CheckStatus.Passed).Select(result => result.Id).ToHashSet());
    }

    [Fact]
    public async Task The_container_gets_no_secret_but_the_mounted_file()
    {
        var stack = (await LayOutAsync()).Stack;
        await SynchronizeAsync(stack);

        var service = Assert.Single(ComposeFile.Load([_folder.PathOf(Compose)], _ => null).Services);

        Assert.Equal(["TZ"], service.Environment.Select(variable => variable.Name));
        Assert.Empty(service.EnvironmentFiles);
        var mount = service.Mounts.Single(mount => mount.Target == DeploymentTemplates.PasswordFile);
        Assert.Equal((_folder.PathOf($"{Service}/.secrets/PASSWORD"), true), (mount.Source, mount.IsReadOnly));
        Assert.Equal(DeploymentTemplates.PasswordFile, Assert.Single(stack.Definition.Services).PasswordFile);
    }

    [Fact]
    public async Task Options_become_settings_that_can_be_changed_later()
    {
        await LayOutAsync(new() { Port = 9188, IsPublic = true, Gpu = "GPU-1c2d", MemoryLimit = 48L << 30, User = (1234, 5678) });

        var service = Assert.Single(ComposeFile.Load([_folder.PathOf(Compose)], _ => null).Services);

        var port = Assert.Single(service.Ports);
        Assert.Equal((9188, 8188, true), (port.Published, port.Target, port.IsOnAllInterfaces));
        Assert.Equal(9188, GenAIStack.Find(_folder.Path).Definition.Services[0].Url.Port);
        var settings = _folder.Read($"{Service}/.env");
        Assert.All(
            ["COMFYUI_PORT=9188", "COMFYUI_BIND_ADDRESS=0.0.0.0", "COMFYUI_UID=1234", "COMFYUI_GID=5678", "COMFYUI_MEMORY_LIMIT=49152m", "GPU_DEVICE_ID=GPU-1c2d"],
            setting => Assert.Contains($"\n{setting}\n", settings, StringComparison.Ordinal));
        Assert.Equal(settings, _folder.Read($"{Service}/.env.example"));
    }

    [Fact]
    public async Task On_Linux_it_runs_as_who_laid_it_out()
    {
        await LayOutAsync();
        if (!OperatingSystem.IsLinux())
        {
            Assert.Skip("elsewhere Docker Desktop gives mounted files to any user");
            return;
        }

        var owner = Posix.Status(_folder.PathOf(Compose))!.Value;

        Assert.Contains($"\nCOMFYUI_UID={owner.User}\nCOMFYUI_GID={owner.Group}\n", _folder.Read($"{Service}/.env"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_the_user_stays_and_is_told()
    {
        _folder.Write($"{Service}/.env", "MINE=1\n");
        _folder.Write($"{Service}/entrypoint.sh", "mine\n");
        _folder.Write("docker-configurations/shared/models/mine.safetensors", "");

        var plan = await LayOutAsync();

        Assert.Equal([$"{Service}/entrypoint.sh"], plan.Kept);
        Assert.Equal(("MINE=1\n", "mine\n"), (_folder.Read($"{Service}/.env"), _folder.Read($"{Service}/entrypoint.sh")));
        Assert.False(File.Exists(_folder.PathOf("docker-configurations/shared/models/.gitignore")));
        Assert.True(File.Exists(_folder.PathOf($"{Service}/install.sh")));
    }

    [Fact]
    public async Task Where_there_is_a_stack_already_nothing_describes_it_anew()
    {
        _folder.Write(DefaultLayout.Source, "{}");

        var plan = await LayOutAsync();

        Assert.False(File.Exists(_folder.PathOf(GenAIStack.FileName)));
        Assert.Equal(4, plan.Stack.Definition.Services.Count);
        Assert.True(File.Exists(_folder.PathOf(Compose)));
    }

    [Fact]
    public async Task A_stack_file_says_where_it_is_laid_out_and_under_which_name()
    {
        _folder.Write("comfyauth.yml", """
            defaults: false
            services:
              comfyui-qwen: { url: "http://localhost:9999", container: painter, auth: comfyui-login, compose: comfy/docker-compose.yml, modelsFolder: weights, env: { file: comfy/.env } }
            """);

        var plan = await LayOutAsync();

        Assert.Contains("comfy/Dockerfile", plan.Missing.Select(file => file.Path));
        var service = Assert.Single(ComposeFile.Load([_folder.PathOf("comfy/docker-compose.yml")], _ => null).Services);
        Assert.Equal(("painter", 9999), (service.ContainerName, service.Ports[0].Published));
        Assert.Contains(_folder.PathOf("weights"), service.Mounts.Select(mount => mount.Source));
        Assert.Contains(_folder.PathOf("docker-configurations/shared/outputs"), service.Mounts.Select(mount => mount.Source));
        Assert.All(service.Mounts.Where(mount => mount.Kind == ComposeMountKind.Bind && !mount.Target.EndsWith("PASSWORD", StringComparison.Ordinal)), mount => Assert.True(Directory.Exists(mount.Source)));
    }

    [Theory]
    [MemberData(nameof(OddFolders))]
    public async Task A_models_folder_of_any_name_is_the_one_that_is_mounted(string folder)
    {
        _folder.Write("comfyauth.yml", $$"""
            defaults: false
            services: { "123": { url: "http://localhost:9999", container: "1e3", auth: comfyui-login, compose: comfy/docker-compose.yml, modelsFolder: {{JsonSerializer.Serialize(folder)}} } }
            """);

        await LayOutAsync();

        foreach (var consumer in new[] { DotEnvConsumer.ComposeV1, DotEnvConsumer.ComposeV2 })
        {
            var service = Assert.Single(ComposeFile.Load([_folder.PathOf("comfy/docker-compose.yml")], _ => null, consumer: consumer).Services);
            Assert.Equal(("123", "1e3"), (service.Name, service.ContainerName));
            Assert.Contains((_folder.PathOf(folder), "/workspace/ComfyUI/models"), service.Mounts.Select(mount => (mount.Source, mount.Target)));
            Assert.Empty(service.Problems);
        }

        var second = DeploymentTemplates.Plan(_folder.Path);
        Assert.Equal((0, 0), (second.Missing.Count, second.Kept.Count));
    }

    [Fact]
    public void A_name_that_compose_does_not_take_is_told_before_anything_is_laid_out()
    {
        _folder.Write("comfyauth.yml", """
            defaults: false
            services: { "a b": { url: "http://localhost:9999", container: painter, auth: comfyui-login, compose: docker-compose.yml } }
            """);

        Assert.Equal("ComposeArgumentInvalid", Assert.Throws<ComfyAuthException>(() => DeploymentTemplates.Plan(_folder.Path)).Code);
        _folder.Write("docker-compose.yml", "services: { mine: { image: mine:1 } }\n");
        Assert.Empty(DeploymentTemplates.Plan(_folder.Path).Missing);
    }

    [Fact]
    public async Task A_compose_file_may_stand_at_the_root_under_another_name()
    {
        _folder.Write("comfyauth.yml", """
            defaults: false
            services:
              other: { url: "http://localhost:1" }
              painter: { url: "http://localhost:9999", auth: comfyui-login, compose: compose.yaml }
            """);

        await LayOutAsync();

        Assert.All(["compose.yaml", "Dockerfile", ".env", ".dockerignore"], name => Assert.True(File.Exists(_folder.PathOf(name))));
        var service = Assert.Single(ComposeFile.Load([_folder.PathOf("compose.yaml")], _ => null).Services);
        Assert.Equal(("painter", "painter"), (service.Name, service.ContainerName));
        Assert.Contains(_folder.PathOf("docker-configurations/shared/models"), service.Mounts.Select(mount => mount.Source));
        Assert.Empty(DeploymentTemplates.Plan(_folder.Path).Missing);
        Assert.Equal("ServiceNotFound", Assert.Throws<ComfyAuthException>(() => DeploymentTemplates.Plan(_folder.Path, new() { Service = "nobody" })).Code);
    }

    [Fact]
    public void A_compose_file_of_the_user_needs_nothing_of_ours()
    {
        _folder.Write(Compose, "services: { comfyui-qwen: { image: mine:1 } }\n");

        var plan = DeploymentTemplates.Plan(_folder.Path);

        Assert.Empty(plan.Missing);
        Assert.Equal([Compose], plan.Kept);
    }

    [Fact]
    public async Task What_is_deleted_of_a_changed_deployment_comes_back()
    {
        await LayOutAsync();
        File.AppendAllText(_folder.PathOf(Compose), "# mine\n");
        File.Delete(_folder.PathOf($"{Service}/entrypoint.sh"));

        var plan = DeploymentTemplates.Plan(_folder.Path);

        Assert.Equal([$"{Service}/entrypoint.sh"], plan.Missing.Select(file => file.Path));
        Assert.Equal([Compose], plan.Kept);
    }

    [Fact]
    public async Task Another_variant_is_not_laid_over_the_one_that_is_there()
    {
        await LayOutAsync();

        var plan = DeploymentTemplates.Plan(_folder.Path, new() { Cpu = true });

        Assert.Empty(plan.Missing);
        Assert.Equal([Compose], plan.Kept);
    }

    [Fact]
    public async Task A_file_that_somebody_makes_meanwhile_is_not_overwritten()
    {
        var plan = DeploymentTemplates.Plan(_folder.Path);
        _folder.Write(Compose, "mine\n");

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => CommitAsync(plan));

        Assert.Equal("FileChangedMeanwhile", error.Code);
        Assert.Equal("mine\n", _folder.Read(Compose));
        Assert.False(File.Exists(_folder.PathOf("comfyauth.yml")));
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_the_users()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege there");
        Directory.CreateDirectory(_folder.PathOf(Service));
        File.CreateSymbolicLink(_folder.PathOf($"{Service}/install.sh"), "/nowhere/install.sh");

        var plan = DeploymentTemplates.Plan(_folder.Path);

        Assert.DoesNotContain($"{Service}/install.sh", plan.Missing.Select(file => file.Path));
        Assert.Contains($"{Service}/install.sh", plan.Kept);
    }

    [Fact]
    public void The_description_names_the_models_of_the_original_stack()
    {
        var described = Assert.Single(DeploymentTemplates.Plan(_folder.Path).Stack.Definition.Services);

        Assert.Equal(DefaultLayout.QwenModels, described.Models);
        Assert.Equal(DefaultLayout.ModelsFolder, described.ModelsFolder);
    }

    [Theory]
    [InlineData(0, "0", null)]
    [InlineData(65536, "0", null)]
    [InlineData(8188, "", null)]
    [InlineData(8188, "0\nHF_TOKEN=x", null)]
    [InlineData(8188, "0", 0L)]
    public void Options_that_cannot_be_are_refused(int port, string gpu, long? memory) =>
        Assert.ThrowsAny<ArgumentException>(() => DeploymentTemplates.Plan(_folder.Path, new() { Port = port, Gpu = gpu, MemoryLimit = memory }));

    [Fact]
    public void The_documentation_names_the_pinned_commits()
    {
        var document = Repository.Read("docs/deployment.md");

        Assert.Contains($"| {DeploymentTemplates.ComfyUIVersion}, `{DeploymentTemplates.ComfyUICommit}` |", document, StringComparison.Ordinal);
        Assert.Contains($"| `{DeploymentTemplates.LoginCommit}` |", document, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shellcheck_finds_nothing_in_the_scripts()
    {
        await LayOutAsync();
        var start = new ProcessStartInfo("shellcheck", [_folder.PathOf($"{Service}/install.sh"), _folder.PathOf($"{Service}/entrypoint.sh")]) { RedirectStandardOutput = true };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("shellcheck is not installed");
            return;
        }

        using (process)
        {
            var said = await process.StandardOutput.ReadToEndAsync(Stop);
            await process.WaitForExitAsync(Stop);
            Assert.Equal((0, ""), (process.ExitCode, said));
        }
    }

    private async Task<DeploymentPlan> LayOutAsync(DeploymentOptions? options = null)
    {
        var plan = DeploymentTemplates.Plan(_folder.Path, options);
        await CommitAsync(plan);
        return plan;
    }

    private async Task CommitAsync(DeploymentPlan plan)
    {
        await using var transaction = await FileTransaction.BeginAsync(_folder.Path, cancellationToken: Stop);
        plan.AddTo(transaction);
        await transaction.CommitAsync(Stop);
    }

    private static async Task SynchronizeAsync(GenAIStack stack)
    {
        var plan = new TokenSynchronizer(new PasswordVerifier(), new SecretRedactor(), _ => null).Plan(stack, new() { UserName = "alice" }, Stop);
        await plan.ApplyAsync(cancellationToken: Stop);
    }
}
