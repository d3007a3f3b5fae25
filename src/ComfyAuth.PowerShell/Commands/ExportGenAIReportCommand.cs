using System.Management.Automation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Tokens;
using ComfyAuth.Validation;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Writes what came of the checks of a stack as a report: a page, a document, data, or results for a build server.</summary>
/// <remarks>
/// <para>
/// The extension of each file chooses its form: .html is one page that needs no other file, no script and no network; .md is
/// Markdown; .json is the report as data, and can be read back as a baseline; .xml is JUnit, which build servers show.
/// </para>
/// <para>
/// A report has the scores of the components and of the whole, a verdict, what to do by urgency, and every check. How scores
/// are counted is told in docs/scoring.md. What could not be checked counts neither as good nor as bad.
/// </para>
/// <para>
/// A file appears whole or not at all, and replaces nothing but an earlier report in the same form. No secret is written.
/// </para>
/// </remarks>
/// <example>
/// <code>Test-GenAIEcosystem | Export-GenAIReport report.html, report.json</code>
/// Checks the stack of the current folder, and writes what came of it as a page and as data.
/// </example>
/// <example>
/// <code>$results | Export-GenAIReport tonight.html -Baseline lastnight.json</code>
/// Writes a report that also says what fails now and did not, and what has been mended since.
/// </example>
/// <example>
/// <code>if ((Test-GenAIEcosystem | Export-GenAIReport report.xml -PassThru).Verdict -eq 'Critical') { exit 1 }</code>
/// Writes the results for a build server, and ends the build where the stack is in a critical state.
/// </example>
[Cmdlet(VerbsData.Export, "GenAIReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo), typeof(ValidationReport))]
public sealed class ExportGenAIReportCommand : ComfyCmdlet
{
    private readonly DateTimeOffset _startedAt = DateTimeOffset.UtcNow;
    private readonly List<CheckResult> _results = [];
    private readonly List<ValidationReport> _reports = [];
    private IReadOnlyList<string>? _files;
    private ValidationReport? _baseline;

    /// <summary>The results of checks, all of one stack, or a report of them.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [Unwrap]
    public object[] InputObject { get; set; } = [];

    /// <summary>The files to write, each as its extension says: .json, .md, .html or .xml. Missing folders are made.</summary>
    [Parameter(Position = 0, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>An earlier report (.json) to compare with.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Baseline { get; set; }

    /// <summary>Gives the report, with scores and verdict, in the place of the files.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override async Task ProcessAsync(CmdletPipe pipe, CancellationToken stop)
    {
        // Checks may take long: where nothing can be written, that is said at the first result.
        if (_files is null)
            await PrepareAsync(pipe, stop);

        foreach (var input in InputObject)
        {
            switch (input)
            {
                case CheckResult result:
                    _results.Add(result);
                    break;
                case ValidationReport report:
                    _reports.Add(report);
                    break;
                default:
                    pipe.WriteError(
                        new ComfyAuthException("ReportInputInvalid", $"A {input?.GetType().FullName ?? "null"} is neither the result of a check nor a report.", "Pipe what Test-GenAIEcosystem gives, in the same session."),
                        input);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    protected override async Task EndAsync(CmdletPipe pipe, CancellationToken stop)
    {
        // Nothing can be written, which has been said. Without any input it has not been looked at.
        if (_files is { Count: 0 })
            return;

        if (MakeReport(pipe) is not { } report || _files is not { } files)
        {
            pipe.WriteWarning("Nothing was checked, so there is nothing to report.");
            return;
        }

        if (_baseline is not null)
            report = report.ComparedWith(_baseline);
        foreach (var file in files)
        {
            try
            {
                if (!await pipe.ShouldProcessAsync(file, "Write the report"))
                    continue;
                await ValidationReportWriter.WriteAsync(report, file, pipe.Redactor, stop);
                if (!PassThru)
                    pipe.WriteObject(new FileInfo(file));
            }
            catch (ComfyAuthException error)
            {
                pipe.WriteError(error, file);
            }
        }

        if (PassThru && !await pipe.AskAsync(WhatIf.IsOn))
            pipe.WriteObject(report);
    }

    private async Task PrepareAsync(CmdletPipe pipe, CancellationToken stop)
    {
        _files = [];
        if (Baseline is not null)
            _baseline = await ValidationReportReader.ReadAsync(await ResolveAsync(pipe, Baseline), stop);

        var files = new List<string>();
        foreach (var path in Path)
        {
            try
            {
                var file = await ResolveAsync(pipe, path);
                await ValidationReportWriter.EnsureReplaceableAsync(file, stop);
                files.Add(file);
            }
            catch (ComfyAuthException error)
            {
                pipe.WriteError(error, path);
            }
        }

        _files = files;
    }

    private static async Task<string> ResolveAsync(CmdletPipe pipe, string path) => (await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, path, literal: true)))[0];

    private ValidationReport? MakeReport(CmdletPipe pipe)
    {
        // With the report of a run come its results as well.
        var roots = _reports.Select(report => report.Stack).Concat(_results.Select(result => result.Stack)).Distinct(StringComparer.Ordinal).ToList();
        if (roots.Count == 0)
            return null;
        if (roots.Count > 1 || _reports.Count > 1)
            throw new ComfyAuthException("ReportOfSeveralStacks", $"A report is of one stack, and these results are of several or of several runs: {string.Join(", ", roots)}.", "Pipe the results of each stack, and of each run, by themselves.");

        var stack = Learn(pipe, roots[0]);
        if (_reports.Count == 1)
            return _reports[0];

        // Results that were kept came at once; they took at least as long as the longest of them.
        var duration = new[] { DateTimeOffset.UtcNow - _startedAt, _results.Max(result => result.Duration) }.Max();
        return stack is null ? ValidationReport.Of(roots[0], _results, _startedAt, duration) : ValidationReport.Of(stack, _results, _startedAt, duration);
    }

    /// <summary>Makes the secrets of a stack known, where it is at hand.</summary>
    private static GenAIStack? Learn(CmdletPipe pipe, string root)
    {
        try
        {
            var stack = GenAIStack.Find(root);
            if (stack.Root != root)
                return null;
            StackSecrets.Register(stack, pipe.Redactor);
            return stack;
        }
        catch (Exception error) when (error is ComfyAuthException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
