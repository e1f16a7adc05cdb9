# Previews an upgrade, asks, carries it out, and collects its events and report. Start it in a window opened as
# administrator, in Windows PowerShell 3 and later or PowerShell 7. Tests run it in PowerShell 7 only.
#
#   .\upgrade.ps1 -Plan .\one-server.toml -Ticket CHG0012345
#
# It ends with the exit code of pfupgrade: 0 done, 5 waiting for a manual step, 3010 Windows must be restarted.
# After 5 or 3010, start it again with -Resume. With -WhatIf, it changes nothing and shows the
# preview, or where the run stands.
[CmdletBinding()]
param(
    [string] $Plan = 'pfupgrade.toml',
    [string] $Program = '.\pfupgrade.exe',
    [string] $Ticket = '',
    [string] $Confirm = '',
    [string] $Output = '.',
    [switch] $Resume,
    [switch] $WhatIf
)

# Exit codes are results here, not errors, also in PowerShell 7.4.
$PSNativeCommandUseErrorActionPreference = $false
$stamp = Get-Date -Format 'yyyyMMdd-HHmmss'

# A program that cannot be started has no exit code, and must not end this script with 0.
$global:LASTEXITCODE = $null
$null = & $Program --version
if ($null -eq $LASTEXITCODE) { throw "$Program cannot be started; specify pfupgrade.exe with -Program" }

if ($Resume -and $WhatIf) {
    & $Program status
    $code = $LASTEXITCODE
    if ($code -eq 0) { 'Without -WhatIf, the run would continue from there.' }
    exit $code
}
if (-not $Resume) {
    $preview = & $Program plan $Plan --json | ConvertFrom-Json
    $code = $LASTEXITCODE
    if ($code -ne 0) {
        & $Program plan $Plan
        exit $code
    }
    & $Program plan $Plan
    if ($preview.unfinished_run) {
        "Run $($preview.unfinished_run) is not finished. Start this script again with -Resume."
        exit 4
    }
    if ($WhatIf -or $preview.steps.Count -eq 0) { exit 0 }
    $answer = Read-Host 'Start the upgrade? Users cannot sign in during the outage. Type yes to start'
    if ($answer -ne 'yes') { exit 2 }
}

# Messages stay on the screen; the events go to a separate file.
$events = Join-Path $Output "pfupgrade-$stamp.jsonl"
if ($Resume) { $arguments = @('resume') } else { $arguments = @('run', $Plan, '--yes') }
if ($Ticket -and -not $Resume) { $arguments += @('--ticket', $Ticket) }
if ($Confirm -and $Resume) { $arguments += @('--confirm', $Confirm) }
$arguments += @('--json-file', $events)
& $Program @arguments
$code = $LASTEXITCODE
$told = @(Get-Content -LiteralPath $events | ForEach-Object { $_ | ConvertFrom-Json })
$end = $told | Select-Object -Last 1

# Without this event nothing was begun, and the report would be that of an earlier command.
if ($told | Where-Object { $_.event -eq 'started' }) {
    & $Program report --format html --output (Join-Path $Output "pfupgrade-$stamp.html") --quiet
} else {
    'Nothing was begun, so there is no report.'
}
switch ($code) {
    0       { 'Done. The report is beside the events.' }
    5       { "Waiting for a manual step: $($end.next)" }
    3010    { 'Restart Windows, then start this script again with -Resume.' }
    default { "It ended with $code. Next: $($end.next)" }
}
exit $code
