using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth sync-token</c>: makes the places of a credential agree, or says where they do not.</summary>
internal static class SyncTokenCommand
{
    public static Command Create()
    {
        var (path, service, json, verbose) = CommandSession.CommonOptions;
        var audit = new Option<bool>("--audit") { Description = "Only look: one row for each place. Changes nothing." };
        var validate = new Option<bool>("--validate") { Description = "Only look: one row for each service. Changes nothing." };
        var rotate = new Option<bool>("--rotate") { Description = "Make a new password and hash." };
        var adopt = new Option<string?>("--adopt") { Description = "Make the hash at this place, or with this fingerprint, the source of truth.", Validators = { CommandSession.RequireValue } };
        var live = new Option<bool>("--live") { Description = "With --audit, --validate and --adopt: also look into the containers, and ask the live servers." };
        var report = new Option<string?>("--report") { Description = "Also write the audit to this file (.json or .md).", Validators = { CommandSession.RequireValue } };
        var command = new Command("sync-token", "Makes every place of a ComfyUI-Login credential agree with its source of truth.") { audit, validate, rotate, adopt, live, RolloutChoice.Restart, RolloutChoice.Timeout, path, service, ContainerChoice.Context, ContainerChoice.Host, report, json, verbose };
        command.Validators.Add(result =>
        {
            if (new Option[] { audit, validate, rotate, adopt }.Count(option => result.GetResult(option) is { Implicit: false }) > 1)
                result.AddError("Give one of --audit, --validate, --rotate and --adopt.");
            if (result.GetValue(RolloutChoice.Restart) && (result.GetValue(audit) || result.GetValue(validate)))
                result.AddError("--restart goes with a synchronisation, not with --audit or --validate.");
            if (result.GetValue(live) && !result.GetValue(audit) && !result.GetValue(validate) && result.GetValue(adopt) is null)
                result.AddError("--live goes with --audit, --validate or --adopt.");
            if (result.GetValue(report) is { } file && !TokenReportWriter.IsKnown(file))
                result.AddError("The name of the --report must end in .json or .md.");
        });

        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                var file = parsed.GetValue(report);
                // Where the report cannot go, nothing is done for it.
                var paths = file is null || await session.TryAsync(() => TokenReportWriter.EnsureReplaceableAsync(file, stop)) ? parsed.GetValue(path)! : [];
                var request = new TokenSyncRequest { Services = parsed.GetValue(service), Rotate = parsed.GetValue(rotate), Adopt = parsed.GetValue(adopt) };
                var auditor = new TokenAuditor(session.Verifier, session.Redactor);
                var isLive = parsed.GetValue(live);
                using var engine = new LazyEngine(parsed);
                List<TokenObservation>? reported = file is null ? null : [];
                var code = parsed.GetValue(audit) ? await AuditAsync(session, LookAsync, paths, reported, stop)
                    : parsed.GetValue(validate) ? await ValidateAsync(session, LookAsync, paths, reported, stop)
                    : await SynchronizeAsync(session, auditor, parsed.GetValue(RolloutChoice.Restart) ? () => RolloutChoice.RolloutOf(engine.Client, parsed, session) : null, paths, RequestAsync, reported, stop);

                // A report of nothing would say that all is well.
                if (file is not null && reported is { Count: > 0 })
                {
                    await TokenReportWriter.WriteAsync(TokenReport.Of(reported, DateTimeOffset.UtcNow), file, stop);
                    session.Say($"Report: {Path.GetFullPath(file)}");
                }

                return code;

                LiveTokenAuditor Live() => new(auditor, engine.Client, session.Redactor);

                async Task<LiveTokenAudit> LookAsync(GenAIStack stack) => isLive
                    ? await Live().LookAsync(stack, request.Services, stop)
                    : new(parsed.GetValue(audit) || reported is not null ? auditor.Audit(stack, request.Services, stop) : [], parsed.GetValue(validate) ? auditor.Validate(stack, request.Services, stop) : []);

                async Task<TokenSyncRequest> RequestAsync(GenAIStack stack) => request.Adopt is { } place && (isLive || LiveTokenAuditor.IsInContainer(stack, place))
                    ? request with { InContainers = await Live().FindHashesAsync(stack, request.Services, place, stop) }
                    : request;
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> AuditAsync(CommandSession session, Func<GenAIStack, Task<LiveTokenAudit>> look, string[] paths, List<TokenObservation>? reported, CancellationToken stop)
    {
        var observations = new List<TokenObservation>();
        await session.ForEachStackAsync(paths, recover: false, async stack => observations.AddRange((await look(stack)).Observations), stop);
        reported?.AddRange(observations);
        session.Print(observations, ReportJsonContext.Default.IReadOnlyListTokenObservation, seen => seen.Stack, TokenTables.Of);
        return ExitCode.Of(observations.Any(seen => seen.IsFault), observations.Any(seen => seen.State != TokenState.Match));
    }

    private static async Task<int> ValidateAsync(CommandSession session, Func<GenAIStack, Task<LiveTokenAudit>> look, string[] paths, List<TokenObservation>? reported, CancellationToken stop)
    {
        var validations = new List<TokenValidation>();
        await session.ForEachStackAsync(
            paths,
            recover: false,
            async stack =>
            {
                var seen = await look(stack);
                validations.AddRange(seen.Validations);
                reported?.AddRange(seen.Observations);
            },
            stop);

        session.Print(validations, ReportJsonContext.Default.IReadOnlyListTokenValidation, validation => validation.Stack, TokenTables.Of);
        foreach (var finding in validations.SelectMany(validation => validation.Findings))
            session.Say(finding);
        return ExitCode.Of(validations.Any(validation => validation.IsValid == false), validations.Any(validation => validation.IsValid is null));
    }

    /// <summary>Synchronises; with a rollout also the containers, one credential after the other.</summary>
    private static async Task<int> SynchronizeAsync(
        CommandSession session, TokenAuditor auditor, Func<Rollout>? rollout, string[] paths, Func<GenAIStack, Task<TokenSyncRequest>> requestOf, List<TokenObservation>? reported, CancellationToken stop)
    {
        var synchronizer = new TokenSynchronizer(session.Verifier, session.Redactor, logger: session.Logger);
        var results = new List<TokenSyncResult>();
        var containers = new List<ContainerChange>();
        var proofs = new List<LoginProof>();
        try
        {
            await session.ForEachStackAsync(
                paths,
                recover: true,
                async stack =>
                {
                    var request = await requestOf(stack);
                    foreach (var one in rollout is null ? [request] : request.ForEachCredential(stack))
                        await session.TryAsync(() => SynchronizeOneAsync(stack, one));
                },
                stop);
        }
        finally
        {
            // What was done before a cancellation is said too.
            if (rollout is null)
                session.Print(results, ReportJsonContext.Default.IReadOnlyListTokenSyncResult, result => result.Stack, TokenTables.Of);
            else
                RolloutChoice.Print(session, new(results, containers, proofs), ReportJsonContext.Default.RolloutResultTokenSyncResult, result => result.Stack, TokenTables.Of);
        }

        foreach (var remedy in results.Select(result => result.Remedy).Where(remedy => remedy.Length > 0).Distinct())
            session.Say(remedy);
        return ExitCode.Of(
            results.Any(result => result.State is not (TokenState.Match or TokenState.Undetermined or TokenState.Unreadable)),
            results.Any(result => result.State != TokenState.Match) || proofs.Any(proof => proof.IsProven != true));

        async Task SynchronizeOneAsync(GenAIStack stack, TokenSyncRequest request)
        {
            try
            {
                var plan = synchronizer.Plan(stack, request, stop);
                if (rollout is null)
                {
                    results.AddRange(await plan.ApplyAsync(cancellationToken: stop));
                }
                else
                {
                    var done = await (await plan.WithRestartAsync(rollout(), stop)).ApplyAsync(stop: stop);
                    results.AddRange(done.Results);
                    containers.AddRange(done.Containers);
                    proofs.AddRange(done.Proofs);
                }

                reported?.AddRange(plan.Observations);
                foreach (var note in plan.Notes)
                    session.Warn(note);
            }
            catch (ComfyAuthException)
            {
                // A stack that could not be synchronised is what a reader of the report must not miss.
                reported?.AddRange(auditor.AuditAfterError(stack, request.Services, stop));
                throw;
            }
        }
    }
}
