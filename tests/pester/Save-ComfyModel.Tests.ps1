BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestComfy.ps1')
    $cmdlet = 'ComfyAuth.PowerShell.Commands.SaveComfyModelCommand'
    $endpoint, $token = $env:HF_ENDPOINT, $env:HF_TOKEN

    # The stand-ins have a thousandth of the sizes of the models.
    $comfy = Start-TestComfy (Join-Path $TestDrive 'comfy') $credential.Hash '--hub'
    $hub = $comfy.Said.hub
    $models = $comfy.Said.models
    $vae = $models | Where-Object pathInRepository -Like '*vae*'

    # This process is a child of its own; the module reads its environment.
    $env:HF_ENDPOINT = $hub
    $env:HF_TOKEN = $null
    $env:HF_HOME = Join-Path $TestDrive 'none'

    function New-ModelStack([string] $name) {
        $root = New-SampleStack (Join-Path $TestDrive $name)
        $list = foreach ($model in $models) {
            $file = $model.pathInRepository -replace '^split_files/'
            "      - { file: $file, size: $($model.sizeInBytes), sha256: $($model.sha256), repository: $($model.repository), path: $($model.pathInRepository) }"
        }
        Set-StackFile $root 'comfyauth.yml' ("services:`n  comfyui-qwen:`n    modelsFolder: models`n    models:`n" + ($list -join "`n") + "`n")
        $root
    }

    function ConvertTo-SecretText([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
}

AfterAll {
    $env:HF_ENDPOINT, $env:HF_TOKEN = $endpoint, $token
    if ($comfy) { Stop-TestComfy $comfy }
}

Describe 'The models of a stack' {
    It 'are downloaded, verified, and not downloaded again' {
        $root = New-ModelStack 'all'

        $first = Save-ComfyModel -Path $root
        $second = Save-ComfyModel -Path $root

        $first | Should -HaveCount 3
        $first[0].GetType().FullName | Should -Be 'ComfyAuth.Models.ModelDownloadResult'
        $first.Outcome | Should -Be 'Downloaded', 'Downloaded', 'Downloaded'
        ($first | ForEach-Object { (Get-FileHash -LiteralPath $_.Path).Hash.ToLowerInvariant() } | Sort-Object) | Should -Be ($models.sha256 | Sort-Object)
        $second.Outcome | Should -Be 'Present', 'Present', 'Present'
        ($second | Measure-Object BytesDownloaded -Sum).Sum | Should -Be 0
        (Test-GenAIEcosystem -Path $root -Id model.files, model.header, model.hash).Status | Should -Be 'Passed', 'Passed', 'Passed'
    }

    It 'are chosen by name, with wildcards' {
        $root = New-ModelStack 'chosen'

        (Save-ComfyModel *VAE* -Path $root).File | Should -Be 'qwen_image_vae.safetensors'
        Save-ComfyModel flux* -Path $root -ErrorAction SilentlyContinue -ErrorVariable failure
        $failure.FullyQualifiedErrorId | Should -Be "ModelNotFound,$cmdlet"
        $failure[0].ErrorDetails.RecommendedAction | Should -BeLike '*qwen_image_vae.safetensors*'
    }

    It 'are only named with -WhatIf' {
        $root = New-ModelStack 'whatif'

        Save-ComfyModel -Path $root -WhatIf | Should -BeNullOrEmpty
        Test-Path -LiteralPath (Join-Path $root 'models') | Should -BeFalse
    }

    It 'replace a wrong file only when they are verified, and keep it' {
        $root = New-ModelStack 'wrong'
        $file = Join-Path $root 'models' 'vae' 'qwen_image_vae.safetensors'
        $null = New-Item -ItemType File -Force $file -Value 'mine'

        $result = Save-ComfyModel *vae* -Path $root -WarningAction SilentlyContinue -WarningVariable warnings

        $result.Outcome | Should -Be 'Downloaded'
        "$warnings" | Should -BeLike '*qwen_image_vae.safetensors.corrupt*'
        Get-Content -LiteralPath "$file.corrupt" | Should -Be 'mine'
    }

    It 'are read byte by byte with -Deep' {
        $root = New-ModelStack 'deep'
        $path = (Save-ComfyModel *vae* -Path $root).Path
        $time = (Get-Item -LiteralPath $path).LastWriteTimeUtc
        $stream = [System.IO.File]::OpenWrite($path)
        $stream.Position = 5000
        $stream.WriteByte(1)
        $stream.WriteByte(2)
        $stream.Dispose()
        (Get-Item -LiteralPath $path).LastWriteTimeUtc = $time

        (Save-ComfyModel *vae* -Path $root).Outcome | Should -Be 'Present'
        (Save-ComfyModel *vae* -Path $root -Deep -WarningAction SilentlyContinue).Outcome | Should -Be 'Downloaded'
        (Get-FileHash -LiteralPath $path).Hash | Should -Be $vae.sha256
    }
}

Describe 'A file of a repository' {
    It 'is downloaded into a folder' {
        $result = Save-ComfyModel -Repository $vae.repository -File $vae.pathInRepository -Destination (Join-Path $TestDrive 'one') -Sha256 $vae.sha256.ToUpperInvariant()

        $result.Path | Should -Be (Join-Path $TestDrive 'one' 'qwen_image_vae.safetensors')
        $result.Sha256 | Should -Be $vae.sha256
        "$($result.Source)" | Should -Be "$($vae.repository)/$($vae.pathInRepository)"
    }

    It 'is piped by property, and an error of one spares the others' {
        $rows = @"
Repository,File,Destination
$($vae.repository),nothing.safetensors,$TestDrive/piped
Nobody/Nothing,a.safetensors,$TestDrive/piped
$($vae.repository),$($vae.pathInRepository),$TestDrive/piped
"@ | ConvertFrom-Csv

        $results = $rows | Save-ComfyModel -ErrorAction SilentlyContinue -ErrorVariable failures

        $results.File | Should -Be 'qwen_image_vae.safetensors'
        $failures.FullyQualifiedErrorId | Should -Be "HubFileNotFound,$cmdlet", "HubRepositoryNotFound,$cmdlet"
    }

    It 'that is public is downloaded without a token that the hub does not know, and no stream shows the token' {
        $token = ConvertTo-SecretText 'hf_0123456789abcdefghijklmnopqrstuv'
        $DebugPreference = 'Continue'

        $all = Save-ComfyModel -Repository $vae.repository -File $vae.pathInRepository -Destination (Join-Path $TestDrive 'token') -HuggingFaceToken $token -Verbose *>&1

        "$all" | Should -BeLike '*does not know the token*'
        ($all | Out-String) | Should -Not -BeLike '*hf_0123*'
        ($all | Out-String) | Should -Not -BeLike '*Signature*'
    }

    It 'that is none is refused' {
        { Save-ComfyModel -Repository '../x' -File a -Destination $TestDrive -ErrorAction Stop } | Should -Throw -ErrorId "HubFileInvalid,$cmdlet"
        { Save-ComfyModel -Repository a/b -File '../../etc/passwd' -Destination $TestDrive -ErrorAction Stop } | Should -Throw -ErrorId "HubFileInvalid,$cmdlet"
    }
}
