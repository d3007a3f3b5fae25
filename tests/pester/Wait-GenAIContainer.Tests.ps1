BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $whyNot = Get-ReasonForNoEngine
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.WaitGenAIContainerCommand'
    $idle = New-ContainerStack (Join-Path $TestDrive 'idle') ([ordered] @{ sketch = "container: box-sketch, url: 'http://127.0.0.1:9'" })
    $nowhere = "unix://$TestDrive/nothing.sock"
}

Describe 'Waiting<Because>' -Skip:([bool] $whyNot) -ForEach @{ Because = $whyNot ? " ($whyNot)" : '' } {
    BeforeAll {
        $engine = Start-TestEngine 'wait'
        $ports = 1..3 | ForEach-Object { Get-FreePort }
        $root = New-ContainerStack (Join-Path $TestDrive 'stack') ([ordered] @{
                painter = "container: wait-painter, url: 'http://127.0.0.1:$($ports[0])', health: /health, auth: comfyui-login"
                late    = "container: wait-late, url: 'http://127.0.0.1:$($ports[1])', health: /health"
                loop    = "container: wait-loop, url: 'http://127.0.0.1:$($ports[2])'"
                silent  = "container: wait-silent, url: 'http://127.0.0.1:$($ports[2])'"
                brief   = "container: wait-brief, url: 'http://127.0.0.1:$($ports[2])'"
                planned = "container: planned, url: 'http://127.0.0.1:$($ports[2])'"
            })
        Start-TestContainer $engine wait-painter "exec /serve $($ports[0])" '--env', "TOKEN=$($credential.Hash)", '--health-cmd', 'true', '--health-interval', '1s'
        Start-TestContainer $engine wait-loop 'echo no such model; exit 3' '--restart', 'always'
        Start-TestContainer $engine wait-silent 'exec sleep 100000'
        $at = @{ LiteralPath = $root; DockerHost = $engine.Address }

        function Get-Wait([hashtable] $with) {
            $errors = @()
            $output = Wait-GenAIContainer @at @with -ErrorAction SilentlyContinue -ErrorVariable errors
            [pscustomobject] @{ Output = @($output); Errors = @($errors) }
        }

        # A wait in a runspace of its own, until something was shown; to wait for its end, or to stop it.
        function Start-Wait([string[]] $service, [string] $shown) {
            $shell = [powershell]::Create()
            $null = $shell.AddScript("Import-Module '$modulePath'").Invoke()
            $shell.Commands.Clear()
            $running = $shell.AddCommand('Wait-GenAIContainer').AddParameters($at).AddParameter('Service', $service).BeginInvoke()
            Wait-Until $shown { $running.IsCompleted -or (Get-ProgressSoFar $shell) -like "$shown*" }
            $running.IsCompleted | Should -BeFalse
            [pscustomobject] @{ Shell = $shell; Running = $running }
        }
    }

    AfterAll { Stop-TestEngine $engine }

    It 'gives the diagnosis of what is <_>' -ForEach 'Ready', 'Live', 'Healthy' {
        $wait = Get-Wait @{ Service = 'painter'; For = $_; Timeout = '5m' }

        $wait.Errors | Should -BeNullOrEmpty
        $wait.Output | Should -HaveCount 1
        $wait.Output[0].GetType().FullName | Should -Be 'ComfyAuth.Containers.ContainerDiagnosis'
        $wait.Output[0].Condition | Should -Be 'Ready'
    }

    It 'lasts until the service answers' {
        Start-TestContainer $engine wait-late "until [ -e /go ]; do usleep 100000; done; exec /serve $($ports[1])"
        $wait = Start-Wait late 'late: Starting'

        $null = Invoke-Docker $engine exec wait-late sh -c ': >/go'
        $there = $wait.Shell.EndInvoke($wait.Running)

        $wait.Shell.Streams.Error | Should -BeNullOrEmpty
        $there.Condition | Should -Be 'Ready'
        $wait.Shell.Dispose()
    }

    It 'for a container that <Why> ends with <Id>' -ForEach @(
        @{ Why = 'crashes again and again'; Id = 'ContainerWaitFailed'; Category = 'ResourceUnavailable'; Condition = 'CrashLoop'; Remedy = '*log*'; With = @{ Service = 'loop' } }
        @{ Why = 'is not there'; Id = 'ContainerWaitFailed'; Category = 'ResourceUnavailable'; Condition = 'Absent'; Remedy = '*docker compose up*'; With = @{ Service = 'planned' } }
        @{ Why = 'shows no sign of life'; Id = 'ContainerWaitStalled'; Category = 'OperationTimeout'; Condition = 'Starting'; Remedy = '*docker logs wait-silent*longer stall timeout.'; With = @{ Service = 'silent'; StallTimeout = 2 } }
        @{ Why = 'takes too long'; Id = 'ContainerWaitTimedOut'; Category = 'OperationTimeout'; Condition = 'Starting'; Remedy = 'Wait again, with a longer timeout.'; With = @{ Service = 'silent'; Timeout = [timespan]::FromSeconds(2) } }
        @{ Why = 'has no healthcheck'; Id = 'ContainerWaitUndetermined'; Category = 'InvalidResult'; Condition = 'Starting'; Remedy = '*healthcheck*'; With = @{ Service = 'silent'; For = 'Healthy' } }
    ) {
        # After minutes of silence it would no longer be starting.
        $null = Invoke-Docker $engine restart --time 0 wait-silent

        # The wait for what has failed would last half an hour, if that were not told.
        $wait = Get-Wait $With

        $wait.Output | Should -BeNullOrEmpty
        $wait.Errors | Should -HaveCount 1
        $record = $wait.Errors[0]
        $record.FullyQualifiedErrorId | Should -Be "$Id,$cmdlet"
        $record.CategoryInfo.Category | Should -Be $Category
        $record.TargetObject.GetType().FullName | Should -Be 'ComfyAuth.Containers.ContainerDiagnosis'
        $record.TargetObject.Condition | Should -Be $Condition
        "$record" | Should -BeLike "$($record.TargetObject.Container) ($Condition): *"
        $record.TargetObject.Evidence | ForEach-Object { "$record".Contains($_) | Should -BeTrue -Because $_ }
        $record.ErrorDetails.RecommendedAction | Should -BeLike $Remedy
    }

    It 'says what the container said before it ended' {
        "$((Get-Wait @{ Service = 'loop' }).Errors[0])" | Should -BeLike '*no such model*'
    }

    It 'for several gives those that got there, and an error for each other' {
        $wait = Get-Wait @{ Service = 'painter', 'planned', 'silent'; StallTimeout = 10 }

        $wait.Output.Service | Should -Be 'painter'
        $wait.Errors.TargetObject.Service | Should -Be 'planned', 'silent'
    }

    It 'ends at the first error with -ErrorAction Stop' {
        { Wait-GenAIContainer @at -Service planned -ErrorAction Stop } | Should -Throw -ErrorId "ContainerWaitFailed,$cmdlet"
    }

    It 'ends with the pipeline that takes the first' {
        $clock = [System.Diagnostics.Stopwatch]::StartNew()

        (Wait-GenAIContainer @at -Service painter, silent | Select-Object -First 1).Service | Should -Be 'painter'

        # The stall timeout is five minutes.
        $clock.Elapsed | Should -BeLessThan $soon
    }

    It 'is for those that are piped, and no others' {
        $errors = @()

        $there = Get-GenAIContainer @at -Service painter, planned | Where-Object Condition -EQ 'Ready' | Wait-GenAIContainer -DockerHost $engine.Address -ErrorVariable errors

        $there.Service | Should -Be 'painter'
        $errors | Should -BeNullOrEmpty
    }

    It 'shows what it waits for, as one activity that is completed' {
        Start-TestContainer $engine wait-brief 'exec sleep 100000'
        $wait = Start-Wait painter, brief 'painter: Ready; brief: Starting'
        $null = Invoke-Docker $engine rm --force wait-brief
        $null = $wait.Shell.EndInvoke($wait.Running)

        $shell = $wait.Shell
        $records = $shell.Streams.Progress
        $records.Activity | Sort-Object -Unique | Should -Be 'Waiting until 2 containers are Ready'
        $records.PercentComplete | Sort-Object -Unique | Should -Be -1
        @($records | Where-Object RecordType -EQ Completed) | Should -HaveCount 1
        $shell.Dispose()
    }

    It 'ends when it is stopped, without an error' {
        $null = Invoke-Docker $engine restart --time 0 wait-silent
        $wait = Start-Wait silent 'silent: Starting'
        $shell, $running = $wait.Shell, $wait.Running

        Assert-Stoppable $shell

        $shell.Streams.Error | Should -BeNullOrEmpty
        $running.IsCompleted | Should -BeTrue
        $shell.Dispose()
    }
}

Describe 'Without an engine' {
    It 'there is one error, at once' {
        $clock = [System.Diagnostics.Stopwatch]::StartNew()

        Wait-GenAIContainer -LiteralPath $idle -DockerHost $nowhere -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -BeIn "DockerNotRunning,$cmdlet", "DockerNotInstalled,$cmdlet"
        $clock.Elapsed | Should -BeLessThan $soon
    }
}

Describe 'A length of time' {
    BeforeAll {
        $attribute = [ComfyAuth.PowerShell.Binding.DurationAttribute]::new()
    }

    It '<Given> is <Seconds> seconds' -ForEach @(
        @{ Given = 90; Seconds = 90 }
        @{ Given = 0.5; Seconds = 0.5 }
        @{ Given = 10d; Seconds = 10 }
        @{ Given = 0; Seconds = 0 }
        @{ Given = '10m'; Seconds = 600 }
        @{ Given = '00:10:00'; Seconds = 600 }
        @{ Given = [timespan]::FromHours(2); Seconds = 7200 }
        @{ Given = [psobject]::AsPSObject([timespan]::FromHours(2)); Seconds = 7200 }
    ) {
        $attribute.Transform($null, $Given).TotalSeconds | Should -Be $Seconds
    }

    It '<_> is refused with what to write' -ForEach @(-1, -0.5, [double]::NaN, 1e300, '', 'soon', '10 minutes', '-00:10:00', [timespan]::MaxValue, [timespan]::FromSeconds(-1), @(1, 2), $true) {
        { Wait-GenAIContainer -LiteralPath $idle -DockerHost $nowhere -Timeout $_ } | Should -Throw '*00:10:00*' -ErrorId 'ParameterArgumentTransformationError,*'
        { Wait-GenAIContainer -LiteralPath $idle -DockerHost $nowhere -StallTimeout $_ } | Should -Throw '*00:10:00*' -ErrorId 'ParameterArgumentTransformationError,*'
    }
}
