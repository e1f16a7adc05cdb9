//! What is said of wrong tables, contradictions and broken files, to the letter.

use super::*;

/// Keys that do not exist, and what was meant.
#[test]
fn unknown_keys() {
    refused(
        r#"format = 1
installer = 'C:\a'
[portl]
[sdk]
themes = "skip"
virtual_directory = "a"
colour = 1
"\u001b[2J" = 1
"#,
        r#"
error: unknown key `installer`
 --> plan.toml:2:1
  |
2 | installer = 'C:\a'
  | ^^^^^^^^^
  |
  = hint: `installer` belongs to `[server]`, `[sdk]`, `[portal]`, `[mobile-app]`

error: unknown key `portl`
 --> plan.toml:3:2
  |
3 | [portl]
  |  ^^^^^
  |
  = hint: did you mean `portal`?

error: unknown key `themes` in `sdk`
 --> plan.toml:5:1
  |
5 | themes = "skip"
  | ^^^^^^
  |
  = hint: `themes` belongs to `[portal]`

error: unknown key `virtual_directory` in `sdk`
 --> plan.toml:6:1
  |
6 | virtual_directory = "a"
  | ^^^^^^^^^^^^^^^^^
  |
  = hint: did you mean `virtual-directory`?

error: unknown key `colour` in `sdk`
 --> plan.toml:7:1
  |
7 | colour = 1
  | ^^^^^^
  |
  = hint: allowed here: action, installer, sha256, signed-by, product-code, rollback-installer, virtual-directory, site, application-pool, properties, method, url

error: unknown key `\u{1b}[2J` in `sdk`
 --> plan.toml:8:1
  |
8 | "\u001b[2J" = 1
  | ^^^^^^^^^^^
  |
  = hint: allowed here: action, installer, sha256, signed-by, product-code, rollback-installer, virtual-directory, site, application-pool, properties, method, url
"#,
    );
}

/// Two places that contradict each other are both shown.
#[test]
fn combinations() {
    refused(
        r#"format = 1
[server]
product-code = '{01234567-89AB-CDEF-0123-456789ABCDEF}'
sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
[sdk]
action = "upgrade"
url = "https://mfa.example.com/Sdk/PfWsSdk.asmx"
product-code = '{01234567-89ab-cdef-0123-456789abcdef}'
virtual-directory = "multifactorauth"
[portal]
method = "console"
properties = { A = "b" }
[mobile-app]
action = "remove"
installer = 'C:\a.msi'
"#,
        r#"
error: `server.sha256` has no installer to check
 --> plan.toml:4:10
  |
4 | sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
  |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: add `installer` to `[server]`

error: the Web Service SDK cannot be on this server and on another one
 --> plan.toml:7:7
  |
6 | action = "upgrade"
  |          --------- here
7 | url = "https://mfa.example.com/Sdk/PfWsSdk.asmx"
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ elsewhere
  |
  = hint: `url` is for web servers whose SDK is on the agent's server

error: `server` and `sdk` cannot be the same product
 --> plan.toml:8:16
  |
3 | product-code = '{01234567-89AB-CDEF-0123-456789ABCDEF}'
  |                ---------------------------------------- and here
...
8 | product-code = '{01234567-89ab-cdef-0123-456789abcdef}'
  |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this code

error: `sdk` has the default virtual directory of `portal`
 --> plan.toml:9:21
  |
9 | virtual-directory = "multifactorauth"
  |                     ^^^^^^^^^^^^^^^^^ the same name
  |
  = hint: give them different names, or specify different sites with `site`

error: `portal.properties` has no effect with `method = "console"`
  --> plan.toml:12:14
   |
11 | method = "console"
   |          --------- you install it
12 | properties = { A = "b" }
   |              ^^^^^^^^^^^ for the package

error: `mobile-app.installer` has no effect with `action = "remove"`
  --> plan.toml:15:13
   |
14 | action = "remove"
   |          -------- nothing is installed
15 | installer = 'C:\a.msi'
   |             ^^^^^^^^^^ for an installation
"#,
    );
}

#[test]
fn the_same_virtual_directory_twice() {
    refused(
        r#"format = 1
[portal]
virtual-directory = "Mfa"
[sdk]
virtual-directory = "MFA"
"#,
        r#"
error: `sdk` and `portal` cannot have the same virtual directory on one site
 --> plan.toml:3:21
  |
3 | virtual-directory = "Mfa"
  |                     ^^^^^ the same name
4 | [sdk]
5 | virtual-directory = "MFA"
  |                     ----- as here
  |
  = hint: give them different names, or specify different sites with `site`
"#,
    );
}

#[test]
fn gates() {
    refused(
        r#"format = 1
[gates]
activate = { skip = "a" }
activation = {}
portal-url = { skip = "" }
server-setup = true
"#,
        r#"
error: unknown key `activate` in `gates`
 --> plan.toml:3:1
  |
3 | activate = { skip = "a" }
  | ^^^^^^^^
  |
  = hint: did you mean `activation`?

error: `gates.activation` gives no reason
 --> plan.toml:4:14
  |
4 | activation = {}
  |              ^^
  |
  = hint: write `activation = { skip = "why" }`; the report shows the reason

error: `gates.portal-url.skip` is empty
 --> plan.toml:5:23
  |
5 | portal-url = { skip = "" }
  |                       ^^

error: `gates.server-setup` has the wrong type
 --> plan.toml:6:16
  |
6 | server-setup = true
  |                ^^^^ expected { skip = "reason" }, found true
"#,
    );
}

#[test]
fn hooks() {
    refused(
        r#"format = 1
[[hook]]
[[hook]]
before = "uninstall portal"
after = "verify"
run = ['C:\Scripts\drain.cmd']
[[hook]]
before = "verify"
run = ['net.exe', '/password:hunter2']
timeout = "0s"
[[hook]]
after = "verify"
run = ['net.exe', 'stop']
[[hook]]
after = "verify"
run = ['C:\a.exe', '--token', 'hunter2']
"#,
        r#"
error: a hook names no step
 --> plan.toml:2:1
  |
2 | [[hook]]
  | ^^^^^^^^
  |
  = hint: write `before = "STEP"` or `after = "STEP"`

error: a hook runs nothing
 --> plan.toml:2:1
  |
2 | [[hook]]
  | ^^^^^^^^
  |
  = hint: write `run = ['C:\Path\program.exe', 'argument']`

error: `hook.before` is not an ID
 --> plan.toml:4:10
  |
4 | before = "uninstall portal"
  |          ^^^^^^^^^^^^^^^^^^
  |
  = hint: IDs are lowercase, with hyphens, as shown in the preview

error: a hook runs before or after a step, not both
 --> plan.toml:5:9
  |
4 | before = "uninstall portal"
  |          ------------------ or this
5 | after = "verify"
  |         ^^^^^^^^ either this
  |
  = hint: write two hooks

error: `hook.run` does not start with an `.exe`
 --> plan.toml:6:7
  |
6 | run = ['C:\Scripts\drain.cmd']
  |       ^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = hint: add the interpreter: ['C:\Windows\System32\cmd.exe', '/d', '/c', 'C:\Scripts\drain.cmd']

error: `hook.run` contains what looks like a secret; the plan is stored with the run
 --> plan.toml:9:19
  |
9 | run = ['net.exe', '/password:*******'*
  |                   ^^^^^^^^^^^^^^^^^^^
  |
  = hint: let the program read it from elsewhere

error: `hook.timeout` is too short
  --> plan.toml:10:11
   |
10 | timeout = "0s"
   |           ^^^^
   |
   = hint: the shortest duration is "1s"

error: `hook.run` is not an absolute path
  --> plan.toml:13:7
   |
13 | run = ['net.exe', 'stop']
   |       ^^^^^^^^^^^^^^^^^^^
   |
   = hint: start with the drive: 'C:\Install'

error: `hook.run` contains what looks like a secret; the plan is stored with the run
  --> plan.toml:16:20
   |
16 | run = ['C:\a.exe', '--token', '*******']
   |                    ^^^^^^^^^
   |
   = hint: let the program read it from elsewhere
"#,
    );
}

/// Those in different lines come together, and with the others that they have not caused.
#[test]
fn syntax_errors() {
    refused(
        r#"format = 1
name = "unfinished
backup.directory = "D:\Backups\"
[server]
installer = "C:\Install\setup.exe"
rollback-installer = "C:\Users\old.exe"
sha256 = "abc"
[portal
themes = "not said to be unknown, since its table is"
[sdk]
method = "MSI"
method = "msi"
"#,
        r#"
error: invalid basic string, expected `"`
 --> plan.toml:2:19
  |
2 | name = "unfinished
  |                   ^

error: a backslash in double quotes starts an escape, and this is none
 --> plan.toml:3:24
  |
3 | backup.directory = "D:\Backups\"
  |                        ^
  |
  = hint: use single quotes: 'C:\Install'

error: a backslash in double quotes starts an escape, and this is none
 --> plan.toml:5:17
  |
5 | installer = "C:\Install\setup.exe"
  |                 ^
  |
  = hint: use single quotes: 'C:\Install'

error: a backslash in double quotes starts an escape, and this is none
 --> plan.toml:6:27
  |
6 | rollback-installer = "C:\Users\old.exe"
  |                           ^
  |
  = hint: use single quotes: 'C:\Install'

error: `server.sha256` has 3 digits instead of 64
 --> plan.toml:7:10
  |
7 | sha256 = "abc"
  |          ^^^^^
  |
  = hint: write the 64 hexadecimal digits that `Get-FileHash` prints

error: unclosed table, expected `]`
 --> plan.toml:8:8
  |
8 | [portal
  |        ^

error: `sdk.method` has an unknown value
  --> plan.toml:11:10
   |
11 | method = "MSI"
   |          ^^^^^
   |
   = hint: allowed: "msi", "console"

error: duplicate key
  --> plan.toml:12:1
   |
12 | method = "msi"
   | ^^^^^^
"#,
    );
}

/// Nothing else is said of a file in another format.
#[test]
fn another_format() {
    refused(
        r#"format = 2
[server]
new = 1
"#,
        r#"
error: unknown format; pfupgrade reads format 1
 --> plan.toml:1:10
  |
1 | format = 2
  |          ^
"#,
    );
}

#[test]
fn no_format() {
    refused(
        r#"# mine
[server]
"#,
        r#"
error: `format` is missing
 --> plan.toml:1:1
  |
1 | # mine
  | ^
  |
  = hint: start the file with `format = 1`
"#,
    );
}
