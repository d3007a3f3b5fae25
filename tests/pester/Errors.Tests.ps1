BeforeAll {
    . (Join-Path $PSScriptRoot 'TestCmdlets.ps1')

    function Get-Failure([hashtable] $how) {
        $errors = @()
        $null = 'the input' | Invoke-Failure @how -ErrorAction SilentlyContinue -ErrorVariable errors
        $errors | Should -HaveCount 1
        $errors[0]
    }
}

Describe 'An error of ours' {
    It 'has its code as id, its remedy as recommended action and the input as target' {
        $record = Get-Failure @{ Code = 'PathNotFound'; Message = 'It is not there.'; Remedy = 'Look elsewhere.' }

        $record.FullyQualifiedErrorId | Should -Be 'PathNotFound,ComfyAuth.TestCmdlets.InvokeFailureCommand'
        $record.CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $record.TargetObject | Should -Be 'the input'
        $record.ErrorDetails.RecommendedAction | Should -Be 'Look elsewhere.'
        "$record" | Should -Be 'It is not there.'
    }

    It 'is the same when the work throws before it becomes asynchronous' {
        (Get-Failure @{ Code = 'PathNotFound'; AtOnce = $true }).FullyQualifiedErrorId |
            Should -Be 'PathNotFound,ComfyAuth.TestCmdlets.InvokeFailureCommand'
    }

    It 'is shown with its remedy' {
        $record = Get-Failure @{ Code = 'PathNotFound'; Message = 'It is not there.'; Remedy = 'Look elsewhere.' }

        $record | Out-String | Should -BeLike '*It is not there.*Look elsewhere.*'
    }

    It 'with a code nobody listed still has a category' {
        (Get-Failure @{ Code = 'NeverHeardOf' }).CategoryInfo.Category | Should -Be 'InvalidOperation'
    }

    It 'does not end the pipeline' {
        1..3 | Invoke-Failure -Code Broken -ErrorAction SilentlyContinue | Should -Be 1, 2, 3
    }
}

Describe 'The table of categories' {
    BeforeAll {
        $source = Join-Path $PSScriptRoot '..' '..' 'src'
        $errorRecords = Join-Path $source 'ComfyAuth.PowerShell' 'ErrorRecords.cs'
        $code = Get-ChildItem -LiteralPath (Join-Path $source 'ComfyAuth.Core'), (Join-Path $source 'ComfyAuth.PowerShell') -Recurse -Filter *.cs |
            Where-Object Name -NE 'ErrorRecords.cs' | Get-Content -Raw
        $listed = Select-String -LiteralPath $errorRecords -Pattern '\["(\w+)"\] = ' | ForEach-Object { $_.Matches[0].Groups[1].Value }
    }

    It 'has every code that the core makes an error with' {
        [regex]::Matches("$code", '(?:ComfyAuthException|new)\(\s*"((?:[A-Z][a-z]+){2,})",') |
            ForEach-Object { $_.Groups[1].Value } | Where-Object { $_ -notin $listed } | Sort-Object -Unique | Should -BeNullOrEmpty
    }

    It 'has no code that nothing makes' {
        $listed | Where-Object { -not "$code".Contains("`"$_`"") } | Should -BeNullOrEmpty
    }
}

Describe 'An exception of another''s' {
    It '<Exception> has the id <Id> and the category <Category>' -ForEach @(
        @{ Exception = [UnauthorizedAccessException]::new('No.'); Id = 'UnexpectedUnauthorizedAccessException'; Category = 'PermissionDenied' }
        @{ Exception = [System.IO.FileNotFoundException]::new('No.'); Id = 'UnexpectedFileNotFoundException'; Category = 'ObjectNotFound' }
        @{ Exception = [System.IO.IOException]::new('No.'); Id = 'UnexpectedIOException'; Category = 'ResourceUnavailable' }
        @{ Exception = [System.IO.InvalidDataException]::new('No.'); Id = 'UnexpectedInvalidDataException'; Category = 'InvalidData' }
        @{ Exception = [System.Net.Http.HttpRequestException]::new('No.'); Id = 'UnexpectedHttpRequestException'; Category = 'ConnectionError' }
        @{ Exception = [TimeoutException]::new('No.'); Id = 'UnexpectedTimeoutException'; Category = 'OperationTimeout' }
        @{ Exception = [System.Threading.Tasks.TaskCanceledException]::new('No.'); Id = 'UnexpectedTaskCanceledException'; Category = 'OperationTimeout' }
        @{ Exception = [NotSupportedException]::new('No.'); Id = 'UnexpectedNotSupportedException'; Category = 'NotImplemented' }
        @{ Exception = [ArgumentNullException]::new('No.'); Id = 'UnexpectedArgumentNullException'; Category = 'InvalidArgument' }
        @{ Exception = [NullReferenceException]::new('No.'); Id = 'UnexpectedNullReferenceException'; Category = 'InvalidOperation' }
        @{ Exception = [AggregateException]::new([System.IO.IOException]::new('No.')); Id = 'UnexpectedIOException'; Category = 'ResourceUnavailable' }
    ) {
        $record = Get-Failure @{ Exception = $Exception }

        $record.FullyQualifiedErrorId | Should -Be "$Id,ComfyAuth.TestCmdlets.InvokeFailureCommand"
        $record.CategoryInfo.Category | Should -Be $Category
    }
}

Describe 'A secret' {
    BeforeAll {
        function Write-Everything([System.Management.Automation.ErrorRecord] $record) {
            $record | Format-List * -Force | Out-String -Width 10000
            $record.Exception.ToString()
            $record | ConvertTo-Json -Depth 5 -WarningAction SilentlyContinue
            $record | Get-Error | Out-String -Width 10000
        }
    }

    It 'in the message of an error of ours is nowhere in its record, which keeps its code and remedy' {
        $record = Get-Failure @{ Code = 'PathNotFound'; Message = 'hunter2 is wrong.'; Remedy = 'Not hunter2.' }

        $record.FullyQualifiedErrorId | Should -BeLike 'PathNotFound,*'
        "$record" | Should -Be '[redacted] is wrong.'
        $record.ErrorDetails.RecommendedAction | Should -Be 'Not [redacted].'
        Write-Everything $record | Should -Not -Match hunter2
    }

    It 'in an inner exception is nowhere in the record' {
        $inner = [System.IO.IOException]::new('hunter2')

        Write-Everything (Get-Failure @{ Code = 'PathNotFound'; Exception = $inner }) | Should -Not -Match hunter2
        Write-Everything (Get-Failure @{ Exception = [System.IO.IOException]::new('Outer.', $inner) }) | Should -Not -Match hunter2
    }

    It 'in the message of another''s exception is nowhere in the record, which keeps its id and category' {
        $record = Get-Failure @{ Exception = [UnauthorizedAccessException]::new('hunter2') }

        $record.FullyQualifiedErrorId | Should -BeLike 'UnexpectedUnauthorizedAccessException,*'
        $record.CategoryInfo.Category | Should -Be 'PermissionDenied'
        Write-Everything $record | Should -Not -Match hunter2
    }

    It 'comes out of no stream' {
        $pipeline = [powershell]::Create()
        $null = $pipeline.AddScript(". '$PSScriptRoot/TestCmdlets.ps1'").Invoke()
        $pipeline.Commands.Clear()
        $null = $pipeline.AddScript('param($text) $DebugPreference = "Continue"; Write-Probe $text -Verbose').AddArgument('hunter2').Invoke()
        $streams = $pipeline.Streams

        ($streams.Verbose + $streams.Debug + $streams.Warning + $streams.Information + $streams.Progress) | Out-String -Width 10000 | Should -Not -Match hunter2
        Write-Everything $streams.Error[0] | Should -Not -Match hunter2

        $streams.Verbose.Message | Should -Contain 'verbose [redacted]'
        $streams.Verbose.Message | Should -Contain 'logged information [redacted] Cause: cause [redacted]'
        $streams.Debug.Message | Should -Contain 'debug [redacted]'
        $streams.Debug.Message | Should -Contain 'logged debug [redacted]'
        $streams.Warning.Message | Should -Be 'warning [redacted]'
        $streams.Information.MessageData | Should -Be 'information [redacted]'
        $streams.Progress[0].Activity | Should -Be 'activity [redacted]'
        $streams.Progress[0].StatusDescription | Should -Be 'status [redacted]'
        $streams.Error[0].TargetObject | Should -Be 'target [redacted]'
        $pipeline.Dispose()
    }

    It 'in a question is not asked' {
        Set-Probe hunter2 -Ask -ErrorAction SilentlyContinue -ErrorVariable errors

        "$errors" | Should -BeLike '*Change `[redacted`]*'
    }
}

Describe 'Log messages' {
    It 'come out only where the stream is wanted' {
        Write-Probe text -ErrorAction Ignore -WarningAction Ignore 4>&1 5>&1 | Should -BeNullOrEmpty
        Write-Probe text -Verbose -ErrorAction Ignore -WarningAction Ignore 4>&1 5>&1 | Should -HaveCount 2
        $VerbosePreference = 'Continue'
        Write-Probe text -ErrorAction Ignore -WarningAction Ignore 4>&1 5>&1 | Should -HaveCount 2
        Write-Probe text -Verbose:$false -ErrorAction Ignore -WarningAction Ignore 4>&1 5>&1 | Should -BeNullOrEmpty
    }
}
