BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestComfy.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.InvokeComfyWorkflowCommand'
    $examples = Join-Path $PSScriptRoot '..' '..' 'examples' 'workflows' | Resolve-Path
    $smoke = Join-Path $examples 'smoke.api.json'
    $edit = Join-Path $examples 'qwen-image-edit-2509.api.json'

    $comfy = Start-TestComfy (Join-Path $TestDrive 'comfy') $credential.Hash
    $root = New-SampleStack (Join-Path $TestDrive 'stack')
    Set-StackFile $root 'comfyauth.yml' "services: { comfyui-qwen: { url: '$($comfy.Address)' }, other: { url: 'http://127.0.0.1:9' } }`n"
    function ConvertTo-SecretText([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
    $secret = ConvertTo-SecretText $credential.Hash
    $of = @{ Path = $root; WarningAction = 'SilentlyContinue' }
    $colour = 1

    # A workflow that is not in the cache yet.
    function New-Colour { @{ color = ($script:colour++) } }
}

AfterAll { if ($comfy) { Stop-TestComfy $comfy } }

Describe 'A workflow' {
    It 'of a stack runs with the token of its source of truth, and its picture is saved and checked' {
        $out = Join-Path $TestDrive 'first'
        $warnings = @()

        $image = Invoke-ComfyWorkflow $smoke -Path $root -Input (New-Colour) -OutFolder $out -WarningAction SilentlyContinue -WarningVariable warnings

        $image.GetType().FullName | Should -Be 'ComfyAuth.Comfy.ComfyImage'
        $image.Path | Should -BeLike (Join-Path $out 'comfyauth_smoke_*.png')
        Test-Path -LiteralPath $image.Path | Should -BeTrue
        $image.Width, $image.Height, $image.Node, $image.IsCached | Should -Be 64, 64, '2', $false
        $image.Workflow | Should -Be $smoke
        $image.Problems | Should -BeLike 'It is one colour: #*'
        "$warnings" | Should -BeLike "*$($image.Path)*one colour*"
    }

    It 'is given as <Kind>' -ForEach @(
        @{ Kind = 'a file'; Make = { Get-Item -LiteralPath $smoke } }
        @{ Kind = 'text'; Make = { Get-Content -Raw -LiteralPath $smoke } }
        @{ Kind = 'an object'; Make = { Get-Content -Raw -LiteralPath $smoke | ConvertFrom-Json } }
        @{ Kind = 'a hashtable'; Make = { Get-Content -Raw -LiteralPath $smoke | ConvertFrom-Json -AsHashtable } }
    ) {
        $workflow = & $Make
        (Invoke-ComfyWorkflow -Workflow $workflow @of -Input (New-Colour) -OutFolder $TestDrive) | Should -HaveCount 1
        ($workflow | Invoke-ComfyWorkflow @of -Input (New-Colour) -OutFolder $TestDrive) | Should -HaveCount 1
    }

    It 'that is piped as a hashtable is no set of inputs' {
        $workflow = Get-Content -Raw -LiteralPath $smoke | ConvertFrom-Json -AsHashtable
        ($workflow | Invoke-ComfyWorkflow @of -OutFolder $TestDrive) | Should -HaveCount 1
    }

    It 'with several sets of inputs that are piped runs once with each, and an error of one spares the others' {
        $errors = @()

        $images = (New-Colour), @{ colour = 7 }, (New-Colour) | Invoke-ComfyWorkflow $smoke @of -OutFolder $TestDrive -ErrorAction SilentlyContinue -ErrorVariable errors

        $images | Should -HaveCount 2
        $errors.FullyQualifiedErrorId | Should -Be "WorkflowInputUnknown,$cmdlet"
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike "Did you mean 'color'?*"
        $errors[0].TargetObject | Should -Be $smoke
    }

    It 'is found by wildcards, in the current folder, with relative names of pictures' {
        $folder = (New-Item -ItemType Directory (Join-Path $TestDrive 'here')).FullName
        Copy-Item -LiteralPath $edit, $smoke -Destination $folder
        $picture = Invoke-ComfyWorkflow $smoke @of -Input @{ '1.color' = 255; '1.width' = 128 } -OutFolder $folder
        Push-Location $folder
        try {
            $images = Invoke-ComfyWorkflow *edit*.api.json @of -Input @{ '6.image' = (Split-Path -Leaf $picture.Path); 'KSampler.seed' = 12345678901 }
        }
        finally {
            Pop-Location
        }

        $images | Should -HaveCount 1
        Split-Path $images.Path | Should -Be $folder
        $images.Seed | Should -Be 12345678901
        Get-ChildItem (Join-Path $comfy.Folder 'input') | Select-Object -First 1 -ExpandProperty Name | Should -Match '^comfyauth_[0-9a-f]{8}_comfyauth_smoke_'
    }

    It 'is only named under -WhatIf, and nothing is asked' {
        $out = Join-Path $TestDrive 'never'

        Invoke-ComfyWorkflow $smoke -Uri http://127.0.0.1:9 -OutFolder $out -WhatIf | Should -BeNullOrEmpty

        Test-Path -LiteralPath $out | Should -BeFalse
    }
}

Describe 'A credential' {
    It 'is a token for an address' {
        Invoke-ComfyWorkflow $smoke -Uri $comfy.Address -Token $secret -Input (New-Colour) -OutFolder $TestDrive -WarningAction SilentlyContinue | Should -HaveCount 1
    }

    It 'is a name and a password, as for a browser' {
        $browser = [pscredential]::new('alice', (ConvertTo-SecretText $credential.Password))
        Invoke-ComfyWorkflow $smoke -Uri $comfy.Address -Credential $browser -Input (New-Colour) -OutFolder $TestDrive -WarningAction SilentlyContinue | Should -HaveCount 1
    }

    It '<Case> is <Id>, and tells no secret' -ForEach @(
        @{ Case = 'that is none'; Id = 'ServiceWantsToken'; How = { @{} } }
        @{ Case = 'that is old'; Id = 'ServiceRefusedToken'; How = { @{ Token = ConvertTo-SecretText $older.Hash } } }
        @{ Case = 'that is no hash'; Id = 'BcryptHashMalformed'; How = { @{ Token = ConvertTo-SecretText $older.Hash.Substring(1) } } }
        @{ Case = 'with a wrong password'; Id = 'ServiceRefusedPassword'; How = { @{ Credential = [pscredential]::new('alice', (ConvertTo-SecretText $older.Password)) } } }
        @{ Case = 'that is two'; Id = 'AmbiguousCredential'; How = { @{ Token = $secret; Credential = [pscredential]::new('alice', $secret) } } }
    ) {
        $errors = @()
        $given = & $How
        $said = Invoke-ComfyWorkflow $smoke -Uri $comfy.Address @given -OutFolder $TestDrive -Verbose -Debug -ErrorAction SilentlyContinue -ErrorVariable errors *>&1

        $errors.FullyQualifiedErrorId | Should -Be "$Id,$cmdlet"
        $told = "$said $($errors | Format-List * -Force | Out-String) $($errors.Exception)"
        foreach ($text in $older.Hash, $older.Hash.Substring(30), $older.Password, $credential.Hash) { $told | Should -Not -Match ([regex]::Escape($text)) }
    }
}

Describe 'A service' {
    It 'is named where several or none are behind the login' {
        $stack = New-SampleStack (Join-Path $TestDrive 'several')
        Set-StackFile $stack 'comfyauth.yml' "services: { comfyui-qwen: { url: '$($comfy.Address)' }, two: { url: 'http://127.0.0.1:9', auth: comfyui-login } }`n"
        $errors = @()

        Invoke-ComfyWorkflow $smoke -Path $stack -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors.FullyQualifiedErrorId | Should -Be "ServiceNotChosen,$cmdlet"
        $errors[0].ErrorDetails.RecommendedAction | Should -Be 'Name the service: comfyui-qwen, two.'
        Invoke-ComfyWorkflow $smoke -Path $stack -Service comfyui-qwen -OutFolder $TestDrive -WarningAction SilentlyContinue | Should -HaveCount 1
    }

    It 'that is not there is an error' {
        { Invoke-ComfyWorkflow $smoke -Path $root -Service other -ErrorAction Stop } | Should -Throw -ErrorId "ServiceUnreachable,$cmdlet"
    }

    It 'that lacks a model names it and the folder' {
        $errors = @()
        Invoke-ComfyWorkflow $edit @of -Input @{ vae_name = 'nowhere.safetensors' } -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -Be "WorkflowInvalid,$cmdlet"
        "$($errors[0])" | Should -BeLike '*node 5 (VAELoader), input vae_name: the VAE ''nowhere.safetensors'' is missing*'
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike '*models/vae*'
    }
}

Describe 'A workflow that fails' {
    BeforeAll {
        $failing = Start-TestComfy (Join-Path $TestDrive 'failing') $credential.Hash --fail SaveImage
        $hanging = Start-TestComfy (Join-Path $TestDrive 'hanging') $credential.Hash --hang EmptyImage

        function Get-RunningWork { (Invoke-RestMethod "$($hanging.Address)queue" -Headers @{ Authorization = "Bearer $($credential.Hash)" }).queue_running }
    }

    AfterAll { $failing, $hanging | Where-Object { $_ } | ForEach-Object { Stop-TestComfy $_ } }

    It 'is an error with node and message, at once' {
        $errors = @()

        # To wait for the end of what has failed would be to wait for ever.
        Invoke-ComfyWorkflow $smoke -Uri $failing.Address -Token $secret -Timeout 12:00:00 -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors.FullyQualifiedErrorId | Should -Be "WorkflowFailed,$cmdlet"
        "$($errors[0])" | Should -BeLike '*node 2 (SaveImage)*OutOfMemory*'
    }

    It 'takes too long and is stopped' {
        { Invoke-ComfyWorkflow $smoke -Uri $hanging.Address -Token $secret -Timeout 1s -ErrorAction Stop } | Should -Throw -ErrorId "WorkflowTimedOut,$cmdlet"
        Wait-Until 'the service runs nothing' { -not (Get-RunningWork) }
    }

    It 'is stopped with the pipeline, and leaves the service at once' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript('param($module, $smoke, $address, $token) Import-Module $module; Invoke-ComfyWorkflow $smoke -Uri $address -Token $token').AddArgument($modulePath).AddArgument($smoke).AddArgument($hanging.Address).AddArgument($secret)
        $running = $shell.BeginInvoke()
        Wait-Until 'the service runs it' { $running.IsCompleted -or (Get-RunningWork) }
        $running.IsCompleted | Should -BeFalse
        $clock = [System.Diagnostics.Stopwatch]::StartNew()

        $shell.Stop()
        $clock.Elapsed | Should -BeLessThan $soon
        Wait-Until 'the service runs nothing' { -not (Get-RunningWork) }
        $shell.Dispose()
    }
}

Describe 'What is shown' {
    It 'as a table has size, time, path and problems' {
        $image = Invoke-ComfyWorkflow $smoke @of -Input (New-Colour) -OutFolder (Join-Path $TestDrive 'shown')
        $lines = ($image | Out-String -Width 200) -split '\r?\n' | Where-Object { $_ }

        $lines[0] | Should -Match '^Size\s+Seconds\s+Path\s+Problems'
        $lines[2] | Should -Match '^64 x 64\s+\d+\.\d .*It is one colour'
        "$lines" | Should -Match 'comfyauth_smoke_'
    }

    It 'is progress with the node' {
        $shell = [powershell]::Create()
        $null = $shell.AddScript('param($module, $smoke, $address, $token, $out) Import-Module $module; Invoke-ComfyWorkflow $smoke -Input @{ color = 991 } -Uri $address -Token $token -OutFolder $out').AddArgument($modulePath).AddArgument($smoke).AddArgument($comfy.Address).AddArgument($secret).AddArgument("$TestDrive")
        $shell.Invoke() | Should -HaveCount 1
        $shell.Streams.Progress | Where-Object Activity -EQ 'Running smoke.api.json' | Should -Not -BeNullOrEmpty
        $shell.Dispose()
    }
}
