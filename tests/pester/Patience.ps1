# Dot-sourced by the suites behind the module. What the module does in time, it does for people at a quiet machine; a test of what
# comes out must not depend on how busy the machine is.

# Sets a time of the module for all runspaces of this process, and gives the one before.
function Set-Patience([string] $type, [string] $name, [timespan] $time) {
    $context = [System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -EQ 'ComfyAuth'
    $assembly = $context.Assemblies | Where-Object { $_.GetName().Name -eq 'ComfyAuth' }
    $property = $assembly.GetType("ComfyAuth.PowerShell.$type").GetProperty($name, [System.Reflection.BindingFlags] 'NonPublic, Static')
    $property.GetValue($null)
    $property.SetValue($null, $time)
}

$completionTime = Set-Patience -type Binding.CandidateCompleter -name Patience -time 00:02:00

# What is promised to end soon would else last for ever, or longer than a suite may: so long is only for a busy machine.
$soon = [timespan]::FromMinutes(2)

# Waits for what surely comes.
function Wait-Until([string] $what, [scriptblock] $condition) {
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (& $condition)) {
        if ($clock.Elapsed.TotalMinutes -gt 5) { throw "Waited five minutes in vain: $what." }
        Start-Sleep -Milliseconds 20
    }
}

# The texts of the progress so far; to enumerate the records of a pipeline that runs would be to wait for its end.
function Get-ProgressSoFar([powershell] $shell) {
    $records = $shell.Streams.Progress
    for ($i = 0; $i -lt $records.Count; $i++) { $records[$i].StatusDescription }
}

# Stops a pipeline that would go on for ever, as Ctrl+C does.
function Assert-Stoppable([powershell] $shell) {
    $clock = [System.Diagnostics.Stopwatch]::StartNew()

    $shell.Stop()

    $clock.Elapsed | Should -BeLessThan $soon
    $shell.InvocationStateInfo.State | Should -Be 'Stopped'
}
