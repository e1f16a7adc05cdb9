# Parses the scripts that standard input names, one a line, as PowerShell does before it runs them, and prints one line
# for each: its name, a tab, and the first error, if there is one.
while ($null -ne ($file = [Console]::In.ReadLine())) {
    $errors = $null
    [void] [System.Management.Automation.Language.Parser]::ParseFile($file, [ref] $null, [ref] $errors)
    $first = if ($errors) { "line $($errors[0].Extent.StartLineNumber): $($errors[0].Message)" }
    [Console]::Out.WriteLine("$file`t$first")
}
