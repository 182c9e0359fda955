# Builds a folder with twinsyncd and its own Python, to be copied to a Windows machine.
#   powershell -File .ci\package\windows.ps1 -Python C:\python-embed.zip -Output dist\twinsyncd
# -Python: the "embeddable package" of Python, as its makers publish it, of the version of the Python
# that runs pip here. Then on the machine, as administrator:
#   twinsyncd\install.ps1 -Account DOMAIN\twinsyncd -Config C:\ProgramData\twinsyncd\twinsyncd.toml
# The daemon then is a service of the machine; without -Account it runs as NetworkService, which
# shares see as the computer's account.
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
    [string] $Account,
    [string] $Config = "$env:ProgramData\twinsyncd\twinsyncd.toml"
)
$ErrorActionPreference = "Stop"
& "$PSScriptRoot\twinsyncd.cmd" check --config $Config
if ($LASTEXITCODE -ne 0) { throw "correct what check says, then install again" }
$options = @("--config", $Config)
if ($Account) { $options += @("--account", $Account) }
& "$PSScriptRoot\twinsyncd.cmd" service install @options
if ($LASTEXITCODE -ne 0) { throw "the service is not installed" }
'@
Write-Output "built: $Output"
