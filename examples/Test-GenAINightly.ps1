#Requires -Version 7.4
<#
.SYNOPSIS
Checks stacks of generative-AI services, for a scheduled task.

.DESCRIPTION
Changes nothing in the stacks. For each stack it writes the report of the run as a page and as data, says what is new since
the run before, and adds what is not as it should be to a log of one file a month.

Exits with 0 where nothing failed and everything could be checked, with 1 where something failed, and with 3 where nothing
failed but something could not be checked. What it writes holds no secret.

.EXAMPLE
pwsh -NoProfile -NonInteractive -File Test-GenAINightly.ps1 -LogFolder D:\logs\genai D:\stacks\genai D:\stacks\test
#>
[CmdletBinding()]
param(
    # The stacks' folders. From "pwsh -File" a list with commas would arrive as one text; give them one after the other.
    [Parameter(Mandatory, Position = 0, ValueFromRemainingArguments)]
    [string[]] $Path,

    # Where the log and the reports go.
    [Parameter(Mandatory)]
    [string] $LogFolder,

    # Ids or categories of checks to leave out.
    [string[]] $Exclude = @(),

    # The module: its name, where it is installed, or the folder it was built in.
    [string] $Module = (Join-Path $PSScriptRoot '..' 'out' 'ComfyAuth')
)

# "pwsh -File" exits with 0 in spite of errors that do not end a script.
$ErrorActionPreference = 'Stop'

$null = New-Item -ItemType Directory -Path $LogFolder -Force
$log = Join-Path $LogFolder ('genai-{0:yyyy-MM}.log' -f [datetime]::UtcNow)

function Add-Line([string] $line) {
    $dated = '{0:u} {1}' -f [datetime]::UtcNow, $line
    Add-Content -LiteralPath $log -Value $dated
    $dated
}

$failed = $false
$unknown = $false
try {
    Import-Module $Module
}
catch {
    Add-Line "Not checked: $_"
    exit 3
}

foreach ($stack in $Path) {
    try {
        # One name for each stack, whatever folder it lies in.
        $name = ($stack -replace '[^A-Za-z0-9]+', '-').Trim('-')
        $files = @{ ReportPath = 'html', 'json' | ForEach-Object { Join-Path $LogFolder "$name.$_" } }
        $with = @{}
        $earlier = Join-Path $LogFolder "$name.json"
        if (Test-Path -LiteralPath $earlier) { $with.Baseline = $earlier }
        if ($Exclude) { $with.Exclude = $Exclude }

        $report = Test-GenAIEcosystem -LiteralPath $stack -Report @files @with
        Add-Line "${stack}: $($report.Verdict), $($report.Score) of 100; $($report.Failed) failed, $($report.Errors) not determined."
        foreach ($check in $report.Checks | Where-Object Status -In Failed, Error) {
            Add-Line "  $($check.Status) $($check.Id) $($check.Service): $($check.Message) $($check.Remedy)"
        }

        $failed = $failed -or $report.Failed -gt 0
        $unknown = $unknown -or $report.Errors -gt 0
    }
    catch {
        # A stack that cannot be checked spares the others.
        Add-Line "${stack}: not checked: $_"
        $unknown = $true
    }
}

exit ($failed ? 1 : $unknown ? 3 : 0)
