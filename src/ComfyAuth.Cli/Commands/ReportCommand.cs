using System.CommandLine;
using ComfyAuth.Reports;
using ComfyAuth.Validation;

namespace ComfyAuth.Cli.Commands;

/// <summary><c>comfyauth report</c>: renders an earlier validation report in other forms.</summary>
internal static class ReportCommand
{
    public static Command Create()
    {
        var report = new Argument<string>("report") { Description = "A validation report (.json)." };
        var output = new Option<string[]>("--out") { Description = $"Write it to this file, as its extension says ({ValidationReportWriter.Extensions}); may be repeated.", Required = true, AllowMultipleArgumentsPerToken = true, Validators = { CommandSession.RequireValue } };
        var baseline = new Option<string?>("--baseline") { Description = "Compare with this earlier report (.json).", Validators = { CommandSession.RequireValue } };
        var command = new Command("report", "Renders a validation report in other forms, and compares it with an earlier one.") { report, output, baseline };
        command.Validators.Add(result =>
        {
            foreach (var file in (result.GetValue(output) ?? []).Where(file => !ValidationReportWriter.IsKnown(file)))
                result.AddError($"The name of --out must end in {ValidationReportWriter.Extensions}: '{file}'.");
        });
        command.SetAction((parsed, cancellationToken) => CommandSession.RunAsync(
            json: false,
            verbose: false,
            (session, stop) => RenderAsync(session, parsed.GetValue(report)!, parsed.GetValue(output)!, parsed.GetValue(baseline), stop),
            cancellationToken));
        return command;
    }

    private static async Task<int> RenderAsync(CommandSession session, string path, string[] files, string? baseline, CancellationToken stop)
    {
        var report = await ValidationReportReader.ReadAsync(path, stop);
        if (baseline is not null)
            report = report.ComparedWith(await ValidationReportReader.ReadAsync(baseline, stop));
        foreach (var file in files)
        {
            if (await session.TryAsync(() => ValidationReportWriter.WriteAsync(report, file, session.Redactor, stop)))
                session.Say($"Report: {Path.GetFullPath(file)}");
        }

        // That a stack has faults is no news; that it has new ones is.
        return baseline is null ? ExitCode.Fine : Tell(session, report.Baseline!);
    }

    private static int Tell(CommandSession session, BaselineComparison compared)
    {
        foreach (var (title, names) in new[] { ("Fails now", compared.NewFailures), ("Fixed", compared.Fixed), ("Still fails", compared.StillFailing), ("No longer checked", compared.NoLongerChecked) })
        {
            // A file may hold anything, and a terminal obeys control characters.
            if (names.Count > 0)
                session.Say($"{title}: {string.Concat(string.Join(", ", names).Where(character => !char.IsControl(character)))}");
        }

        return compared.NewFailures.Count > 0 ? ExitCode.NotFine : ExitCode.Fine;
    }
}
