using System.Management.Automation;
using ComfyAuth.PowerShell.Binding;
using ComfyAuth.Reports;
using ComfyAuth.Stacks;
using ComfyAuth.Validation;

namespace ComfyAuth.PowerShell.Commands;

/// <summary>Holds a stack against every check there is: its files, its containers, its login, its models.</summary>
/// <remarks>
/// <para>
/// Gives one object for each check, and for each service that the check is of, as it finishes. Status is Passed, Warning,
/// Failed, Error (it could not be checked: neither passed nor failed) or Skipped (what it builds on is not there). Evidence
/// tells what that is concluded from, Remedy what to do, Guidance where the stack's own documents speak of it.
/// </para>
/// <para>
/// Nothing is changed without -Fix. With -Fix the findings that the module can mend are mended, each change is asked for
/// under -Confirm and only named under -WhatIf, and all checks are made again. What was replaced is kept;
/// Undo-GenAIFix puts it back.
/// </para>
/// <para>
/// No secret is shown, and none is sent anywhere but to the service that it is for.
/// </para>
/// </remarks>
/// <example>
/// <code>Test-GenAIEcosystem | Where-Object Status -ne Passed | Format-List</code>
/// Checks the stack of the current folder and shows everything about what is not as it should be.
/// </example>
/// <example>
/// <code>Test-GenAIEcosystem -Category auth, token -Fix -WhatIf</code>
/// Checks the login only, and names what would be changed to mend it.
/// </example>
/// <example>
/// <code>if (-not (Test-GenAIEcosystem -Quiet -Exclude api.*)) { exit 1 }</code>
/// Ends a script where something failed or could not be checked, without asking the external APIs.
/// </example>
/// <example>
/// <code>Test-GenAIEcosystem -ReportPath report.html, report.json -Baseline last-week.json</code>
/// Writes the report as a page and as data, and says what is new since an earlier one.
/// </example>
[Cmdlet(VerbsDiagnostic.Test, "GenAIEcosystem", DefaultParameterSetName = ResultSet, SupportsShouldProcess = true)]
[OutputType(typeof(CheckResult), ParameterSetName = [ResultSet])]
[OutputType(typeof(ValidationReport), ParameterSetName = [ReportSet])]
[OutputType(typeof(bool), ParameterSetName = [QuietSet])]
public sealed class TestGenAIEcosystemCommand : EngineCmdlet
{
    private const string ResultSet = "Result";
    private const string ReportSet = "Report";
    private const string QuietSet = "Quiet";

    private string[]? _reportPaths;
    private ValidationReport? _baseline;
    private string? _reported;

    private bool _isFine = true;
    private bool _any;

    /// <summary>Only these checks, by id; wildcards are allowed. What they build on is looked at, but not reported.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(CheckCompleter))]
    public string[]? Id { get; set; }

    /// <summary>Only the checks of these categories, the first part of their ids; wildcards are allowed.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(CheckCategoryCompleter))]
    public string[]? Category { get; set; }

    /// <summary>Not these checks or categories; wildcards are allowed.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(CheckCompleter))]
    public string[]? Exclude { get; set; }

    /// <summary>Mends what can be mended, then makes the checks again.</summary>
    [Parameter]
    public SwitchParameter Fix { get; set; }

    /// <summary>Also does what takes long: computes the hash of every model file, and tries common passwords where nobody wrote the password down.</summary>
    [Parameter]
    public SwitchParameter Deep { get; set; }

    /// <summary>Also runs the programs that the stack's own .checks.yml names. Without it these checks are skipped: the file may be somebody else's.</summary>
    [Parameter]
    public SwitchParameter RunCommands { get; set; }

    /// <summary>Gives one report for each stack in the place of the results: scores, verdict, what to do, and the results in a stable order.</summary>
    [Parameter(ParameterSetName = ReportSet, Mandatory = true)]
    public SwitchParameter Report { get; set; }

    /// <summary>Also writes the report to these files; the extension of each (.json, .md, .html or .xml for JUnit) chooses the form. For one stack at a time.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? ReportPath { get; set; }

    /// <summary>An earlier report (.json): the report says what is new since, what was mended and what still fails.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Baseline { get; set; }

    /// <summary>Gives one bool in the place of the results: true where nothing failed and everything could be checked.</summary>
    [Parameter(ParameterSetName = QuietSet, Mandatory = true)]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override bool Changes => Fix;

    /// <inheritdoc/>
    protected override async Task ProcessStackAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        var options = new ValidationOptions { Services = Service, Ids = Id, Categories = Category, Exclude = Exclude, Deep = Deep, RunCommands = RunCommands };
        await PrepareReportAsync(pipe, stack, stop);
        var (finished, total) = (0, StackValidator.Select(stack, options).Count);
        var report = await ValidationReport.OfRunAsync(stack, options, asked => RunAsync(pipe, stack, asked, stop), Show);
        await WriteReportAsync(pipe, report, stop);
        _any = true;

        void Show(CheckResult result)
        {
            _isFine &= result.Status is not (CheckStatus.Failed or CheckStatus.Error);
            pipe.WriteProgress($"Checking {stack.Root}", result.Title, Math.Min(++finished, total), total);
            if (ParameterSetName == ResultSet)
                pipe.WriteObject(result);
        }
    }

    /// <inheritdoc/>
    protected override Task EndAsync(CmdletPipe pipe, CancellationToken stop)
    {
        // Of a stack that could not be checked it is not said that it is fine.
        if (Quiet)
            pipe.WriteObject(_any && _isFine && !IsIncomplete);
        return Task.CompletedTask;
    }

    private IAsyncEnumerable<CheckResult> RunAsync(CmdletPipe pipe, GenAIStack stack, ValidationOptions options, CancellationToken stop) => Fix
        ? new StackRepairer(pipe.Redactor, Verifier, Connect).RunAsync(stack, options, change => pipe.ShouldProcessAsync(change.Target, change.Action), repair => Tell(pipe, repair), stop)
        : new StackValidator(pipe.Redactor, Verifier, Connect).RunAsync(stack, options, stop);

    /// <summary>Finds out before the checks are made whether the report can be written.</summary>
    private async Task PrepareReportAsync(CmdletPipe pipe, GenAIStack stack, CancellationToken stop)
    {
        if (Baseline is not null && _baseline is null)
            _baseline = await ValidationReportReader.ReadAsync((await pipe.AskAsync(cmdlet => FileSystemPath.Resolve(cmdlet, Baseline, literal: true)))[0], stop);
        if (ReportPath is null)
            return;

        if (_reported is not null)
            throw new ComfyAuthException("ReportOfSeveralStacks", $"The report of '{stack.Root}' would replace that of '{_reported}'.", "Check one stack at a time with -ReportPath.");
        _reportPaths ??= await pipe.AskAsync(cmdlet => ReportPath.Select(path => FileSystemPath.Resolve(cmdlet, path, literal: true)[0]).ToArray());
        foreach (var path in _reportPaths)
            await ValidationReportWriter.EnsureReplaceableAsync(path, stop);
        _reported = stack.Root;
    }

    private async Task WriteReportAsync(CmdletPipe pipe, ValidationReport report, CancellationToken stop)
    {
        if (_baseline is not null)
            report = report.ComparedWith(_baseline);
        if (Report)
            pipe.WriteObject(report);
        foreach (var path in _reportPaths ?? [])
        {
            if (await pipe.ShouldProcessAsync(path, "Write the report"))
                await ValidationReportWriter.WriteAsync(report, path, pipe.Redactor, stop);
        }
    }

    private static void Tell(CmdletPipe pipe, StackRepair repair)
    {
        foreach (var (result, error) in repair.Errors)
            pipe.WriteError(error, result);
        if (repair.Id is { } id)
            pipe.WriteVerbose($"What was replaced is kept; Undo-GenAIFix -Id {id} puts it back.");
    }
}
