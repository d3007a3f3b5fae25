using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Comfy;
using ComfyAuth.Containers;
using ComfyAuth.Environments;
using ComfyAuth.Reports;
using ComfyAuth.Tokens;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth restore-env</c>: rebuilds a service's <c>.env</c> file, or puts a backup back.</summary>
internal static class RestoreEnvCommand
{
    public static Command Create()
    {
        var (path, service, json, verbose) = CommandSession.CommonOptions;
        var validate = new Option<bool>("--validate") { Description = "Only look. Changes nothing." };
        var noBackup = new Option<bool>("--no-backup") { Description = "Do not keep the old file." };
        var fromBackup = new Option<string?>("--from-backup") { Description = "Put a backup back: 'latest', a file name, or its time stamp.", Validators = { CommandSession.RequireValue } };
        var source = new Option<string?>("--source") { Description = "Restore from this file: another source of truth (JSON), or a .env file that fills in what the service's own lacks.", Validators = { CommandSession.RequireValue } };
        var command = new Command("restore-env", "Rebuilds a service's .env file from template, source of truth and the user's own values.") { validate, noBackup, fromBackup, source, RolloutChoice.Restart, RolloutChoice.Timeout, path, service, ContainerChoice.Context, ContainerChoice.Host, json, verbose };
        command.Validators.Add(result =>
        {
            if (new Option[] { validate, fromBackup, source }.Count(option => result.GetResult(option) is { Implicit: false }) > 1)
                result.AddError("Give one of --validate, --from-backup and --source.");
            if (result.GetValue(RolloutChoice.Restart) && result.GetValue(validate))
                result.AddError("--restart goes with a restoration, not with --validate.");
        });

        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            (session, stop) => parsed.GetValue(validate)
                ? ValidateAsync(session, parsed.GetValue(path)!, parsed.GetValue(service), stop)
                : RestoreAsync(
                    session,
                    parsed,
                    parsed.GetValue(path)!,
                    new()
                    {
                        Services = parsed.GetValue(service),
                        FromBackup = parsed.GetValue(fromBackup),
                        SourceFile = parsed.GetValue(source) is { } file ? Path.GetFullPath(file) : null,
                        Backup = !parsed.GetValue(noBackup),
                    },
                    stop),
            cancellationToken));
        return command;
    }

    private static async Task<int> ValidateAsync(CommandSession session, string[] paths, IReadOnlyCollection<string>? services, CancellationToken stop)
    {
        var validations = new List<EnvironmentValidation>();
        await session.ForEachStackAsync(
            paths,
            recover: false,
            stack =>
            {
                validations.AddRange(EnvironmentValidator.Validate(stack, services));
                return Task.CompletedTask;
            },
            stop);

        session.Print(validations, ReportJsonContext.Default.IReadOnlyListEnvironmentValidation, validation => validation.Stack, EnvironmentTables.Of);
        return ExitCode.Of(validations.Any(validation => !validation.IsValid), anyUnknown: false);
    }

    private static async Task<int> RestoreAsync(CommandSession session, ParseResult parsed, string[] paths, EnvironmentRestoreRequest request, CancellationToken stop)
    {
        var restorer = new EnvironmentRestorer(session.Verifier, session.Redactor, logger: session.Logger);
        var results = new List<EnvironmentRestoreResult>();
        var containers = new List<ContainerChange>();
        var proofs = new List<LoginProof>();
        var result = new RolloutResult<EnvironmentRestoreResult>(results, containers, proofs);
        using var engine = parsed.GetValue(RolloutChoice.Restart) ? ContainerChoice.Connect(parsed) : null;
        try
        {
            await session.ForEachStackAsync(
                paths,
                recover: true,
                async stack =>
                {
                    foreach (var service in EnvironmentValidator.ServicesOf(stack, request.Services))
                    {
                        // An error of one service is told and spares the others too. Planned only now: services may share a file.
                        await session.TryAsync(async () =>
                        {
                            var plan = restorer.Plan(stack, service, request, stop);
                            if (engine is null)
                            {
                                results.Add(await plan.ApplyAsync(cancellationToken: stop));
                                return;
                            }

                            var rollout = await plan.WithRestartAsync(RolloutChoice.RolloutOf(engine, parsed, session), stop);
                            var done = await rollout.ApplyAsync(stop: stop);
                            results.AddRange(done.Results);
                            containers.AddRange(done.Containers);
                            proofs.AddRange(done.Proofs);
                        });
                    }
                },
                stop);
        }
        finally
        {
            // What was done before a cancellation is said too.
            if (engine is null)
                session.Print(results, ReportJsonContext.Default.IReadOnlyListEnvironmentRestoreResult, restored => restored.Stack, EnvironmentTables.Of);
            else
                RolloutChoice.Print(session, result, ReportJsonContext.Default.RolloutResultEnvironmentRestoreResult, restored => restored.Stack, EnvironmentTables.Of);
        }

        foreach (var step in results.SelectMany(restored => restored.Notes.Concat(restored.NextSteps)).Distinct())
            session.Say($"- {step}");
        return ExitCode.Of(results.Any(restored => !restored.IsValid), proofs.Any(proof => proof.IsProven != true));
    }
}
