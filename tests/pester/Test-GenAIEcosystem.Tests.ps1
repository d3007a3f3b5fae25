BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.TestGenAIEcosystemCommand'
    $script:number = 0

    function Get-NewRoot { Join-Path $TestDrive "stack $((++$script:number))" }

    # Nobody listens there.
    $nowhere = @{ DockerHost = "unix://$TestDrive/nothing.sock" }

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
