$bin = Join-Path $PSScriptRoot 'bin' 'net8.0'

# The loader itself lives in the default context, where one is enough for every runspace.
if (-not ('ComfyAuth.Loader.LoadContext' -as [type])) {
    Add-Type -Path (Join-Path $bin 'ComfyAuth.Loader.dll')
}

$assembly = [ComfyAuth.Loader.LoadContext]::LoadShell((Join-Path $bin 'ComfyAuth.dll'))
$cmdlets = Import-Module -Assembly $assembly -PassThru

# Importing an assembly that is imported already exports nothing, so a second import of this module, after
# Remove-Module or with -Force, would have no cmdlets.
$ExecutionContext.SessionState.Module.OnRemove = { Remove-Module -ModuleInfo $cmdlets -Force }
