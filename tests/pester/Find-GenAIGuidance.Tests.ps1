BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    $truncated = "tronqu$([char] 0xE9)"
    $cmdlet = 'ComfyAuth.PowerShell.Commands.FindGenAIGuidanceCommand'
    $root = New-SampleStack (Join-Path $TestDrive 'stack')
    Set-StackFile $root 'TROUBLESHOOTING.md' @"
# Troubleshooting

## Container stays unhealthy

The healthcheck runs ``curl -f`` and gets 401 behind the login.

## CUDA out of memory

Take the FP8 files.
"@
    Set-StackFile $root 'docs/jeton.md' @"
# Le jeton est $truncated

Mettre $($credential.Hash), le hachage de $($credential.Password), entre apostrophes, et non $($older.Hash).
"@
    $second = New-SampleStack (Join-Path $TestDrive 'second')
    Set-StackFile $second 'README.md' "# Second`n`nNot unhealthy at all."
    $bare = New-SampleStack (Join-Path $TestDrive 'bare')

    function Get-Place([Parameter(ValueFromPipeline)] $passage) { process { "$($passage.File):$($passage.Line)" } }
}

Describe 'A query' {
    It 'is the first argument and gives typed passages, the best first' {
        Push-Location -LiteralPath (Join-Path $root docs)
        try { $found = Find-GenAIGuidance 'unhealthy container' }
        finally { Pop-Location }

        $found[0].GetType().FullName | Should -Be 'ComfyAuth.Guidance.GuidancePassage'
        $found[0].Stack | Should -Be $root
        $found[0].File | Should -Be 'TROUBLESHOOTING.md'
        $found[0].Heading | Should -Be 'Troubleshooting > Container stays unhealthy'
        $found[0].Line | Should -Be 3
        $found[0].Score | Should -BeGreaterThan 0
        $found[0].Text | Should -Be 'The healthcheck runs `curl -f` and gets 401 behind the login.'
        $found[0].Query | Should -Be 'unhealthy container'
    }

    It 'is followed by the path, which may have wildcards and lead to several stacks' {
        (Find-GenAIGuidance unhealthy (Join-Path $TestDrive '*') -WarningAction Ignore).Stack | Sort-Object | Should -Be @($second, $root | Sort-Object)
    }

    It 'does not mind accents and case' {
        Find-GenAIGuidance 'JETON TRONQUE' $root | Get-Place | Should -Be 'docs/jeton.md:1'
    }

    It 'may come through the pipeline, several times' {
        $found = 'out of memory', $truncated | Find-GenAIGuidance -LiteralPath $root -First 1

        $found | Get-Place | Should -Be 'TROUBLESHOOTING.md:7', 'docs/jeton.md:1'
        $found.Query | Should -Be 'out of memory', $truncated
        (Find-GenAIGuidance 'out of memory', $truncated $root -First 1).Query | Should -Be $found.Query
    }

    It 'gives no more than -First' {
        Find-GenAIGuidance 'troubleshooting' $root | Should -HaveCount 2
        Find-GenAIGuidance 'troubleshooting' $root -First 1 | Should -HaveCount 1
        { Find-GenAIGuidance 'troubleshooting' $root -First 0 } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
    }

    It 'that nothing speaks of gives nothing, and says so to who wants to know' {
        $said = Find-GenAIGuidance 'tensorrt' $root -Verbose 4>&1

        $said | Should -HaveCount 2
        "$said" | Should -Match 'has 2 documents with 3 passages'
        "$said" | Should -Match "say nothing of 'tensorrt'"
    }

    It 'without a word to search for is refused, and spares the next: "<Query>"' -ForEach @(
        @{ Query = '' }
        @{ Query = '  ' }
        @{ Query = 'what is the' }
    ) {
        $errors = @()

        $Query, 'memory' | Find-GenAIGuidance -LiteralPath $root -ErrorAction SilentlyContinue -ErrorVariable errors | Get-Place | Should -Be 'TROUBLESHOOTING.md:7'

        $errors.FullyQualifiedErrorId | Should -Be "GuidanceQueryEmpty,$cmdlet"
        $errors[0].CategoryInfo.Category | Should -Be 'InvalidArgument'
        $errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }
}

Describe 'An object' {
    It 'that is a diagnosis stands for its condition and message, and names its stack' {
        $diagnosis = [pscustomobject] @{ Stack = $root; Condition = 'OutOfMemory'; State = 'Exited'; Message = 'It ended.'; Evidence = $truncated }

        $found = $diagnosis | Find-GenAIGuidance

        $found | Get-Place | Should -Be 'TROUBLESHOOTING.md:7'
        $found.Query | Should -Be 'OutOfMemory It ended.'
    }

    It 'that is an observation stands for its state and evidence' {
        Edit-StackFile $second "$service/.env" "'$($credential.Hash)'" $credential.Hash
        $observation = Sync-ComfyToken -LiteralPath $second -Audit | Where-Object State -EQ Truncated

        $found = $observation | Find-GenAIGuidance -Path $root

        $found.Query | Should -Be "Truncated $($observation.Evidence)"
        $found.Stack | Sort-Object -Unique | Should -Be $root
    }

    It 'that is an error stands for its message' {
        Write-Error 'CUDA error: no memory.' -ErrorAction SilentlyContinue -ErrorVariable failure

        $found = $failure | Find-GenAIGuidance -LiteralPath $root

        $found | Get-Place | Should -Be 'TROUBLESHOOTING.md:7'
        $found.Query | Should -Be 'CUDA error: no memory.'
    }

    It 'that tells a path is searched when the query is given' {
        Get-Item -LiteralPath $root, $second | Find-GenAIGuidance unhealthy | Get-Place | Should -Be 'TROUBLESHOOTING.md:3', 'README.md:1'
    }
}

Describe 'A stack' {
    It 'without documents gives a warning and nothing else' {
        $warnings = @()

        'unhealthy', 'memory' | Find-GenAIGuidance -LiteralPath $bare -WarningAction SilentlyContinue -WarningVariable warnings | Should -BeNullOrEmpty

        $warnings | Should -HaveCount 1
        "$warnings" | Should -BeLike "*$bare*no documents*"
    }

    It 'that is none is an error, said once for all queries' {
        $errors = @()

        'unhealthy', 'memory' | Find-GenAIGuidance -Path (Join-Path $TestDrive 'nowhere'), $root -First 1 -ErrorAction SilentlyContinue -ErrorVariable errors |
            Get-Place | Should -Be 'TROUBLESHOOTING.md:3', 'TROUBLESHOOTING.md:7'

        $errors.FullyQualifiedErrorId | Should -Be "PathNotFound,$cmdlet"
    }

    It 'of which something cannot be read gives a warning, and -Verbose tells why' {
        Set-StackFile $second 'binary.md' "a`0b"

        $said = Find-GenAIGuidance unhealthy $second -Verbose 3>&1 4>&1

        "$said" | Should -Match '1 documents or folders of .* were not searched, or not all of them: binary\.md\.'
        "$said" | Should -Match 'Not searched: binary\.md\. It is no text\.'
        Remove-Item -LiteralPath (Join-Path $second 'binary.md')
    }

    It 'is not changed, and nothing is stored in it' {
        $before = Get-Snapshot $root
        $null = Find-GenAIGuidance unhealthy $root

        Get-Snapshot $root | Should -Be $before
    }
}

Describe 'What is shown' {
    It 'holds no secret of the stack, also when it is asked for' {
        $found = Find-GenAIGuidance "jeton hachage $($credential.Password)" $root -Verbose *>&1
        $told = "$($found | Format-List * | Out-String -Width 500) $($found | Where-Object Score | ConvertTo-Json)"

        $told | Should -Match 'entre apostrophes'
        $told | Should -Match "bcrypt:$(Get-Fingerprint $older.Hash)"
        foreach ($secret in $credential.Password, $credential.Hash.Substring(20), $older.Hash.Substring(20)) { $told | Should -Not -Match ([regex]::Escape($secret)) }
    }

    It 'as a table has score, file, line and heading' {
        $lines = (Find-GenAIGuidance 'unhealthy' $root | Out-String -Width 120) -split '\r?\n' | Where-Object { $_ }

        $lines[0] | Should -Be "   Stack: $root"
        $lines[1] | Should -Be '   Query: unhealthy'
        $lines[2] | Should -Match '^Score\s+File\s+Line\s+Heading'
        $lines[4] | Should -Match '^ \d\.\d\d TROUBLESHOOTING\.md\s+3 Troubleshooting > Container'
    }

    It 'as a list has the text too' {
        $list = Find-GenAIGuidance 'unhealthy' $root | Format-List | Out-String -Width 120

        $list | Should -Match '(?s)Query\s+:.*Stack\s+:.*File\s+:.*Line\s+:.*Heading\s+:.*Score\s+:.*Text\s+: The healthcheck runs'
    }
}
