# Reads web.config files with Microsoft's own reader, System.Configuration, which PowerShell 7 brings along, and prints
# one line of JSON for each: see README.md beside this file.
#
#   netconfig.ps1 FILE ...     the files named
#   ... | netconfig.ps1        the files named on standard input, one a line, so that one process reads thousands
param([Parameter(ValueFromRemainingArguments = $true)] [string[]] $Files)
$ErrorActionPreference = 'Stop'

$assemblies = @(
    'System.Configuration.ConfigurationManager'
    'System.Collections', 'System.Collections.NonGeneric', 'System.Collections.Specialized', 'System.Linq'
    'System.Runtime', 'System.Runtime.Extensions', 'System.Runtime.InteropServices', 'System.Memory', 'System.Console'
    'System.Text.Json', 'System.Text.Encodings.Web', 'System.Text.Encoding.Extensions', 'System.Text.RegularExpressions'
    'System.Xml.ReaderWriter', 'System.Xml.XDocument', 'netstandard'
)
$sources = 'Reader.cs', 'Host.cs', 'Machine.cs' | ForEach-Object { Join-Path $PSScriptRoot $_ }
Add-Type -Path $sources -ReferencedAssemblies $assemblies

if ($Files) {
    foreach ($file in $Files) { [NetConfig.Reader]::Read((Resolve-Path -LiteralPath $file).ProviderPath) }
} else {
    while ($null -ne ($line = [Console]::In.ReadLine())) { [Console]::Out.WriteLine([NetConfig.Reader]::Read($line)) }
}
