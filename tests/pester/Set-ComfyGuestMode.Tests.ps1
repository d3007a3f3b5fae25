BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $whyNot = Get-ReasonForNoEngine
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
}

Describe 'Guest mode<Because>' -Skip:([bool] $whyNot) -ForEach @{ Because = $whyNot ? " ($whyNot)" : '' } {
    BeforeAll {
        $engine = Start-TestEngine 'guests'
        $login = Join-Path $TestDrive 'login'
        $null = New-Item -ItemType Directory $login
        Set-Content (Join-Path $login 'PASSWORD') "$($credential.Hash)`nalice"
        $file = Join-Path $login 'GUEST_MODE'
        $root = New-ContainerStack (Join-Path $TestDrive 'stack') ([ordered] @{
                painter = "container: guest-painter, url: 'http://127.0.0.1:9', auth: comfyui-login"
                sketch  = "container: guest-sketch, url: 'http://127.0.0.1:9'"
            })
        Start-TestContainer $engine guest-painter 'sleep 600' '--volume', "${login}:/workspace/ComfyUI/login"
        $at = @{ LiteralPath = $root; DockerHost = $engine.Address }
    }

    AfterAll { Stop-TestEngine $engine }

    AfterEach { Remove-Item -LiteralPath $file -ErrorAction Ignore }

    It 'is switched on and off where the folder is mounted from here' {
        $on = Set-ComfyGuestMode @at -State On -Force
        Test-Path -LiteralPath $file | Should -BeTrue
        $again = Set-ComfyGuestMode @at -State On -Force
        $off = Set-ComfyGuestMode @at -State Off

        $on.GetType().FullName | Should -Be 'ComfyAuth.Tokens.GuestModeChange'
        $on.Service, $on.State, $on.IsChanged, $on.File | Should -Be 'painter', 'On', $true, $file
        $again.IsChanged | Should -BeFalse
        $off.State, $off.IsChanged | Should -Be 'Off', $true
        Test-Path -LiteralPath $file | Should -BeFalse

        # Nobody answers at the service's address.
        $on.IsProven | Should -BeNullOrEmpty
    }

    It 'is named by -WhatIf, and nothing is changed and nothing comes out' {
        Set-ComfyGuestMode @at -State On -WhatIf | Should -BeNullOrEmpty
        Set-ComfyGuestMode @at -State On -Force -WhatIf | Should -BeNullOrEmpty

        Test-Path -LiteralPath $file | Should -BeFalse
        Invoke-Child 'Set-ComfyGuestMode -LiteralPath $root -DockerHost $address -State On -WhatIf' @{ root = $root; address = $engine.Address } |
            Should -BeLike "*Switch guest mode on*$file*"
    }

    It 'is not switched on without -Force where nobody can be asked' {
        $said = Invoke-Child @'
            Set-ComfyGuestMode -LiteralPath $root -DockerHost $address -State On -ErrorVariable errors -ErrorAction SilentlyContinue
            $errors[0].FullyQualifiedErrorId
'@ @{ root = $root; address = $engine.Address }

        $said | Should -BeLike 'ConfirmationImpossible,*'
        Test-Path -LiteralPath $file | Should -BeFalse
    }

    It 'is an error for a service that was named and has no login' {
        $result = Set-ComfyGuestMode @at -Service sketch, painter -State On -Force -ErrorVariable errors -ErrorAction SilentlyContinue

        $errors.FullyQualifiedErrorId | Should -BeLike 'NoLoginService,*'
        $result.Service | Should -Be 'painter'
    }
}
