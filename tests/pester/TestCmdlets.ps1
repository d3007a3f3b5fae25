# Dot-sourced by the suites: imports the built module, and into its load context the test's own cmdlets.
$repository = Resolve-Path (Join-Path $PSScriptRoot '..' '..')
$moduleFolder = Join-Path $repository 'out' 'ComfyAuth'
$testFolder = Join-Path $repository 'out' 'tests'

Import-Module (Join-Path $moduleFolder 'ComfyAuth.psd1') -Force

$context = [System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -EQ 'ComfyAuth'
Import-Module -Assembly $context.LoadFromAssemblyPath((Join-Path $testFolder 'ComfyAuth.TestCmdlets.dll'))
. (Join-Path $PSScriptRoot 'Patience.ps1')
