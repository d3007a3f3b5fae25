using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

public sealed class StackValidatorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SecretRedactor _redactor = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private GenAIStack Stack => new()
    {
        Root = _folder.Path,
        Definition = new()
        {
            Source = "none",
            Services =
            [
                new() { Name = "one", Container = "one", Url = new("http://127.0.0.1:1") },
                new() { Name = "two", Container = "two", Url = new("http://127.0.0.1:2"), Auth = AuthKind.Bearer },
            ],
        },
    };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task No_more_checks_are_under_way_at_once_than_allowed()
    {
        var (now, most) = (0, 0);
        var gate = new Lock();
        var checks = Enumerable.Range(0, 100).Select(number => Of($"a.{(char)('a' + (number / 10))}{(char)('a' + (number % 10))}", async (_, _) =>
        {
            lock (gate)
                most = Math.Max(most, ++now);
            for (var turn = 0; turn < 20; turn++)
                await Task.Yield();
            lock (gate)
                now--;
            return CheckOutcome.Passed("Fine.");
        })).ToList();

        Assert.Equal(100, (await RunAsync(checks, new() { AtOnce = 2 })).Count);
        Assert.InRange(most, 1, 2);
    }

    [Fact]
    public async Task A_check_that_takes_too_long_is_an_error_and_the_others_finish()
    {
        var never = new TaskCompletionSource<CheckOutcome>();
        var results = await RunAsync(
        [
            Of("a.listens", async (_, stop) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, stop);
                return CheckOutcome.Passed("Never.");
            }, timeout: TimeSpan.FromMilliseconds(20)),
            Of("a.deaf", (_, _) => never.Task, timeout: TimeSpan.FromMilliseconds(20)),
            Of("a.fine"),
        ]);

        Assert.Equal([CheckStatus.Error, CheckStatus.Error, CheckStatus.Passed], results.OrderBy(result => result.Id == "a.fine").Select(result => result.Status));
        Assert.All(results.Where(result => result.Status == CheckStatus.Error), result => Assert.Contains("not finished within", result.Message, StringComparison.Ordinal));
        never.SetResult(CheckOutcome.Passed("Late."));
    }

    [Fact]
    public async Task A_check_that_breaks_is_an_error_without_secrets_and_the_others_finish()
    {
        _redactor.Register(new SecretText("hidden-in-an-exception"));
        var results = await RunAsync(
        [
            Of("a.breaks", (_, _) => throw new InvalidOperationException("It is hidden-in-an-exception.")),
            Of("a.told", (_, _) => throw new ComfyAuthException("SomeCode", "It is so.", "Do this.")),
            Of("a.fine"),
        ]);

        Assert.Equal((CheckStatus.Error, "It is [redacted]."), (results.Single(result => result.Id == "a.breaks").Status, results.Single(result => result.Id == "a.breaks").Message));
        Assert.Equal((CheckStatus.Error, "Do this."), (results.Single(result => result.Id == "a.told").Status, results.Single(result => result.Id == "a.told").Remedy));
        Assert.Equal(CheckStatus.Passed, results.Single(result => result.Id == "a.fine").Status);
    }

    [Theory]
    [InlineData(CheckStatus.Passed, CheckStatus.Passed)]
    [InlineData(CheckStatus.Warning, CheckStatus.Passed)]
    [InlineData(CheckStatus.Failed, CheckStatus.Skipped)]
    [InlineData(CheckStatus.Error, CheckStatus.Skipped)]
    [InlineData(CheckStatus.Skipped, CheckStatus.Skipped)]
    public async Task A_check_is_skipped_where_what_it_builds_on_did_not_pass(CheckStatus ground, CheckStatus expected)
    {
        var results = await RunAsync(
        [
            Of("a.top", dependsOn: ["a.middle"]),
            Of("a.middle", dependsOn: ["a.ground"]),
            Of("a.ground", (_, _) => Task.FromResult(new CheckOutcome(ground, "As it is."))),
        ]);

        Assert.Equal(expected, results.Single(result => result.Id == "a.middle").Status);
        Assert.Equal(expected, results.Single(result => result.Id == "a.top").Status);
        if (expected == CheckStatus.Skipped)
            Assert.Contains("a.ground", results.Single(result => result.Id == "a.middle").Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_chosen_check_builds_on_is_made_and_not_reported()
    {
        var made = 0;
        var results = await RunAsync(
        [
            Of("a.ground", (_, _) =>
            {
                Interlocked.Increment(ref made);
                return Task.FromResult(CheckOutcome.Failed("Broken."));
            }),
            Of("b.top", dependsOn: ["a.ground"]),
            Of("c.other", (_, _) => throw new InvalidOperationException("It was not chosen.")),
        ], new() { Ids = ["b.*"] });

        var result = Assert.Single(results);
        Assert.Equal(("b.top", CheckStatus.Skipped, 1), (result.Id, result.Status, made));
    }

    [Fact]
    public async Task A_check_of_services_is_made_for_those_that_it_applies_to_and_builds_on_the_same_service()
    {
        var results = await RunAsync(
        [
            OfService("a.ground", service => service.Auth == AuthKind.Bearer, service => CheckOutcome.Failed($"{service.Name} is broken.")),
            OfService("a.top", _ => true, _ => CheckOutcome.Passed("Fine."), "a.ground"),
        ]);

        Assert.Equal(["two"], results.Where(result => result.Id == "a.ground").Select(result => result.Service));
        Assert.Equal(CheckStatus.Passed, results.Single(result => result is { Id: "a.top", Service: "one" }).Status);
        Assert.Equal(CheckStatus.Skipped, results.Single(result => result is { Id: "a.top", Service: "two" }).Status);
        Assert.Equal(["two"], (await RunAsync([OfService("a.top", _ => true, _ => CheckOutcome.Passed("Fine."))], new() { Services = ["TWO"] })).Select(result => result.Service));
    }

    [Fact]
    public void Results_are_put_in_the_order_of_the_catalogue_whatever_finishes_first()
    {
        string?[] ofStack = [null];
        string?[] ofServices = ["one", "two"];
        CheckResult[] results =
        [
            .. CheckCatalogue.All.SelectMany(check => check.IsOfService ? ofServices : ofStack, (check, service) => new CheckResult
            {
                Stack = "",
                Id = check.Id,
                Category = check.Category,
                Title = "",
                Service = service,
                Status = CheckStatus.Passed,
                Message = "",
            }),
        ];
        var shuffled = results.ToArray();
        new Random(7).Shuffle(shuffled);

        Assert.Equal(results, StackValidator.Order(Stack, shuffled));
    }

    [Fact]
    public async Task Cancelling_in_the_middle_leaves_nothing_running()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var (begun, ended, factEnded) = (0, 0, false);
        var fact = new SharedFact<int>(async (_, end) =>
        {
            try
            {
                await stop.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, end);
                return 1;
            }
            finally
            {
                await Task.Yield();
                Volatile.Write(ref factEnded, true);
            }
        });
        var checks = Enumerable.Range(0, 8).Select(number => Of($"a.{(char)('a' + number)}", async (context, end) =>
        {
            Interlocked.Increment(ref begun);
            try
            {
                await context.FindAsync(fact, end);
                return CheckOutcome.Passed("Never.");
            }
            finally
            {
                await Task.Yield();
                Interlocked.Increment(ref ended);
            }
        })).ToList();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => RunAsync(checks, stop: stop.Token));

        Assert.True(begun > 0);
        Assert.Equal(begun, ended);
        Assert.True(Volatile.Read(ref factEnded));
    }

    [Fact]
    public async Task Leaving_the_enumeration_early_leaves_nothing_running()
    {
        var (waiting, ended) = (new TaskCompletionSource(), false);
        Check[] checks =
        [
            Of("a.quick", async (_, _) =>
            {
                await waiting.Task;
                return CheckOutcome.Passed("Fine.");
            }),
            Of("a.endless", async (_, end) =>
            {
                waiting.SetResult();
                try
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, end);
                    return CheckOutcome.Passed("Never.");
                }
                finally
                {
                    await Task.Yield();
                    Volatile.Write(ref ended, true);
                }
            }),
        ];
        await foreach (var result in Validator().RunAsync(Stack, new(), checks, Stop))
        {
            Assert.Equal("a.quick", result.Id);
            break;
        }

        Assert.True(Volatile.Read(ref ended));
    }

    [Fact]
    public async Task What_several_checks_need_is_found_out_once_and_does_not_end_with_the_first_that_asks()
    {
        var found = 0;
        var (asked, gaveUp) = (new TaskCompletionSource(), new TaskCompletionSource());
        var fact = new SharedServiceFact<int>(async (_, _, _) =>
        {
            asked.TrySetResult();
            await gaveUp.Task;
            return Interlocked.Increment(ref found);
        });
        var results = await RunAsync(
        [
            OfService("a.impatient", service => service.Name == "one", async (context, service, end) =>
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(end);
                var finding = context.FindAsync(fact, service, patience.Token);
                await asked.Task;
                await patience.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding);
                gaveUp.SetResult();
                return CheckOutcome.Passed("Gave up.");
            }, TimeSpan.FromMinutes(5)),
            OfService("b.patient", service => service.Name == "one", async (context, service, end) =>
            {
                await asked.Task;
                return CheckOutcome.Passed(await context.FindAsync(fact, service, end) == 1 ? "Once." : "Again.");
            }, TimeSpan.FromMinutes(5)),
        ]);

        Assert.Equal("Once.", results.Single(result => result.Id == "b.patient").Message);
        Assert.Equal("Gave up.", results.Single(result => result.Id == "a.impatient").Message);
    }

    [Theory]
    [InlineData("auth.api.tokn", "auth.api.token")]
    [InlineData("zzz.*", "docs/checks.md")]
    public void An_id_that_no_check_has_is_refused_with_a_suggestion(string id, string suggested)
    {
        var error = Assert.Throws<ComfyAuthException>(() => StackValidator.Select(Stack, new() { Ids = [id] }));

        Assert.Equal("CheckNotFound", error.Code);
        Assert.Contains(id, error.Message, StringComparison.Ordinal);
        Assert.Contains(suggested, error.Remedy, StringComparison.Ordinal);
        Assert.Equal("CheckNotFound", Assert.Throws<ComfyAuthException>(() => StackValidator.Select(Stack, new() { Exclude = [id] })).Code);
        Assert.Equal("CheckNotFound", Assert.Throws<ComfyAuthException>(() => StackValidator.Select(Stack, new() { Categories = [id] })).Code);
    }

    [Fact]
    public void Checks_are_chosen_by_id_by_category_and_by_what_is_left_out()
    {
        Assert.Equal(CheckCatalogue.All, StackValidator.Select(Stack, new()));
        Assert.Equal(["auth.api.protected", "auth.api.wrongtoken", "auth.api.token"], Ids(new() { Ids = ["AUTH.api.*"] }));
        Assert.Equal(["engine.reachable", "engine.version"], Ids(new() { Categories = ["engine"], Exclude = ["engine.res*"] }));
        Assert.DoesNotContain(Ids(new() { Exclude = ["auth", "token"] }), id => id.StartsWith("auth.", StringComparison.Ordinal) || id.StartsWith("token.", StringComparison.Ordinal));
        Assert.Equal("ServiceNotFound", Assert.Throws<ComfyAuthException>(() => StackValidator.Select(Stack, new() { Services = ["three"] })).Code);

        IEnumerable<string> Ids(ValidationOptions options) => StackValidator.Select(Stack, options).Select(check => check.Id);
    }

    [Fact]
    public async Task What_a_skipped_check_builds_on_in_the_end_is_told_and_not_each_check_between()
    {
        var results = await RunAsync(
        [
            Of("a.ground", (_, _) => Task.FromResult(CheckOutcome.Failed("It is broken."))),
            Of("a.between", dependsOn: ["a.ground"]),
            Of("a.top", dependsOn: ["a.between"]),
        ]);

        Assert.All(results.Where(result => result.Id != "a.ground"), result => Assert.Equal("It builds on a.ground, which failed: It is broken.", result.Message));
    }

    [Fact]
    public async Task What_a_check_says_of_itself_is_not_taken_for_a_chain_of_grounds()
    {
        var results = await RunAsync([Of("a.ground", (_, _) => Task.FromResult(CheckOutcome.Skipped("It builds on sand."))), Of("a.top", dependsOn: ["a.ground"])]);

        Assert.Equal("It builds on a.ground, which was skipped: It builds on sand.", results.Single(result => result.Id == "a.top").Message);
    }

    [Fact]
    public async Task A_finding_is_given_the_passages_of_the_stacks_documents_that_speak_of_it()
    {
        _folder.Write("README.md", "# Notes\n\n## Frobnicator\n\nIf the frobnicator is broken, turn it twice.\n\n## Other\n\nNothing.\n");
        var results = await RunAsync([Of("a.broken", (_, _) => Task.FromResult(CheckOutcome.Failed("The frobnicator is broken."))), Of("a.fine")]);

        Assert.StartsWith("README.md:", results.Single(result => result.Id == "a.broken").Guidance[0], StringComparison.Ordinal);
        Assert.Empty(results.Single(result => result.Id == "a.fine").Guidance);
    }

    private static Check Of(string id, Func<CheckContext, CancellationToken, Task<CheckOutcome>>? run = null, IReadOnlyList<string>? dependsOn = null, TimeSpan? timeout = null) =>
        new(id, "Title", "Meaning.", "Remedy.", run ?? ((_, _) => Task.FromResult(CheckOutcome.Passed("Fine.")))) { DependsOn = dependsOn ?? [], Timeout = timeout ?? TimeSpan.FromMinutes(5) };

    private static Check OfService(string id, Func<ServiceDefinition, bool> appliesTo, Func<ServiceDefinition, CheckOutcome> run, params IReadOnlyList<string> dependsOn) =>
        new(id, "Title", "Meaning.", "Remedy.", appliesTo, (_, service, _) => Task.FromResult(run(service))) { DependsOn = dependsOn };

    private static Check OfService(string id, Func<ServiceDefinition, bool> appliesTo, Func<CheckContext, ServiceDefinition, CancellationToken, Task<CheckOutcome>> run, TimeSpan timeout) =>
        new(id, "Title", "Meaning.", "Remedy.", appliesTo, run) { Timeout = timeout };

    private StackValidator Validator() => new(_redactor, new PasswordVerifier(), () => throw new DockerException("DockerNotRunning", "There is no engine.", "Start it."));

    private async Task<IReadOnlyList<CheckResult>> RunAsync(IReadOnlyList<Check> checks, ValidationOptions? options = null, CancellationToken? stop = null)
    {
        List<CheckResult> results = [];
        await foreach (var result in Validator().RunAsync(Stack, options ?? new(), checks, stop ?? Stop))
            results.Add(result);
        return results;
    }
}
