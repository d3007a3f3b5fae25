# Dot-sourced by the suites that need a ComfyUI: the emulated one of the command line, in a process of its own.
$commandLine = Get-ChildItem -Path (Join-Path $PSScriptRoot '..' '..' 'src' 'ComfyAuth.Cli' 'bin' '*' 'net10.0' 'comfyauth.dll') | Sort-Object LastWriteTimeUtc | Select-Object -Last 1

# Starts one behind a login whose token is the hash; the other arguments are those of comfyauth emulate.
function Start-TestComfy([string] $folder, [string] $hash) {
    $null = New-Item -ItemType Directory -Force $folder
    $passwordFile = Join-Path $folder 'PASSWORD'
    [System.IO.File]::WriteAllText($passwordFile, "$hash`nalice`n")
    $start = [System.Diagnostics.ProcessStartInfo]::new('dotnet')
    $start.RedirectStandardOutput = $true
    $commandLine.FullName, 'emulate', '--json', '--password-file', $passwordFile, '--folder', (Join-Path $folder 'images') + $args | ForEach-Object { $start.ArgumentList.Add($_) }
    $process = [System.Diagnostics.Process]::Start($start)
    $line = $process.StandardOutput.ReadLine()
    if (-not $line) { throw 'The emulated ComfyUI did not start.' }
    $said = $line | ConvertFrom-Json
    [pscustomobject] @{ Process = $process; Address = $said.address; Folder = Join-Path $folder 'images'; Said = $said }
}

function Stop-TestComfy([object] $comfy) {
    $comfy.Process.Kill()
    $comfy.Process.WaitForExit()
}

# Starts the sample stack of comfyauth quickstart, kept running behind an emulated engine; with --install the installed one, and its hub.
function Start-ServedSample([string] $folder) {
    $start = [System.Diagnostics.ProcessStartInfo]::new('dotnet')
    $start.RedirectStandardOutput = $true
    @($commandLine.FullName, 'quickstart', '--serve', '--path', $folder) + $args | ForEach-Object { $start.ArgumentList.Add($_) }
    $process = [System.Diagnostics.Process]::Start($start)
    $said = @(while ($null -ne ($line = $process.StandardOutput.ReadLine()) -and $line -notmatch '^The engine: +(\S+)') { $line })
    if ($null -eq $line) { throw "The sample is not served: $($said -join "`n")" }
    [pscustomobject] @{ Process = $process; Root = Join-Path $folder 'stack'; Address = $Matches[1]; Hub = ($said -match '^The hub:') -replace '^The hub: +' -join '' }
}

# Asked to end, it takes its engine's socket with it; elsewhere there is none.
function Stop-ServedSample([object] $sample) {
    if ($IsWindows) { $sample.Process.Kill() } else { kill $sample.Process.Id }
    $sample.Process.WaitForExit()
}
