BeforeAll {
    . (Join-Path $PSScriptRoot 'TestCmdlets.ps1')

    # A pipeline of its own, to be watched and stopped from outside.
    function New-Pipeline([string] $script, [hashtable] $variables = @{}) {
        $state = [initialsessionstate]::CreateDefault2()
        foreach ($name in $variables.Keys) {
            $state.Variables.Add([System.Management.Automation.Runspaces.SessionStateVariableEntry]::new($name, $variables[$name], ''))
        }

        $shell = [powershell]::Create($state)
        $null = $shell.AddScript(". '$PSScriptRoot/TestCmdlets.ps1'").Invoke()
        $shell.Commands.Clear()
        $shell.AddScript($script)
    }

    function New-State { [ComfyAuth.TestCmdlets.WorkState]::new() }

    # Work that hears that it is to stop ends by itself, however long the cmdlet would wait for it.
    $cleanUpTime = Set-Patience Commands.ComfyCmdlet CleanUpTime 00:10:00

    # Stops a pipeline as a user's is stopped, whose work may not end.
    function Stop-Impatiently([powershell] $pipeline) {
        $null = Set-Patience Commands.ComfyCmdlet CleanUpTime $cleanUpTime
        try { $pipeline.Stop() }
        finally { $null = Set-Patience Commands.ComfyCmdlet CleanUpTime 00:10:00 }
    }
}

Describe 'Stopping the pipeline' {
    It 'ends work that <Way>' -ForEach @(
        @{ Way = 'Awaits' }, @{ Way = 'Blocks' }, @{ Way = 'Produces' }, @{ Way = 'ProducesErrors' }
    ) {
        $state = New-State
        $pipeline = New-Pipeline 'Invoke-Endless -State $state -Way $way' @{ state = $state; way = $Way }
        $null = $pipeline.BeginInvoke()
        $state.Started.Wait($soon) | Should -BeTrue

        Assert-Stoppable $pipeline

        $state.Events | Should -Be 'cancelled', 'ended', 'disposed'
        $pipeline.Dispose()
    }

    It 'does not wait longer than two seconds for work that is <Way>' -ForEach @(
        @{ Way = 'Deaf' }, @{ Way = 'SlowToCleanUp' }, @{ Way = 'CallbackHangs' }
    ) {
        $cleanUpTime | Should -BeLessThan ([timespan]::FromSeconds(2))
        $state = New-State
        $pipeline = New-Pipeline 'Invoke-Endless -State $state -Way $way' @{ state = $state; way = $Way }
        $null = $pipeline.BeginInvoke()
        $state.Started.Wait($soon) | Should -BeTrue

        # It would be for ever.
        Stop-Impatiently $pipeline

        $state.Events | Should -Contain 'disposed'
        $state.Ended.IsSet | Should -BeFalse

        $state.Release.Set()
        $state.Ended.Wait($soon) | Should -BeTrue
        $pipeline.Dispose()
    }

    It 'works with the thread pool starved' {
        $state = New-State
        $release = [System.Threading.ManualResetEventSlim]::new()
        $pipeline = New-Pipeline 'Invoke-Endless -State $state' @{ state = $state }
        try {
            # Needs no runspace, so that the pool's threads can run it.
            $block = [System.Delegate]::CreateDelegate([System.Action], $release, [System.Threading.ManualResetEventSlim].GetMethod('Wait', [type[]] @()))
            1..2000 | ForEach-Object { $null = [System.Threading.Tasks.Task]::Run($block) }

            # The pool adds a thread or two a second: to wait for it would take far longer.
            $null = $pipeline.BeginInvoke()
            $state.Started.Wait($soon) | Should -BeTrue

            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            Stop-Impatiently $pipeline
            $clock.Elapsed | Should -BeLessThan $soon
        }
        finally {
            $release.Set()
            $pipeline.Dispose()
        }
    }

    It 'before the work has begun does not begin it' {
        $states = 1..20 | ForEach-Object { New-State }
        foreach ($state in $states) {
            $pipeline = New-Pipeline '$null = $begun.Set(); Invoke-Endless -State $state' @{ state = $state; begun = ($begun = [System.Threading.ManualResetEventSlim]::new()) }
            $null = $pipeline.BeginInvoke()
            $begun.Wait($soon) | Should -BeTrue

            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            $pipeline.Stop()
            $clock.Elapsed | Should -BeLessThan $soon
            $pipeline.InvocationStateInfo.State | Should -Be 'Stopped'
            if ($state.Started.IsSet) {
                $state.Ended.IsSet | Should -BeTrue
            }

            $pipeline.Dispose()
        }
    }

    It 'writes no error' {
        $state = New-State
        $pipeline = New-Pipeline 'Invoke-Endless -State $state' @{ state = $state }
        $null = $pipeline.BeginInvoke()
        $state.Started.Wait($soon) | Should -BeTrue
        $pipeline.Stop()

        $pipeline.Streams.Error | Should -BeNullOrEmpty
        $pipeline.Dispose()
    }
}

Describe 'A pipeline that ends early' {
    It 'by Select-Object -First stops the work' {
        $state = New-State

        Invoke-Endless -State $state -Way Produces | Select-Object -First 2 | Should -Be 0, 1

        $state.Events | Should -Be 'cancelled', 'ended', 'disposed'
    }

    It 'holds back work that produces faster than the pipeline consumes' {
        $state = New-State

        Invoke-Endless -State $state -Way Produces | Select-Object -First 10 | ForEach-Object {
            $state.Produced - $_ | Should -BeLessThan 300
        }
    }

    It 'by -ErrorAction Stop stops the work and throws the error itself' {
        $state = New-State

        { Invoke-Endless -State $state -Way ProducesErrors -ErrorAction Stop } |
            Should -Throw 'failure 0' -ErrorId 'UnexpectedIOException,ComfyAuth.TestCmdlets.InvokeEndlessCommand'

        $state.Events | Should -Be 'cancelled', 'ended', 'disposed'
    }

    It 'by an exception downstream stops the work and lets it through' {
        $state = New-State

        { Invoke-Endless -State $state -Way Produces | ForEach-Object { throw 'downstream' } } | Should -Throw 'downstream'

        $state.Events | Should -Be 'cancelled', 'ended', 'disposed'
    }

    It 'by break in a loop around it stops the work' {
        $state = New-State

        foreach ($once in 1) {
            Invoke-Endless -State $state -Way Produces | ForEach-Object { break }
        }

        $state.Events | Should -Be 'cancelled', 'ended', 'disposed'
    }
}

Describe 'Output' {
    It 'comes in order, before the error that follows it' {
        $all = 1..3 | Invoke-Failure -Code Broken 2>&1

        $all | ForEach-Object { $_ -is [System.Management.Automation.ErrorRecord] ? 'error' : $_ } |
            Should -Be 1, 'error', 2, 'error', 3, 'error'
    }

    It 'of the end comes after that of every input' {
        1..2 | Invoke-Failure -AtEnd -Code Broken -ErrorAction SilentlyContinue -ErrorVariable errors | Should -Be 1, 2, 2

        $errors.Count | Should -Be 1
    }

    It 'works in a thread job' {
        $job = Start-ThreadJob { . $using:PSScriptRoot/TestCmdlets.ps1; Set-Probe a, b }

        $job | Receive-Job -Wait -AutoRemoveJob | Should -Be 'a', 'b'
    }

    It 'works in parallel runspaces' {
        $results = 1..20 | ForEach-Object -ThrottleLimit 5 -Parallel {
            if (-not (Get-Command Set-Probe -ErrorAction Ignore)) {
                . $using:PSScriptRoot/TestCmdlets.ps1
            }

            Set-Probe "probe $_"
        }

        $results.Count | Should -Be 20
    }
}

Describe 'ShouldProcess from a thread of the pool' {
    It 'says no under -WhatIf, and nothing else comes out' {
        $state = New-State

        Set-Probe a, b -State $state -WhatIf | Should -BeNullOrEmpty

        $state.Events | Should -BeNullOrEmpty
    }

    It 'says yes without' {
        $state = New-State

        Set-Probe a, b -State $state -Confirm:$false | Should -Be 'a', 'b'

        $state.Events | Should -Be 'changed a', 'changed b'
    }

    It 'under -Confirm, where nobody can be asked, changes nothing and fails' {
        $state = New-State

        { Set-Probe a, b -State $state -Confirm -ErrorAction Stop } | Should -Throw

        $state.Events | Should -BeNullOrEmpty
    }

    It 'ShouldContinue, where nobody can be asked, is an error that names -Force' {
        $state = New-State

        Set-Probe a -State $state -Ask -ErrorAction SilentlyContinue -ErrorVariable errors

        $errors[0].FullyQualifiedErrorId | Should -Be 'ConfirmationImpossible,ComfyAuth.TestCmdlets.SetProbeCommand'
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike '*-Force*'
        $state.Events | Should -BeNullOrEmpty
        Set-Probe a -State $state -Ask -Force | Should -Be 'a'
    }
}

Describe 'Progress' {
    BeforeAll {
        function Get-Progress([string] $script) {
            $pipeline = New-Pipeline $script
            $null = $pipeline.Invoke()
            $pipeline.Streams.Progress
            $pipeline.Dispose()
        }
    }

    It 'comes at most five times a second, ends with the latest, and is completed' {
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $records = Get-Progress 'Write-ProbeProgress -For 00:00:01 -Total 1000000000'
        $fiveASecond = [math]::Ceiling($clock.Elapsed.TotalSeconds * 5)

        $shown = $records | Where-Object RecordType -EQ Processing
        $shown.Count | Should -BeGreaterThan 1
        $shown.Count | Should -BeLessOrEqual $fiveASecond
        $shown[-1].StatusDescription | Should -Be 'last'
        $shown[-1].PercentComplete | Should -Be 100
        $records[-1].RecordType | Should -Be 'Completed'
        @($records | Where-Object RecordType -EQ Completed).Count | Should -Be 1
        @($records.Activity | Select-Object -Unique).Count | Should -Be 1
    }

    It 'has no percentage without a total' {
        $records = Get-Progress 'Write-ProbeProgress -For 00:00:00.1'

        $records.PercentComplete | Select-Object -Unique | Should -Be -1
    }

    It 'is completed when the work fails' {
        (Get-Progress 'Write-ProbeProgress -For 00:00:00.1 -Fail')[-1].RecordType | Should -Be 'Completed'
    }

    It 'is completed when the error stops the pipeline' {
        (Get-Progress 'try { Write-ProbeProgress -For 00:00:00.1 -Fail -ErrorAction Stop } catch { }')[-1].RecordType | Should -Be 'Completed'
    }

    It 'may have an empty status' {
        (Get-Progress 'Write-ProbeProgress -For 00:00:00.1 -Status ""')[0].StatusDescription | Should -Be 'Probing'
    }
}
