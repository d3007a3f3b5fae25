# On the installed sample of comfyauth quickstart: an engine, a hub and a ComfyUI with its login, all of them emulated.
BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestComfy.ps1')
    $vae = 'docker-configurations/shared/models/vae/qwen_image_vae.safetensors'

    # What lies in the stack, with its content, without what is ours.
    function Get-StackState([string] $root) {
        Get-ChildItem -LiteralPath $root -Recurse -File -Force | Where-Object FullName -NotMatch '[\\/]\.comfyauth[\\/]' |
            ForEach-Object { "$($_.FullName) $($_.LastWriteTimeUtc.Ticks) $((Get-FileHash -LiteralPath $_.FullName).Hash)" }
    }
}

Describe 'An installation that is there already' {
    BeforeAll {
        $before = $env:HF_ENDPOINT
        $sample = Start-ServedSample (Join-Path $TestDrive 'sample') --install
        $env:HF_ENDPOINT = $sample.Hub
        $root = $sample.Root
        $at = @{ Path = $root; DockerHost = $sample.Address; Cpu = $true }
    }

    AfterAll {
        Stop-ServedSample $sample
        $env:HF_ENDPOINT = $before
    }

    It 'is left alone: each step comes out as it ends, the report last' {
        $state = Get-StackState $root

        $results = Install-ComfyQwen @at -ErrorAction Stop

        $results | ForEach-Object { $_.GetType().Name } | Should -Be (@('StepResult') * 7 + 'InstallReport')
        $results[0..6].Step | Should -Be 'Prerequisites', 'Container', 'Login', 'Models', 'Authentication', 'TestImage', 'Report'
        $results[0..5].Status | Sort-Object -Unique | Should -Be 'Unchanged'
        $results[7].Outcome | Should -Be 'Unchanged'
        $results[7].Steps.Count | Should -Be 7
        $results[7].Steps[3].Evidence[0] | Should -BeLike '*models*'
        Get-StackState $root | Should -Be $state
    }

    It 'writes the report where it is asked to, and no secret into it' {
        $folder = Join-Path $TestDrive 'reports'

        $report = Install-ComfyQwen @at -ReportDirectory $folder -SkipTest | Select-Object -Last 1

        $report.Files | Split-Path -Parent | Sort-Object -Unique | Should -Be $folder
        (Get-Content -LiteralPath $report.Files[0] -Raw | ConvertFrom-Json).outcome | Should -Be 'Unchanged'
        $secrets = (Get-StackFile $root '.secrets/comfyui_auth_tokens.conf' | ConvertFrom-Json)
        foreach ($file in $report.Files) {
            Get-Content -LiteralPath $file -Raw | Should -Not -Match ([regex]::Escape($secrets.bcrypt_hash.Substring(7)))
            Get-Content -LiteralPath $file -Raw | Should -Not -Match ([regex]::Escape($secrets.raw_token))
        }
    }

    It 'leaves out what is named, by -Skip or by the switch: <How>' -ForEach @(
        @{ How = '-Skip'; Parameters = @{ Skip = 'Docker', 'Models', 'Auth', 'Test' } }
        @{ How = 'switches'; Parameters = @{ SkipDocker = $true; SkipModels = $true; SkipAuth = $true; SkipTest = $true } }
    ) {
        $results = Install-ComfyQwen @at @Parameters

        $results[1..5].Status | Sort-Object -Unique | Should -Be 'Skipped'
    }

    It 'is told by -WhatIf what is missing, a line each, and changes nothing' {
        Remove-Item -LiteralPath (Join-Path $root $vae)
        $state = Get-StackState $root

        $said = Invoke-Child 'Install-ComfyQwen $root -DockerHost $address -Cpu -WhatIf' @{ root = $root; address = $sample.Address }

        @($said) | Should -HaveCount 1
        $said | Should -BeLike '*Download 256 KiB*qwen_image_vae.safetensors*'
        Install-ComfyQwen @at -WhatIf | Should -BeNullOrEmpty
        Get-StackState $root | Should -Be $state
    }

    It 'goes no further than a change that is declined, which is no error' {
        Remove-Item -LiteralPath (Join-Path $root $vae) -ErrorAction Ignore
        $pipeline = [powershell]::Create().AddScript("Import-Module '$modulePath'; Install-ComfyQwen '$root' -DockerHost '$($sample.Address)' -Cpu -Confirm")

        # There is nobody to ask here: to be asked is an error.
        $null = $pipeline.Invoke()

        "$($pipeline.Streams.Error)$($pipeline.InvocationStateInfo.Reason)" | Should -Not -BeNullOrEmpty
        $pipeline.Dispose()
        Test-Path -LiteralPath (Join-Path $root $vae) | Should -BeFalse
    }

    It 'gets what is missing, and nothing else' {
        Remove-Item -LiteralPath (Join-Path $root $vae) -ErrorAction Ignore

        $results = Install-ComfyQwen @at -ErrorAction Stop

        ($results | Where-Object Status -EQ 'Done').Step | Should -Be 'Models', 'Report'
        $results[-1].Outcome | Should -Be 'Installed'
        Test-Path -LiteralPath (Join-Path $root $vae) | Should -BeTrue
    }

    It 'of which a step fails: the error has its code, comes after the report, and all is as it was' {
        Remove-Item -LiteralPath (Join-Path $root $vae)
        $env:HF_ENDPOINT = 'http://127.0.0.1:9'
        try {
            $results = Install-ComfyQwen @at -ErrorAction SilentlyContinue -ErrorVariable errors
            $said = $?
            $stopped = try { Install-ComfyQwen @at -ErrorAction Stop } catch { $_ }
        }
        finally {
            $env:HF_ENDPOINT = $sample.Hub
        }

        $said | Should -BeFalse
        $failed = $results | Where-Object Status -EQ 'Failed'
        $failed.ErrorCode | Should -Not -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -Be "$($failed.ErrorCode),ComfyAuth.PowerShell.Commands.InstallComfyQwenCommand"
        $errors[0].CategoryInfo.Category | Should -Not -Be 'NotSpecified'
        $errors[0].TargetObject | Should -Be $root
        $results[-1].Outcome | Should -Be 'RolledBack'
        ($results | Where-Object Status -EQ 'NotRun').Count | Should -BeGreaterThan 0
        $stopped.FullyQualifiedErrorId | Should -BeLike "$($failed.ErrorCode),*"
        Test-Path -LiteralPath (Join-Path $root $vae) | Should -BeFalse
        (Install-ComfyQwen @at)[-1].Outcome | Should -Be 'Installed'
    }

    It 'shows as tables of at most <_> columns' -ForEach 80, 120 {
        $text = Install-ComfyQwen @at -SkipTest | Out-String -Width $_

        $text -split "`r?`n" | ForEach-Object Length | Sort-Object | Select-Object -Last 1 | Should -BeLessOrEqual $_
        $text | Should -Match '(?m)^Models +Unchanged +\d'
        $text | Should -Match '(?m)^Outcome +: Unchanged'
    }

    It 'shows how far it is: the steps, and the part that is under way' {
        Remove-Item -LiteralPath (Join-Path $root $vae)
        $pipeline = [powershell]::Create().AddScript("Import-Module '$modulePath'; Install-ComfyQwen '$root' -DockerHost '$($sample.Address)' -Cpu -BytesPerSecond 32768")

        # Five updates a second are shown at most: the download takes some seconds, so that it is among them.
        $null = $pipeline.Invoke()
        $progress = $pipeline.Streams.Progress

        $progress.ActivityId | Sort-Object -Unique | Should -Be 0, 1
        ($progress | Where-Object ActivityId -EQ 0)[0].StatusDescription | Should -Match '^Step \d of 7: '
        ($progress | Where-Object ActivityId -EQ 1).ParentActivityId | Sort-Object -Unique | Should -Be 0
        $progress[-2, -1].RecordType | Should -Be 'Completed', 'Completed'
        $pipeline.Dispose()
    }

    It 'takes names that complete' {
        $line = 'Install-ComfyQwen -Skip Mod'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be 'Models'
        { Install-ComfyQwen @at -Service one, two } | Should -Throw
        Install-ComfyQwen @at -Service nosuch -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -BeLike 'ServiceNotFound,*'
    }
}

Describe 'An installation where there is nothing' {
    It 'tells by -WhatIf what it would do into a folder that is not there, and makes none' {
        $new = Join-Path $TestDrive 'new'

        $results = Install-ComfyQwen -Path $new -DockerHost 'tcp://127.0.0.1:9' -WhatIf -WarningVariable warnings -WarningAction SilentlyContinue

        $results | Should -BeNullOrEmpty
        "$warnings" | Should -BeLike '*Prerequisites would fail*'
        Test-Path -LiteralPath $new | Should -BeFalse
    }

    It 'fails at the prerequisites where no engine answers, and leaves nothing but the report' {
        $new = Join-Path $TestDrive 'without engine'

        $results = Install-ComfyQwen -LiteralPath $new -DockerHost 'tcp://127.0.0.1:9' -ErrorAction SilentlyContinue -ErrorVariable errors

        $results[0].Status | Should -Be 'Failed'
        $results[1..5].Status | Sort-Object -Unique | Should -Be 'NotRun'
        $errors.FullyQualifiedErrorId | Should -BeLike "$($results[0].ErrorCode),*"
        Get-ChildItem -LiteralPath $new | Should -BeNullOrEmpty
        Test-Path -LiteralPath $results[-1].Files[1] | Should -BeTrue
    }

    It 'is refused where a file stands, and where the password is empty' {
        $file = Join-Path $TestDrive 'file'
        Set-Content -LiteralPath $file 'x'

        Install-ComfyQwen $file -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -BeLike 'PathNotFound,*'
        Install-ComfyQwen (Join-Path $TestDrive 'other') -Credential ([pscredential]::new('alice', [securestring]::new())) -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -BeLike 'SecretEmpty,*'
    }
}
