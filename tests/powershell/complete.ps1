# Loads the completions of pfupgrade, and prints what PowerShell then offers behind each command line that standard
# input has: one line for each, with the offers separated by blanks.
pfupgrade completions powershell | Out-String | Invoke-Expression
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $offers = (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches.CompletionText
    [Console]::Out.WriteLine($offers -join ' ')
}
