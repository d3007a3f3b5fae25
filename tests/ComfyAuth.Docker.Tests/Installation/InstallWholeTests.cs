using System.Net;
using System.Runtime.Versioning;
using ComfyAuth.Docker;
using ComfyAuth.Installation;
using ComfyAuth.Secrets;

namespace ComfyAuth.Tests.Docker;

/// <summary>All steps of an installation, on a real engine with the real docker-compose and a container that is really restarted.</summary>
[Collection("comfyui-qwen")]
[UnsupportedOSPlatform("windows")]
public sealed class InstallWholeTests(TestEngine engine)
{
    private const string PasswordFile = "docker-configurations/services/comfyui-qwen/.secrets/PASSWORD";

    /// <summary>Each moment that there is in an installation from an empty folder.</summary>
    private static readonly (InstallStepName Step, InstallMoment Moment)[] Points =
    [
        .. from step in Enum.GetValues<InstallStepName>()
           where step != InstallStepName.Report
           from moment in Enum.GetValues<InstallMoment>()
           where moment is InstallMoment.Begins or InstallMoment.Ends || step is InstallStepName.Container or InstallStepName.Login or InstallStepName.Models
           select (step, moment),
    ];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_an_empty_folder_to_a_picture_and_a_second_run_changes_nothing()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);

        var report = await stack.InstallAsync();

        Assert.True(report.Outcome == InstallOutcome.Installed, InstallStack.Told(report));
        Assert.Equal(
            [StepStatus.Unchanged, StepStatus.Done, StepStatus.Done, StepStatus.Done, StepStatus.Unchanged, StepStatus.Unchanged, StepStatus.Done],
            report.Steps.Select(step => step.Status));
        Assert.Contains(report.Steps.Single(step => step.Step == InstallStepName.TestImage).Evidence, line => line.StartsWith("A picture of ", StringComparison.Ordinal));
        await AssertGuardedAsync(stack);
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());
        Assert.Equal(["container", "image", "volume"], made.Select(line => line.Split(' ')[0]));

        var second = await stack.InstallAsync();

        Assert.True(second.Outcome == InstallOutcome.Unchanged, InstallStack.Told(second));
        Assert.All(second.Steps.SkipLast(1), step => Assert.Equal(StepStatus.Unchanged, step.Status));
        Assert.Equal(files, stack.Snapshot());
        Assert.Equal(made, await stack.EngineSnapshotAsync());
    }

    [Theory]
    [InlineData(InstallStepName.Prerequisites, InstallMoment.Ends)]
    [InlineData(InstallStepName.Container, InstallMoment.Changed)]
    [InlineData(InstallStepName.Container, InstallMoment.Ends)]
    [InlineData(InstallStepName.Login, InstallMoment.Changed)]
    [InlineData(InstallStepName.Login, InstallMoment.Ends)]
    [InlineData(InstallStepName.Models, InstallMoment.Changed)]
    [InlineData(InstallStepName.Models, InstallMoment.Ends)]
    [InlineData(InstallStepName.Authentication, InstallMoment.Ends)]
    [InlineData(InstallStepName.TestImage, InstallMoment.Ends)]
    internal async Task What_fails_is_taken_back_and_no_byte_of_the_models_is_loaded_twice(InstallStepName step, InstallMoment moment)
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        stack.Write("notes/mine.txt", "mine");
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());

        var failed = await stack.InstallAsync(FailAt(step, moment));

        Assert.True(failed.Outcome == InstallOutcome.RolledBack, InstallStack.Told(failed));
        Assert.Equal("DockerRequestFailed", failed.Steps.Single(result => result.Step == step).ErrorCode);
        Assert.Equal(made, await stack.EngineSnapshotAsync());
        AssertOnlyDownloads(stack, files, step < InstallStepName.Models ? [] : InstallStack.Models);
        var loaded = stack.Hub!.Storage.BytesServed;

        var report = await stack.InstallAsync();

        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: false }, InstallStack.Told(report));
        Assert.Equal(step < InstallStepName.Models ? stack.ModelBytes : loaded, stack.Hub.Storage.BytesServed);
        await AssertGuardedAsync(stack);
    }

    [Fact]
    public async Task A_run_that_is_killed_at_any_step_is_gone_on_with_to_the_same_end()
    {
        IReadOnlyList<string> expected;
        await using (var undisturbed = await InstallStack.MakeWholeAsync(engine))
        {
            Assert.Equal(InstallOutcome.Installed, (await undisturbed.InstallAsync()).Outcome);
            expected = undisturbed.Names();
        }

        foreach (var (step, moment) in Points.Where(point => point.Moment == InstallMoment.Ends || point.Moment == InstallMoment.Changed || point == (InstallStepName.Container, InstallMoment.Changes)))
        {
            await using var stack = await InstallStack.MakeWholeAsync(engine);
            await InstallChild.KillAsync(stack, step, moment, Stop);

            await AssertGoesOnAsync(stack, expected, $"{step} {moment}");
        }
    }

    [Fact]
    public async Task A_run_that_is_killed_at_each_step_in_turn_comes_to_the_same_end()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        foreach (var (step, moment) in Points)
            await InstallChild.KillAsync(stack, step, moment, Stop);

        await AssertGoesOnAsync(stack, null, "each in turn");

        var last = await stack.InstallAsync();
        Assert.True(last.Outcome == InstallOutcome.Unchanged, InstallStack.Told(last));
    }

    [Fact]
    public async Task A_run_that_was_killed_after_each_note_in_its_journal_is_taken_back_as_a_whole()
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        stack.Write("notes/mine.txt", "mine");
        var (files, made) = (stack.Snapshot(), await stack.EngineSnapshotAsync());
        var writes = 1;
        while (await InstallChild.KillAsync(stack, InstallStepName.TestImage, InstallMoment.Ends, Stop, writes))
            writes++;
        Assert.InRange(writes, 10, 100);

        var report = await stack.InstallAsync(FailAt(InstallStepName.TestImage, InstallMoment.Begins));

        Assert.True(report.Outcome == InstallOutcome.RolledBack, InstallStack.Told(report));
        AssertOnlyDownloads(stack, files, InstallStack.Models);
        Assert.Equal(made, await stack.EngineSnapshotAsync());

        report = await stack.InstallAsync();
        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: false }, InstallStack.Told(report));
        Assert.Equal(stack.ModelBytes, stack.Hub!.Storage.BytesServed);
        await AssertGuardedAsync(stack);
    }

    [Theory]
    [InlineData(InstallMoment.Changes)]
    [InlineData(InstallMoment.Changed)]
    [InlineData(InstallMoment.Ends)]
    internal async Task A_new_password_is_read_by_the_container_and_the_old_one_again_where_that_fails(InstallMoment moment)
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        Assert.Equal(InstallOutcome.Installed, (await stack.InstallAsync()).Outcome);
        stack.TakeOverCompose();
        stack.Password = new("a password of mine");
        var (credential, files) = (stack.Read(PasswordFile), stack.Contents());

        var failed = await stack.InstallAsync(FailAt(InstallStepName.Authentication, moment));

        Assert.True(failed.Outcome == InstallOutcome.RolledBack, InstallStack.Told(failed));
        Assert.Equal("DockerRequestFailed", failed.Steps.Single(result => result.Step == InstallStepName.Authentication).ErrorCode);
        Assert.Equal(files, stack.Contents());
        await AssertGuardedAsync(stack);

        await InstallChild.KillAsync(stack, InstallStepName.Authentication, moment, Stop);
        var report = await stack.InstallAsync();

        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: true }, InstallStack.Told(report));
        Assert.NotEqual(credential, stack.Read(PasswordFile));
        await AssertGuardedAsync(stack);
        Assert.Equal(InstallOutcome.Unchanged, (await stack.InstallAsync()).Outcome);
    }

    [Theory]
    [InlineData("before-build")]
    [InlineData("after-build")]
    [InlineData("before-up")]
    [InlineData("after-up")]
    public async Task A_run_that_is_killed_while_Compose_is_at_work_is_gone_on_with(string when)
    {
        await using var stack = await InstallStack.MakeWholeAsync(engine);
        var mark = stack.KillAtCompose(when);
        Assert.False(await InstallChild.KillAsync(stack, InstallStepName.Login, InstallMoment.Begins, Stop));
        Assert.False(File.Exists(mark));

        await AssertGoesOnAsync(stack, null, when);
    }

    private static Func<InstallStepName, InstallMoment, Task> FailAt(InstallStepName step, InstallMoment moment) =>
        (now, at) => (now, at) == (step, moment) ? throw new ComfyAuthException("DockerRequestFailed", "no", "Again.") : Task.CompletedTask;

    /// <summary>Sees that nothing was added but the unfinished downloads of these models, with what belongs to them.</summary>
    private static void AssertOnlyDownloads(InstallStack stack, IReadOnlyList<string> before, IEnumerable<string> models)
    {
        string[] unfinished = [.. models.SelectMany(model => new[] { $"{model}.part", $"{model}.part.json" })];
        var now = stack.Snapshot();
        Assert.Empty(before.Except(now));
        var added = now.Except(before).Where(line => !line.Contains("/.comfyauth", StringComparison.Ordinal)).ToList();
        Assert.Equal(unfinished.Order(StringComparer.Ordinal), added.Where(line => line[^1] != ' ').Select(line => line.Split(' ')[0]));
        Assert.All(added.Where(line => line[^1] == ' '), folder => Assert.Contains(unfinished, file => file.StartsWith(folder.Split(' ')[0] + "/", StringComparison.Ordinal)));
    }

    private static async Task AssertGoesOnAsync(InstallStack stack, IReadOnlyList<string>? expected, string what)
    {
        var report = await stack.InstallAsync();

        Assert.True(report is { Outcome: InstallOutcome.Installed, IsResumed: true }, $"{what}: {InstallStack.Told(report)}");
        if (expected is not null)
            Assert.Equal(expected, stack.Names());
        Assert.Equal(["container", "image", "volume"], (await stack.EngineSnapshotAsync()).Select(line => line.Split(' ')[0]));
        Assert.Equal(stack.ModelBytes, stack.Hub!.Storage.BytesServed);
        await AssertGuardedAsync(stack);
    }

    private static async Task AssertGuardedAsync(InstallStack stack)
    {
        var token = BcryptHash.Parse(stack.Read(PasswordFile).Split('\n')[0]);
        var address = $"http://127.0.0.1:{stack.Port}/system_stats";
        using var http = new HttpClient();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        HttpStatusCode? status = null;

        // What is taken back ends with a restart, for which nobody waits.
        while (status is null && await pause.WaitForNextTickAsync(deadline.Token))
        {
            try
            {
                status = (await http.GetAsync(address, deadline.Token)).StatusCode;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
        }

        Assert.Equal(HttpStatusCode.Unauthorized, status);
        http.DefaultRequestHeaders.Authorization = new("Bearer", token.Reveal());
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(address, Stop)).StatusCode);
    }
}
