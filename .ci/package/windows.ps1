# Builds a folder with twinsyncd and its own Python, to be copied to a Windows machine.
#   powershell -File .ci\package\windows.ps1 -Python C:\python-embed.zip -Output dist\twinsyncd
# -Python: the "embeddable package" of Python, as its makers publish it, of the version of the Python
# that runs pip here. Then on the machine, as administrator:
#   twinsyncd\install.ps1 -Account DOMAIN\twinsyncd -Config C:\ProgramData\twinsyncd\twinsyncd.toml
# The daemon then runs from start-up, under that account, and is started again when it ends.
param(
    [Parameter(Mandatory)] [string] $Python,
    [string] $Output = "dist\twinsyncd",
    [string] $Extras = "windows,keyring"
)
$ErrorActionPreference = "Stop"
$top = Resolve-Path "$PSScriptRoot\..\.."
New-Item -ItemType Directory -Force "$Output\python" | Out-Null
Expand-Archive -Force $Python "$Output\python"
py -m pip install --quiet --target "$Output\packages" -c "$top\.ci\constraints.txt" "$top[$Extras]"
if ($LASTEXITCODE -ne 0) { throw "pip failed" }
# The embeddable Python looks only where this file says.
$paths = Get-ChildItem "$Output\python\python*._pth" | Select-Object -First 1
Add-Content $paths "..\packages`n..\packages\win32`n..\packages\win32\lib`nimport site"
Set-Content "$Output\twinsyncd.cmd" '@"%~dp0python\python.exe" -m twinsyncd %*'
Set-Content "$Output\install.ps1" @'
param(
    [Parameter(Mandatory)] [string] $Account,
    [string] $Config = "$env:ProgramData\twinsyncd\twinsyncd.toml"
)
$ErrorActionPreference = "Stop"
& "$PSScriptRoot\twinsyncd.cmd" check --config $Config
if ($LASTEXITCODE -ne 0) { throw "correct what check says, then install again" }
$arguments = "-m twinsyncd run --config `"$Config`""
$action = New-ScheduledTaskAction -Execute "$PSScriptRoot\python\pythonw.exe" -Argument $arguments
$trigger = New-ScheduledTaskTrigger -AtStartup
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
    -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
$password = Read-Host -AsSecureString "Password of $Account"
$plain = [Net.NetworkCredential]::new("", $password).Password
Register-ScheduledTask -TaskName twinsyncd -Action $action -Trigger $trigger -Settings $settings `
    -User $Account -Password $plain -RunLevel Limited -Force | Out-Null
Start-ScheduledTask -TaskName twinsyncd
Write-Output "twinsyncd runs as $Account. To remove it: Unregister-ScheduledTask twinsyncd"
'@
Write-Output "built: $Output"
