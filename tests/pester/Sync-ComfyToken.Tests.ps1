BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')

    $script:number = 0

    function Get-NewRoot { Join-Path $TestDrive "stack $((++$script:number))" }

    function Get-StateOf([string] $root, [string] $location) {
        (Sync-ComfyToken -Audit -LiteralPath $root | Where-Object Location -EQ $location).State
    }

    function ConvertTo-Secret([string] $text) { [System.Net.NetworkCredential]::new('', $text).SecurePassword }
}

Describe 'An audit' {
    BeforeAll {
        $root = New-BrokenStack (Get-NewRoot)
        $before = Get-Snapshot $root
        $seen = Sync-ComfyToken -Audit -LiteralPath $root
    }

    It 'gives one typed object for each place, the source first' {
        $seen | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique | Should -Be 'ComfyAuth.Tokens.TokenObservation'
        $seen[0].IsSource | Should -BeTrue
        $seen[0].Location | Should -Be $source
        $seen.Location | Sort-Object -Unique | Should -HaveCount $seen.Count
        $seen | Should -HaveCount 9
    }

    It 'says that <Location> is <State>' -ForEach @(
        @{ Location = '.env#COMFYUI_API_TOKEN'; State = 'Match' }
        @{ Location = '.secrets/qwen-api-user.token'; State = 'Stale' }
        @{ Location = 'docker-configurations/services/comfyui-qwen/.env#COMFYUI_BEARER_TOKEN'; State = 'Truncated' }
        @{ Location = 'docker-configurations/services/comfyui-qwen/.env#COMFYUI_PASSWORD'; State = 'OtherPassword' }
        @{ Location = 'docker-configurations/services/comfyui-qwen/.secrets/PASSWORD'; State = 'CarriageReturn' }
    ) {
        $observation = $seen | Where-Object Location -EQ $Location

        $observation.State | Should -Be $State
        $observation.IsFault | Should -Be ($State -ne 'Match')
        $observation.Evidence.Length -gt 0 | Should -Be ($State -ne 'Match')
        $observation.Remedy.Length -gt 0 | Should -Be ($State -ne 'Match')
    }

    It 'sees that a file is <State>' -ForEach @(
        @{ State = 'Missing'; Break = { Remove-Item -LiteralPath $file } }
        @{ State = 'Malformed'; Break = { Set-StackFile $stack $token 'no hash' } }
        @{ State = 'ByteOrderMark'; Break = { Set-StackFile $stack $token ([char] 0xFEFF + $credential.Hash) } }
        @{ State = 'QuotedLiterally'; Break = { Set-StackFile $stack $token "'$($credential.Hash)'" } }
        @{ State = 'DoubledDollar'; Break = { Set-StackFile $stack $token $credential.Hash.Replace('$', '$$') } }
        @{ State = 'MissingDollar'; Break = { Set-StackFile $stack $token $credential.Hash.Replace('$', '') } }
        @{ State = 'IsDirectory'; Break = { Remove-Item -LiteralPath $file; $null = New-Item -ItemType Directory $file } }
    ) {
        $token = '.secrets/qwen-api-user.token'
        $stack = New-SampleStack (Get-NewRoot)
        $file = Join-Path $stack $token
        . $Break

        Get-StateOf $stack $token | Should -Be $State
    }

    It 'sees a file that others may read' -Skip:$IsWindows {
        $stack = New-SampleStack (Get-NewRoot)
        [System.IO.File]::SetUnixFileMode((Join-Path $stack '.env'), 'UserRead, UserWrite, OtherRead')

        Get-StateOf $stack '.env#COMFYUI_API_TOKEN' | Should -Be 'Exposed'
    }

    It 'sees a variable of the shell that beats the file' {
        $stack = New-SampleStack (Get-NewRoot)
        $env:COMFYUI_API_TOKEN = $older.Hash
        try { Get-StateOf $stack '.env#COMFYUI_API_TOKEN' | Should -Be 'ShadowedByShell' }
        finally { Remove-Item Env:COMFYUI_API_TOKEN }
    }

    It 'changes nothing' {
        Get-Snapshot $root | Should -Be $before
    }

    It 'cannot be asked for together with a change' -ForEach @(
        @{ With = @{ Rotate = $true } }, @{ With = @{ Adopt = '.env' } }, @{ With = @{ Validate = $true } }
    ) {
        { Sync-ComfyToken -Audit @With -LiteralPath $root } | Should -Throw -ErrorId 'AmbiguousParameterSet,*'
    }
}

Describe 'A validation' {
    It 'gives one verdict for each service' {
        $good = Sync-ComfyToken -Validate -LiteralPath (New-SampleStack (Get-NewRoot))
        $bad = Sync-ComfyToken -Validate -LiteralPath (New-BrokenStack (Get-NewRoot))

        $good, $bad | ForEach-Object { $_.GetType().FullName } | Should -Be @('ComfyAuth.Tokens.TokenValidation', 'ComfyAuth.Tokens.TokenValidation')
        $good.IsValid | Should -BeTrue
        $good.PasswordVerified | Should -BeTrue
        $good.Matching, $good.Faulty, $good.Undetermined | Should -Be 9, 0, 0
        $bad.IsValid | Should -BeFalse
        $bad.Findings | Should -HaveCount 4
    }

    It 'is neither true nor false where nobody knows the password' {
        $root = New-SampleStack (Get-NewRoot)
        Edit-StackFile $root $source "`"$($credential.Password)`"" 'null'
        Edit-StackFile $root '.env' "COMFYUI_RAW_TOKEN=$($credential.Password)`n" ''
        Edit-StackFile $root "$service/.env" "COMFYUI_PASSWORD=$($credential.Password)`n" ''

        (Sync-ComfyToken -Validate -LiteralPath $root).IsValid | Should -Be $null
    }
}

Describe 'A synchronisation' {
    BeforeAll {
        $root = New-BrokenStack (Get-NewRoot)
        $results = Sync-ComfyToken -LiteralPath $root
        $after = Get-Snapshot $root
    }

    It 'mends every place and says what it did' {
        $results | ForEach-Object { $_.GetType().FullName } | Sort-Object -Unique | Should -Be 'ComfyAuth.Tokens.TokenSyncResult'
        $results.State | Sort-Object -Unique | Should -Be 'Match'
        ($results | Where-Object Action -EQ 'Updated').Before | Should -Be 'Stale', 'Truncated', 'OtherPassword', 'CarriageReturn'
        (Sync-ComfyToken -Validate -LiteralPath $root).IsValid | Should -BeTrue
    }

    It 'keeps the credential, the comments and what it does not know' {
        (Get-Token $root).bcrypt_hash | Should -BeExactly $credential.Hash
        (Get-Token $root).raw_token | Should -BeExactly $credential.Password
        Get-StackFile $root "$service/.env" | Should -BeLike "*# My own`nMY_SETTING=`"kept as it is`"`n"
    }

    It 'writes no byte the second time' {
        (Sync-ComfyToken -LiteralPath $root).Action | Sort-Object -Unique | Should -Be 'None'
        Get-Snapshot $root | Should -Be $after
    }

    It 'asks for nothing with -Confirm:$false' {
        $stack = New-BrokenStack (Get-NewRoot)

        (Sync-ComfyToken -LiteralPath $stack -Confirm:$false).State | Sort-Object -Unique | Should -Be 'Match'
    }

    It 'closes files that others may read' -Skip:$IsWindows {
        $stack = New-SampleStack (Get-NewRoot)
        $file = Join-Path $stack '.env'
        [System.IO.File]::SetUnixFileMode($file, 'UserRead, UserWrite, GroupRead, OtherRead')

        (Sync-ComfyToken -LiteralPath $stack | Where-Object Location -EQ '.env#COMFYUI_API_TOKEN').Action | Should -Be 'Protected'
        [System.IO.File]::GetUnixFileMode($file) | Should -Be 'UserWrite, UserRead'
    }

    It 'of services that the stack does not have is refused' {
        Sync-ComfyToken -LiteralPath $root -Service nobody -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'ServiceNotFound,*'
    }
}

Describe 'The credential' {
    It 'is a new one with -Rotate, everywhere' {
        $root = New-SampleStack (Get-NewRoot)

        $results = Sync-ComfyToken -LiteralPath $root -Rotate -WarningVariable warnings -WarningAction SilentlyContinue

        $hashes = Get-HashInUse $root | Sort-Object -Unique
        $hashes | Should -HaveCount 1
        $hashes | Should -Not -Be $credential.Hash
        (Get-Token $root).raw_token | Should -Not -Be $credential.Password
        $results.State | Sort-Object -Unique | Should -Be 'Match'
        ($results | Where-Object IsSource).OldFingerprint | Should -Be (Get-Fingerprint $credential.Hash)
        "$warnings" | Should -BeLike "*$(Get-Fingerprint $hashes)*$(Get-Fingerprint $credential.Hash)*"
        (Sync-ComfyToken -Validate -LiteralPath $root).PasswordVerified | Should -BeTrue
    }

    It 'is the hash of the password of -Credential' {
        $root = New-SampleStack (Get-NewRoot)

        $null = Sync-ComfyToken -LiteralPath $root -Credential ([pscredential]::new('bob', (ConvertTo-Secret $older.Password))) -WarningAction SilentlyContinue

        (Get-Token $root).raw_token | Should -BeExactly $older.Password
        (Get-Token $root).username | Should -Be 'bob'
        Get-StackFile $root "$service/.env" | Should -BeLike "*COMFYUI_USERNAME=bob*COMFYUI_PASSWORD=$($older.Password)*"
        (Sync-ComfyToken -Validate -LiteralPath $root).IsValid | Should -BeTrue
    }

    It 'is kept where the password of -Credential is the one it is of' {
        $root = New-SampleStack (Get-NewRoot)

        $null = Sync-ComfyToken -LiteralPath $root -Credential ([pscredential]::new('alice', (ConvertTo-Secret $credential.Password)))

        Get-HashInUse $root | Sort-Object -Unique | Should -BeExactly $credential.Hash
    }

    It 'is the hash of -SourceToken' {
        $root = New-SampleStack (Get-NewRoot)

        $null = Sync-ComfyToken -LiteralPath $root -SourceToken (ConvertTo-Secret $older.Hash) -WarningAction SilentlyContinue

        Get-HashInUse $root | Sort-Object -Unique | Should -BeExactly $older.Hash
    }

    It 'is never empty' -ForEach @(
        @{ With = @{ SourceToken = [securestring]::new() } }
        @{ With = @{ Credential = [pscredential]::new('bob', [securestring]::new()) } }
    ) {
        $root = New-SampleStack (Get-NewRoot)

        Sync-ComfyToken -LiteralPath $root @With -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'SecretEmpty,*'
        Get-HashInUse $root | Sort-Object -Unique | Should -BeExactly $credential.Hash
    }

    It 'is one that is in use with -Adopt and its <By>' -ForEach @(
        @{ By = 'place'; Adopt = { '.secrets/qwen-api-user.token' } }
        @{ By = 'fingerprint'; Adopt = { Get-Fingerprint $older.Hash } }
        @{ By = 'fingerprint as it is shown'; Adopt = { "bcrypt:$(Get-Fingerprint $older.Hash)" } }
    ) {
        $root = New-BrokenStack (Get-NewRoot)

        $null = Sync-ComfyToken -LiteralPath $root -Adopt (& $Adopt) -WarningAction SilentlyContinue

        Get-HashInUse $root | Sort-Object -Unique | Should -BeExactly $older.Hash
        (Get-Token $root).raw_token | Should -BeExactly $older.Password -Because 'it stood in the .env file, and bcrypt says that it is the one'
    }

    It 'that is in use nowhere cannot be adopted' {
        $root = New-BrokenStack (Get-NewRoot)
        $before = Get-Snapshot $root

        Sync-ComfyToken -LiteralPath $root -Adopt 'ffffffff' -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'AdoptNotFound,*'
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike "*$(Get-Fingerprint $older.Hash)*"
        Get-Snapshot $root | Should -Be $before
    }

    It 'in use becomes the source of truth where there is none' {
        $root = New-SampleStack (Get-NewRoot)
        Remove-Item -LiteralPath (Join-Path $root $source)

        $null = Sync-ComfyToken -LiteralPath $root -WarningAction SilentlyContinue

        (Get-Token $root).bcrypt_hash | Should -BeExactly $credential.Hash
    }
}

Describe 'A report' {
    BeforeAll {
        $roots = 1..2 | ForEach-Object { New-BrokenStack (Get-NewRoot) }
        $folder = Get-NewRoot
    }

    It 'as JSON holds what the audit saw, of every stack' {
        $path = Join-Path $folder 'report.json'

        $seen = $roots | Sync-ComfyToken -Audit -ReportPath $path

        $report = Get-Content -Raw -LiteralPath $path | ConvertFrom-Json
        $report.observations.location | Should -Be $seen.Location
        $report.observations.state | Should -Be ($seen.State | ForEach-Object { "$_" })
        $report.recommendations | Should -Not -BeNullOrEmpty
    }

    It 'as Markdown has one section for each stack' {
        $path = Join-Path $folder 'report.md'

        $null = $roots | Sync-ComfyToken -Audit -ReportPath $path

        $text = Get-Content -Raw -LiteralPath $path
        $roots | ForEach-Object { $text | Should -BeLike "*## $_*" }
        $text | Should -BeLike '*| Stale |*## Recommendations*'
    }

    It 'of a synchronisation shows how it is afterwards' {
        $path = Join-Path $folder 'after.json'

        $null = New-BrokenStack (Get-NewRoot) | Sync-ComfyToken -ReportPath $path

        (Get-Content -Raw -LiteralPath $path | ConvertFrom-Json).observations.state | Sort-Object -Unique | Should -Be 'Match'
    }

    It 'of a synchronisation misses no stack that an error spoils' {
        $sound, $broken = (New-BrokenStack (Get-NewRoot)), (New-SampleStack (Get-NewRoot))
        Set-StackFile $broken $source '{'
        $path = Join-Path $folder 'spoilt.json'

        $null = $sound, $broken | Sync-ComfyToken -ReportPath $path -ErrorAction SilentlyContinue -ErrorVariable errors

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'TokenSourceInvalid,*'
        $seen = (Get-Content -Raw -LiteralPath $path | ConvertFrom-Json).observations
        $seen.stack | Select-Object -Unique | Should -Be $sound, $broken
        ($seen | Where-Object stack -EQ $sound).state | Sort-Object -Unique | Should -Be 'match'
        ($seen | Where-Object stack -EQ $broken)[0].state | Should -Be 'malformed'
    }

    It 'in another form is refused before anything is changed' {
        $root = New-BrokenStack (Get-NewRoot)
        $before = Get-Snapshot $root

        Sync-ComfyToken -LiteralPath $root -ReportPath (Join-Path $folder 'report.pdf') -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'ReportFormatUnknown,*'
        Get-Snapshot $root | Should -Be $before
    }

    It 'that would replace another file is refused before anything is changed' {
        $root = New-BrokenStack (Get-NewRoot)
        Set-StackFile $root 'notes.md' 'mine'
        $before = Get-Snapshot $root

        Sync-ComfyToken -LiteralPath $root -ReportPath (Join-Path $root 'notes.md') -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -BeLike 'ReportWouldOverwrite,*'
        Get-Snapshot $root | Should -Be $before
    }
}

Describe 'A pipeline of three stacks' {
    BeforeAll {
        $parent = Get-NewRoot
        $roots = 'one', 'two [2]', "three's" | ForEach-Object { New-SampleStack (Join-Path $parent $_) }
    }

    It 'takes <Kind>' -ForEach @(
        @{ Kind = 'folders'; Items = { Get-ChildItem -LiteralPath $parent } }
        @{ Kind = 'files in them'; Items = { $roots | ForEach-Object { Get-Item -LiteralPath (Join-Path $_ $source) -Force } } }
        @{ Kind = 'objects with a PSPath'; Items = { Get-ChildItem -LiteralPath $parent | Select-Object PSPath } }
        @{ Kind = 'objects with a LiteralPath'; Items = { $roots | ForEach-Object { [pscustomobject] @{ LiteralPath = $_ } } } }
        @{ Kind = 'objects with a Path, where wildcards count'; Items = { $roots | ForEach-Object { [pscustomobject] @{ Path = [wildcardpattern]::Escape($_) } } } }
        @{ Kind = 'strings, where wildcards count'; Items = { $roots | ForEach-Object { [wildcardpattern]::Escape($_) } } }
        @{ Kind = 'one string with a wildcard'; Items = { "$parent/*" } }
        @{ Kind = 'its own results'; Items = { Sync-ComfyToken -LiteralPath $roots } }
        @{ Kind = 'what an audit saw'; Items = { Sync-ComfyToken -LiteralPath $roots -Audit } }
        @{ Kind = 'what another session sent'; Items = {
                [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize((Sync-ComfyToken -LiteralPath $roots -Validate)))
            }
        }
    ) {
        $errors = @()

        $stacks = (& $Items | Sync-ComfyToken -Validate -ErrorVariable errors).Stack

        $errors | Should -BeNullOrEmpty
        $stacks | Sort-Object | Should -Be ($roots | Sort-Object)
    }

    It 'goes on after one that has an error' {
        $errors = @()

        $seen = Sync-ComfyToken -Validate -LiteralPath $roots[0], "$parent/absent", $roots[1] -ErrorAction SilentlyContinue -ErrorVariable errors

        $seen.Stack | Should -Be $roots[0, 1]
        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -Be 'PathNotFound,ComfyAuth.PowerShell.Commands.SyncComfyTokenCommand'
        $errors[0].TargetObject | Should -Be "$parent/absent"
    }

    It 'ends at the first error with -ErrorAction Stop' {
        $seen = [System.Collections.Generic.List[object]]::new()

        { "$([wildcardpattern]::Escape($roots[0]))", "$parent/absent", "$([wildcardpattern]::Escape($roots[1]))" | Sync-ComfyToken -Validate -ErrorAction Stop | ForEach-Object { $seen.Add($_) } } |
            Should -Throw -ErrorId 'PathNotFound,*'

        $seen.Stack | Should -Be $roots[0]
    }

    It 'takes each stack once, however many paths lead to it' {
        Sync-ComfyToken -Validate -LiteralPath $roots[0], $roots[0], (Join-Path $roots[0] $service) | Should -HaveCount 1
    }

    It 'does not take nothing for the current location' {
        Push-Location -LiteralPath $roots[0]
        try {
            $null | Sync-ComfyToken -Validate -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty
            $errors[0].FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentValidationError*'
            { Sync-ComfyToken -Validate -Path '' } | Should -Throw -ErrorId 'ParameterArgumentValidationError,*'
        }
        finally { Pop-Location }
    }

    It 'is not needed in the stack''s own folder, or below' {
        Push-Location -LiteralPath (Join-Path $roots[1] $service)
        try { (Sync-ComfyToken -Validate).Stack | Should -Be $roots[1] }
        finally { Pop-Location }
    }
}

Describe 'Where no stack is' {
    It 'the error says so, and what to do' {
        $folder = (New-Item -ItemType Directory (Get-NewRoot)).FullName

        Sync-ComfyToken -LiteralPath $folder -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors | Should -HaveCount 1
        $errors[0].FullyQualifiedErrorId | Should -Be 'StackNotFound,ComfyAuth.PowerShell.Commands.SyncComfyTokenCommand'
        $errors[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $errors[0].TargetObject | Should -Be $folder
        $errors[0].ErrorDetails.RecommendedAction | Should -BeLike '*comfyauth.yml*'
    }
}

Describe 'Completion' {
    It 'offers the services of the stack named by -<Parameter>' -ForEach @(@{ Parameter = 'Path' }, @{ Parameter = 'LiteralPath' }) {
        $root = New-SampleStack (Get-NewRoot)
        $line = "Sync-ComfyToken -$Parameter '$root' -Service "

        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be 'comfyui-qwen', 'flux-1-dev', 'sd35', 'orchestrator'
    }

    It 'offers those that start with what is typed, of the current stack' {
        Push-Location -LiteralPath (New-SampleStack (Get-NewRoot))
        try { (TabExpansion2 'Sync-ComfyToken -Service fl' 27).CompletionMatches.CompletionText | Should -Be 'flux-1-dev' }
        finally { Pop-Location }
    }
}

Describe 'What comes out' {
    BeforeAll {
        $root = New-BrokenStack (Get-NewRoot)
        $outputs = @{
            TokenObservation = { Sync-ComfyToken -Audit -LiteralPath $root }
            TokenValidation  = { Sync-ComfyToken -Validate -LiteralPath $root }
            TokenSyncResult  = { Sync-ComfyToken -LiteralPath $root }
        }
    }

    It 'as a <_> goes through JSON at depth 2 without loss, enums by name' -ForEach 'TokenObservation', 'TokenValidation', 'TokenSyncResult' {
        $objects = @(& $outputs[$_])

        $json = $objects | ConvertTo-Json -Depth 2 -EnumsAsStrings -WarningVariable warnings

        $warnings | Should -BeNullOrEmpty
        $json | Should -BeExactly ($objects | ConvertTo-Json -Depth 20 -EnumsAsStrings)
        $back = @($json | ConvertFrom-Json)
        foreach ($name in $objects[0].PSObject.Properties.Name) {
            "$($back.$name)" | Should -BeExactly "$($objects.$name)" -Because $name
        }
    }

    It 'as a <Type> is a table of at most <Width> columns, without colours, by stack' -ForEach @(
        foreach ($type in 'TokenObservation', 'TokenValidation', 'TokenSyncResult') { foreach ($width in 80, 120) { @{ Type = $type; Width = $width } } }
    ) {
        $text = & $outputs[$Type] | Out-String -Width $Width

        $text | Should -Match 'Stack: .*stack \d+\s'
        $text | Should -Not -Match "`e"
        $text -split "`r?`n" | ForEach-Object Length | Sort-Object | Select-Object -Last 1 | Should -BeLessOrEqual $Width
    }

    It 'shows the evidence in the table, broken between words, and everything in the list' {
        $stale = Sync-ComfyToken -Audit -LiteralPath (New-BrokenStack (Get-NewRoot)) | Where-Object State -EQ 'Stale'

        $table = $stale | Out-String -Width 120
        -split $stale.Evidence | ForEach-Object { $table | Should -Match "(?<!\S)$([regex]::Escape($_))(?!\S)" }
        $list = $stale | Format-List | Out-String -Width 1000
        $stale.PSObject.Properties.Name | ForEach-Object { $list | Should -Match "(?m)^$_\s+:" }
    }

    It 'has colours only where the host shows them' {
        $cell = [ComfyAuth.PowerShell.Rendering.TableCell]
        $shown = if ($Host.UI.SupportsVirtualTerminal) { "`e[32mMatch`e[0m" } else { 'Match' }
        $bare = [powershell]::Create()
        $null = $bare.AddScript("Import-Module '$modulePath'; [$($cell.FullName)]::State('Match', `$Host, 'Ansi')")

        $cell::State('Match', $Host, 'Host') | Should -BeExactly $shown
        $cell::State('Match', $Host, 'PlainText') | Should -BeExactly 'Match'
        $bare.Invoke() | Should -BeExactly 'Match'
        $bare.Dispose()
    }
}

Describe 'Stopping' {
    It 'in the middle of many rotations, after <After> stacks, leaves each stack old or new' -ForEach @(
        @{ After = 0 }, @{ After = 2 }
    ) {
        $parent = Get-NewRoot
        $roots = 1..12 | ForEach-Object { New-SampleStack (Join-Path $parent $_) }

        # So that not all are done before it is stopped: the last one is locked. What was begun may take its time to go back.
        $null = New-Item -ItemType Directory (Join-Path $roots[-1] '.comfyauth')
        $lock = [System.IO.File]::Open((Join-Path $roots[-1] '.comfyauth' 'lock'), 'OpenOrCreate', 'ReadWrite', 'None')
        $cleanUpTime = Set-Patience Commands.ComfyCmdlet CleanUpTime 00:10:00
        $shell = [powershell]::Create()
        $shell.AddScript("Import-Module '$modulePath'").Invoke()
        $shell.Commands.Clear()
        $null = $shell.AddCommand('Sync-ComfyToken').AddParameter('LiteralPath', $roots).AddParameter('Rotate')
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $none = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $none.Complete()
        $null = $shell.BeginInvoke($none, $output)

        # The enumerator waits for what is still to come: nine results for each stack.
        $results = ([System.Collections.Generic.IEnumerable[psobject]] $output).GetEnumerator()
        for ($i = 0; $i -lt 9 * $After; $i++) { $results.MoveNext() | Should -BeTrue }

        Assert-Stoppable $shell
        $null = Set-Patience Commands.ComfyCmdlet CleanUpTime $cleanUpTime
        $lock.Dispose()

        $shell.Streams.Error | Should -BeNullOrEmpty
        $shell.Dispose()
        $states = foreach ($root in $roots) {
            $hashes = @(Get-HashInUse $root)
            $hashes | Should -HaveCount 6
            $hashes | Sort-Object -Unique | Should -HaveCount 1 -Because $root
            (Sync-ComfyToken -Validate -LiteralPath $root).IsValid | Should -BeTrue
            $hashes[0] -eq $credential.Hash
        }
        @($states -eq $true).Count | Should -BeGreaterThan 0
        @($states -eq $false).Count | Should -BeGreaterOrEqual $After
    }
}

Describe 'Elsewhere' {
    It 'works in thread jobs at once' {
        $roots = 1..4 | ForEach-Object { New-BrokenStack (Get-NewRoot) }

        $jobs = $roots | ForEach-Object { Start-ThreadJob { Import-Module $using:modulePath; Sync-ComfyToken -LiteralPath $using:_ } }
        $results = $jobs | Receive-Job -Wait -AutoRemoveJob

        $results | Should -HaveCount 36
        $results.State | Sort-Object -Unique | Should -Be 'Match'
    }

    It 'gives another process objects that still show as tables' {
        $root = New-BrokenStack (Get-NewRoot)

        $seen = Start-Job { Import-Module $using:modulePath; Sync-ComfyToken -Audit -LiteralPath $using:root } | Receive-Job -Wait -AutoRemoveJob

        $seen | Should -HaveCount 9
        $seen[3].PSTypeNames[0] | Should -Be 'Deserialized.ComfyAuth.Tokens.TokenObservation'
        $seen | Out-String -Width 120 | Should -Match '(?m)^Stale +Hash'
    }

    It 'says with -WhatIf exactly what would change, and changes nothing' {
        $root = New-BrokenStack (Get-NewRoot)
        $before = Get-Snapshot $root

        $said = Invoke-Child @'
            $ErrorActionPreference = 'Stop'
            $output = Sync-ComfyToken -LiteralPath $root -WhatIf
            "output: $(@($output).Count), errors: $($Error.Count)"
            $WhatIfPreference = $true
            Sync-ComfyToken -LiteralPath $root -Rotate -ReportPath "$root/report.json"
'@ @{ root = $root }

        $end = $said.IndexOf('output: 0, errors: 0')
        $said[0..($end - 1)] | Should -Be @(
            "What if: Performing the operation `"Set the hash (Stale)`" on target `"$(Join-Path $root .secrets qwen-api-user.token)`"."
            "What if: Performing the operation `"Set the hash (Truncated)`" on target `"$(Join-Path $root $service .env)#COMFYUI_BEARER_TOKEN`"."
            "What if: Performing the operation `"Set the password (OtherPassword)`" on target `"$(Join-Path $root $service .env)#COMFYUI_PASSWORD`"."
            "What if: Performing the operation `"Set the hash (CarriageReturn)`" on target `"$(Join-Path $root $passwordFile)`"."
        )
        $said[($end + 1)..($said.Count)] | Should -HaveCount 9
        $said[($end + 1)..($said.Count)] | Should -BeLike 'What if: *'
        $said[$end + 1] | Should -BeLike "*Set the source of truth to a new hash (was bcrypt:$(Get-Fingerprint $credential.Hash))*"
        $said[-1] | Should -BeLike '*Write the report*report.json*'
        Get-Snapshot $root | Should -Be $before
    }

    It 'lets a scheduled task end with <Code> where the stack is <Kind>' -ForEach @(
        @{ Kind = 'sound'; Code = 0; New = { New-SampleStack (Get-NewRoot) } }
        @{ Kind = 'broken'; Code = 1; New = { New-BrokenStack (Get-NewRoot) } }
        @{ Kind = 'not there'; Code = 3; New = { Get-NewRoot } }
    ) {
        $null = Invoke-Child @'
            $ErrorActionPreference = 'Stop'
            try { exit [int] -not (Sync-ComfyToken -Validate -LiteralPath $root).IsValid }
            catch { exit 3 }
'@ @{ root = & $New }

        $LASTEXITCODE | Should -Be $Code
    }
}
