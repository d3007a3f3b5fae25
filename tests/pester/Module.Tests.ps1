BeforeAll {
    $repository = Resolve-Path (Join-Path $PSScriptRoot '..' '..')
    $moduleFolder = Join-Path $repository 'out' 'ComfyAuth'
    $manifestPath = Join-Path $moduleFolder 'ComfyAuth.psd1'
    $olderFolder = Join-Path $repository 'out' 'tests' 'older'

    # What a script prints in a PowerShell of its own: only there has nothing been loaded yet.
    function Invoke-Child([string] $script) {
        $output = & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -Command $script 2>&1
        $output -join "`n"
    }
}

Describe 'The shipped folder' {
    It 'holds exactly the expected files' {
        $files = Get-ChildItem -LiteralPath $moduleFolder -Recurse -File |
            ForEach-Object { [System.IO.Path]::GetRelativePath($moduleFolder, $_.FullName).Replace('\', '/') } |
            Sort-Object

        $files | Should -Be (@(
            'bin/net8.0/ComfyAuth.Core.dll'
            'bin/net8.0/ComfyAuth.dll'
            'bin/net8.0/ComfyAuth.Loader.dll'
            'bin/net8.0/Microsoft.Extensions.DependencyInjection.Abstractions.dll'
            'bin/net8.0/Microsoft.Extensions.Logging.Abstractions.dll'
            'bin/net8.0/Polly.Core.dll'
            'bin/net8.0/System.Diagnostics.DiagnosticSource.dll'
            'bin/net8.0/YamlDotNet.dll'
            'ComfyAuth.format.ps1xml'
            'ComfyAuth.psd1'
            'ComfyAuth.psm1'
            'en-US/ComfyAuth.dll-Help.xml'
            'LICENSE'
        ) | Sort-Object)
    }

    It 'does not tell where it was built' {
        # A short path, such as /src or that of a home in /, may stand in any file.
        $places = @(Join-Path $repository 'src' '') + @([Environment]::GetFolderPath('UserProfile') | Where-Object Length -GT 1 | ForEach-Object { Join-Path $_ '' })
        Get-ChildItem -LiteralPath $moduleFolder -Recurse -File | Where-Object {
            $text = [System.Text.Encoding]::Latin1.GetString([System.IO.File]::ReadAllBytes($_.FullName))
            $places | Where-Object { $text.Contains($_) }
        } | Should -BeNullOrEmpty
    }

    It 'has its version in one place' {
        $version = (Import-PowerShellDataFile $manifestPath).ModuleVersion

        foreach ($name in 'ComfyAuth.dll', 'ComfyAuth.Core.dll', 'ComfyAuth.Loader.dll') {
            $file = [System.Reflection.AssemblyName]::GetAssemblyName((Join-Path $moduleFolder 'bin' 'net8.0' $name))
            $file.Version.ToString(3) | Should -Be $version -Because $name
        }
    }
}

Describe 'The manifest' {
    It 'is valid' {
        Test-ModuleManifest $manifestPath | Should -Not -BeNullOrEmpty
    }

    It 'says everything it exports, without wildcards' {
        $manifest = Import-PowerShellDataFile $manifestPath

        foreach ($key in 'FunctionsToExport', 'CmdletsToExport', 'VariablesToExport', 'AliasesToExport') {
            $manifest.ContainsKey($key) | Should -BeTrue -Because $key
            $manifest[$key] | Should -Not -Contain '*' -Because $key
        }
    }

    It 'exports exactly the cmdlets there are' {
        $manifest = Import-PowerShellDataFile $manifestPath
        Import-Module $manifestPath -Force
        $types = (Get-Module ComfyAuth).NestedModules.ImplementingAssembly.GetExportedTypes()
        $cmdlets = foreach ($type in $types) {
            foreach ($attribute in $type.GetCustomAttributes([System.Management.Automation.CmdletAttribute], $false)) {
                '{0}-{1}' -f $attribute.VerbName, $attribute.NounName
            }
        }

        $manifest.CmdletsToExport | Sort-Object | Should -Be ($cmdlets | Sort-Object)
        (Get-Module ComfyAuth).ExportedCommands.Keys | Sort-Object | Should -Be ($cmdlets | Sort-Object)
    }

    It 'refuses Windows PowerShell' {
        $manifest = Import-PowerShellDataFile $manifestPath

        $manifest.CompatiblePSEditions | Should -Be 'Core'
        [version] $manifest.PowerShellVersion | Should -Be ([version] '7.4')
    }
}

Describe 'Importing' {
    It 'works in strict mode' {
        Invoke-Child "Set-StrictMode -Version Latest; `$ErrorActionPreference = 'Stop'; Import-Module '$manifestPath'; 'imported'" |
            Should -Be 'imported'
    }

    It 'again, by force, after removal and from another module keeps the cmdlets' {
        Invoke-Child @"
`$ErrorActionPreference = 'Stop'
function Get-Count { @(Get-Command -Module ComfyAuth).Count }
Import-Module '$manifestPath'
`$first = Get-Count
Import-Module '$manifestPath' -Force
`$forced = Get-Count
Remove-Module ComfyAuth
`$removed = Get-Count
Import-Module '$manifestPath'
`$again = Get-Count
`$within = & (New-Module { Import-Module '$manifestPath' -Force }) { @(Get-Command -Module ComfyAuth).Count }
`$manifest = (Import-PowerShellDataFile '$manifestPath').CmdletsToExport.Count
if (`$first -ne `$manifest -or `$forced -ne `$first -or `$again -ne `$first -or `$within -ne `$first -or `$removed -ne 0) { "`$first `$forced `$removed `$again `$within" } else { 'kept' }
"@ | Should -Be 'kept'
    }

    It 'leaves nothing behind when removed' {
        Invoke-Child "Import-Module '$manifestPath'; Remove-Module ComfyAuth; @(Get-Module -All | Where-Object ModuleBase -Like '*ComfyAuth*').Count" |
            Should -Be '0'
    }

    It 'in many runspaces at once gives each the same assembly' {
        Invoke-Child @"
`$assemblies = 1..8 | ForEach-Object -ThrottleLimit 8 -Parallel {
    `$ErrorActionPreference = 'Stop'
    Import-Module '$manifestPath'
    [System.Runtime.CompilerServices.RuntimeHelpers]::GetHashCode((Get-Module ComfyAuth).NestedModules.ImplementingAssembly)
}
"`$(@(`$assemblies).Count) `$(@(`$assemblies | Select-Object -Unique).Count)"
"`$(@([System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -EQ ComfyAuth).Count)"
"@ | Should -Be "8 1`n1"
    }

    It 'another version into the same process is refused, with the reason' {
        $other = Join-Path $TestDrive 'ComfyAuth'
        Copy-Item -LiteralPath $moduleFolder -Destination $other -Recurse
        # Any assembly with another version stands in for another build of ours.
        Copy-Item -LiteralPath (Join-Path $moduleFolder 'bin' 'net8.0' 'YamlDotNet.dll') -Destination (Join-Path $other 'bin' 'net8.0' 'ComfyAuth.dll')

        Invoke-Child "Import-Module '$manifestPath'; try { Import-Module '$other' -Force -ErrorAction Stop } catch { `"`$_`" }" |
            Should -BeLike '*already loaded*Start a new PowerShell session*'
    }
}

Describe 'Isolation' {
    It 'uses our <Name> where the host has loaded <Version>' -ForEach @(
        @{ Name = 'YamlDotNet'; Version = '11.0.0.0' }
        @{ Name = 'Microsoft.Extensions.Logging.Abstractions'; Version = '6.0.0.0' }
    ) {
        $older = Join-Path $olderFolder "$Name.dll"
        $ours = Join-Path $moduleFolder 'bin' 'net8.0' "$Name.dll"

        Invoke-Child @"
`$ErrorActionPreference = 'Stop'
`$theirs = [System.Reflection.Assembly]::LoadFrom('$older')
Import-Module '$manifestPath'
`$context = [System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -EQ ComfyAuth
`$mine = `$context.LoadFromAssemblyName([System.Reflection.AssemblyName] '$Name')
`$theirs.GetName().Version.ToString()
`$mine.Location
[System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$mine).Name
"@ | Should -Be "$Version`n$ours`nComfyAuth"
    }

    It 'leaves our libraries out of the host' {
        Invoke-Child @"
Import-Module '$manifestPath'
[System.Runtime.Loader.AssemblyLoadContext]::Default.Assemblies | ForEach-Object { `$_.GetName().Name } | Where-Object { `$_ -in 'YamlDotNet', 'ComfyAuth', 'ComfyAuth.Core', 'Microsoft.Extensions.Logging.Abstractions' }
"@ | Should -BeNullOrEmpty
    }

    It 'shares PowerShell and the framework with the host' {
        Invoke-Child @"
Import-Module '$manifestPath'
`$shell = (Get-Module ComfyAuth).NestedModules.ImplementingAssembly
`$base = `$shell.GetType('ComfyAuth.PowerShell.Commands.ComfyCmdlet').BaseType
[object]::ReferenceEquals(`$base, [System.Management.Automation.PSCmdlet])
"@ | Should -Be 'True'
    }
}
