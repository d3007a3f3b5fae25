BeforeAll {
    . (Join-Path $PSScriptRoot 'SampleStack.ps1')
    $example = Join-Path $PSScriptRoot '..' '..' 'examples' 'Test-GenAINightly.ps1' | Resolve-Path
    $script:number = 0

    function Get-NewRoot { Join-Path $TestDrive "stack $((++$script:number))" }

    # What does not depend on this machine: neither its Docker nor its Python.
    $apart = 'engine', 'python', 'api', 'content', 'model', 'git'

    function Invoke-Nightly([string[]] $root, [string] $logs, [string[]] $exclude = $apart) {
        $null = & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -Command "& '$example' -LogFolder '$logs' -Exclude $($exclude -join ',') '$($root -join "' '")'; exit `$LASTEXITCODE"
        $LASTEXITCODE
    }
}

Describe 'The example for the night' {
    It 'exits with 1 where something failed, and says what in the log' {
        $logs = Join-Path $TestDrive logs1
        $root = New-BrokenStack (Get-NewRoot)

        Invoke-Nightly $root $logs | Should -Be 1

        Get-ChildItem $logs -Filter *.log | Get-Content -Raw | Should -BeLike '*Failed token.files comfyui-qwen*'
        Get-ChildItem $logs -Filter *.html | Should -HaveCount 1
    }

    It 'exits with 3 where a stack could not be checked, and spares the others' {
        $logs = Join-Path $TestDrive logs2
        $bad = New-SampleStack (Get-NewRoot)
        Set-StackFile $bad 'comfyauth.yml' 'nonsense: true'
        $root = New-SampleStack (Get-NewRoot)

        Invoke-Nightly $bad, $root $logs -Exclude ($apart + 'service', 'env', 'compose', 'secrets', 'token.strength') | Should -Be 3

        $log = Get-ChildItem $logs -Filter *.log | Get-Content
        $log -like "*${bad}: not checked: *" | Should -HaveCount 1
        $log -like "*${root}: *of 100*" | Should -HaveCount 1
    }

    It 'compares with the run before' {
        $logs = Join-Path $TestDrive logs3
        $root = New-SampleStack (Get-NewRoot)
        $null = Invoke-Nightly $root $logs
        Set-StackFile $root '.secrets/qwen-api-user.token' $older.Hash

        Invoke-Nightly $root $logs | Should -Be 1

        $report = Get-ChildItem $logs -Filter *.json | Get-Content -Raw | ConvertFrom-Json
        "$($report.baseline | ConvertTo-Json -Depth 4)" | Should -BeLike '*token.files*'
    }
}
