BeforeDiscovery {
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')
    $whyNot = Get-ReasonForNoEngine
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    . (Join-Path $PSScriptRoot 'TestEngine.ps1')

    # Everything that a run could say, said, in a PowerShell of its own: the text of every stream, record and file.
    $folder = Join-Path $TestDrive 'run'
    $root = New-BrokenStack (Join-Path $folder 'stack')
    $secrets = @{
        HF_TOKEN       = 'hf_' + 'kQ3vXw9ZbT7nLr2MsYd8'
        CIVITAI_TOKEN  = '9f7c1e5d3b8a4f60a2'
        QWEN_API_TOKEN = 'zebra-Violin-4417'
        SECRET_KEY     = 'weak-Key-0x51'
        Padded         = 'cGFkZGVkIHNlY3JldCE'
        Given          = 'given-Pass-8842'
        Boot           = '$2b$04$Dl3Xc9RzW0nQeYtHsVbKuOg7mPfJ1aUiNxEwT5yLr8ZkCqBv2oS4G'
    }
    Set-StackFile $folder 'password.txt' $secrets.Given
    Edit-StackFile $root "$service/.env" 'huggingface-77aa31b9' $secrets.HF_TOKEN
    Edit-StackFile $root "$service/.env" 'civitai-0c6d4e1f' $secrets.CIVITAI_TOKEN
    Edit-StackFile $root "$service/.env" 'qwen-5be9ff20' "$($secrets.QWEN_API_TOKEN)`nSECRET_KEY=$($secrets.SECRET_KEY)"

    # Documents that quote it all.
    Set-StackFile $root 'NOTES.md' "# Secrets $($credential.Password)`n`n$($credential.Hash) $($older.Hash) $($older.Password)`n$($secrets.HF_TOKEN) $($secrets.CIVITAI_TOKEN) $($secrets.QWEN_API_TOKEN) $($secrets.SECRET_KEY)"

    # Stacks of which something cannot be read, each because of a part that holds a secret.
    $bad = @{
        json      = { Set-StackFile $stack $source "{`"bcrypt_hash`": `"$($credential.Hash)`", `"raw_token`": $($credential.Password) }" }
        twice     = { Set-StackFile $stack $source "{`"bcrypt_hash`": `"$($credential.Hash)`", `"bcrypt_hash`": `"$($older.Hash)`"}" }
        hash      = { Set-StackFile $stack $source "{`"bcrypt_hash`": `"$($credential.Hash.Substring(0, 50))`", `"raw_token`": `"$($credential.Password)`"}" }
        kind      = { Set-StackFile $stack $source "{`"bcrypt_hash`": [`"$($credential.Hash)`"], `"raw_token`": {`"$($credential.Password)`": 1}}" }
        line      = { Edit-StackFile $stack "$service/.env" '# Login' "$($credential.Hash) $($credential.Password) $($secrets.HF_TOKEN)" }
        quote     = { Edit-StackFile $stack "$service/.env" "'$($credential.Hash)'" "'$($credential.Hash)" }
        reference = { Edit-StackFile $stack "$service/.env" "'$($credential.Hash)'" "`${NOBODY:?$($credential.Hash)}" }
        base64    = { Set-StackFile $stack '.secrets/qwen-api-user.token' "$($secrets.Padded)=" }
        swapped   = {
            Edit-StackFile $stack $source '"raw_token"' '"username": "alice", "raw_token"'
            Edit-StackFile $stack "$service/.env" 'USERNAME=alice' "USERNAME=$($older.Password)"
            Edit-StackFile $stack "$service/.env" "COMFYUI_PASSWORD=$($credential.Password)" 'COMFYUI_PASSWORD=alice'
        }
        token     = { Set-StackFile $stack '.secrets/qwen-api-user.token' "$($credential.Hash)`n$($credential.Password)" }
        password  = { Set-StackFile $stack $passwordFile "$($credential.Password)`r`n$($credential.Hash)" }
        latin     = { [System.IO.File]::WriteAllBytes((Join-Path $stack '.env'), [byte[]] (65, 61, 0xE9) + [System.Text.Encoding]::ASCII.GetBytes($credential.Hash)) }
        folder    = { Remove-Item -LiteralPath (Join-Path $stack $passwordFile); $null = New-Item -ItemType Directory (Join-Path $stack $passwordFile) }
        unread    = { Remove-Item -LiteralPath (Join-Path $stack $source); $null = New-Item -ItemType Directory (Join-Path $stack $source) }
        key       = { Set-StackFile $stack 'comfyauth.yml' "sorce: $($credential.Hash)`n" }
        yaml      = { Set-StackFile $stack 'comfyauth.yml' "source: `"$($credential.Hash)`n$($credential.Password)`n" }
        missing   = { Remove-Item -LiteralPath (Join-Path $stack $source) }
    }
    $null = New-SampleStack (Join-Path $folder good)
    foreach ($name in $bad.Keys) {
        $stack = New-SampleStack (Join-Path $folder "bad/$name")
        . $bad[$name]
    }

    # Containers that tell everything they know, wherever a container can: environment, log, healthcheck, arguments, error.
    $address = ''
    if (-not (Get-ReasonForNoEngine)) {
        $engine = Start-TestEngine 'secrets'
        $address = $engine.Address
        $null = New-ContainerStack (Join-Path $folder 'containers') ([ordered] @{
                told    = "container: told, url: 'http://127.0.0.1:$(Get-FreePort)', auth: comfyui-login"
                crashed = "container: crashed, url: 'http://127.0.0.1:9', auth: comfyui-login"
                invalid = "container: invalid, url: 'http://127.0.0.1:9'"
            })
        $tell = @'
echo "For direct API calls, use token=$TOKEN"; echo "hf $HF_TOKEN" 'pass PASSWORD, made at boot: BOOT' >&2
'@.Replace('PASSWORD', $credential.Password).Replace('BOOT', $secrets.Boot)
        $environment = '--env', "TOKEN=$($older.Hash)", '--env', "HF_TOKEN=$($secrets.HF_TOKEN)", '--env', "COMFYUI_PASSWORD=$($older.Password)", '--env', "SECRET_KEY=$($secrets.SECRET_KEY)"
        Start-TestContainer $engine told ($tell + '; exec sh -c "sleep 100000; true" "$TOKEN" "$HF_TOKEN"') ($environment + @('--health-cmd', "$tell; exit 1", '--health-interval', '1s', '--health-retries', '1'))
        Start-TestContainer $engine crashed "$tell; exit 3" ($environment + @('--restart', 'always', '--label', "note=$($credential.Hash)"))
        $null = docker --host $address run --detach --name invalid --network host @environment $image "$($older.Hash) $($secrets.HF_TOKEN)" 2>&1
    }

    $said = Invoke-Child @'
        $null = Start-Transcript -LiteralPath "$folder/transcript.txt" -IncludeInvocationHeader
        $VerbosePreference = $DebugPreference = $InformationPreference = $WarningPreference = $ProgressPreference = 'Continue'

        # Neither the end of a line nor a colour is to stand inside a secret.
        $PSStyle.OutputRendering = 'PlainText'
        $PSDefaultParameterValues['Out-String:Width'] = 2000
        $kept = [System.Collections.Generic.List[object]]::new()

        function Show-Everything {
            $all = @($input)
            $kept.AddRange($all)
            $all | Out-String
        }

        $secret = ConvertTo-SecureString (Get-Content -Raw "$folder/password.txt") -AsPlainText -Force
        Remove-Item "$folder/password.txt"

        # With -Debug, PowerShell asks before each change and after each warning, unless it is told not to.
        $common = @{ LiteralPath = $root; Verbose = $true; Debug = $true; Confirm = $false; WarningAction = 'Continue' }

        Find-GenAIGuidance secrets $root -Verbose -Debug *>&1 | Show-Everything
        Sync-ComfyToken @common -Audit -ReportPath "$folder/audit.json" *>&1 | Show-Everything
        Sync-ComfyToken @common -Audit -ReportPath "$folder/audit.md" *>&1 | Show-Everything
        Sync-ComfyToken @common -Validate *>&1 | Show-Everything
        Sync-ComfyToken @common -WhatIf *>&1 | Show-Everything
        Sync-ComfyToken @common -Adopt nothing *>&1 | Show-Everything
        Sync-ComfyToken @common *>&1 | Show-Everything
        Restore-ComfyEnv @common -Validate *>&1 | Show-Everything
        Restore-ComfyEnv @common *>&1 | Show-Everything
        Restore-ComfyEnv @common -FromBackup nothing *>&1 | Show-Everything
        Restore-ComfyEnv @common -FromBackup latest *>&1 | Show-Everything
        Sync-ComfyToken @common -Credential ([pscredential]::new('bob', $secret)) -ReportPath "$folder/after.json" *>&1 | Show-Everything
        Copy-Item "$root/.secrets/comfyui_auth_tokens.conf" "$root/given.conf"
        Sync-ComfyToken @common -Rotate *>&1 | Show-Everything
        Restore-ComfyEnv @common *>&1 | Show-Everything

        foreach ($stack in Get-ChildItem "$folder/bad") {
            $bad = @{ LiteralPath = $stack.FullName; Verbose = $true; Debug = $true; Confirm = $false; WarningAction = 'Continue' }
            Sync-ComfyToken @bad -Audit -ReportPath "$folder/$($stack.Name).md" *>&1 | Show-Everything
            Sync-ComfyToken @bad -Validate *>&1 | Show-Everything
            Restore-ComfyEnv @bad -Validate *>&1 | Show-Everything
            Restore-ComfyEnv @bad *>&1 | Show-Everything
            Restore-ComfyEnv -LiteralPath "$folder/good" -SourcePath (Join-Path $stack .secrets comfyui_auth_tokens.conf) -WhatIf *>&1 | Show-Everything
            if ($stack.Name -ne 'missing') { Sync-ComfyToken @bad *>&1 | Show-Everything }
        }

        if ($address) {
            $containers = @{ LiteralPath = "$folder/containers"; DockerHost = $address }
            $show = @{ Verbose = $true; Debug = $true; WarningAction = 'Continue' }
            Get-GenAIContainer @containers @show *>&1 | Show-Everything
            Get-GenAIContainer @containers | Format-List | Out-String
            Get-GenAIContainer @containers | ForEach-Object ToString
            Wait-GenAIContainer @containers @show -Timeout 4 *>&1 | Show-Everything
            Wait-GenAIContainer @containers @show -For Healthy -Timeout 4 *>&1 | Show-Everything
            $shell = [powershell]::Create()
            $null = $shell.AddScript("Import-Module '$((Get-Module ComfyAuth).Path)'").Invoke()
            $shell.Commands.Clear()
            $null = $shell.AddCommand('Wait-GenAIContainer').AddParameters($containers).AddParameter('Timeout', 4).Invoke()
            "progress: $($shell.Streams.Progress.Count)"
            $shell.Streams.Progress, $shell.Streams.Error | Show-Everything
            $Error.TargetObject | ConvertTo-Json -Depth 9 -WarningAction SilentlyContinue
        }

        $kept | Format-List * -Force | Out-String
        $kept | ConvertTo-Json -Depth 2 -WarningAction SilentlyContinue
        $kept | Export-Clixml "$folder/kept.clixml" -Depth 3

        # Get-Error takes its time, so each kind of error is shown once.
        $Error | Sort-Object FullyQualifiedErrorId -Unique | Get-Error | Out-String
        $Error | ForEach-Object { $_.Exception.ToString() }
        "errors: $($Error.Count)"
        $null = Stop-Transcript
'@ @{ folder = $folder; root = $root; address = $address }

    $told = [ordered]@{ 'the host' = "$said" }
    Get-ChildItem -LiteralPath $folder -File | ForEach-Object { $told[$_.Name] = Get-Content -Raw -LiteralPath $_.FullName }

    # The passwords and keys whole, and each piece of eight characters of the salts and digests.
    $given = Get-Content -Raw -LiteralPath (Join-Path $root 'given.conf') | ConvertFrom-Json
    $rotated = Get-Token $root
    $hashes = $credential.Hash, $older.Hash, $secrets.Boot, $given.bcrypt_hash, $rotated.bcrypt_hash
    $pieces = @(
        $credential.Password, $older.Password, $rotated.raw_token
        $secrets.Values
        [regex]::Match((Get-StackFile $root "$service/.env"), '(?m)^SECRET_KEY=(.+)$').Groups[1].Value.Trim("'")
        foreach ($hash in $hashes) { 0..45 | ForEach-Object { $hash.Substring(7 + $_, 8) } }
    )

    if ($address) { Stop-TestEngine $engine }

    function Find-Leak([System.Collections.Specialized.OrderedDictionary] $texts) {
        foreach ($name in $texts.Keys) {
            foreach ($piece in $pieces) {
                $at = $texts[$name].IndexOf($piece, [StringComparison]::Ordinal)
                if ($at -ge 0) { "${name}: $($texts[$name].Substring([Math]::Max(0, $at - 100), [Math]::Min(200, $texts[$name].Length - [Math]::Max(0, $at - 100))))" }
            }
        }
    }
}

Describe 'No secret' {
    It 'comes out, whatever is read, written, refused and reported' {
        Find-Leak $told | Select-Object -First 5 | Should -BeNullOrEmpty
    }

    It 'could come out unseen: <_>' -ForEach 'a password', 'a key', 'a piece of a hash', 'a rotated password' {
        $leak = switch ($_) {
            'a password' { $credential.Password }
            'a key' { $secrets.HF_TOKEN }
            'a piece of a hash' { $given.bcrypt_hash.Substring(40, 8) }
            'a rotated password' { $rotated.raw_token }
        }

        Find-Leak ([ordered] @{ text = "before $leak after" }) | Should -Not -BeNullOrEmpty
    }
}

Describe 'The run that tells' {
    It 'has been a whole one' {
        $told['kept.clixml'] | Should -Match 'ComfyAuth\.Guidance\.GuidancePassage'
        $rotated.bcrypt_hash | Should -Not -BeIn ($credential.Hash, $older.Hash, $given.bcrypt_hash)
        $pieces | Where-Object { "$_".Length -lt 8 } | Should -BeNullOrEmpty
        $told.Keys | Should -Contain 'transcript.txt'
        $told.Keys | Should -Contain 'kept.clixml'
        $told.Keys | Where-Object { $_ -match '^(audit|after)\.(json|md)$' } | Should -HaveCount 3
    }

    It 'has verbose messages, warnings, what-if lines and errors of many kinds' {
        foreach ($record in 'Verbose', 'Warning', 'Error') { $told['kept.clixml'] | Should -Match "Automation\.${record}Record" }
        $told['the host'] | Should -Match 'Performing the operation "Set the hash'
        $told['the host'] | Should -Match 'A new credential is made'
        $told['transcript.txt'] | Should -Match 'What if: '
        $told['the host'] -match 'errors: (\d+)' | Should -BeTrue
        [int] $Matches[1] | Should -BeGreaterThan 20
        foreach ($code in 'TokenSourceInvalid', 'DotEnvSyntax', 'StackFileInvalid', 'TokenLocationUnusable', 'TokenSourceMissing', 'AdoptNotFound', 'BackupNotFound') {
            $told['the host'] | Should -Match $code
        }
    }
    It 'has looked at containers that tell, and waited for them<Because>' -Skip:([bool] $whyNot) -ForEach @{ Because = $whyNot ? " ($whyNot)" : '' } {
        $told['the host'] | Should -Match 'direct API calls'
        $told['kept.clixml'] | Should -Match 'ComfyAuth\.Containers\.ContainerDiagnosis'
        $told['the host'] | Should -Match 'progress: [1-9]'
        foreach ($code in 'ContainerWaitFailed', 'ContainerWaitTimedOut') { $told['the host'].Contains($code) | Should -BeTrue -Because $code }
    }
}
