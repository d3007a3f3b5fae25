# On the installed sample of comfyauth quickstart, whose engine is emulated.
BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestComfy.ps1')
}

Describe 'The removal of an installation' {
    BeforeAll {
        $sample = Start-ServedSample (Join-Path $TestDrive 'sample') --install
        $root = $sample.Root
        $at = @{ Path = $root; DockerHost = $sample.Address }
    }

    AfterAll { Stop-ServedSample $sample }

    It 'is told by -WhatIf, without what would stay, and changes nothing' {
        $said = Invoke-Child 'Uninstall-ComfyQwen $root -DockerHost $address -WhatIf' @{ root = $root; address = $sample.Address }

        $said | Where-Object { $_ -like '*Remove the container*comfyui-qwen*' } | Should -HaveCount 1
        $said | Where-Object { $_ -like '*Remove the model*' } | Should -BeNullOrEmpty
        (Invoke-Child 'Uninstall-ComfyQwen $root -DockerHost $address -RemoveData -WhatIf' @{ root = $root; address = $sample.Address }) -like '*Remove the model*' | Should -HaveCount 3
        Uninstall-ComfyQwen @at -WhatIf | Should -BeNullOrEmpty
        (Get-GenAIContainer -LiteralPath $root -DockerHost $sample.Address).Condition | Should -Be 'Ready'
    }

    It 'asks, and asks once more before data go' {
        foreach ($how in '', '-RemoveData -Confirm:$false') {
            $pipeline = [powershell]::Create().AddScript("Import-Module '$modulePath'; Uninstall-ComfyQwen '$root' -DockerHost '$($sample.Address)' $how")

            # There is nobody to ask here: to be asked is an error.
            $null = $pipeline.Invoke()

            "$($pipeline.Streams.Error)$($pipeline.InvocationStateInfo.Reason)" | Should -Not -BeNullOrEmpty
            $pipeline.Dispose()
        }

        (Get-GenAIContainer -LiteralPath $root -DockerHost $sample.Address).Condition | Should -Be 'Ready'
    }

    It 'takes away what was made, leaves the data and says so' {
        $undone = Uninstall-ComfyQwen @at -Confirm:$false -ErrorAction Stop

        $undone | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique | Should -Be 'ComfyAuth.Installation.UndoneChange'
        ($undone | Where-Object Kind -EQ 'container').Outcome | Should -Be 'Undone'
        ($undone | Where-Object Kind -EQ 'model').Outcome | Sort-Object -Unique | Should -Be 'Kept'
        Test-Path -LiteralPath (Join-Path $root 'docker-configurations/services') | Should -BeFalse
        $text = $undone | Out-String -Width 80
        $text -split "`r?`n" | ForEach-Object Length | Sort-Object | Select-Object -Last 1 | Should -BeLessOrEqual 80
    }

    It 'takes the data later, and then there is nothing any more' {
        $undone = Uninstall-ComfyQwen @at -RemoveData -Force -Confirm:$false

        $undone.Outcome | Sort-Object -Unique | Should -Be 'Undone'
        Get-ChildItem -LiteralPath $root | Select-Object -ExpandProperty Name | Should -Be 'comfyauth.yml'
        Uninstall-ComfyQwen @at -Confirm:$false -WarningAction SilentlyContinue -WarningVariable warnings | Should -BeNullOrEmpty
        "$warnings" | Should -BeLike 'Nothing is installed in*'
    }

    It 'is an error where no stack is' {
        $null = New-Item -ItemType Directory (Join-Path $TestDrive 'empty')
        Uninstall-ComfyQwen (Join-Path $TestDrive 'empty') -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
        $errors.FullyQualifiedErrorId | Should -BeLike 'StackNotFound,*'
    }
}
