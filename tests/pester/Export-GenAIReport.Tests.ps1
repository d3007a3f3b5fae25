BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.ExportGenAIReportCommand'
    $script:number = 0

    function Get-NewRoot { Join-Path $TestDrive "stack $((++$script:number))" }

    # Files only, and what needs an engine that nobody listens for.
    $checks = @{ Id = 'engine.reachable', 'token.source', 'token.files'; DockerHost = "unix://$TestDrive/nothing.sock" }

    $sound = New-SampleStack (Get-NewRoot)
    $broken = New-BrokenStack (Get-NewRoot)
    $results = Test-GenAIEcosystem -LiteralPath $broken @checks
}

Describe 'A report' {
    It 'is written in every form that is asked for, and its files are given' {
        $folder = Get-NewRoot
        $names = 'report.html', 'report.md', 'report.json', 'report.xml'

        $files = $results | Export-GenAIReport ($names | ForEach-Object { Join-Path $folder $_ })

        $files | ForEach-Object { $_ | Should -BeOfType System.IO.FileInfo }
        $files.Name | Should -Be $names
        (Get-ChildItem -LiteralPath $folder).Name | Sort-Object | Should -Be ($names | Sort-Object)
        $data = Get-Content -Raw -LiteralPath (Join-Path $folder 'report.json') | ConvertFrom-Json
        $data.stack | Should -Be $broken
        $data.checks.id | Should -Be 'engine.reachable', 'token.source', 'token.files'
        $data.failed | Should -Be 1
        $data.errors | Should -Be 1
        ([xml] (Get-Content -Raw -LiteralPath (Join-Path $folder 'report.xml'))).testsuites.failures | Should -Be '1'
    }

    It 'is the same whatever the order of the results is' {
        $one = Join-Path $TestDrive 'one.md'
        $other = Join-Path $TestDrive 'other.md'
        $null = $results | Export-GenAIReport $one
        $null = $results[2, 0, 1] | Export-GenAIReport $other

        $rows = { param($file) Get-Content -LiteralPath $file | Where-Object { $_ -like '| Failed | *' -or $_ -like '| Passed | *' } }
        & $rows $other | Should -Be (& $rows $one)
    }

    It 'is given with -PassThru, as an object that tells the verdict' {
        $report = $results | Export-GenAIReport (Join-Path $TestDrive 'passthru.json') -PassThru

        $report.GetType().FullName | Should -Be 'ComfyAuth.Validation.ValidationReport'
        $report.Verdict | Should -Be 'Poor'
        $report.Checks | Should -HaveCount 3
        $report | Out-String | Should -BeLike '*Verdict*Components*AuthenticationConfiguration: *'
    }

    It 'can be written again in another form, unchanged' {
        $first = Join-Path $TestDrive 'first.json'
        $again = Join-Path $TestDrive 'again.json'
        $report = $results | Export-GenAIReport $first -PassThru

        $null = $report | Export-GenAIReport $again
        $null = Export-GenAIReport -InputObject $report -Path $again

        (Get-FileHash -LiteralPath $again).Hash | Should -Be (Get-FileHash -LiteralPath $first).Hash
    }

    It 'says what changed since an earlier one, which it may replace' {
        $root = New-BrokenStack (Get-NewRoot)
        $file = Join-Path $TestDrive 'series.json'
        $null = Test-GenAIEcosystem -LiteralPath $root @checks | Export-GenAIReport $file
        $null = Sync-ComfyToken -LiteralPath $root

        $report = Test-GenAIEcosystem -LiteralPath $root @checks | Export-GenAIReport $file -Baseline $file -PassThru

        $report.Baseline.Fixed | Should -Be 'token.files (comfyui-qwen)'
        $report.Baseline.NewFailures | Should -BeNullOrEmpty
        (Get-Content -Raw -LiteralPath $file | ConvertFrom-Json).baseline.fixed | Should -Be 'token.files (comfyui-qwen)'
    }

    It 'holds no secret' {
        $files = $results | Export-GenAIReport ('html', 'md', 'json', 'xml' | ForEach-Object { Join-Path $TestDrive "secret.$_" })

        foreach ($file in $files) {
            $text = Get-Content -Raw -LiteralPath $file
            foreach ($secret in $credential.Hash, $credential.Password, $older.Hash, $older.Password) {
                $text.Contains($secret) | Should -BeFalse -Because $file.Name
            }
        }
    }
}

Describe 'Under -WhatIf' {
    It 'nothing is written and nothing given, with or without -PassThru' {
        $file = Join-Path $TestDrive 'whatif.html'

        $results | Export-GenAIReport $file -WhatIf | Should -BeNullOrEmpty
        $results | Export-GenAIReport $file -WhatIf -PassThru | Should -BeNullOrEmpty

        Test-Path -LiteralPath $file | Should -BeFalse
    }
}

Describe 'An error' {
    It 'says <Id> where <Case>' -ForEach @(
        @{ Id = 'ReportFormatUnknown'; Case = 'the extension is unknown'; Arguments = { @{ Path = "$TestDrive/report.pdf" } } }
        @{ Id = 'ReportInvalid'; Case = 'the baseline is no report'; Arguments = { Set-Content "$TestDrive/no.json" '{}'; @{ Path = "$TestDrive/error.html"; Baseline = "$TestDrive/no.json" } } }
        @{ Id = 'ReportTooNew'; Case = 'the baseline is newer'; Arguments = { Set-Content "$TestDrive/new.json" '{"version": 2}'; @{ Path = "$TestDrive/error.html"; Baseline = "$TestDrive/new.json" } } }
        @{ Id = 'ReportUnreadable'; Case = 'there is no baseline'; Arguments = { @{ Path = "$TestDrive/error.html"; Baseline = "$TestDrive/nowhere.json" } } }
    ) {
        $given = & $Arguments
        $errors = @()

        $results | Export-GenAIReport @given -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -Be "$Id,$cmdlet"
        $errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        Test-Path -LiteralPath $given.Path | Should -BeFalse
    }

    It 'of one file spares the others, and a foreign file is left as it is' {
        $foreign = Join-Path $TestDrive 'foreign.md'
        Set-Content -LiteralPath $foreign '# Mine'
        $errors = @()

        $files = $results | Export-GenAIReport $foreign, (Join-Path $TestDrive 'spared.md') -ErrorAction SilentlyContinue -ErrorVariable errors

        $files.Name | Should -Be 'spared.md'
        $errors[0].FullyQualifiedErrorId | Should -Be "ReportWouldOverwrite,$cmdlet"
        Get-Content -LiteralPath $foreign | Should -Be '# Mine'
    }

    It 'ends the pipeline with -ErrorAction Stop' {
        { $results | Export-GenAIReport (Join-Path $TestDrive 'report.pdf') -ErrorAction Stop } | Should -Throw -ErrorId "ReportFormatUnknown,$cmdlet"
    }

    It 'names an object that is no result, and goes on' {
        $errors = @()

        $files = @('text') + $results | Export-GenAIReport (Join-Path $TestDrive 'mixed.md') -ErrorAction SilentlyContinue -ErrorVariable errors

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -Be "ReportInputInvalid,$cmdlet"
        $files.Name | Should -Be 'mixed.md'
    }

    It 'is made of results of several stacks' {
        $errors = @()
        $both = @($results) + @(Test-GenAIEcosystem -LiteralPath $sound @checks)

        $both | Export-GenAIReport (Join-Path $TestDrive 'both.md') -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -Be "ReportOfSeveralStacks,$cmdlet"
    }

    It 'is not made of nothing, but a warning' {
        $warnings = @()

        @() | Export-GenAIReport (Join-Path $TestDrive 'nothing.md') -WarningAction SilentlyContinue -WarningVariable warnings | Should -BeNullOrEmpty

        $warnings | Should -Be 'Nothing was checked, so there is nothing to report.'
        Test-Path -LiteralPath (Join-Path $TestDrive 'nothing.md') | Should -BeFalse
    }
}
