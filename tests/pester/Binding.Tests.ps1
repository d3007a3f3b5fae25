BeforeAll {
    . (Join-Path $PSScriptRoot 'TestCmdlets.ps1')
}

Describe 'A path' {
    BeforeAll {
        $folder = (Get-Item -LiteralPath $TestDrive).FullName
        foreach ($name in 'one', 'two', 'o[n]e') {
            $null = New-Item -ItemType Directory -Path (Join-Path $folder $name)
        }
    }

    BeforeEach { Push-Location -LiteralPath $folder }

    AfterEach { Pop-Location }

    It 'is the current location when none is given' {
        Resolve-ProbePath | Should -Be $folder
    }

    It 'is relative to the current location, not to that of the process' {
        Resolve-ProbePath one | Should -Be (Join-Path $folder 'one')
    }

    It 'may have wildcards' {
        Resolve-ProbePath t* | Should -Be (Join-Path $folder 'two')
        @(Resolve-ProbePath *).Count | Should -Be 3
    }

    It 'may be on a drive of PowerShell''s own' {
        $null = New-PSDrive -Name Probe -PSProvider FileSystem -Root $folder

        Resolve-ProbePath Probe:/one | Should -Be (Join-Path $folder 'one')
    }

    It 'has no wildcards when literal, and need not exist' {
        Resolve-ProbePath -LiteralPath 'o[n]e' | Should -Be (Join-Path $folder 'o[n]e')
        Resolve-ProbePath -LiteralPath 'new' | Should -Be (Join-Path $folder 'new')
    }

    It 'comes from the items of another command' {
        Get-Item -LiteralPath 'o[n]e' | Resolve-ProbePath | Should -Be (Join-Path $folder 'o[n]e')
    }

    It '<Given> is refused as <Id>' -ForEach @(
        @{ Given = 'absent'; Id = 'PathNotFound' }
        @{ Given = 'absent*'; Id = 'PathNotFound' }
        @{ Given = 'absent/deeper'; Id = 'PathNotFound' }
        @{ Given = 'NoSuchDrive:/x'; Id = 'PathNotFound' }
        @{ Given = 'NoSuchProvider::x'; Id = 'PathInvalid' }
        @{ Given = 'Env:/PATH'; Id = 'PathNotFileSystem' }
        @{ Given = ''; Id = 'PathInvalid' }
        @{ Given = 'open['; Id = 'PathNotFound' }
        @{ Given = "nul`0"; Id = 'PathNotFound' }
    ) {
        Resolve-ProbePath $Given -ErrorAction SilentlyContinue -ErrorVariable errors | Should -BeNullOrEmpty

        $errors[0].FullyQualifiedErrorId | Should -Be "$Id,ComfyAuth.TestCmdlets.ResolveProbePathCommand"
    }

    It 'outside the file system is refused, also as the current location' {
        Set-Location Env:
        Resolve-ProbePath -ErrorAction SilentlyContinue -ErrorVariable errors

        $errors[0].FullyQualifiedErrorId | Should -BeLike 'PathNotFileSystem,*'
    }

    It 'that is bad does not keep the good ones from being worked on' {
        'absent', 'one' | Resolve-ProbePath -ErrorAction SilentlyContinue | Should -Be (Join-Path $folder 'one')
    }
}

Describe 'A value' {
    It 'is unwrapped' {
        Get-Probe -Value ([psobject]::AsPSObject('text')) | Should -Be 'String'
        Get-Probe -Value ([psobject]::AsPSObject('text'), 1) | Should -Be 'String,Int32'
        Get-Probe -Value @{ Key = [psobject]::AsPSObject('text') } | Should -Be 'String'
        Get-Probe -Value ([pscustomobject] @{ Key = 1 }) | Should -Be 'PSObject'
        Get-Probe -Value $null | Should -BeNullOrEmpty
    }
}

Describe 'Completion' {
    BeforeAll {
        function Complete([string] $line) {
            @((TabExpansion2 $line $line.Length).CompletionMatches.CompletionText)
        }
    }

    It 'offers what starts with the word, quoted where needed' {
        Complete 'Get-Probe -Name ' | Should -Be 'plain', "'with blank'", "'it''s'", "'`$dollar'"
        Complete 'Get-Probe -Name w' | Should -Be "'with blank'"
        Complete "Get-Probe -Name 'w" | Should -Be "'with blank'"
        Complete "Get-Probe -Name 'pl" | Should -Be "'plain'"
        Complete 'Get-Probe -Name "$d' | Should -Not -BeNullOrEmpty
        Complete 'Get-Probe -Name PL' | Should -Be 'plain'
    }

    It 'gives back what was found, quoted so that PowerShell reads the value' {
        foreach ($text in Complete 'Get-Probe -Name "') {
            [scriptblock]::Create($text).Invoke() | Should -BeIn 'plain', 'with blank', 'it''s', '$dollar'
        }
    }

    It 'of a search that fails offers what was found before, and leaves no error' {
        $Error.Clear()

        Complete 'Get-Probe -Way Fails -Name p' | Should -Be 'plain'
        $Error | Should -BeNullOrEmpty
    }

    It 'of a search that hangs offers what was found until it gives up' {
        $before = Set-Patience Binding.CandidateCompleter Patience 00:00:10
        try { Complete 'Get-Probe -Way Hangs -Name p' | Should -Be 'plain' }
        finally { $null = Set-Patience Binding.CandidateCompleter Patience $before }
    }

    It 'gives up after 300 ms, where no test says otherwise' {
        $completionTime.TotalMilliseconds | Should -Be 300
    }

    It 'knows the current location' {
        Push-Location -LiteralPath $TestDrive
        try {
            (Complete 'Get-Probe -Way Location -Name ')[-1] | Should -Be (Get-Location).ProviderPath
        }
        finally {
            Pop-Location
        }
    }
}
