BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $whyNot = Get-ReasonForNoEngine
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.GetGenAIContainerCommand'
    $nowhere = "unix://$TestDrive/nothing.sock"

    # As far as needed for what comes before any container.
    $idle = New-ContainerStack (Join-Path $TestDrive 'idle') ([ordered] @{
            painter = "container: box-painter, url: 'http://127.0.0.1:9', auth: comfyui-login"
            sketch  = "container: box-sketch, url: 'http://127.0.0.1:9'"
        })
}

Describe 'Containers<Because>' -Skip:([bool] $whyNot) -ForEach @{ Because = $whyNot ? " ($whyNot)" : '' } {
    BeforeAll {
        $engine = Start-TestEngine 'get'
        $ports = 1..2 | ForEach-Object { Get-FreePort }
        $root = New-ContainerStack (Join-Path $TestDrive 'stack') ([ordered] @{
                painter = "container: get-painter, url: 'http://127.0.0.1:$($ports[0])', health: /health, auth: comfyui-login"
                sketch  = "container: get-sketch, url: 'http://127.0.0.1:$($ports[1])', health: /health"
                old     = "container: get-old, url: 'http://127.0.0.1:9'"
                planned = "container: planned, url: 'http://127.0.0.1:9'"
            })
        Start-TestContainer $engine get-painter "exec /serve $($ports[0])" '--env', "TOKEN=$($credential.Hash)"
        Start-TestContainer $engine get-sketch "exec /serve $($ports[1])"
        Start-TestContainer $engine get-old 'exit 0'
        $null = Invoke-Docker $engine wait get-old
        $at = @{ DockerHost = $engine.Address }
        $null = Wait-GenAIContainer -LiteralPath $root -Service painter, sketch @at -For Live -Timeout 5m -ErrorAction Stop

        # A look asks a service for two seconds at most, and a busy machine may need longer for one of them.
        $look = @{}
        Wait-Until 'both services are seen to be ready' {
            $look.Seen = Get-GenAIContainer -LiteralPath $root @at
            @($look.Seen | Where-Object Condition -EQ 'Ready').Count -eq 2
        }
        $seen = $look.Seen
    }

    AfterAll { Stop-TestEngine $engine }

    It 'give one typed object each, in the order of the stack, also where there is none' {
        $seen | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique | Should -Be 'ComfyAuth.Containers.ContainerDiagnosis'
        $seen.Service | Should -Be 'painter', 'sketch', 'old', 'planned'
        $seen.Container | Should -Be 'get-painter', 'get-sketch', 'get-old', 'planned'
        $seen.Stack | Sort-Object -Unique | Should -Be $root
    }

    It 'are told apart: <Service> is <Condition>' -ForEach @(
        @{ Service = 'painter'; Condition = 'Ready'; Live = $true; Protected = $true; Ready = $true; Fault = $false }
        @{ Service = 'sketch'; Condition = 'Ready'; Live = $true; Protected = $null; Ready = $true; Fault = $false }
        @{ Service = 'old'; Condition = 'Stopped'; Live = $null; Protected = $null; Ready = $null; Fault = $true }
        @{ Service = 'planned'; Condition = 'Absent'; Live = $null; Protected = $null; Ready = $null; Fault = $true }
    ) {
        $diagnosis = $seen | Where-Object Service -EQ $Service

        $diagnosis.Condition | Should -Be $Condition
        $diagnosis.IsFault | Should -Be $Fault
        if ($Live) { $diagnosis.IsLive | Should -BeTrue } else { $diagnosis.IsLive | Should -Not -BeTrue }
        if ($Condition -eq 'Ready') { $diagnosis.IsProtected | Should -Be $Protected }
        if ($Ready) { $diagnosis.IsReady | Should -BeTrue } else { $diagnosis.IsReady | Should -Not -BeTrue }
        $diagnosis.Message | Should -Not -BeNullOrEmpty
        $diagnosis.Remedy.Length -gt 0 | Should -Be $Fault
    }

    It 'are chosen by -Name: <Name>' -ForEach @(
        @{ Name = 'get-*'; Found = 'painter', 'sketch', 'old' }
        @{ Name = 'GET-SKETCH'; Found = 'sketch' }
        @{ Name = 'get-[op]*'; Found = 'painter', 'old' }
        @{ Name = 'planned', '*-old'; Found = 'old', 'planned' }
        @{ Name = 'nothing*'; Found = @() }
    ) {
        @((Get-GenAIContainer -LiteralPath $root -Name $Name @at -ErrorAction Stop).Service) | Should -Be $Found
    }

    It 'are chosen by -Service, and by both' {
        (Get-GenAIContainer -LiteralPath $root -Service OLD, sketch @at).Service | Should -Be 'sketch', 'old'
        (Get-GenAIContainer -LiteralPath $root -Service old, sketch -Name get-s* @at).Service | Should -Be 'sketch'
    }

    It 'of two stacks come through one pipeline, one error sparing the others' {
        $second = New-ContainerStack (Join-Path $TestDrive 'second') ([ordered] @{ sketch = "container: get-sketch, url: 'http://127.0.0.1:$($ports[1])', health: /health" })
        $errors = @()

        $all = Get-Item $root, $second | Get-GenAIContainer -Service sketch, old @at -ErrorAction SilentlyContinue -ErrorVariable errors

        $all.Stack | Should -Be $root, $root
        $errors.FullyQualifiedErrorId | Should -Be "ServiceNotFound,$cmdlet"
        (Get-Item $root, $second | Get-GenAIContainer -Name get-sketch @at).Stack | Should -Be $root, $second
    }

    It 'that are piped are looked at again, and no others' {
        ($seen | Where-Object Condition -EQ Ready | Get-GenAIContainer @at).Service | Should -Be 'painter', 'sketch'
        ($seen[3], $seen[3], $seen[0] | Get-GenAIContainer @at).Service | Should -Be 'planned', 'painter'
        ([System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($seen[1])) | Get-GenAIContainer @at).Service | Should -Be 'sketch'
    }

    It 'are found where the variables and contexts of the Docker CLI lead' {
        $config = Join-Path $TestDrive 'config'
        $said = Invoke-Child @'
            . $patience
            $env:DOCKER_CONFIG = $config
            $null = docker context create elsewhere --docker "host=$address" 2>&1
            "context: $((Get-GenAIContainer -LiteralPath $root -Context elsewhere -Service sketch).Condition)"
            $env:DOCKER_CONTEXT = 'elsewhere'
            "variable: $((Get-GenAIContainer -LiteralPath $root -Service sketch).Condition)"
            $env:DOCKER_HOST = $nowhere
            "explicit: $((Get-GenAIContainer -LiteralPath $root -Service sketch -DockerHost $address).Condition)"
            $line = 'Get-GenAIContainer -Context '
            "offered: $((TabExpansion2 $line $line.Length).CompletionMatches.CompletionText)"
'@ @{ patience = Join-Path $PSScriptRoot 'Patience.ps1'; config = $config; address = $engine.Address; root = $root; nowhere = $nowhere }

        $said | Should -Be 'context: Ready', 'variable: Ready', 'explicit: Ready', 'offered: default elsewhere'
    }

    It 'end with the pipeline that takes the first' {
        (Get-GenAIContainer -LiteralPath $root @at | Select-Object -First 1).Service | Should -Be 'painter'
    }

    It 'go through JSON at depth 2 without loss' {
        $json = $seen | ConvertTo-Json -Depth 2 -EnumsAsStrings -WarningVariable warnings

        $warnings | Should -BeNullOrEmpty
        $json | Should -BeExactly ($seen | ConvertTo-Json -Depth 20 -EnumsAsStrings)
        ($json | ConvertFrom-Json).condition | Should -Be 'Ready', 'Ready', 'Stopped', 'Absent'
    }

    It 'are seen from thread jobs at once' {
        $address = $engine.Address
        $jobs = 1..4 | ForEach-Object { Start-ThreadJob { Import-Module $using:modulePath; Get-GenAIContainer -LiteralPath $using:root -DockerHost $using:address } }

        $found = $jobs | Receive-Job -Wait -AutoRemoveJob

        ($found | Group-Object Condition | Sort-Object Name | ForEach-Object { "$($_.Count) $($_.Name)" }) | Should -Be '4 Absent', '8 Ready', '4 Stopped'
    }

    It 'are a table of at most <_> columns, without colours, by stack' -ForEach 80, 120 {
        $text = $seen | Out-String -Width $_

        $text | Should -Match 'Stack: .*stack\s'
        $text | Should -Not -Match "`e"
        $text -split "`r?`n" | ForEach-Object Length | Sort-Object | Select-Object -Last 1 | Should -BeLessOrEqual $_
        $text | Should -Match '(?m)^painter .*Ready'
    }

    It 'show in 120 columns everything that a glance needs' {
        $text = $seen | Out-String -Width 120

        $text | Should -Match '(?m)^Service +Container +Condition +Health +Uptime +Ports +CPU +Memory +Message'
        $text | Should -Match '(?m)^painter +get-painter +Ready +\d+[smh] .* \d+(\.\d)? [KM]iB '
        -split $seen[3].Message | ForEach-Object { $text | Should -Match "(?<!\S)$([regex]::Escape($_))(?!\S)" }
    }

    It 'are a list of everything, with every line of the evidence' {
        $list = $seen[2] | Format-List | Out-String -Width 1000

        $seen[2].PSObject.Properties.Name | ForEach-Object { $list | Should -Match "(?m)^$_\s+:" }
        $seen[2].Evidence | ForEach-Object { $list | Should -Match ([regex]::Escape($_)) }
    }

    It 'that have gone while nobody looked are seen as gone' {
        Start-TestContainer $engine get-brief 'exec sleep 1000'
        $brief = New-ContainerStack (Join-Path $TestDrive 'brief') ([ordered] @{ brief = "container: get-brief, url: 'http://127.0.0.1:9'" })
        $before = Get-GenAIContainer -LiteralPath $brief @at
        $null = Invoke-Docker $engine rm --force get-brief

        $before.Condition | Should -Not -Be 'Absent'
        ($before | Get-GenAIContainer @at).Condition | Should -Be 'Absent'
    }

    It 'cannot be seen after the engine is gone' {
        # Last: nothing comes back.
        Stop-TestEngine $engine

        Get-GenAIContainer -LiteralPath $root @at -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -Be "DockerNotRunning,$cmdlet"
    }
}

Describe 'Without an engine' {
    It 'there is one error for each stack, with what to do' {
        $second = New-ContainerStack (Join-Path $TestDrive 'other') ([ordered] @{ sketch = "url: 'http://127.0.0.1:9'" })

        Get-Item $idle, $second | Get-GenAIContainer -DockerHost $nowhere -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 2
        $errors.TargetObject | Should -Be $idle, $second
        foreach ($record in $errors) {
            $record.FullyQualifiedErrorId | Should -BeIn "DockerNotRunning,$cmdlet", "DockerNotInstalled,$cmdlet"
            "$record" | Should -BeLike "*nothing.sock*"
            $record.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        }
    }

    It '-ErrorAction Stop throws it' {
        { Get-GenAIContainer -LiteralPath $idle -DockerHost $nowhere -ErrorAction Stop } | Should -Throw -ErrorId 'Docker*'
    }

    It 'a pattern that matches no container asks nobody' {
        Get-GenAIContainer -LiteralPath $idle -Name nothing* -DockerHost $nowhere -ErrorAction Stop | Should -BeNullOrEmpty
    }
}

Describe 'A choice that cannot be made' {
    It 'is an error: <Id>' -ForEach @(
        @{ Id = 'ContainerNotFound'; With = @{ Name = 'box-skech' }; Remedy = "*'box-sketch'*box-painter, box-sketch*" }
        @{ Id = 'ContainerNotFound'; With = @{ Name = 'box-painter'; Service = 'sketch' }; Remedy = '*containers are box-sketch.' }
        @{ Id = 'NamePatternInvalid'; With = @{ Name = 'box[' }; Remedy = '*`[ab`]*' }
        @{ Id = 'ServiceNotFound'; With = @{ Service = 'painte' }; Remedy = "*'painter'*" }
        @{ Id = 'DockerHostAndContext'; With = @{ DockerHost = 'tcp://127.0.0.1:9'; Context = 'default' }; Remedy = '*one of them*' }
        @{ Id = 'DockerHostInvalid'; With = @{ DockerHost = 'ftp://127.0.0.1' }; Remedy = '*unix://*' }
        @{ Id = 'DockerContextUnknown'; With = @{ Context = 'no such context' }; Remedy = '*docker context create*' }
    ) {
        Get-GenAIContainer -LiteralPath $idle @With -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors.FullyQualifiedErrorId | Should -Be "$Id,$cmdlet"
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike $Remedy
        $errors[0].TargetObject | Should -Be $idle
    }
}

Describe 'Completion' {
    It 'offers the containers of the stack' {
        $line = "Get-GenAIContainer -Path '$idle' -Name box-s"
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be 'box-sketch'
    }
}
