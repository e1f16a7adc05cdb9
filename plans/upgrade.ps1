# Previews an upgrade, asks, carries it out, and collects its evidence. To be started in a window that was opened as
# administrator; for Windows PowerShell 3 and later, and PowerShell 7. Written from their documentation, never run.
#
#   .\upgrade.ps1 -Plan .\one-server.toml -Ticket CHG0012345
#
# It ends with the code of pfupgrade: 0 done, 5 a person has to do something first, 3010 Windows has to be restarted.
# After either of the last two, start it again with -Resume.
param(
    [string] $Plan = 'pfupgrade.toml',
    [string] $Program = '.\pfupgrade.exe',
    [string] $Ticket = '',
    [string] $Confirm = '',
    [string] $Evidence = '.',
    [switch] $Resume
)

# An exit code is an answer here and no error, also where PowerShell 7.4 would make one of it.
$PSNativeCommandUseErrorActionPreference = $false
$stamp = Get-Date -Format 'yyyyMMdd-HHmmss'

if (-not $Resume) {
    $preview = & $Program plan $Plan --json | ConvertFrom-Json
    $code = $LASTEXITCODE
    if ($code -ne 0) {
        & $Program plan $Plan
        exit $code
    }
    & $Program plan $Plan
    if ($preview.steps.Count -eq 0) { exit 0 }
    $answer = Read-Host 'Carry this out? Users cannot sign in meanwhile. Type yes to begin'
    if ($answer -ne 'yes') { exit 2 }
}

# What people read stays on the screen; the events go into a file of their own.
$events = Join-Path $Evidence "pfupgrade-$stamp.jsonl"
if ($Resume) { $arguments = @('resume') } else { $arguments = @('run', $Plan, '--yes') }
if ($Ticket -and -not $Resume) { $arguments += @('--ticket', $Ticket) }
if ($Confirm -and $Resume) { $arguments += @('--confirm', $Confirm) }
$arguments += @('--json-file', $events)
& $Program @arguments
$code = $LASTEXITCODE
$end = Get-Content $events | Select-Object -Last 1 | ConvertFrom-Json

& $Program report --format html --output (Join-Path $Evidence "pfupgrade-$stamp.html") --quiet
switch ($code) {
    0       { 'Done. The evidence lies beside the events.' }
    5       { "A person has to do something first: $($end.next)" }
    3010    { 'Restart Windows, then start this script again with -Resume.' }
    default { "It ended with $code. Next: $($end.next)" }
}
exit $code
