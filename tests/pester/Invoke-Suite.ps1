<#
.SYNOPSIS
Runs one suite and writes what came of it as JSON.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [string] $Suite,

    [Parameter(Mandatory)]
    [string] $Result
)

Import-Module Pester -MinimumVersion 5.5 -ErrorAction Stop

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Suite
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'None'
$run = Invoke-Pester -Configuration $configuration

# A block whose set-up failed counts as a failure of its own: its tests were not run.
$broken = @($run.FailedContainers) + @($run.FailedBlocks)
$failures = foreach ($item in @($broken) + @($run.Failed)) {
    '{0}: {1}' -f ($item.ExpandedPath ?? $item.Name ?? $item.Item), ($item.ErrorRecord -join "`n")
}

[ordered]@{
    Passed   = $run.PassedCount
    Failed   = $run.FailedCount
    Skipped  = $run.SkippedCount
    Failures = @($failures)
} | ConvertTo-Json | Set-Content -LiteralPath $Result
