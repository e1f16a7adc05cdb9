//! What is said of wrong values, to the letter.

use super::*;

#[test]
fn wrong_types() {
    refused(
        r#"format = "1"
name = 1
server = "x"
[sdk]
installer = true
signed-by = true
properties = { A = 1 }
[preflight]
allow = [["a"]]
[hook]
run = 1
"#,
        r#"
error: `format` has the wrong type
 --> plan.toml:1:10
  |
1 | format = "1"
  |          ^^^ expected a whole number, found text

error: `name` has the wrong type
 --> plan.toml:2:8
  |
2 | name = 1
  |        ^ expected text, found a whole number

error: `server` has the wrong type
 --> plan.toml:3:10
  |
3 | server = "x"
  |          ^^^ expected a table, found text

error: `sdk.installer` has the wrong type
 --> plan.toml:5:13
  |
5 | installer = true
  |             ^^^^ expected a path, found true

error: `sdk.signed-by` has the wrong type
 --> plan.toml:6:13
  |
6 | signed-by = true
  |             ^^^^ expected text or false, found true

error: `sdk.properties.A` has the wrong type
 --> plan.toml:7:20
  |
7 | properties = { A = 1 }
  |                    ^ expected text, found a whole number

error: `preflight.allow` has the wrong type
 --> plan.toml:9:10
  |
9 | allow = [["a"]]
  |          ^^^^^ expected text, found an array

error: `[hook]` must be `[[hook]]`
  --> plan.toml:10:1
   |
10 | [hook]
   | ^^^^^^ one pair of brackets
   |
   = hint: there can be several of them, so each is written with two pairs of brackets
"#,
    );
}

#[test]
fn unknown_choices() {
    refused(
        r#"format = 1
[server]
action = "remove"
[portal]
themes = "keep"
[merge]
on-conflict = "Stop"
"#,
        r#"
error: `server.action` has an unknown value
 --> plan.toml:3:10
  |
3 | action = "remove"
  |          ^^^^^^^^
  |
  = hint: allowed: "auto", "upgrade", "keep"

error: `portal.themes` has an unknown value
 --> plan.toml:5:10
  |
5 | themes = "keep"
  |          ^^^^^^
  |
  = hint: allowed: "restore", "skip"

error: `merge.on-conflict` has an unknown value
 --> plan.toml:7:15
  |
7 | on-conflict = "Stop"
  |               ^^^^^^
  |
  = hint: allowed: "stop", "keep-new", "keep-old"
"#,
    );
}

#[test]
fn bad_paths() {
    refused(
        r#"format = 1
[backup]
directory = '..\backups'
[server]
installer = "C:\temp\new.exe"
rollback-installer = '\\files\old.exe'
[portal]
installer = 'C:\a\..\b.msi'
rollback-installer = 'C:\a?.msi'
"#,
        r#"
error: `backup.directory` is not an absolute path
 --> plan.toml:3:13
  |
3 | directory = '..\backups'
  |             ^^^^^^^^^^^^
  |
  = hint: start with the drive: 'C:\Install'

error: `server.installer` contains '\t'
 --> plan.toml:5:13
  |
5 | installer = "C:\temp\new.exe"
  |             ^^^^^^^^^^^^^^^^^
  |
  = hint: backslashes are escape characters in double quotes; use single quotes: 'C:\temp'

error: `server.rollback-installer` is a network path
 --> plan.toml:6:22
  |
6 | rollback-installer = '\\files\old.exe'
  |                      ^^^^^^^^^^^^^^^^^
  |
  = hint: copy it to a local disk and specify that path

error: `portal.installer` contains `.` or `..` as a folder
 --> plan.toml:8:13
  |
8 | installer = 'C:\a\..\b.msi'
  |             ^^^^^^^^^^^^^^^
  |
  = hint: write the full path

error: `portal.rollback-installer` contains `?`, which is invalid in a Windows path
 --> plan.toml:9:22
  |
9 | rollback-installer = 'C:\a?.msi'
  |                      ^^^^^^^^^^^
"#,
    );
}

#[test]
fn bad_installers() {
    refused(
        r#"format = 1
[server]
sha256 = "abc"
signed-by = ""
product-code = "01234567-89AB-CDEF-0123-456789ABCDEF"
arguments = []
data-upgrade-timeout = "30 minutes"
"#,
        r#"
error: `server.sha256` has 3 digits instead of 64
 --> plan.toml:3:10
  |
3 | sha256 = "abc"
  |          ^^^^^
  |
  = hint: write the 64 hexadecimal digits that `Get-FileHash` prints

error: `server.sha256` has no installer to check
 --> plan.toml:3:10
  |
3 | sha256 = "abc"
  |          ^^^^^
  |
  = hint: add `installer` to `[server]`

error: `server.signed-by` is empty
 --> plan.toml:4:13
  |
4 | signed-by = ""
  |             ^^

error: `server.product-code` is not a product code
 --> plan.toml:5:16
  |
5 | product-code = "01234567-89AB-CDEF-0123-456789ABCDEF"
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: write a GUID in braces: '{01234567-89AB-CDEF-0123-456789ABCDEF}'

error: `server.arguments` is empty
 --> plan.toml:6:13
  |
6 | arguments = []
  |             ^^ no silent switch
  |
  = hint: remove the key; the run then asks you to run the installer

error: `server.data-upgrade-timeout` is not a duration
 --> plan.toml:7:24
  |
7 | data-upgrade-timeout = "30 minutes"
  |                        ^^^^^^^^^^^^
  |
  = hint: write hours, minutes and seconds, such as "1h30m" or "90s"
"#,
    );
}

#[test]
fn bad_names_and_addresses() {
    refused(
        r#"format = 1
[sdk]
virtual-directory = "mfa/sdk"
url = "https://mfa.example.com/MultiFactorAuthWebServiceSdk"
[portal]
virtual-directory = "User Portal"
site = " "
"#,
        r#"
error: `sdk.virtual-directory` is more than one name
 --> plan.toml:3:21
  |
3 | virtual-directory = "mfa/sdk"
  |                     ^^^^^^^^^
  |
  = hint: write the name only, without slashes

error: `sdk.url` does not end in /PfWsSdk.asmx
 --> plan.toml:4:7
  |
4 | url = "https://mfa.example.com/MultiFactorAuthWebServiceSdk"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: such as "https://mfa.example.com/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx"

error: `portal.virtual-directory` contains ` `
 --> plan.toml:6:21
  |
6 | virtual-directory = "User Portal"
  |                     ^^^^^^^^^^^^^
  |
  = hint: allowed: the letters a to z, digits, `-`, `_`, `.` and `~`

error: `portal.site` is empty
 --> plan.toml:7:8
  |
7 | site = " "
  |        ^^^
"#,
    );
}

/// A plan holds no secret, and none is shown.
#[test]
fn bad_properties() {
    refused(
        r#"format = 1
[portal]
properties = { DB_PASSWORD = "hunter2", targetvdir = "x", REBOOT = "Force", lower = "" }
"#,
        r#"
error: `portal.properties.DB_PASSWORD` looks like a secret; the plan is stored with the run, so it must not contain any
 --> plan.toml:3:16
  |
3 | properties = { DB_PASSWORD = "*******", targetvdir = "x", REBOOT = "Force", lower = "" }
  |                ^^^^^^^^^^^
  |
  = hint: use method = "console" and type it there

error: `portal.properties.targetvdir` has its own key in the plan
 --> plan.toml:3:41
  |
3 | properties = { DB_PASSWORD = "*******", targetvdir = "x", REBOOT = "Force", lower = "" }
  |                                         ^^^^^^^^^^
  |
  = hint: write `virtual-directory = "..."` instead

error: `portal.properties.REBOOT` is set by pfupgrade or must not be set
 --> plan.toml:3:59
  |
3 | properties = { DB_PASSWORD = "*******", targetvdir = "x", REBOOT = "Force", lower = "" }
  |                                                           ^^^^^^

error: `portal.properties.lower` is not a public property
 --> plan.toml:3:77
  |
3 | properties = { DB_PASSWORD = "*******", targetvdir = "x", REBOOT = "Force", lower = "" }
  |                                                                             ^^^^^
  |
  = hint: names of public properties have only capital letters, digits, `_` and `.`
"#,
    );
}
