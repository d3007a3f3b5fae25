# Starting, stopping and restarting are tested together: each is what brings back what another did.
BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $whyNot = Get-ReasonForNoEngine
    if (-not $whyNot -and -not (Get-Command docker-compose -CommandType Application -ErrorAction Ignore)) { $whyNot = 'docker-compose is not installed' }
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')

    function Set-ComposeFile([string] $root, [string] $command = 'sleep 600') {
        $services = foreach ($name in 'painter', 'sketch') {
            "  ${name}:`n    image: $image`n    container_name: change-$name`n    network_mode: none`n    command: $command`n    environment: ['TOKEN=`${TOKEN}']`n"
        }
        Set-StackFile $root 'docker-compose.yml' ("services:`n" + -join $services)
    }
}

Describe 'Containers that are changed<Because>' -Skip:([bool] $whyNot) -ForEach @{ Because = $whyNot ? " ($whyNot)" : '' } {
    BeforeAll {
        $engine = Start-TestEngine 'change'
        $root = New-ContainerStack (Join-Path $TestDrive 'stack') ([ordered] @{
                painter = "container: change-painter, url: 'http://127.0.0.1:9', compose: docker-compose.yml"
                sketch  = "container: change-sketch, url: 'http://127.0.0.1:9', compose: docker-compose.yml"
                guest   = "container: change-guest, url: 'http://127.0.0.1:9'"
            })
        Set-ComposeFile $root
        Set-StackFile $root '.env' "TOKEN='$($credential.Hash)'`n"
        $at = @{ LiteralPath = $root; DockerHost = $engine.Address }
        $both = @{ Service = 'painter', 'sketch' }

        # What runs, with its identifier: a new one is another container.
        function Get-Running { @(Invoke-Docker $engine ps '--format' '{{.Names}} {{.ID}} {{.Status}}' | ForEach-Object { $_ -replace 'Up .*\(Paused\)', 'paused' -replace 'Up .*', 'up' } | Sort-Object) }
        function Reset-Container {
            $null = Start-GenAIContainer @at @both -ErrorAction Stop
        }
    }

    AfterAll { Stop-TestEngine $engine }

    It 'are named by -WhatIf, and nothing is changed and nothing comes out' {
        $said = Invoke-Child @'
            Start-GenAIContainer -LiteralPath $root -DockerHost $address -Service painter, sketch -WhatIf
            $WhatIfPreference = $true
            Start-GenAIContainer -LiteralPath $root -DockerHost $address -Service painter
'@ @{ root = $root; address = $engine.Address }

        $said | Should -HaveCount 3
        $said[0] | Should -BeLike '*Create with compose*change-painter*'
        $said[1] | Should -BeLike '*Create with compose*change-sketch*'
        Start-GenAIContainer @at @both -WhatIf | Should -BeNullOrEmpty
        Get-Running | Should -BeNullOrEmpty
    }

    It 'are made where they are not there' {
        $made = Start-GenAIContainer @at @both

        $made | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique | Should -Be 'ComfyAuth.Containers.ContainerChange'
        $made.Service | Should -Be 'painter', 'sketch'
        $made.Container | Should -Be 'change-painter', 'change-sketch'
        $made.Action | Should -Be 'Created', 'Created'
        ($made | Where-Object Before) | Should -BeNullOrEmpty
        $made.After | Should -Be 'Running', 'Running'
        (Start-GenAIContainer @at @both).Action | Should -Be 'None', 'None'
    }

    It 'of one service are an error that spares the others' {
        $results = Start-GenAIContainer @at -ErrorAction SilentlyContinue -ErrorVariable errors

        $results.Service | Should -Be 'painter', 'sketch'
        $errors.FullyQualifiedErrorId | Should -Be 'ContainerAbsent,ComfyAuth.PowerShell.Commands.StartGenAIContainerCommand'
        $errors[0].TargetObject | Should -Be 'change-guest'
    }

    It 'are stopped, and stopping what does not run does nothing' {
        Reset-Container

        Stop-GenAIContainer @at -Service sketch -GracePeriod 0 -WhatIf | Should -BeNullOrEmpty
        Get-Running | Should -HaveCount 2
        $stopped = Stop-GenAIContainer @at -Service sketch, guest -GracePeriod 0
        $stopped.Action | Should -Be 'Stopped', 'None'
        $stopped[0].ExitCode | Should -Be 137
        Get-Running | Should -BeLike 'change-painter * up'
    }

    It 'are those of the pipeline, and no others' {
        Reset-Container
        $null = Stop-GenAIContainer @at -Service painter -GracePeriod 0
        $seen = Get-GenAIContainer @at

        $started = $seen | Where-Object Condition -EQ 'Stopped' | Start-GenAIContainer -DockerHost $engine.Address

        $started.Container | Should -Be 'change-painter'
        $started.Action | Should -Be 'Started'
        ($started, $started | Stop-GenAIContainer -DockerHost $engine.Address -GracePeriod 0).Action | Should -Be 'Stopped'
        Get-Running | Should -BeLike 'change-sketch * up'
    }

    It 'are left alone where the question is answered with no' {
        Reset-Container
        $before = Get-Running
        $answers = [powershell]::Create().AddScript("Import-Module '$modulePath'; Stop-GenAIContainer -LiteralPath '$root' -DockerHost '$($engine.Address)' -Confirm")

        # There is nobody to ask here: to be asked is an error.
        $null = $answers.Invoke()

        "$($answers.Streams.Error)$($answers.InvocationStateInfo.Reason)" | Should -Not -BeNullOrEmpty
        $answers.Dispose()
        Get-Running | Should -Be $before
        (Stop-GenAIContainer @at -Service painter -GracePeriod 0 -Confirm:$false).Action | Should -Be 'Stopped'
    }

    It 'are restarted where nothing differs, and recreated where something does' {
        Reset-Container
        $before = Get-Running
        (Restart-GenAIContainer @at @both -GracePeriod 0).Action | Should -Be 'Restarted', 'Restarted'
        Get-Running | Should -Be $before

        Set-StackFile $root '.env' "TOKEN='$($older.Hash)'`n"
        $said = Invoke-Child 'Restart-GenAIContainer -LiteralPath $root -DockerHost $address -Service sketch -WhatIf' @{ root = $root; address = $engine.Address }
        $said | Should -BeLike '*Recreate: TOKEN differs from docker-compose.yml*change-sketch*'
        Get-Running | Should -Be $before

        $restarted = Restart-GenAIContainer @at @both -GracePeriod 0
        $restarted.Action | Should -Be 'Recreated', 'Recreated'
        $restarted[0].Reasons | Should -Be 'TOKEN'
        Compare-Object $before (Get-Running) | Should -HaveCount 4
        (Restart-GenAIContainer @at @both -GracePeriod 0).Action | Should -Be 'Restarted', 'Restarted'
        $restarted | ConvertTo-Json -Depth 2 | Should -Not -Match ([regex]::Escape($older.Hash.Substring(7)))
    }

    It 'show as a table of at most <_> columns' -ForEach 80, 120 {
        Reset-Container
        $text = Restart-GenAIContainer @at @both -GracePeriod 0 | Out-String -Width $_

        $text -split "`r?`n" | ForEach-Object Length | Sort-Object | Select-Object -Last 1 | Should -BeLessOrEqual $_
        $text | Should -Match '(?m)^painter +change-painter +Restarted +Running +Running +It was\s+restarted\.'
    }

    It 'take a grace period that can be waited for' {
        Stop-GenAIContainer @at -Service painter -GracePeriod 2.00:00:00 -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -BeLike 'GracePeriodInvalid,*'
        { Stop-GenAIContainer @at -GracePeriod -1 } | Should -Throw
    }
}
