using ComfyAuth.Docker;
using ComfyAuth.Emulator.Engine;
using ComfyAuth.Stacks;
using ComfyAuth.Tests.Tokens;
using ComfyAuth.Tokens;

namespace ComfyAuth.Emulator.Tests.Tokens;

/// <summary>A source of truth that is lost comes back out of a container.</summary>
public sealed class AdoptionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ContainerState.Running)]
    [InlineData(ContainerState.Exited)]
    public async Task The_hash_in_a_container_becomes_the_source_and_its_password_is_said_to_be_unknown(ContainerState state)
    {
        await using var live = await LostAsync();
        live.Change(now => now with { State = state });
        live.SetVariable("COMFYUI_PASSWORD", null);

        var plan = await PlanAsync(live, LayeredStack.PasswordLocation);
        var results = await plan.ApplyAsync(cancellationToken: Stop);

        Assert.Equal(live.Credential.Hash.Fingerprint, results[0].Fingerprint);
        Assert.Contains("Nobody knows its password", Assert.Single(plan.Notes), StringComparison.Ordinal);
        Assert.Contains(live.Credential.Text, live.Files.Read(SampleStack.Source), StringComparison.Ordinal);
        Assert.Equal(live.Credential.Text, live.Files.Read(SampleStack.RootToken));
        Assert.Equal(TokenState.Match, (await live.SeenAsync(LayeredStack.PasswordLocation)).State);
    }

    [Theory]
    [InlineData(LayeredStack.PasswordLocation)]
    [InlineData(LayeredStack.TokenLocation)]
    [InlineData("{fingerprint}")]
    public async Task Its_password_is_known_again_where_the_container_has_it(string place)
    {
        await using var live = await LostAsync();

        var plan = await PlanAsync(live, place.Replace("{fingerprint}", live.Credential.Hash.Fingerprint, StringComparison.Ordinal));
        await plan.ApplyAsync(cancellationToken: Stop);

        Assert.DoesNotContain("Nobody knows", Assert.Single(plan.Notes), StringComparison.Ordinal);
        Assert.Contains(live.Credential.Password, live.Files.Read(SampleStack.Source), StringComparison.Ordinal);
        Assert.Equal(true, live.Files.Validate().PasswordVerified);
    }

    [Fact]
    public async Task The_path_may_be_any_and_a_damaged_hash_is_taken_as_it_was_meant()
    {
        await using var live = await LostAsync();
        live.Put("/backup/PASSWORD", new($"\uFEFF{live.Older.Text}\r\nalice\r\n"));

        await (await PlanAsync(live, "comfyui-qwen:/backup/PASSWORD")).ApplyAsync(cancellationToken: Stop);

        Assert.Equal(live.Older.Text, live.Files.Read(SampleStack.RootToken));
    }

    [Fact]
    public async Task Two_hashes_in_a_container_are_told_apart_by_their_places()
    {
        await using var live = await LostAsync();
        live.WritePassword(live.Older.Text);

        var hashes = await live.Auditor().FindHashesAsync(live.Files.Stack, null, null, Stop);

        Assert.Equal([(LayeredStack.PasswordLocation, live.Older.Hash), (LayeredStack.TokenLocation, live.Credential.Hash)], hashes.Select(found => (found.Location, found.Hash)));
        Assert.Equal([null, live.Credential.Password], hashes.Select(found => found.Password?.Reveal()));
    }

    [Theory]
    [InlineData("comfyui-qwen:/workspace/ComfyUI/main.py", "not a bcrypt hash")]
    [InlineData("comfyui-qwen:/nowhere", "no such file")]
    [InlineData("comfyui-qwen:/workspace", "folder")]
    [InlineData("another:/workspace/ComfyUI/login/PASSWORD", "container of that name")]
    public async Task What_is_no_hash_is_not_adopted(string place, string why)
    {
        await using var live = await LostAsync();
        var before = live.Files.Snapshot();

        var error = await Assert.ThrowsAsync<ComfyAuthException>(() => PlanAsync(live, place));

        Assert.Equal("AdoptNotFound", error.Code);
        Assert.Contains(why, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(error.Remedy);
        Assert.Equal(before, live.Files.Snapshot());
    }

    [Fact]
    public async Task An_engine_that_cannot_be_reached_is_an_error_where_its_container_was_asked_for()
    {
        await using var live = await LostAsync();
        await using var nobody = new DockerClient(DockerEndpoint.Parse("tcp://127.0.0.1:9", "a test"));

        await Assert.ThrowsAsync<DockerException>(() => live.Auditor(nobody).FindHashesAsync(live.Files.Stack, null, LayeredStack.PasswordLocation, Stop));
    }

    [Theory]
    [InlineData("comfyui-qwen:/workspace/ComfyUI/login/PASSWORD", true)]
    [InlineData("project_qwen_1:/x", true)]
    [InlineData("comfyui-qwen#COMFYUI_API_TOKEN", true)]
    [InlineData(".env#COMFYUI_API_TOKEN", false)]
    [InlineData("bcrypt:0fa53373", false)]
    [InlineData("0fa53373", false)]
    [InlineData(@"C:\stacks\token", false)]
    [InlineData("C:/stacks/token", false)]
    [InlineData("", false)]
    public async Task A_place_in_a_container_is_told_from_one_in_a_file(string place, bool expected)
    {
        await using var live = await LostAsync();

        Assert.Equal(expected, LiveTokenAuditor.IsInContainer(live.Files.Stack, place));
    }

    /// <summary>A stack of whose files none is left but the one that describes it.</summary>
    private static async Task<LayeredStack> LostAsync()
    {
        var live = await LayeredStack.StartAsync(isSilent: true);
        foreach (var file in SampleStack.Files)
            live.Files.Delete(file);
        return live;
    }

    private static async Task<TokenSyncPlan> PlanAsync(LayeredStack live, string place)
    {
        var found = await live.Auditor().FindHashesAsync(live.Files.Stack, null, place, Stop);
        return live.Files.Plan(new() { Adopt = place, InContainers = found });
    }
}
