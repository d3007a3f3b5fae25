$bin = Join-Path $PSScriptRoot 'bin' 'net8.0'

# The loader itself lives in the default context, where one is enough for every runspace.
if (-not ('ComfyAuth.Loader.LoadContext' -as [type])) {
    Add-Type -Path (Join-Path $bin 'ComfyAuth.Loader.dll')
}

$shell = [ComfyAuth.Loader.LoadContext]::LoadShell((Join-Path $bin 'ComfyAuth.dll'))
Import-Module -Assembly $shell
