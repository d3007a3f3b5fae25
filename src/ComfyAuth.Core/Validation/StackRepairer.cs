using ComfyAuth.Files;
using System.Runtime.CompilerServices;
using ComfyAuth.Docker;
using ComfyAuth.Secrets;
using ComfyAuth.Stacks;

namespace ComfyAuth.Validation;

/// <summary>Mends what the module can mend of a validation. What is replaced is kept, so that it can be undone.</summary>
/// <param name="redactor">Learns every secret that is read.</param>
/// <param name="verifier">Asks bcrypt.</param>
/// <param name="engine">Gives the client of the Docker engine, as <see cref="StackValidator"/> takes it.</param>
public sealed class StackRepairer(SecretRedactor redactor, PasswordVerifier verifier, Func<DockerClient> engine)
{
    /// <summary>Whether there is something to mend in a result.</summary>
    /// <param name="result">What came of a check.</param>
    public static bool IsMendable(CheckResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result is { CanFix: true, Status: CheckStatus.Failed or CheckStatus.Warning };
    }

    /// <summary>Makes the checks, mends what they find, and, where anything was mended, makes all of them again.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="options">Which checks are made.</param>
    /// <param name="approve">Asked before each change.</param>
    /// <param name="repaired">Is told what was done, before the first result comes; not called where there is nothing to mend.</param>
    /// <param name="stop">Gives up; what was mended until then stays.</param>
    /// <returns>The results as they are after the repair, each as it finishes; what was mended is marked.</returns>
    /// <exception cref="ComfyAuthException">As <see cref="StackValidator.Select"/>; or the old files cannot be kept, and nothing was changed.</exception>
    public async IAsyncEnumerable<CheckResult> RunAsync(
        GenAIStack stack,
        ValidationOptions options,
        Func<PlannedChange, Task<bool>> approve,
        Action<StackRepair> repaired,
        [EnumeratorCancellation] CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(repaired);
        var validator = new StackValidator(redactor, verifier, engine);
        var found = new List<CheckResult>();
        await foreach (var result in validator.RunAsync(stack, options, stop).ConfigureAwait(false))
            found.Add(result);

        StackRepair? repair = null;
        if (found.Exists(IsMendable))
        {
            repair = await RepairAsync(stack, options, StackValidator.Order(stack, found), approve, stop).ConfigureAwait(false);
            repaired(repair);
        }

        if (repair is { Mended.Count: > 0 })
        {
            await foreach (var result in validator.RunAsync(stack, options, stop).ConfigureAwait(false))
                yield return repair.Mark(result);
        }
        else
        {
            foreach (var result in found)
                yield return result;
        }
    }

    /// <summary>Mends one finding after the other; an error of one spares the others. Each looks at the stack afresh: one may have mended the next already.</summary>
    /// <param name="stack">The stack.</param>
    /// <param name="options">What the checks were made with.</param>
    /// <param name="results">What they found.</param>
    /// <param name="approve">Asked before each change.</param>
    /// <param name="stop">Gives up; what was mended until then stays.</param>
    /// <returns>What was done.</returns>
    /// <exception cref="ComfyAuthException">The old files cannot be kept; nothing was changed then.</exception>
    public Task<StackRepair> RepairAsync(
        GenAIStack stack,
        ValidationOptions options,
        IReadOnlyList<CheckResult> results,
        Func<PlannedChange, Task<bool>> approve,
        CancellationToken stop = default) => RepairAsync(stack, options, CheckCatalogue.All, results, approve, stop);

    /// <summary>Mends with given checks.</summary>
    internal async Task<StackRepair> RepairAsync(
        GenAIStack stack,
        ValidationOptions options,
        IReadOnlyList<Check> checks,
        IReadOnlyList<CheckResult> results,
        Func<PlannedChange, Task<bool>> approve,
        CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(stack);
        ArgumentNullException.ThrowIfNull(results);
        var services = stack.SelectServices(options.Services);
        var record = FileRecord.Begin(stack.Root, DateTimeOffset.UtcNow);
        var mended = new List<CheckResult>();
        var errors = new List<(CheckResult Result, Exception Error)>();
        var declined = new HashSet<(string Target, string Action)>();
        try
        {
            foreach (var result in results.Where(IsMendable))
            {
                var check = checks.FirstOrDefault(check => check.Id == result.Id);
                if (check?.PlanFix is not { } plan)
                    continue;

                try
                {
                    var context = new CheckContext(stack, services, options, redactor, verifier, engine, stop) { Keep = record.Keep };
                    await using var scope = context.ConfigureAwait(false);
                    var fix = await plan(context, services.FirstOrDefault(service => service.Name == result.Service), stop).ConfigureAwait(false);
                    var approved = 0;
                    if (fix.Changes.Count > 0)
                        await fix.ApplyAsync(ApproveAsync, stop).ConfigureAwait(false);
                    if (approved > 0 || fix.Changes.Count == 0)
                        mended.Add(result);

                    async Task<bool> ApproveAsync(PlannedChange change)
                    {
                        // Several findings may need the same change: who declined it is not asked again.
                        if (declined.Contains((change.Target, change.Action)))
                            return false;
                        if (!await approve(change).ConfigureAwait(false))
                        {
                            declined.Add((change.Target, change.Action));
                            return false;
                        }

                        approved++;
                        return true;
                    }
                }
                catch (Exception error) when (error is ComfyAuthException or IOException or UnauthorizedAccessException)
                {
                    errors.Add((result, error));
                }
            }
        }
        finally
        {
            record.Close();
        }

        return new() { Id = record.Files.Count > 0 ? record.Id : null, Mended = mended, Errors = errors };
    }
}
