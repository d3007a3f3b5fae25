@{
    RootModule           = 'ComfyAuth.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = 'b3a6a7a4-0f0e-4d1c-9a55-0b8d1c3c1c4e'
    Author               = 'ComfyAuth contributors'
    CompanyName          = 'ComfyAuth'
    Copyright            = '(c) 2026 ComfyAuth contributors. MIT licence.'
    Description          = 'Makes the tokens and .env files of ComfyUI stacks in Docker (ComfyUI-Login, Qwen image edit and sister services) agree, and shows where they do not.'

    # 7.4 is the oldest release with a .NET (8) that the assemblies can be loaded into.
    # Windows PowerShell 5.1 runs on .NET Framework and cannot load them.
    PowerShellVersion    = '7.4'
    CompatiblePSEditions = @('Core')

    FormatsToProcess     = @('ComfyAuth.format.ps1xml')

    FunctionsToExport    = @()
    CmdletsToExport      = @(
        'Export-GenAIReport', 'Find-GenAIGuidance', 'Get-GenAIContainer', 'Install-ComfyQwen', 'Invoke-ComfyWorkflow', 'Restart-GenAIContainer'
        'Restore-ComfyEnv', 'Save-ComfyModel', 'Set-ComfyGuestMode', 'Start-GenAIContainer', 'Stop-GenAIContainer', 'Sync-ComfyToken'
        'Test-GenAIEcosystem', 'Undo-GenAIFix', 'Uninstall-ComfyQwen', 'Wait-GenAIContainer'
    )
    VariablesToExport    = @()
    AliasesToExport      = @()

    PrivateData          = @{
        PSData = @{
            Tags         = @('ComfyUI', 'Docker', 'bcrypt', 'dotenv', 'GenAI', 'PSEdition_Core', 'Windows', 'Linux', 'MacOS')
            LicenseUri   = 'https://opensource.org/license/mit'
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
