# What -Restart does, on an engine of its own. No program there is behind a login, so what is proven is that nothing is kept
# without a proof; that a login is proven, the .NET tests have.
BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')

    $noEngine = Get-ReasonForNoEngine
    if ($noEngine) { Write-Warning "The tests of -Restart are skipped: $noEngine." }
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')

    $script:number = 0

    # A sample stack whose service is reached at a port.
    function New-ServedStack([int] $port, [string] $container) {
        $root = New-SampleStack (Join-Path $TestDrive "stack $((++$script:number))")
        Set-StackFile $root 'comfyauth.yml' "services:`n  comfyui-qwen: { container: $container, url: 'http://127.0.0.1:$port' }`n"
        $root
    }

    if (-not (Get-ReasonForNoEngine)) {
        $engine = Start-TestEngine 'rollout'
        $port = Get-FreePort
        $open = "open-$PID"
        Start-TestContainer $engine $open "mkdir -p /www && echo '{}' >/www/system_stats && exec httpd -f -h /www -p 127.0.0.1:$port"
        $PSDefaultParameterValues = @{ 'Sync-ComfyToken:DockerHost' = $engine.Address; 'Restore-ComfyEnv:DockerHost' = $engine.Address }
    }
}

AfterAll {
    if ($engine) { Stop-TestEngine $engine }
}

Describe 'A restart after <Command>' -Skip:([bool] $noEngine) -ForEach @(
    @{ Command = 'Sync-ComfyToken'; With = @{ Rotate = $true }; Result = 'ComfyAuth.Tokens.TokenSyncResult' }
    @{ Command = 'Restore-ComfyEnv'; With = @{ NoBackup = $true }; Result = 'ComfyAuth.Environments.EnvironmentRestoreResult' }
) {
    It 'puts everything back where the login is not proven' {
        $root = New-ServedStack $port $open
        Edit-StackFile $root "$service/.env" "COMFYUI_LOGIN_ENABLED=true`n" ''
        $before = Get-Snapshot (Join-Path $root '.secrets'), (Join-Path $root $service)
        $started = docker --host $engine.Address inspect $open --format '{{.State.StartedAt}}'

        & $Command -LiteralPath $root @With -Restart -Timeout 5m -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'TokenProofFailed,*'
        $errors[0].CategoryInfo.Category | Should -Be 'AuthenticationError'
        "$($errors[0])" | Should -BeLike '*without a token*The files are as before. The container*was restarted with them*'
        Get-Snapshot (Join-Path $root '.secrets'), (Join-Path $root $service) | Should -Be $before
        docker --host $engine.Address inspect $open --format '{{.State.StartedAt}}' | Should -Not -Be $started
    }

    It 'keeps the files, proves nothing and warns where there is no container' {
        $root = New-ServedStack $port "absent-$PID"
        Edit-StackFile $root "$service/.env" "COMFYUI_LOGIN_ENABLED=true`n" ''

        $said = & $Command -LiteralPath $root @With -Restart -WarningVariable warnings 3>$null

        $said | ForEach-Object { $_.GetType().FullName } | Select-Object -Unique | Should -Be $Result, 'ComfyAuth.Comfy.LoginProof'
        $said[-1].IsProven | Should -Be $null
        $said[-1] | Out-String | Should -BeLike '*no such container*'
        "$warnings" | Should -BeLike '*there is no such container*'
    }

    It 'names with -WhatIf each file and the container, and touches neither' {
        $root = New-ServedStack $port $open
        Edit-StackFile $root "$service/.env" "COMFYUI_LOGIN_ENABLED=true`n" ''
        $before = Get-Snapshot $root

        $said = Invoke-Child '& $command -LiteralPath $root -Restart -DockerHost $address -WhatIf; "errors: $($Error.Count)"' @{ root = $root; command = $Command; address = $engine.Address }

        $said[-1] | Should -Be 'errors: 0'
        $said[-2] | Should -BeLike "What if: Performing the operation *prove that it does* on target `"$open`"."
        Get-Snapshot $root | Should -Be $before
    }

    It 'changes nothing where there is no engine' {
        $root = New-ServedStack $port $open
        Edit-StackFile $root "$service/.env" "COMFYUI_LOGIN_ENABLED=true`n" ''
        $before = Get-Snapshot $root

        & $Command -LiteralPath $root @With -Restart -DockerHost "unix://$TestDrive/no.sock" -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'Docker*,*'
        Get-Snapshot $root | Should -Be $before
    }
}

Describe '-Restart' {
    It 'goes with no command that only looks' {
        { Sync-ComfyToken -Audit -Restart -LiteralPath $TestDrive } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
        { Restore-ComfyEnv -Validate -Restart -LiteralPath $TestDrive } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }
}
