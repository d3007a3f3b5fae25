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
        var report = new Option<string?>("--report") { Description = "Also write the audit to this file (.json or .md).", Validators = { CommandSession.RequireValue } };
        var command = new Command("sync-token", "Makes every place of a ComfyUI-Login credential agree with its source of truth.") { audit, validate, rotate, adopt, EngineChoice.Restart, EngineChoice.Timeout, path, service, EngineChoice.Context, EngineChoice.Host, report, json, verbose };
        command.Validators.Add(result =>
        {
            if (new Option[] { audit, validate, rotate, adopt }.Count(option => result.GetResult(option) is { Implicit: false }) > 1)
                result.AddError("Give one of --audit, --validate, --rotate and --adopt.");
            if (result.GetValue(EngineChoice.Restart) && (result.GetValue(audit) || result.GetValue(validate)))
                result.AddError("--restart goes with a synchronisation, not with --audit or --validate.");
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
                List<TokenObservation>? reported = file is null ? null : [];
                var code = parsed.GetValue(audit) ? await AuditAsync(session, auditor, paths, request.Services, reported, stop)
                    : parsed.GetValue(validate) ? await ValidateAsync(session, auditor, paths, request.Services, reported, stop)
                    : parsed.GetValue(EngineChoice.Restart) ? await RollOutAsync(session, parsed, auditor, paths, request, reported, stop)
                    : await SynchronizeAsync(session, auditor, paths, request, reported, stop);

                // A report of nothing would say that all is well.
                if (file is not null && reported is { Count: > 0 })
                {
                    await TokenReportWriter.WriteAsync(TokenReport.Of(reported, DateTimeOffset.UtcNow), file, stop);
                    session.Say($"Report: {Path.GetFullPath(file)}");
                }

                return code;
            },
            cancellationToken));
        return command;
    }

    private static async Task<int> AuditAsync(CommandSession session, TokenAuditor auditor, string[] paths, IReadOnlyCollection<string>? services, List<TokenObservation>? reported, CancellationToken stop)
    {
        var observations = new List<TokenObservation>();
        await session.ForEachStackAsync(
            paths,
            recover: false,
            stack =>
            {
                observations.AddRange(auditor.Audit(stack, services, stop));
                return Task.CompletedTask;
            },
            stop);

        reported?.AddRange(observations);
        session.Print(observations, ReportJsonContext.Default.IReadOnlyListTokenObservation, seen => seen.Stack, TokenTables.Of);
        return ExitCode.Of(observations.Any(seen => seen.IsFault), observations.Any(seen => seen.State != TokenState.Match));
    }

    private static async Task<int> ValidateAsync(CommandSession session, TokenAuditor auditor, string[] paths, IReadOnlyCollection<string>? services, List<TokenObservation>? reported, CancellationToken stop)
    {
        var validations = new List<TokenValidation>();
        await session.ForEachStackAsync(
            paths,
            recover: false,
            stack =>
            {
                validations.AddRange(auditor.Validate(stack, services, stop));
                reported?.AddRange(auditor.Audit(stack, services, stop));
                return Task.CompletedTask;
            },
            stop);

        session.Print(validations, ReportJsonContext.Default.IReadOnlyListTokenValidation, validation => validation.Stack, TokenTables.Of);
        foreach (var finding in validations.SelectMany(validation => validation.Findings))
            session.Say(finding);
        return ExitCode.Of(validations.Any(validation => validation.IsValid == false), validations.Any(validation => validation.IsValid is null));
    }

    private static async Task<int> SynchronizeAsync(CommandSession session, TokenAuditor auditor, string[] paths, TokenSyncRequest request, List<TokenObservation>? reported, CancellationToken stop)
    {
        var synchronizer = new TokenSynchronizer(session.Verifier, session.Redactor, logger: session.Logger);
        var results = new List<TokenSyncResult>();
        try
        {
            await session.ForEachStackAsync(
                paths,
                recover: true,
                stack => ReportedAsync(
                    auditor,
                    stack,
                    request,
                    reported,
                    async () =>
                    {
                        var plan = synchronizer.Plan(stack, request, stop);
                        results.AddRange(await plan.ApplyAsync(cancellationToken: stop));
                        return Told(session, plan);
                    },
                    stop),
                stop);
        }
        finally
        {
            // What was done before a cancellation is said too.
            session.Print(results, ReportJsonContext.Default.IReadOnlyListTokenSyncResult, result => result.Stack, TokenTables.Of);
        }

        return Code(session, results, []);
    }

    private static async Task<int> RollOutAsync(
        CommandSession session, ParseResult parsed, TokenAuditor auditor, string[] paths, TokenSyncRequest request, List<TokenObservation>? reported, CancellationToken stop)
    {
        var synchronizer = new TokenSynchronizer(session.Verifier, session.Redactor, logger: session.Logger);
        var results = new List<TokenSyncResult>();
        var containers = new List<ContainerChange>();
        var proofs = new List<LoginProof>();
        var result = new RolloutResult<TokenSyncResult>(results, containers, proofs);
        using var engine = EngineChoice.Connect(parsed);
        try
        {
            await session.ForEachStackAsync(
                paths,
                recover: true,
                async stack =>
                {
                    foreach (var one in request.ForEachCredential(stack))
                    {
                        // An error of one credential is told and spares the others.
                        await session.TryAsync(() => ReportedAsync(
                            auditor,
                            stack,
                            one,
                            reported,
                            async () =>
                            {
                                var plan = synchronizer.Plan(stack, one, stop);
                                var rollout = await plan.WithRestartAsync(EngineChoice.RolloutOf(engine, parsed, session), stop);
                                var done = await rollout.ApplyAsync(stop: stop);
                                results.AddRange(done.Results);
                                containers.AddRange(done.Containers);
                                proofs.AddRange(done.Proofs);
                                return Told(session, plan);
                            },
                            stop));
                    }
                },
                stop);
        }
        finally
        {
            EngineChoice.Print(session, result, ReportJsonContext.Default.RolloutResultTokenSyncResult, place => place.Stack, TokenTables.Of);
        }

        return Code(session, results, proofs);
    }

    /// <summary>Notes for the report what stands at the places, also where it could not be synchronised.</summary>
    private static async Task ReportedAsync(TokenAuditor auditor, GenAIStack stack, TokenSyncRequest request, List<TokenObservation>? reported, Func<Task<TokenSyncPlan>> work, CancellationToken stop)
    {
        try
        {
            var plan = await work();
            reported?.AddRange(plan.Observations);
        }
        catch (ComfyAuthException)
        {
            // A stack that could not be synchronised is what a reader of the report must not miss.
            reported?.AddRange(auditor.AuditAfterError(stack, request.Services, stop));
            throw;
        }
    }

    private static TokenSyncPlan Told(CommandSession session, TokenSyncPlan plan)
    {
        foreach (var note in plan.Notes)
            session.Warn(note);
        return plan;
    }

    private static int Code(CommandSession session, List<TokenSyncResult> results, List<LoginProof> proofs)
    {
        foreach (var remedy in results.Select(result => result.Remedy).Where(remedy => remedy.Length > 0).Distinct())
            session.Say(remedy);
        return ExitCode.Of(
            results.Any(result => result.State is not (TokenState.Match or TokenState.Undetermined or TokenState.Unreadable)),
            results.Any(result => result.State != TokenState.Match) || proofs.Any(proof => proof.IsProven != true));
    }
}
