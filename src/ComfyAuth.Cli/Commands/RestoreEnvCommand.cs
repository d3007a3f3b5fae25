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
        var (path, service, json) = CommandSession.CommonOptions;
        var validate = new Option<bool>("--validate") { Description = "Only look. Changes nothing." };
        var noBackup = new Option<bool>("--no-backup") { Description = "Do not keep the old file." };
        var fromBackup = new Option<string?>("--from-backup") { Description = "Put a backup back: 'latest', a file name, or its time stamp.", Validators = { CommandSession.RequireValue } };
        var source = new Option<string?>("--source") { Description = "Restore from this file: another source of truth (JSON), or a .env file that fills in what the service's own lacks.", Validators = { CommandSession.RequireValue } };
        var command = new Command("restore-env", "Rebuilds a service's .env file from template, source of truth and the user's own values.") { validate, noBackup, fromBackup, source, path, service, json };
        command.Validators.Add(result =>
        {
            if (new Option[] { validate, fromBackup, source }.Count(option => result.GetResult(option) is { Implicit: false }) > 1)
                result.AddError("Give one of --validate, --from-backup and --source.");
        });

        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            async (session, stop) =>
            {
                var services = parsed.GetValue(service);
                var stacks = await session.OpenAsync(parsed.GetValue(path)!, recover: !parsed.GetValue(validate), stop);
                var restorer = new EnvironmentRestorer(session.Verifier, session.Redactor);
                if (parsed.GetValue(validate))
                {
                    IReadOnlyList<EnvironmentValidation> validations = [.. stacks.SelectMany(stack => EnvironmentValidator.Validate(stack, services))];
                    session.Emit(validations, ReportJsonContext.Default.IReadOnlyListEnvironmentValidation);
                    session.Show(validations, validation => validation.Stack, EnvironmentTables.Of);
                    return ExitCode.Of(validations.Any(validation => !validation.IsValid), false);
                }

                var request = new EnvironmentRestoreRequest
                {
                    Services = services,
                    FromBackup = parsed.GetValue(fromBackup),
                    SourceFile = parsed.GetValue(source) is { } file ? Path.GetFullPath(file) : null,
                    Backup = !parsed.GetValue(noBackup),
                };
                var results = new List<EnvironmentRestoreResult>();
                try
                {
                    foreach (var plan in stacks.SelectMany(stack => restorer.Plan(stack, request, stop)))
                        results.Add(await plan.ApplyAsync(cancellationToken: stop));
                }
                finally
                {
                    // What was done to the files before one that failed is said too.
                    session.Emit(results, ReportJsonContext.Default.IReadOnlyListEnvironmentRestoreResult);
                    session.Show(results, result => result.Stack, EnvironmentTables.Of);
                }

                foreach (var step in results.SelectMany(result => result.Notes.Concat(result.NextSteps)).Distinct())
                    session.Say($"- {step}");
                return ExitCode.Of(results.Any(result => !result.IsValid), false);
            },
            cancellationToken));
        return command;
    }
}
