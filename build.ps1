#Requires -Version 7.4
<#
.SYNOPSIS
Builds, tests, analyses and packs ComfyAuth.

.DESCRIPTION
Build lays out the finished module in out/ComfyAuth. Test runs every test, the Pester suites on that module among
them. Analyze runs PSScriptAnalyzer, where it is installed, over every script. Package puts the module into a
zip file in out.

.EXAMPLE
./build.ps1 Build, Test

.EXAMPLE
./build.ps1 Package -Configuration Release
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)]
    [ValidateSet('Build', 'Test', 'Analyze', 'Package')]
    [string[]] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true

$solution = Join-Path $PSScriptRoot 'ComfyAuth.Module.sln'
$out = Join-Path $PSScriptRoot 'out'

$tasks = @{
    Build   = { dotnet build $solution --configuration $Configuration }

    Test    = { dotnet test $solution --configuration $Configuration }

    Analyze = {
        if (-not (Get-Module PSScriptAnalyzer -ListAvailable)) {
            Write-Warning 'PSScriptAnalyzer is not installed: no script was analysed. Install-PSResource PSScriptAnalyzer gets it.'
            return
        }

        # The manifest only where it ships: the files it names are not beside its source.
        $scripts = Get-ChildItem $PSScriptRoot -Recurse -File -Include *.ps1, *.psm1, *.psd1 |
            Where-Object { $_.FullName -notmatch '[\\/](bin|obj)[\\/]' -and $_.FullName -ne (Join-Path $PSScriptRoot 'ComfyAuth.psd1') }
        $findings = @($scripts | ForEach-Object { Invoke-ScriptAnalyzer -Path $_.FullName -Settings (Join-Path $PSScriptRoot 'PSScriptAnalyzerSettings.psd1') })
        $findings | Format-Table ScriptName, Line, RuleName, Message -Wrap
        if ($findings) {
            throw "PSScriptAnalyzer has $($findings.Count) findings."
        }
    }

    Package = {
        & $tasks.Build
        $module = Join-Path $out 'ComfyAuth'
        $version = (Import-PowerShellDataFile (Join-Path $module 'ComfyAuth.psd1')).ModuleVersion
        Compress-Archive -Path $module -DestinationPath (Join-Path $out "ComfyAuth.$version.zip") -Force
    }
}

foreach ($name in $Task) {
    & $tasks[$name]
}
