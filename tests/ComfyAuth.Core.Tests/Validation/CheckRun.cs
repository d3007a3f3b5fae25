using ComfyAuth.Secrets;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Tests.Validation;

/// <summary>Makes one check of a stack, as a run of all does, with no engine.</summary>
internal static class CheckRun
{
    public static Dictionary<string, string> NoShell { get; } = [];

    public static async Task<CheckResult> OneAsync(GenAIStack stack, string id, IReadOnlyDictionary<string, string>? shell = null, PasswordVerifier? verifier = null) =>
        Assert.Single(await AllAsync(stack, [id], shell, verifier));

    public static async Task<IReadOnlyList<CheckResult>> AllAsync(GenAIStack stack, IReadOnlyCollection<string> ids, IReadOnlyDictionary<string, string>? shell = null, PasswordVerifier? verifier = null)
    {
        var results = new List<CheckResult>();
        var validator = new StackValidator(new SecretRedactor(), verifier ?? new PasswordVerifier(), () => throw new ComfyAuthException("DockerNotRunning", "No engine here."));
        await foreach (var result in validator.RunAsync(stack, Options(shell) with { Ids = ids }, TestContext.Current.CancellationToken))
            results.Add(result);
        return StackValidator.Order(stack, results);
    }

    /// <summary>Mends what a check found; gives the changes that were asked for.</summary>
    public static async Task<IReadOnlyList<PlannedChange>> FixAsync(GenAIStack stack, string id, Func<PlannedChange, bool>? approve = null, PasswordVerifier? verifier = null)
    {
        var check = CheckCatalogue.All.Single(check => check.Id == id);
        var asked = new List<PlannedChange>();
        await using var context = new CheckContext(stack, stack.Definition.Services, Options(null), new SecretRedactor(), verifier ?? new PasswordVerifier(), () => throw new ComfyAuthException("DockerNotRunning", "No engine here."), TestContext.Current.CancellationToken);
        List<ServiceDefinition?> subjects = check.AppliesTo is { } applies ? [.. stack.Definition.Services.Where(applies)] : [null];
        foreach (var service in subjects)
        {
            var fix = await check.PlanFix!(context, service, TestContext.Current.CancellationToken);
            await fix.ApplyAsync(
                change =>
                {
                    asked.Add(change);
                    return Task.FromResult(approve?.Invoke(change) ?? true);
                },
                TestContext.Current.CancellationToken);
        }

        return asked;
    }

    private static ValidationOptions Options(IReadOnlyDictionary<string, string>? shell) => new() { Shell = (shell ?? NoShell).GetValueOrDefault };
}
