# Dot-sourced by the suites: imports the built module and lays out stacks like the original's. The passwords and hashes
# are published bcrypt test vectors of the lowest cost; every other secret is made up.
$modulePath = Join-Path $PSScriptRoot '..' '..' 'out' 'ComfyAuth' 'ComfyAuth.psd1' | Resolve-Path
Import-Module $modulePath
. (Join-Path $PSScriptRoot 'Patience.ps1')

$source = '.secrets/comfyui_auth_tokens.conf'
$service = 'docker-configurations/services/comfyui-qwen'
$passwordFile = "$service/.secrets/PASSWORD"

# Both salts start with a letter, so that Compose v2 takes what follows for a variable where there are no quotes.
$credential = @{ Password = 'Kk4DQuMMfZL9o'; Hash = '$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm' }
$older = @{ Password = 'VDx5BdxfxstYk'; Hash = '$2b$04$xgZtlonpAHSU/njOCdKztOPuPFzCNVpB4LGicO4/OGgHv.uKHkwsS' }

function Set-StackFile([string] $root, [string] $path, [string] $text) {
    $full = Join-Path $root $path
    $null = [System.IO.Directory]::CreateDirectory((Split-Path -LiteralPath $full))
    [System.IO.File]::WriteAllText($full, $text)
    if (-not $IsWindows) {
        [System.IO.File]::SetUnixFileMode($full, 'UserRead, UserWrite')
    }
}

function Get-StackFile([string] $root, [string] $path) { [System.IO.File]::ReadAllText((Join-Path $root $path)) }

function Edit-StackFile([string] $root, [string] $path, [string] $old, [string] $new) {
    $text = Get-StackFile $root $path
    if (-not $text.Contains($old)) { throw "'$path' does not hold what is to be replaced." }
    Set-StackFile $root $path $text.Replace($old, $new)
}

# A stack in which everything agrees.
function New-SampleStack([string] $root, [hashtable] $of = $credential) {
    $hash, $password = $of.Hash, $of.Password
    Set-StackFile $root $source "{`"version`": `"1.0`", `"created_at`": `"2025-10-30T22:00:00Z`", `"raw_token`": `"$password`", `"bcrypt_hash`": `"$hash`"}"
    Set-StackFile $root '.env' "# root`nCOMFYUI_API_TOKEN='$hash'`nCOMFYUI_RAW_TOKEN=$password`n"
    Set-StackFile $root '.secrets/qwen-api-user.token' $hash
    Set-StackFile $root "$service/.env" @"
CIVITAI_TOKEN=civitai-0c6d4e1f
HF_TOKEN=huggingface-77aa31b9
QWEN_API_TOKEN=qwen-5be9ff20

# Login
COMFYUI_LOGIN_ENABLED=true
COMFYUI_USERNAME=alice
COMFYUI_PASSWORD=$password
COMFYUI_BEARER_TOKEN='$hash'

# My own
MY_SETTING="kept as it is"

"@.Replace("`r", '')
    Set-StackFile $root "$service/.secrets/qwen-api-user.token" "$hash`n"
    Set-StackFile $root $passwordFile "$hash`nalice`n"
    $root
}

# A stack with the faults that the original's operators met.
function New-BrokenStack([string] $root) {
    $null = New-SampleStack $root
    Set-StackFile $root '.secrets/qwen-api-user.token' $older.Hash
    Edit-StackFile $root "$service/.env" "'$($credential.Hash)'" $credential.Hash
    Edit-StackFile $root "$service/.env" $credential.Password $older.Password
    Edit-StackFile $root "$service/.env" "COMFYUI_LOGIN_ENABLED=true`n" ''
    Set-StackFile $root $passwordFile "$($credential.Hash)`r`nalice`r`n"
    $root
}

# Every file with its bytes and its time of change, to be compared.
function Get-Snapshot([string[]] $root) {
    Get-ChildItem -LiteralPath $root -Recurse -File -Force | Sort-Object FullName | ForEach-Object {
        '{0} {1} {2}' -f $_.FullName, (Get-FileHash -LiteralPath $_.FullName).Hash, $_.LastWriteTimeUtc.Ticks
    }
}

# What a script prints in a PowerShell of its own, with the module loaded and the variables set.
function Invoke-Child([string] $script, [hashtable] $variables = @{}) {
    $file = New-TemporaryFile | Rename-Item -NewName { $_.BaseName + '.ps1' } -PassThru
    try {
        $settings = foreach ($name in $variables.Keys) { "`$$name = '$("$($variables[$name])".Replace("'", "''"))'" }
        Set-Content -LiteralPath $file -Value (@("Import-Module '$modulePath'") + $settings + $script)
        & (Get-Process -Id $PID).Path -NoProfile -NonInteractive -File $file 2>&1
    }
    finally {
        Remove-Item -LiteralPath $file
    }
}

# The token of a stack as it is now, from its source of truth.
function Get-Token([string] $root) { Get-StackFile $root $source | ConvertFrom-Json }

# What stands at every place that holds the hash.
function Get-HashInUse([string] $root) {
    (Get-Token $root).bcrypt_hash
    foreach ($path in '.env', '.secrets/qwen-api-user.token', "$service/.env", "$service/.secrets/qwen-api-user.token", $passwordFile) {
        [regex]::Matches((Get-StackFile $root $path), '\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}').Value
    }
}

# What the module shows in the place of a hash.
function Get-Fingerprint([string] $hash) {
    [Convert]::ToHexString([System.Security.Cryptography.SHA256]::HashData([System.Text.Encoding]::UTF8.GetBytes($hash))).Substring(0, 8).ToLowerInvariant()
}
