using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Environments;
using ComfyAuth.Reports;

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
        var command = new Command("restore-env", "Rebuilds a service's .env file from template, source of truth and the user's own values.") { validate, noBackup, fromBackup, source, path, service, json, verbose };
        command.Validators.Add(result =>
        {
            if (new Option[] { validate, fromBackup, source }.Count(option => result.GetResult(option) is { Implicit: false }) > 1)
                result.AddError("Give one of --validate, --from-backup and --source.");
        });

        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            (session, stop) => parsed.GetValue(validate)
                ? ValidateAsync(session, parsed.GetValue(path)!, parsed.GetValue(service), stop)
                : RestoreAsync(
                    session,
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

    private static async Task<int> RestoreAsync(CommandSession session, string[] paths, EnvironmentRestoreRequest request, CancellationToken stop)
    {
        var restorer = new EnvironmentRestorer(session.Verifier, session.Redactor, logger: session.Logger);
        var results = new List<EnvironmentRestoreResult>();
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
                        await session.TryAsync(async () => results.Add(await restorer.Plan(stack, service, request, stop).ApplyAsync(cancellationToken: stop)));
                    }
                },
                stop);
        }
        finally
        {
            // What was done before a cancellation is said too.
            session.Print(results, ReportJsonContext.Default.IReadOnlyListEnvironmentRestoreResult, result => result.Stack, EnvironmentTables.Of);
        }

        foreach (var step in results.SelectMany(result => result.Notes.Concat(result.NextSteps)).Distinct())
            session.Say($"- {step}");
        return ExitCode.Of(results.Any(result => !result.IsValid), anyUnknown: false);
    }
}
