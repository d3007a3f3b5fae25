BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')

    $file = "$service/.env"
    $script:number = 0

    function Get-NewRoot { Join-Path $TestDrive "stack $((++$script:number))" }

    function Get-Backup([string] $root) { Get-ChildItem -LiteralPath (Join-Path $root $service _backups) -Force | Sort-Object Name }

    function Get-Value([string] $root, [string] $name) {
        if ((Get-StackFile $root $file) -match "(?m)^$name=(.*)$") { $Matches[1] }
    }
}

Describe 'A validation' {
    It 'gives one verdict for each file, and changes nothing' {
        $root = New-SampleStack (Get-NewRoot)
        $before = Get-Snapshot $root

        $verdict = Restore-ComfyEnv -Validate -LiteralPath $root

        $verdict.GetType().FullName | Should -Be 'ComfyAuth.Environments.EnvironmentValidation'
        $verdict.IsValid | Should -BeTrue
        $verdict.Path | Should -Be (Join-Path $root $file)
        Get-Snapshot $root | Should -Be $before
    }

    It 'names a required variable that <Is>' -ForEach @(
        @{ Is = 'is missing'; Line = '' }, @{ Is = 'is empty'; Line = "HF_TOKEN=`n" }, @{ Is = 'holds a placeholder'; Line = "HF_TOKEN=your_token_here`n" }
    ) {
        $root = New-SampleStack (Get-NewRoot)
        Edit-StackFile $root $file "HF_TOKEN=huggingface-77aa31b9`n" $Line

        $verdict = Restore-ComfyEnv -Validate -LiteralPath $root

        $verdict.IsValid | Should -BeFalse
        $verdict.Missing | Should -Be 'HF_TOKEN'
    }

    It 'names a hash that Compose would cut, and a weak key' {
        $root = New-BrokenStack (Get-NewRoot)
        Edit-StackFile $root $file '# Login' "SECRET_KEY=short`n# Login"

        $verdict = Restore-ComfyEnv -Validate -LiteralPath $root

        $verdict.Invalid | Should -HaveCount 2
        "$($verdict.Invalid)" | Should -BeLike '*COMFYUI_BEARER_TOKEN: *SECRET_KEY: *'
    }

    It 'cannot be asked for together with a change' {
        { Restore-ComfyEnv -Validate -FromBackup latest } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
        { Restore-ComfyEnv -Validate -NoBackup } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }
}

Describe 'A restoration' {
    BeforeAll {
        $root = New-BrokenStack (Get-NewRoot)
        $old = Get-StackFile $root $file
        $result = Restore-ComfyEnv -LiteralPath $root
        $new = Get-StackFile $root $file
        $after = Get-Snapshot $root
    }

    It 'makes the file valid and says what it did' {
        $result.GetType().FullName | Should -Be 'ComfyAuth.Environments.EnvironmentRestoreResult'
        $result.Action | Should -Be 'Updated'
        $result.IsValid | Should -BeTrue
        $result.Added | Should -Contain 'COMFYUI_LOGIN_ENABLED'
        $result.Changed | Sort-Object | Should -Be 'COMFYUI_BEARER_TOKEN', 'COMFYUI_PASSWORD'
        (Restore-ComfyEnv -Validate -LiteralPath $root).IsValid | Should -BeTrue
    }

    It 'takes the credential from the source of truth' {
        Get-Value $root COMFYUI_BEARER_TOKEN | Should -BeExactly "'$($credential.Hash)'"
        Get-Value $root COMFYUI_PASSWORD | Should -BeExactly $credential.Password
    }

    It 'keeps the values, comments and unknown keys of the user' {
        foreach ($line in 'CIVITAI_TOKEN=civitai-0c6d4e1f', 'HF_TOKEN=huggingface-77aa31b9', 'COMFYUI_USERNAME=alice', '# My own', 'MY_SETTING="kept as it is"') {
            $new -split "`n" | Should -Contain $line
        }
    }

    It 'keeps the old file as a backup that only its owner may read' {
        $backups = @(Get-Backup $root)

        $backups | Should -HaveCount 1
        $backups[0].FullName | Should -Be $result.Backup
        $backups[0].Name | Should -Match '^\.env\.backup\.\d{8}_\d{6}$'
        [System.IO.File]::ReadAllText($backups[0].FullName) | Should -BeExactly $old
        if (-not $IsWindows) {
            [System.IO.File]::GetUnixFileMode($backups[0].FullName) | Should -Be 'UserWrite, UserRead'
        }
    }

    It 'writes no byte the second time' {
        (Restore-ComfyEnv -LiteralPath $root).Action | Should -Be 'None'
        Get-Snapshot $root | Should -Be $after
    }

    It 'with -NoBackup keeps none' {
        $stack = New-BrokenStack (Get-NewRoot)

        (Restore-ComfyEnv -LiteralPath $stack -NoBackup).Backup | Should -BeNullOrEmpty
        Test-Path -LiteralPath (Join-Path $stack $service _backups) | Should -BeFalse
    }

    It 'makes a file that is not there, and says what only the user can fill in' {
        $stack = New-SampleStack (Get-NewRoot)
        Remove-Item -LiteralPath (Join-Path $stack $file) -Force

        $made = Restore-ComfyEnv -LiteralPath $stack

        $made.Action | Should -Be 'Created'
        $made.IsValid | Should -BeFalse
        $made.Missing | Should -Be 'CIVITAI_TOKEN', 'HF_TOKEN', 'QWEN_API_TOKEN'
        $made.NextSteps[0] | Should -BeLike 'Fill in CIVITAI_TOKEN in *'
        Get-Value $stack COMFYUI_BEARER_TOKEN | Should -BeExactly "'$($credential.Hash)'"
    }

    It 'replaces a weak SECRET_KEY, and keeps a strong one' {
        $stack = New-SampleStack (Get-NewRoot)
        Edit-StackFile $stack $file '# Login' "SECRET_KEY=change-me`n# Login"

        (Restore-ComfyEnv -LiteralPath $stack).Changed | Should -Contain 'SECRET_KEY'
        $strong = Get-Value $stack SECRET_KEY
        $strong.Length | Should -BeGreaterOrEqual 32

        Edit-StackFile $stack $file "COMFYUI_LOGIN_ENABLED=true`n" ''
        (Restore-ComfyEnv -LiteralPath $stack).Changed | Should -Not -Contain 'SECRET_KEY'
        Get-Value $stack SECRET_KEY | Should -BeExactly $strong
    }

    It 'takes what is missing from -SourcePath' {
        $stack = New-SampleStack (Get-NewRoot)
        Edit-StackFile $stack $file 'CIVITAI_TOKEN=civitai-0c6d4e1f' 'CIVITAI_TOKEN='
        Set-StackFile $stack 'mine.env' "CIVITAI_TOKEN=from-my-own-file`nHF_TOKEN=not-needed`n"

        $null = Restore-ComfyEnv -LiteralPath $stack -SourcePath (Join-Path $stack mine.env)

        Get-Value $stack CIVITAI_TOKEN | Should -BeExactly 'from-my-own-file'
        Get-Value $stack HF_TOKEN | Should -BeExactly 'huggingface-77aa31b9'
    }

    It 'without a source of truth is refused with what to do, and nothing is changed' {
        $stack = New-SampleStack (Get-NewRoot)
        Remove-Item -LiteralPath (Join-Path $stack $source)
        $before = Get-Snapshot $stack

        Restore-ComfyEnv -LiteralPath $stack -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -Be 'TokenSourceMissing,ComfyAuth.PowerShell.Commands.RestoreComfyEnvCommand'
        $errors[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike '*Sync-ComfyToken*'
        Get-Snapshot $stack | Should -Be $before
    }

    It 'of a file with a bad line names the line, and changes nothing' {
        $stack = New-SampleStack (Get-NewRoot)
        Edit-StackFile $stack $file '# Login' 'COMFYUI PASSWORD=x'
        $before = Get-Snapshot $stack

        Restore-ComfyEnv -LiteralPath $stack -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 1
        "$($errors[0])" | Should -BeLike "$(Join-Path $stack $file):5:*"
        $errors[0].CategoryInfo.Category | Should -Be 'InvalidData'
        Get-Snapshot $stack | Should -Be $before
    }
}

Describe 'Going back to a backup' {
    BeforeEach {
        $root = New-BrokenStack (Get-NewRoot)
        Edit-StackFile $root $file '# My own' '# First'
        $first = Get-StackFile $root $file
        $null = Restore-ComfyEnv -LiteralPath $root
        Edit-StackFile $root $file '# First' '# Second'
        Edit-StackFile $root $file "COMFYUI_LOGIN_ENABLED=true`n" ''
        $second = Get-StackFile $root $file
        $null = Restore-ComfyEnv -LiteralPath $root
        $third = Get-StackFile $root $file
    }

    It 'by latest brings the newest back, and keeps what it replaces' {
        $root = New-SampleStack (Get-NewRoot)
        $old = Get-StackFile $root $file
        $null = Restore-ComfyEnv -LiteralPath $root
        $new = Get-StackFile $root $file

        $result = Restore-ComfyEnv -LiteralPath $root -FromBackup latest

        $result.Action | Should -Be 'RestoredFromBackup'
        Get-StackFile $root $file | Should -BeExactly $old
        [System.IO.File]::ReadAllText($result.Backup) | Should -BeExactly $new
        "$($result.NextSteps)" | Should -BeLike '*Sync-ComfyToken*'
    }

    It 'that is worse than the file is refused, whichever way it is named' {
        $oldest = (Get-Backup $root)[0].Name
        foreach ($name in 'latest', $oldest, $oldest.Substring('.env.backup.'.Length)) {
            Restore-ComfyEnv -LiteralPath $root -FromBackup $name -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
            $errors[0].FullyQualifiedErrorId | Should -BeLike 'BackupInvalid,*'
        }

        Get-StackFile $root $file | Should -BeExactly $third
    }

    It 'by <By> brings that one back' -ForEach @(@{ By = 'name'; From = 0 }, @{ By = 'time stamp'; From = '.env.backup.'.Length }) {
        # A file that is no better itself.
        Set-StackFile $root $file "# empty`n"

        $null = Restore-ComfyEnv -LiteralPath $root -FromBackup (Get-Backup $root)[0].Name.Substring($From)

        Get-StackFile $root $file | Should -BeExactly $first
    }

    It 'that is not there is refused with those that are' {
        Restore-ComfyEnv -LiteralPath $root -FromBackup nothing -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'BackupNotFound,*'
        $errors[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        Get-Backup $root | ForEach-Object { $errors[0].ErrorDetails.RecommendedAction | Should -BeLike "*$($_.Name)*" }
    }

    It 'is completed, the newest first' {
        Push-Location -LiteralPath $root
        try { $completions = (TabExpansion2 'Restore-ComfyEnv -FromBackup ' 29).CompletionMatches.CompletionText }
        finally { Pop-Location }

        $completions | Should -Be (@('latest') + @((Get-Backup $root).Name | Sort-Object -Descending))
    }
}

Describe 'With -WhatIf' {
    It 'says each change once and makes none' {
        $root = New-BrokenStack (Get-NewRoot)
        $other = New-SampleStack (Get-NewRoot)
        $null = Restore-ComfyEnv -LiteralPath $other
        $before = Get-Snapshot $root, $other

        $said = Invoke-Child @'
            $ErrorActionPreference = 'Stop'
            $output = Restore-ComfyEnv -LiteralPath $root -WhatIf
            "output: $(@($output).Count), errors: $($Error.Count)"
            Restore-ComfyEnv -LiteralPath $other -FromBackup latest -WhatIf
            Restore-ComfyEnv -LiteralPath $other -WhatIf
'@ @{ root = $root; other = $other }

        $end = $said.IndexOf('output: 0, errors: 0')
        $env = Join-Path $root $file
        $said[0..($end - 1)] | Should -BeLike 'What if: *'
        $said[0] | Should -BeLike "*`"Back up as .env.backup.*`" on target `"$env`"."
        $said[0..($end - 1)] | Sort-Object -Unique | Should -HaveCount $end
        $said | Should -Contain "What if: Performing the operation `"Set COMFYUI_BEARER_TOKEN (from the source of truth)`" on target `"$env#COMFYUI_BEARER_TOKEN`"."
        $rest = $said | Select-Object -Skip ($end + 1)
        $rest | Should -HaveCount 2
        $rest[0] | Should -BeLike "What if: *Back up as .env.backup.* on target `"$(Join-Path $other $file)`"."
        $rest[1] | Should -BeLike "What if: *Put back .env.backup.* on target `"$(Join-Path $other $file)`"."
        Get-Snapshot $root, $other | Should -Be $before
    }
}

Describe 'A pipeline of three stacks' {
    BeforeAll {
        $parent = Get-NewRoot
        $roots = 'one', 'two [2]', "three's" | ForEach-Object { New-SampleStack (Join-Path $parent $_) }
    }

    It 'gives one result for each, in spite of an error of one' {
        $bad = New-SampleStack (Get-NewRoot)
        Remove-Item -LiteralPath (Join-Path $bad $source)

        $results = $roots[0], $bad, $roots[2] | Restore-ComfyEnv -ErrorAction SilentlyContinue -ErrorVariable errors

        $results.Stack | Should -Be $roots[0, 2]
        $errors | Should -HaveCount 1
        $errors[0].TargetObject | Should -Be $bad
    }

    It 'may come from the other cmdlet' {
        (Sync-ComfyToken -Validate -LiteralPath $roots | Restore-ComfyEnv).Stack | Should -Be $roots
    }
}

Describe 'What comes out' {
    BeforeAll {
        $root = New-BrokenStack (Get-NewRoot)
        $outputs = @{
            EnvironmentValidation    = { Restore-ComfyEnv -Validate -LiteralPath $root }
            EnvironmentRestoreResult = { Restore-ComfyEnv -LiteralPath $root -WarningAction SilentlyContinue }
        }
    }

    It 'as an <_> goes through JSON at depth 2 without loss, enums by name' -ForEach 'EnvironmentValidation', 'EnvironmentRestoreResult' {
        $object = & $outputs[$_]

        $json = $object | ConvertTo-Json -Depth 2 -EnumsAsStrings -WarningVariable warnings

        $warnings | Should -BeNullOrEmpty
        $json | Should -BeExactly ($object | ConvertTo-Json -Depth 20 -EnumsAsStrings)
        $back = $json | ConvertFrom-Json
        foreach ($name in $object.PSObject.Properties.Name) {
            "$($back.$name)" | Should -BeExactly "$($object.$name)" -Because $name
        }
    }

    It 'is a table that fits, without colours, by stack' {
        foreach ($width in 80, 120) {
            foreach ($output in $outputs.Values) {
                $text = & $output | Out-String -Width $width

                $text | Should -Match 'Stack: '
                $text | Should -Not -Match "`e"
                $text -split "`r?`n" | ForEach-Object Length | Sort-Object | Select-Object -Last 1 | Should -BeLessOrEqual $width
            }
        }
    }
}
