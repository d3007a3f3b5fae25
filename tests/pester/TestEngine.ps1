# Dot-sourced by the suites that need containers: a Docker engine of their own, as the .NET tests have it, with an image
# of BusyBox, and stacks whose services run in it. The containers use the host's network, the only one there is.
$engineScript = Join-Path $PSScriptRoot '..' 'ComfyAuth.Docker.Tests' 'Engine' 'engine.sh' | Resolve-Path
$image = 'comfyauth-pester:busybox'

# Why there can be no such engine here; nothing where there can.
function Get-ReasonForNoEngine {
    if (-not $IsLinux) { return 'an engine of our own is started on Linux only' }
    if ([Environment]::UserName -ne 'root') { return 'starting an engine needs root' }
    foreach ($program in 'dockerd', 'docker') {
        if (-not (Get-Command $program -CommandType Application -ErrorAction Ignore)) { return "$program is not installed" }
    }
    if (-not (Test-Path /bin/busybox)) { return 'there is no /bin/busybox to make an image of (package busybox-static)' }
}

# Starts the engine. Its last words are the reason where it does not start.
function Start-TestEngine([string] $name) {
    # The process id comes last: it tells later runs whether anybody still needs the folder.
    $root = Join-Path ([System.IO.Path]::GetTempPath()) "comfyauth-dockerd-$name-$PID"
    # A killed run with the same process id may have left it, where the numbers begin anew.
    if (Test-Path -LiteralPath $root) { sh $engineScript clean $root }
    $null = New-Item -ItemType Directory $root
    $start = [System.Diagnostics.ProcessStartInfo]::new('sh')
    $start.RedirectStandardInput = $true
    $engineScript, 'run', $root | ForEach-Object { $start.ArgumentList.Add($_) }
    $engine = [pscustomobject] @{ Process = [System.Diagnostics.Process]::Start($start); Root = $root; Address = "unix://$root/engine.sock" }

    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not (docker --host $engine.Address version --format '{{.Server.Version}}' 2>$null)) {
        if ($engine.Process.HasExited -or $clock.Elapsed.TotalSeconds -gt 180) {
            $log = (Get-Content -LiteralPath "$root/log" -Tail 3 -ErrorAction Ignore) -join "`n"
            Stop-TestEngine $engine
            throw "The engine did not start: $log"
        }
    }

    sh $engineScript image >"$root/image.tar"
    $null = docker --host $engine.Address import "$root/image.tar" $image
    $engine
}

# Standard input ends with it, however it ends; so does the engine, and everything that is its.
function Stop-TestEngine([object] $engine) {
    $engine.Process.StandardInput.Close()
    $engine.Process.WaitForExit()
}

function Invoke-Docker([object] $engine) {
    $said = docker --host $engine.Address @args 2>&1
    if ($LASTEXITCODE -ne 0) { throw "docker $($args -join ' '): $said" }
    $said
}

# A port that nobody listens at, another one each time, chosen as the .NET tests choose theirs: below those that the system gives, so
# that no connection has it before the container does, and held for UDP until this process ends, so that no other tests take it.
$freePorts = @{ Given = [long] $PID * 14071; Held = [System.Collections.Generic.List[System.Net.Sockets.Socket]]::new() }
function Get-FreePort {
    while ($true) {
        $port = 10000 + $freePorts.Given++ % 22768
        $endpoint = [System.Net.IPEndPoint]::new([ipaddress]::Loopback, $port)
        $mark = [System.Net.Sockets.Socket]::new('InterNetwork', 'Dgram', 'Udp')
        $trial = [System.Net.Sockets.Socket]::new('InterNetwork', 'Stream', 'Tcp')
        try {
            $mark.Bind($endpoint)
            $trial.Bind($endpoint)
            $freePorts.Held.Add($mark)
            return $port
        }
        catch [System.Net.Sockets.SocketException] { $mark.Dispose() }
        finally { $trial.Dispose() }
    }
}

# A container that runs a line of shell. Names are unlike those of other runs: the network is the host's.
function Start-TestContainer([object] $engine, [string] $name, [string] $script, [string[]] $options = @()) {
    $null = Invoke-Docker $engine run --detach --name $name --network host @options $image sh -c $script
}

# A stack of services, each described by the lines under its name in the stack file.
function New-ContainerStack([string] $root, [System.Collections.Specialized.OrderedDictionary] $services) {
    $text = "defaults: false`nservices:`n"
    foreach ($name in $services.Keys) { $text += "  ${name}: { $($services[$name]) }`n" }
    Set-StackFile $root 'comfyauth.yml' $text
    Set-StackFile $root $source "{`"version`": `"1.0`", `"raw_token`": `"$($credential.Password)`", `"bcrypt_hash`": `"$($credential.Hash)`"}"
    $root
}
