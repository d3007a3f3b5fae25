BeforeDiscovery {
    $manifest = Import-PowerShellDataFile (Join-Path $PSScriptRoot '..' '..' 'ComfyAuth.psd1')
    $cmdlets = @($manifest.CmdletsToExport | ForEach-Object { @{ Cmdlet = $_ } })
}

BeforeAll {
    . (Join-Path $PSScriptRoot 'TestCmdlets.ps1')
}

Describe 'The help of <Cmdlet>' -ForEach $cmdlets {
    BeforeAll {
        $help = Get-Help $Cmdlet -Full
    }

    It 'has a synopsis that is not just the syntax' {
        $help.Synopsis.Trim() | Should -Not -BeNullOrEmpty
        $help.Synopsis.Trim() | Should -Not -BeLike "$Cmdlet *"
    }

    It 'has a description' {
        ($help.description | Out-String).Trim() | Should -Not -BeNullOrEmpty
    }

    It 'describes every parameter' {
        $common = [System.Management.Automation.Cmdlet]::CommonParameters + [System.Management.Automation.Cmdlet]::OptionalCommonParameters
        $parameters = (Get-Command $Cmdlet).Parameters.Keys | Where-Object { $_ -notin $common }

        foreach ($name in $parameters) {
            $described = $help.parameters.parameter | Where-Object name -EQ $name
            ($described.description | Out-String).Trim() | Should -Not -BeNullOrEmpty -Because "-$name"
        }
    }

    It 'has at least two examples, each with code that parses and an explanation' {
        $examples = @($help.examples.example)
        $examples.Count | Should -BeGreaterOrEqual 2

        foreach ($example in $examples) {
            $errors = $null
            $null = [System.Management.Automation.Language.Parser]::ParseInput($example.code, [ref] $null, [ref] $errors)
            $errors | Should -BeNullOrEmpty -Because $example.code
            $example.code | Should -Match $Cmdlet
            ($example.remarks | Out-String).Trim() | Should -Not -BeNullOrEmpty -Because $example.code
        }
    }

    It 'names what it gives' {
        (Get-Command $Cmdlet).OutputType | Should -Not -BeNullOrEmpty
        $help.returnValues | Should -Not -BeNullOrEmpty
    }
}

Describe 'Help written from documentation comments' {
    BeforeAll {
        $help = Get-Help Set-Probe -Full
    }

    It 'has the summary as synopsis' {
        $help.Synopsis.Trim() | Should -Be '"Changes" each name it is given & asks, like GetProbeCommand.'
    }

    It 'has the paragraphs and lists of the remarks as description' {
        $help.description.Text.Trim() | Should -Be 'Nothing is changed.', 'It asks from a thread of the pool.', '- first', '- second'
    }

    It 'has the traits of each parameter' {
        $name = $help.parameters.parameter | Where-Object name -EQ Name
        $name.description.Text | Should -Be 'What to change; see Force.'
        $name.required | Should -Be 'true'
        $name.position | Should -Be '0'
        $name.pipelineInput | Should -Be 'true (ByValue)'
        $name.aliases | Should -Be 'Target, CN'
        $name.parameterValue | Should -Be 'String[]'
    }

    It 'has each parameter once, however many sets it is in' {
        @($help.parameters.parameter | Where-Object name -EQ Force).Count | Should -Be 1
    }

    It 'tells the values of an enumeration, unless there are too many' {
        $key = $help.parameters.parameter | Where-Object name -EQ Key
        $key.description.Text | Should -Be 'How.'
        $key.parameterValue | Should -Be 'ConsoleKey'
    }

    It 'has the syntax of each set, the default one first, with -WhatIf and -Confirm' {
        $sets = $help.syntax.syntaxItem
        $sets.Count | Should -Be 2
        $sets[0].parameter.name | Should -Be 'Name', 'State', 'Force', 'Key', 'WhatIf', 'Confirm'
        $sets[1].parameter.name | Should -Be 'Name', 'State', 'Ask', 'Force', 'Key', 'WhatIf', 'Confirm'
    }

    It 'has the examples, with their lines, and what they give' {
        $help.examples.example[0].code | Should -Be "Set-Probe a |`n    Out-Null"
        $help.examples.example[0].remarks.Text | Should -Be 'Changes a.'
        $help.examples.example[1].remarks.Text | Should -Be 'Does not change b.'
        $help.returnValues.returnValue.type.name | Should -Be 'System.String'
    }

    It 'is found under the locale <_>' -ForEach 'C', 'C.UTF-8', 'en_US.UTF-8', 'fr_FR.UTF-8' -Skip:$IsWindows {
        $before = $env:LC_ALL
        $env:LC_ALL = $_
        try {
            & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -Command ". '$PSScriptRoot/TestCmdlets.ps1'; (Get-Help Set-Probe).description.Text[0].Trim()" |
                Should -Be 'Nothing is changed.'
        }
        finally {
            $env:LC_ALL = $before
        }
    }
}
