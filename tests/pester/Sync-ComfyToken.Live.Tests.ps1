BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $whyNot = Get-ReasonForNoEngine
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $password = '/workspace/ComfyUI/login/PASSWORD'
}

Describe 'A live audit without an engine' {
    BeforeAll {
        $root = New-SampleStack (Join-Path $TestDrive 'idle')
        $nowhere = @{ LiteralPath = $root; DockerHost = "unix://$TestDrive/nothing.sock" }
    }

    It 'tells of the files, and that nothing is known of the rest' {
        $seen = Sync-ComfyToken -Audit -Live @nowhere -ErrorAction Stop

        ($seen | Where-Object Layer -EQ File).State | Sort-Object -Unique | Should -Be 'Match'
        $rest = $seen | Where-Object Layer -NE File
        $rest.Layer | Should -Be 'ContainerEnvironment', 'ContainerFile', 'Server'
        $rest.State | Sort-Object -Unique | Should -Be 'Unreadable'
        (Sync-ComfyToken -Validate -Live @nowhere).IsValid | Should -Be $null
    }

    It 'is no part of a change' -ForEach @(@{ With = @{} }, @{ With = @{ Rotate = $true } }) {
        { Sync-ComfyToken -Live @With @nowhere } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }

    It 'is an error where the hash was to come out of a container' {
        Sync-ComfyToken -Adopt "comfyui-qwen:$password" @nowhere -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'Docker*,ComfyAuth.PowerShell.Commands.SyncComfyTokenCommand'
    }

    It 'is not needed to adopt the hash of a file' {
        $null = Sync-ComfyToken -Adopt .env @nowhere -ErrorAction Stop
    }
}

Describe 'A live audit<Because>' -Skip:([bool] $whyNot) -ForEach @{ Because = $whyNot ? " ($whyNot)" : '' } {
    BeforeAll {
        $engine = Start-TestEngine 'live'
        $port = Get-FreePort
        $root = New-ContainerStack (Join-Path $TestDrive 'stack') ([ordered] @{
                painter = "container: live-painter, url: 'http://127.0.0.1:$port', health: /health, auth: comfyui-login"
            })
        $at = @{ LiteralPath = $root; DockerHost = $engine.Address }
        Start-TestContainer $engine live-painter "mkdir -p $(Split-Path $password); printf '%s\nadmin\n' `"`$TOKEN`" > $password; : > /workspace/ComfyUI/main.py; exec /serve $port" '--env', "TOKEN=$($credential.Hash)", '--env', "COMFYUI_API_TOKEN=$($credential.Hash)"
        $null = Wait-GenAIContainer @at -For Live -Timeout 5m -ErrorAction Stop
    }

    AfterAll { Stop-TestEngine $engine }

    It 'follows the token to the server' {
        $seen = Sync-ComfyToken -Audit -Live @at

        $seen | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique | Should -Be 'ComfyAuth.Tokens.TokenObservation'
        $seen.Location | Should -Be $source, 'live-painter#COMFYUI_API_TOKEN', "live-painter:$password", "http://127.0.0.1:$port/system_stats"
        $seen.State | Sort-Object -Unique | Should -Be 'Match'
        (Sync-ComfyToken -Validate -Live @at).IsValid | Should -BeTrue
    }

    It 'tells what to restart and what to make anew, in whole words' {
        Edit-StackFile $root $source $credential.Hash $older.Hash
        Edit-StackFile $root $source $credential.Password $older.Password
        try {
            # Times of files may be whole seconds.
            $started = [datetimeoffset] (Invoke-Docker $engine inspect live-painter '--format' '{{.State.StartedAt}}')
            Wait-Until 'the file is younger than the container' { [datetimeoffset]::UtcNow - $started -gt [timespan]::FromSeconds(2) }
            $null = Invoke-Docker $engine exec live-painter sh -c "echo '$($older.Hash)' > $password"

            $seen = Sync-ComfyToken -Audit -Live @at | Where-Object Layer -NE File
            $text = $seen | Format-Table | Out-String -Width 200

            $seen.State | Should -Be 'Stale', 'NotLoadedSinceStart', 'RefusedByServer'
            $seen[1].Remedy | Should -BeLike '*Restart-GenAIContainer -Service painter*'
            $text | Should -BeLike '*NotLoadedSinceStart*'
            ($seen | ConvertTo-Json) + $text | Should -Not -Match ([regex]::Escape($credential.Hash.Substring(7)), [regex]::Escape($older.Hash.Substring(7)) -join '|')
        }
        finally {
            Edit-StackFile $root $source $older.Hash $credential.Hash
            Edit-StackFile $root $source $older.Password $credential.Password
        }
    }

    It 'writes a report of all layers' {
        $path = Join-Path $TestDrive 'live.json'

        $null = Sync-ComfyToken -Validate -Live @at -ReportPath $path

        (Get-Content -Raw -LiteralPath $path | ConvertFrom-Json).observations.layer | Should -Be 'File', 'ContainerEnvironment', 'ContainerFile', 'Server'
    }

    It 'finds what is left of a lost source in a container that does not run' {
        $null = Invoke-Docker $engine exec live-painter sh -c "echo '$($older.Hash)' > $password"
        $null = Invoke-Docker $engine kill live-painter
        Remove-Item -LiteralPath (Join-Path $root $source)
        $place = (Sync-ComfyToken -Audit -Live @at | Where-Object Layer -EQ ContainerFile).Location

        Sync-ComfyToken -Adopt $place @at -WhatIf | Should -BeNullOrEmpty
        Test-Path -LiteralPath (Join-Path $root $source) | Should -BeFalse
        $null = Sync-ComfyToken -Adopt $place @at -WarningVariable warnings -WarningAction SilentlyContinue

        (Get-Token $root).bcrypt_hash | Should -BeExactly $older.Hash
        "$warnings" | Should -BeLike '*Nobody knows its password*'

        $null = Sync-ComfyToken -Adopt (Get-Fingerprint $credential.Hash) -Live @at -WarningAction SilentlyContinue
        (Get-Token $root).bcrypt_hash | Should -BeExactly $credential.Hash
    }
}
