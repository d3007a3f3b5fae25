using ComfyAuth.Containers;
using ComfyAuth.Docker;
using ComfyAuth.Emulator.Comfy;
using ComfyAuth.Environments;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Tests.Docker;

/// <summary>
/// Containers of a real engine, made by a real Compose. The program in them is an emulated ComfyUI, which takes its token from the
/// environment of the container as that is now, or from a file as it was when the container was started.
/// </summary>
public sealed class RolloutTests(TestEngine engine)
{
    private const string PasswordFile = "PASSWORD";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_in_the_environment_recreates_the_container_and_one_in_a_file_restarts_it()
    {
        await using var stack = new ComposeStack(engine);
        await using var program = await ProgramAsync(stack);
        var old = TokenIn(stack);
        var before = (await stack.InspectAsync())!;

        var first = await SynchronizeAsync(stack, new() { Rotate = true });

        var after = (await stack.InspectAsync())!;
        var change = Assert.Single(first.Containers);
        Assert.Equal((ContainerChangeAction.Recreated, "COMFYUI_BEARER_TOKEN"), (change.Action, Assert.Single(change.Reasons)));
        Assert.Equal((true, true), (Assert.Single(first.Proofs).IsProven, first.Proofs[0].RefusesOldToken));
        Assert.NotEqual(before.Id, after.Id);
        Assert.NotEqual(old, TokenIn(stack));
        Assert.Equal(TokenIn(stack), TokenOf(after));

        // From now on the token comes by a file, and the environment has none.
        program.IsFileRead = true;
        stack.WriteCompose("command: sleep 600");
        await stack.RestartAsync();
        var id = (await stack.InspectAsync())!.Id;
        var second = await SynchronizeAsync(stack, new() { Rotate = true });

        Assert.Equal((ContainerChangeAction.Restarted, true), (Assert.Single(second.Containers).Action, Assert.Single(second.Proofs).IsProven));
        Assert.Equal(id, (await stack.InspectAsync())!.Id);
    }

    [Fact]
    public async Task Where_the_program_does_not_take_the_token_the_container_is_recreated_with_the_old_one()
    {
        await using var stack = new ComposeStack(engine);
        await using var program = await ProgramAsync(stack);
        var old = TokenIn(stack);
        var files = Directory.GetFiles(stack.Folder, "*", SearchOption.AllDirectories).Where(file => !file.Contains(".comfyauth", StringComparison.Ordinal)).ToDictionary(file => file, File.ReadAllText);
        program.Refused = 1;

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => SynchronizeAsync(stack, new() { Rotate = true }));

        Assert.Equal("TokenProofFailed", error.Code);
        Assert.EndsWith($"The files are as before. The container '{stack.Name}' was recreated with them, and is ready as before.", error.Message, StringComparison.Ordinal);
        Assert.All(files, file => Assert.Equal(file.Value, File.ReadAllText(file.Key)));
        Assert.Equal((old, old), (TokenIn(stack), TokenOf((await stack.InspectAsync())!)));
    }

    [Fact]
    public async Task A_restored_environment_recreates_the_container_and_is_proven()
    {
        await using var stack = new ComposeStack(engine);
        await using var program = await ProgramAsync(stack);
        stack.Service = stack.Service with { Environment = new() { Path = ".env", Required = ["COMFYUI_BEARER_TOKEN", "COMFYUI_PASSWORD"] } };
        stack.Write(".env", "COMFYUI_BEARER_TOKEN='$2b$12$lost'\nCOMFYUI_PASSWORD=\n");
        await stack.RestartAsync();
        var restorer = new EnvironmentRestorer(new PasswordVerifier(), stack.Redactor);

        var result = await (await restorer.Plan(stack.Stack, stack.Service, new(), Stop).WithRestartAsync(RolloutOf(stack), Stop)).ApplyAsync(stop: Stop);

        Assert.Equal((ContainerChangeAction.Recreated, true), (Assert.Single(result.Containers).Action, Assert.Single(result.Proofs).IsProven));
        Assert.Equal((true, EnvironmentAction.Updated), (Assert.Single(result.Results).IsValid, result.Results[0].Action));
        Assert.DoesNotContain(result.Results[0].NextSteps, step => step.Contains("Recreate", StringComparison.Ordinal));
        Assert.Equal(TokenIn(stack), TokenOf((await stack.InspectAsync())!));
    }

    private Rollout RolloutOf(ComposeStack stack) => new(engine.Client, stack.Redactor) { GracePeriod = TimeSpan.Zero, Wait = new() { Timeout = TimeSpan.FromMinutes(5) } };

    private async Task<RolloutResult<TokenSyncResult>> SynchronizeAsync(ComposeStack stack, TokenSyncRequest request) =>
        await (await new TokenSynchronizer(new PasswordVerifier(), stack.Redactor, _ => null).Plan(stack.Stack, request, Stop).WithRestartAsync(RolloutOf(stack), Stop)).ApplyAsync(stop: Stop);

    private static string TokenIn(ComposeStack stack) => File.ReadAllLines(Path.Combine(stack.Folder, PasswordFile))[0];

    private static string? TokenOf(ContainerDetails container) => container.Environment.Single(variable => variable.Name == "COMFYUI_BEARER_TOKEN").Reveal();

    private static async Task<LoginProgram> ProgramAsync(ComposeStack stack)
    {
        Assert.SkipUnless(ComposeStack.HasCompose, "docker-compose is not installed");
        stack.Write(PasswordFile, "");
        stack.Service = stack.Service with
        {
            Auth = AuthKind.ComfyUILogin,
            HealthPath = "/system_stats",
            TokenLocations =
            [
                new() { Path = ".env", Format = TokenFormat.DotEnv, Variable = "COMFYUI_BEARER_TOKEN", Presence = TokenPresence.Always },
                new() { Path = PasswordFile, Format = TokenFormat.PasswordFile, Presence = TokenPresence.Always },
            ],
        };
        await new TokenSynchronizer(new PasswordVerifier(), stack.Redactor, _ => null).Plan(stack.Stack, new() { Rotate = true }, Stop).ApplyAsync(cancellationToken: Stop);
        stack.WriteCompose("command: sleep 600\nenvironment: [COMFYUI_BEARER_TOKEN]");
        await stack.StartAsync();

        var program = await LoginProgram.StartAsync(stack);
        stack.Service = stack.Service with { Url = program.Address };
        return program;
    }

    /// <summary>An emulated ComfyUI that is started whenever the container of a stack was.</summary>
    private sealed class LoginProgram : IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private readonly ComposeStack _stack;
        private readonly TemporaryFolder _own;
        private readonly EmulatedComfyUI _server;
        private (string Id, DateTimeOffset? StartedAt) _seen;

        private LoginProgram(ComposeStack stack, TemporaryFolder own, EmulatedComfyUI server)
        {
            (_stack, _own, _server) = (stack, own, server);

            // Before each answer, so that nobody meets a program that is older than its container.
            server.Faults = _ =>
            {
                lock (_lock)
                    Follow(_stack.InspectAsync().GetAwaiter().GetResult());
                return null;
            };
        }

        public Uri Address => _server.Address;

        public bool IsFileRead { get; set; }

        /// <summary>How many of the next starts do not take their token.</summary>
        public int Refused { get; set; }

        public static async Task<LoginProgram> StartAsync(ComposeStack stack)
        {
            var own = new TemporaryFolder();
            var server = await EmulatedComfyUI.StartAsync(new() { PasswordFile = own.Write(PasswordFile, "nobody\nalice") }, Stop);
            return new(stack, own, server);
        }

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            _own.Dispose();
        }

        private void Follow(ContainerDetails? container)
        {
            // One that Compose has made and not started yet has read nothing.
            if (container?.StartedAt is null || _seen == (container.Id, container.StartedAt))
                return;
            var isFirst = _seen.Id is null;
            _seen = (container.Id, container.StartedAt);
            if (!isFirst && Refused-- > 0)
                return;
            _own.Write(PasswordFile, $"{(IsFileRead ? TokenIn(_stack) : TokenOf(container))}\nalice");
            _server.Restart();
        }
    }
}
