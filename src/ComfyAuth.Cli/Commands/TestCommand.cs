using System.CommandLine;
using ComfyAuth.Cli.Rendering;
using ComfyAuth.Docker;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth test</c>: holds stacks against every check there is.</summary>
internal static class TestCommand
{
    public static Command Create()
    {
        var (path, service, json, verbose) = CommandSession.CommonOptions;
        var id = Names("--id", "Only this check; * and ? are wildcards; may be repeated.");
        var category = Names("--category", "Only the checks of this category; * and ? are wildcards; may be repeated.");
        var exclude = Names("--exclude", "Not this check or category; * and ? are wildcards; may be repeated.");
        var fix = new Option<bool>("--fix") { Description = "Mend what can be mended, then check again. What is replaced is kept: see undo-fix." };
        var deep = new Option<bool>("--deep") { Description = "Also do what takes long: hash every model file." };
        var runCommands = new Option<bool>("--run-commands") { Description = "Also run the programs that the stack's own .checks.yml names." };
        var report = new Option<string[]>("--report") { Description = $"Also write the report to this file ({ValidationReportWriter.Extensions}); may be repeated. For one stack at a time.", Validators = { CommandSession.RequireValue } };
        var baseline = new Option<string?>("--baseline") { Description = "An earlier report (.json): say what is new since, what was mended and what still fails.", Validators = { CommandSession.RequireValue } };
        var quiet = new Option<bool>("--quiet") { Description = "Print nothing; the exit code tells." };
        var command = new Command("test", "Holds a stack against every check there is: files, containers, login, models.") { id, category, exclude, fix, deep, runCommands, report, baseline, quiet, path, service, ContainerChoice.Context, ContainerChoice.Host, json, verbose };
        command.Validators.Add(result =>
        {
            if (Array.Find(result.GetValue(report) ?? [], file => !ValidationReportWriter.IsKnown(file)) is { } unknown)
                result.AddError($"The name of the --report '{unknown}' must end in {ValidationReportWriter.Extensions}.");
        });
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            parsed.GetValue(json),
            parsed.GetValue(verbose),
            async (session, stop) =>
            {
                var options = new ValidationOptions
                {
                    Services = parsed.GetValue(service),
                    Ids = parsed.GetValue(id),
                    Categories = parsed.GetValue(category),
                    Exclude = parsed.GetValue(exclude),
                    Deep = parsed.GetValue(deep),
                    RunCommands = parsed.GetValue(runCommands),
                };
                using var engine = new LazyEngine(parsed);
                var results = new List<CheckResult>();
                var output = new ReportOutput(session, parsed.GetValue(report) ?? [], parsed.GetValue(baseline), parsed.GetValue(quiet));
                try
                {
                    await session.ForEachStackAsync(
                        parsed.GetValue(path)!,
                        recover: parsed.GetValue(fix),
                        async stack =>
                        {
                            await output.PrepareAsync(stack, stop);
                            var made = await ValidationReport.OfRunAsync(stack, options, asked => RunAsync(session, stack, asked, () => engine.Client, parsed.GetValue(fix), stop));
                            results.AddRange(made.Checks);
                            await output.WriteAsync(made, stop);
                        },
                        stop);
                }
                finally
                {
                    if (!parsed.GetValue(quiet))
                        session.Print(results, ReportJsonContext.Default.IReadOnlyListCheckResult, result => result.Stack, CheckTables.Of);
                }

                return ExitCode.Of(
                    results.Exists(result => result.Status == CheckStatus.Failed),
                    results.Count == 0 || results.Exists(result => result.Status == CheckStatus.Error));
            },
            cancellationToken));
        return command;
    }

    private static IAsyncEnumerable<CheckResult> RunAsync(CommandSession session, GenAIStack stack, ValidationOptions options, Func<DockerClient> engine, bool fix, CancellationToken stop)
    {
        return fix
            ? new StackRepairer(session.Redactor, session.Verifier, engine).RunAsync(stack, options, _ => Task.FromResult(true), Tell, stop)
            : new StackValidator(session.Redactor, session.Verifier, engine).RunAsync(stack, options, stop);

        void Tell(StackRepair repair)
        {
            foreach (var (result, error) in repair.Errors)
                session.Warn($"{result.Id} could not be mended: {session.Redactor.Describe(error)}");
            if (repair.Id is { } id)
                session.Warn($"What was replaced is kept: comfyauth undo-fix --path \"{stack.Root}\" --id {id}");
        }
    }

    /// <summary>Where the report of the run goes.</summary>
    private sealed class ReportOutput(CommandSession session, string[] files, string? baseline, bool isQuiet)
    {
        private ValidationReport? _earlier;
        private string? _reported;

        /// <summary>Finds out before the checks are made whether the report can be written.</summary>
        public async Task PrepareAsync(GenAIStack stack, CancellationToken stop)
        {
            if (baseline is not null)
                _earlier ??= await ValidationReportReader.ReadAsync(baseline, stop);
            if (files.Length == 0)
                return;

            if (_reported is not null)
                throw new ComfyAuthException("ReportOfSeveralStacks", $"The report of '{stack.Root}' would replace that of '{_reported}'.", "Check one stack at a time with --report.");
            foreach (var file in files)
                await ValidationReportWriter.EnsureReplaceableAsync(file, stop);
            _reported = stack.Root;
        }

        public async Task WriteAsync(ValidationReport report, CancellationToken stop)
        {
            if (_earlier is not null)
                report = report.ComparedWith(_earlier);
            foreach (var file in files)
            {
                await ValidationReportWriter.WriteAsync(report, file, session.Redactor, stop);
                if (!isQuiet)
                    session.Say($"Report: {Path.GetFullPath(file)}");
            }
        }
    }

    private static Option<string[]> Names(string name, string description) => new(name) { Description = description, Validators = { CommandSession.RequireValue } };
}
