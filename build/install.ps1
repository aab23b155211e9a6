# Installs Mangrove on Windows from the unpacked archive, as an administrator:
#   powershell -ExecutionPolicy Bypass -File install.ps1 -Facility "Your hospital" -KeyFile E:\mangrove.key
# It copies the program, closes the data folder to everybody but the system's service account, makes the hospital, and registers
# a task that starts the server with the machine and again when it ends. See docs\install.md. Without -Facility the hospital that is there is kept.
param(
    [string]$Facility,
    [Parameter(Mandatory = $true)][string]$KeyFile,
    [string]$Prefix = "$env:ProgramFiles\Mangrove",
    [string]$Data = "$env:ProgramData\Mangrove",
    [string]$Urls = "https://0.0.0.0:8443",
    [switch]$NoStart
)
$ErrorActionPreference = 'Stop'
$identity = [Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()
if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { throw 'Run this as an administrator.' }
if (-not (Test-Path "$Data\root.json") -and -not $Facility) { throw 'There is no hospital yet. Name it with -Facility.' }

New-Item -ItemType Directory -Force -Path $Prefix | Out-Null
Copy-Item -Path "$PSScriptRoot\*" -Destination $Prefix -Recurse -Force
New-Item -ItemType Directory -Force -Path $Data | Out-Null
# S-1-5-19 is LOCAL SERVICE, S-1-5-32-544 the administrators, whatever the language of the system.
& icacls $Data /inheritance:r /grant '*S-1-5-19:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
if ($LASTEXITCODE -ne 0) { throw 'The rights of the data folder could not be set.' }

if (-not (Test-Path "$Data\root.json")) {
    & "$Prefix\mangrove.exe" init --facility $Facility --data $Data --protector "keyfile:$KeyFile"
    if ($LASTEXITCODE -ne 0) { throw 'The hospital was not made; the message above says why.' }
    & icacls $KeyFile /inheritance:r /grant '*S-1-5-19:R' '*S-1-5-32-544:F' | Out-Null
    if ($LASTEXITCODE -ne 0) { throw 'The rights of the key file could not be set.' }
}

$action = New-ScheduledTaskAction -Execute "$Prefix\mangrove.exe" -Argument "serve --data `"$Data`" --key-file `"$KeyFile`" --urls $Urls" -WorkingDirectory $Data
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
$account = New-ScheduledTaskPrincipal -UserId 'NT AUTHORITY\LOCAL SERVICE' -LogonType ServiceAccount
Register-ScheduledTask -TaskName 'Mangrove' -Action $action -Trigger (New-ScheduledTaskTrigger -AtStartup) -Settings $settings -Principal $account -Force | Out-Null
if (-not $NoStart) { Start-ScheduledTask -TaskName 'Mangrove' }
"Mangrove is installed in $Prefix, its data in $Data. To take it away: Unregister-ScheduledTask Mangrove, then remove $Prefix; the data stay."
