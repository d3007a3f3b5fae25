BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestComfy.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.TestGenAIEcosystemCommand'
    $script:number = 0

    function Get-NewRoot { Join-Path $TestDrive "stack $((++$script:number))" }

    # Nobody listens there.
    $nowhere = @{ DockerHost = "unix://$TestDrive/nothing.sock" }

    # A run in a runspace of its own, to be stopped.
    function New-Run([hashtable] $parameters) {
        $shell = [powershell]::Create()
        $shell.AddScript('param($module, $parameters) Import-Module $module; Test-GenAIEcosystem @parameters').AddArgument($modulePath).AddArgument($parameters)
    }

    # Files only: neither an engine nor the network is needed.
    $files = @{ Id = 'token.source', 'token.files' }
}

Describe 'A run of checks' {
    It 'gives one object for each check and service, and changes nothing' {
        $root = New-SampleStack (Get-NewRoot)
        $before = Get-Snapshot $root

        $results = Test-GenAIEcosystem -LiteralPath $root @files @nowhere

        $results.Id | Sort-Object | Should -Be 'token.files', 'token.source'
        $results | ForEach-Object { $_.GetType().FullName | Should -Be 'ComfyAuth.Validation.CheckResult' }
        $results.Status | Should -Be 'Passed', 'Passed'
        $results.Service | Should -Be 'comfyui-qwen', 'comfyui-qwen'
        Get-Snapshot $root | Should -Be $before
    }

    It 'says what is wrong, out of what that is concluded, and what to do' {
        $root = New-BrokenStack (Get-NewRoot)

        $result = Test-GenAIEcosystem -LiteralPath $root -Id token.files @nowhere

        $result.Status | Should -Be 'Failed'
        $result.CanFix | Should -BeTrue
        "$($result.Evidence)" | Should -BeLike '*qwen-api-user.token*'
        $result.Remedy | Should -Not -BeNullOrEmpty
        $result | Out-String | Should -Not -BeLike "*$($credential.Hash)*"
    }

    It 'says of what needs an engine that it could not be checked, not that it failed' {
        $root = New-SampleStack (Get-NewRoot)

        $results = Test-GenAIEcosystem -LiteralPath $root -Category engine, container @nowhere

        ($results | Where-Object Id -EQ 'engine.reachable').Status | Should -Be 'Error'
        ($results | Where-Object Category -EQ 'container').Status | Sort-Object -Unique | Should -Be 'Skipped'
    }

    It 'leaves out what is excluded' {
        $root = New-SampleStack (Get-NewRoot)

        (Test-GenAIEcosystem -LiteralPath $root -Category token -Exclude token.running, '*.strength' @nowhere).Id | Should -Not -Contain 'token.strength'
    }

    It 'refuses an id that no check has, and names the nearest' {
        $root = New-SampleStack (Get-NewRoot)

        $errors = @()
        Test-GenAIEcosystem -LiteralPath $root -Id token.flies @nowhere -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -Be "CheckNotFound,$cmdlet"
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike "*token.files*"
    }

    It 'spares the other stacks where one cannot be checked' {
        $root = New-SampleStack (Get-NewRoot)
        $bad = New-SampleStack (Get-NewRoot)
        Set-StackFile $bad 'comfyauth.yml' 'nonsense: true'

        $errors = @()
        $results = $bad, $root | Test-GenAIEcosystem @files @nowhere -ErrorAction SilentlyContinue -ErrorVariable errors

        $errors[0].FullyQualifiedErrorId | Should -Be "StackFileInvalid,$cmdlet"
        $results.Stack | Sort-Object -Unique | Should -Be $root
    }

    It 'completes <Parameter>' -ForEach @(
        @{ Parameter = 'Id'; Word = 'token.f'; Expected = 'token.files' }
        @{ Parameter = 'Category'; Word = 'tok'; Expected = 'token' }
        @{ Parameter = 'Exclude'; Word = 'engine.rea'; Expected = 'engine.reachable' }
    ) {
        $line = "Test-GenAIEcosystem -$Parameter $Word"

        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Contain $Expected
    }
}

Describe '-Quiet' {
    It 'gives exactly one bool: <Expected> where <Case>' -ForEach @(
        @{ Case = 'all passed'; Expected = $true; Break = { } }
        @{ Case = 'something failed'; Expected = $false; Break = { param($root) Set-StackFile $root '.secrets/qwen-api-user.token' $older.Hash } }
        @{ Case = 'a stack could not be checked'; Expected = $false; Break = { param($root) Set-StackFile $root 'comfyauth.yml' 'nonsense: true' } }
    ) {
        $roots = (New-SampleStack (Get-NewRoot)), (New-SampleStack (Get-NewRoot))
        & $Break $roots[0]

        $answer = @($roots | Test-GenAIEcosystem -Quiet @files @nowhere -ErrorAction SilentlyContinue)

        $answer | Should -HaveCount 1
        $answer[0] | Should -BeOfType bool
        $answer[0] | Should -Be $Expected
    }

    It 'is no where something could not be checked' {
        Test-GenAIEcosystem -LiteralPath (New-SampleStack (Get-NewRoot)) -Quiet -Id engine.reachable @nowhere | Should -BeFalse
    }
}

Describe '-Fix' {
    It 'mends, checks again, and marks what it mended' {
        $root = New-BrokenStack (Get-NewRoot)

        $result = Test-GenAIEcosystem -LiteralPath $root -Id token.files -Fix @nowhere -Confirm:$false

        $result.Status | Should -Be 'Passed'
        $result.Fixed | Should -BeTrue
        (Sync-ComfyToken -Validate -LiteralPath $root).IsValid | Should -BeTrue
    }

    It 'names under -WhatIf each change, and makes none' {
        $root = New-BrokenStack (Get-NewRoot)
        $before = Get-Snapshot $root

        $lines = Invoke-Child 'Test-GenAIEcosystem -LiteralPath $root -Id token.files -Fix -WhatIf -DockerHost unix:///nothing.sock' @{ root = $root }

        @($lines -like 'What if: *').Count | Should -BeGreaterThan 2
        Get-Snapshot $root | Should -Be $before
    }

    It 'changes nothing where nothing is to be mended' {
        $root = New-SampleStack (Get-NewRoot)
        $before = Get-Snapshot $root

        (Test-GenAIEcosystem -LiteralPath $root -Fix @files @nowhere).Fixed | Should -Not -Contain $true

        Get-Snapshot $root | Should -Be $before
        { Undo-GenAIFix -LiteralPath $root -ErrorAction Stop } | Should -Throw -ErrorId 'RepairNotFound,*'
    }

    It 'is undone by Undo-GenAIFix, byte for byte' {
        $root = New-BrokenStack (Get-NewRoot)
        $before = Get-ChildItem -LiteralPath $root -Recurse -File -Force | Get-FileHash
        $null = Test-GenAIEcosystem -LiteralPath $root -Id token.files -Fix @nowhere

        $files = Undo-GenAIFix -LiteralPath $root

        $files | Should -Not -BeNullOrEmpty
        $files[0] | Should -BeOfType System.IO.FileInfo
        ($before | ForEach-Object { (Get-FileHash -LiteralPath $_.Path).Hash }) | Should -Be $before.Hash
    }

    It 'is undone as a whole: no service can be named' {
        (Get-Command Undo-GenAIFix).Parameters.Keys | Should -Not -Contain 'Service'
        (Get-Command Test-GenAIEcosystem).Parameters.Keys | Should -Contain 'Service'
    }

    It 'is not undone where somebody has changed a file since' {
        $root = New-BrokenStack (Get-NewRoot)
        $null = Test-GenAIEcosystem -LiteralPath $root -Id token.files -Fix @nowhere
        Set-StackFile $root '.secrets/qwen-api-user.token' 'mine'

        $errors = @()
        Undo-GenAIFix -LiteralPath $root -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'RepairChangedSince,*'
        Get-StackFile $root '.secrets/qwen-api-user.token' | Should -Be 'mine'
    }
}

Describe 'The checks of the stack itself' {
    It 'are made behind the built-in ones, its programs only where that is asked for' {
        $root = New-SampleStack (Get-NewRoot)
        Set-StackFile $root '.checks.yml' "checks: { here: { file: { path: .env } }, program: { command: { run: [git, --version] } } }"

        $results = Test-GenAIEcosystem -LiteralPath $root -Category custom @nowhere
        $run = Test-GenAIEcosystem -LiteralPath $root -Id custom.program -RunCommands @nowhere

        ($results | Sort-Object Id).Status | Should -Be 'Passed', 'Skipped'
        $run.Status | Should -Be 'Passed'
    }
}

Describe 'Stopping the pipeline' {
    It 'ends what waits for an engine that takes the question and never answers' {
        $listener = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
        $listener.Start()
        try {
            $shell = New-Run @{ LiteralPath = New-SampleStack (Get-NewRoot); DockerHost = "tcp://127.0.0.1:$($listener.LocalEndpoint.Port)" }
            $running = $shell.BeginInvoke()
            Wait-Until 'the engine is asked' { $listener.Pending() -or $running.IsCompleted }
            Assert-Stoppable $shell
            $shell.Dispose()
        }
        finally {
            $listener.Stop()
        }
    }
}

Describe 'A stack that runs' {
    BeforeAll {
        $sample = Start-ServedSample (Join-Path $TestDrive 'sample')

        # Without what depends on this machine, and on how old the emulated engine says it is.
        $at = @{ LiteralPath = $sample.Root; DockerHost = $sample.Address; Exclude = 'engine.version', 'engine.resources', 'compose.command' }
        $tokenFile = '.secrets/qwen-api-user.token'
        $hash = Get-StackFile $sample.Root $tokenFile
        $secrets = @(Get-ChildItem -LiteralPath $sample.Root -Recurse -File -Force | Where-Object Name -EQ '.env' | Get-Content |
                ForEach-Object { if ($_ -match "^\w*(?:TOKEN|PASSWORD)=(?:'?)([^']{20,})") { $Matches[1] } } | Sort-Object -Unique)
        $results = Test-GenAIEcosystem @at

        function Get-Verdict([object[]] $results) { $results | ForEach-Object { "$($_.Id) $($_.Service) $($_.Status.ToString())" } | Sort-Object }
    }

    AfterEach { Set-StackFile $sample.Root $tokenFile $hash }

    AfterAll { if ($sample) { Stop-ServedSample $sample } }

    It 'passes more than ninety checks and fails none' {
        $results.Count | Should -BeGreaterThan 90
        $results | Where-Object Status -In Warning, Failed, Error | ForEach-Object { "$($_.Id) $($_.Service): $($_.Message)" } | Should -BeNullOrEmpty
        @($results | Where-Object Status -EQ Passed).Count | Should -BeGreaterThan 85
        Test-GenAIEcosystem @at -Quiet | Should -BeTrue
    }

    It 'has a stale token shown, mended and put back' {
        Set-StackFile $sample.Root $tokenFile $older.Hash

        $broken = Test-GenAIEcosystem @at -Category token
        $quiet = Test-GenAIEcosystem @at -Category token -Quiet
        $mended = Test-GenAIEcosystem @at -Category token -Fix
        $inPlace = Get-StackFile $sample.Root $tokenFile
        $files = Undo-GenAIFix -LiteralPath $sample.Root

        $broken.Category | Sort-Object -Unique | Should -Be 'token'
        ($broken | Where-Object Status -EQ Failed).Id | Should -Be 'token.files'
        $quiet | Should -BeFalse
        $mended | Where-Object Status -In Failed, Error | Should -BeNullOrEmpty
        ($mended | Where-Object Fixed).Id | Should -Contain 'token.files'
        $inPlace.Trim() | Should -Be $hash.Trim()
        $files.FullName | Should -Contain (Join-Path $sample.Root $tokenFile)
        Get-StackFile $sample.Root $tokenFile | Should -Be $older.Hash
    }

    It 'has one report, of which the piped results make the same' {
        $report = @(Test-GenAIEcosystem @at -Report)
        $piped = $results | Export-GenAIReport (Join-Path $TestDrive 'piped.json') -PassThru

        $report | Should -HaveCount 1
        $report[0].GetType().FullName | Should -Be 'ComfyAuth.Validation.ValidationReport'
        $report[0].Score | Should -Be 100
        $report[0].Failed | Should -Be 0
        $report[0].EngineVersion | Should -Not -BeNullOrEmpty
        Get-Verdict $report[0].Checks | Should -Be (Get-Verdict $results)
        $piped.Score | Should -Be 100
        Get-Verdict $piped.Checks | Should -Be (Get-Verdict $results)
    }

    It 'has the report written in each form, and what is new since told from it' {
        $paths = 'html', 'json', 'md', 'xml' | ForEach-Object { Join-Path $TestDrive "earlier.$_" }
        Test-GenAIEcosystem @at -Quiet -ReportPath $paths | Should -BeTrue
        Set-StackFile $sample.Root $tokenFile $older.Hash

        $report = Test-GenAIEcosystem @at -Report -Baseline $paths[1]

        $report.Baseline.NewFailures | Should -HaveCount 1
        $report.Baseline.NewFailures[0] | Should -BeLike '*token.files*'
        $report.Baseline.StillFailing | Should -BeNullOrEmpty
        $texts = $paths | ForEach-Object { Get-Content -Raw -LiteralPath $_ }
        $texts[0] | Should -BeLike '<!doctype html>*</html>*'
        ($texts[1] | ConvertFrom-Json).score | Should -Be 100
        $texts[2] | Should -BeLike '# *'
        ([xml] $texts[3]).testsuites.failures | Should -Be '0'
        foreach ($secret in $secrets) { "$texts".Contains($secret) | Should -BeFalse }
    }

    It 'can be checked by two at once, who agree' {
        $jobs = 1..2 | ForEach-Object { Start-ThreadJob { Import-Module $using:modulePath; $with = $using:at; Test-GenAIEcosystem @with } }
        $seen = $jobs | ForEach-Object { , (Receive-Job $_ -Wait -AutoRemoveJob) }

        $seen | Should -HaveCount 2
        Get-Verdict $seen[0] | Should -Be (Get-Verdict $results)
        Get-Verdict $seen[1] | Should -Be (Get-Verdict $results)
    }

    It 'has results that survive JSON and CLIXML, and hold no secret' {
        $clixml = Join-Path $TestDrive 'results.clixml'

        $json = $results | ConvertTo-Json -Depth 3 -EnumsAsStrings -WarningVariable warnings
        $results | Export-Clixml -LiteralPath $clixml

        $warnings | Should -BeNullOrEmpty
        $json | Should -BeExactly ($results | ConvertTo-Json -Depth 20 -EnumsAsStrings)
        Get-Verdict ($json | ConvertFrom-Json) | Should -Be (Get-Verdict $results)
        Get-Verdict (Import-Clixml -LiteralPath $clixml) | Should -Be (Get-Verdict $results)
        $secrets.Count | Should -BeGreaterThan 3
        $told = "$json $(Get-Content -Raw -LiteralPath $clixml) $($results | Format-List * | Out-String -Width 500)"
        foreach ($secret in $secrets) { $told.Contains($secret) | Should -BeFalse }
    }

    It 'is left where the pipeline is stopped amid a run' {
        # Without it, the run could end before it is stopped.
        Set-StackFile $sample.Root '.checks.yml' "checks: { endless: { within: 1h, command: { run: ['$((Get-Process -Id $PID).Path)', -NoProfile, -Command, Start-Sleep 3600] } } }"
        try {
            $shell = New-Run ($at + @{ RunCommands = $true })
            $running = $shell.BeginInvoke()
            Wait-Until 'something is checked' { $shell.Streams.Progress.Count -gt 0 -or $running.IsCompleted }
            Assert-Stoppable $shell
            $shell.Dispose()
        }
        finally {
            Remove-Item -LiteralPath (Join-Path $sample.Root '.checks.yml') -Force
        }
    }
}
