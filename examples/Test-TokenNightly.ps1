#Requires -Version 7.4
<#
.SYNOPSIS
Checks the tokens and .env files of stacks, for a scheduled task.

.DESCRIPTION
Changes nothing. Exits with 0 where everything is right, and with 1 where something is wrong or could not be checked.
What it says holds no secret.

.EXAMPLE
pwsh -NoProfile -NonInteractive -File Test-TokenNightly.ps1 D:\stacks\genai D:\stacks\test
#>
[CmdletBinding()]
param(
    # The stacks' folders. From "pwsh -File" a list with commas would arrive as one text; give them one after the other.
    [Parameter(Mandatory, Position = 0, ValueFromRemainingArguments)]
    [string[]] $Path,

    # The module: its name, where it is installed, or the folder it was built in.
    [string] $Module = (Join-Path $PSScriptRoot '..' 'out' 'ComfyAuth')
)

$ErrorActionPreference = 'Stop'
try {
    Import-Module $Module

    # IsValid is null where nothing is known to be wrong but something could not be checked: not good enough for the night.
    $problems = @(
        foreach ($token in Sync-ComfyToken -LiteralPath $Path -Validate | Where-Object IsValid -NE $true) {
            "$($token.Stack), $($token.Service): the token is $($null -eq $token.IsValid ? 'not proven' : 'wrong')."
            $token.Findings
        }

        foreach ($environment in Restore-ComfyEnv -LiteralPath $Path -Validate | Where-Object IsValid -NE $true) {
            "$($environment.Path) is not valid."
            $environment.Missing | ForEach-Object { "$_ is missing." }
            $environment.Invalid
        }
    )

    $problems ? $problems : 'Everything is right.'
    exit ($problems ? 1 : 0)
}
catch {
    "Not checked: $_"
    exit 1
}
