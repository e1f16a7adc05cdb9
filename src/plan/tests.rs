#![allow(clippy::unwrap_used)]

use super::*;

fn read(text: &str) -> Result<Plan, Diagnostics> {
    Plan::read(text.as_bytes(), "plan.toml")
}

#[test]
fn the_smallest_plan_has_all_defaults() {
    assert_eq!(read("format = 1\n").unwrap(), Plan::default());
}
#[test]
fn show() {
    println!(
        "{}",
        read(
            r##"
formt = 1
name = "a
[server]
installer = "C:\Install\x.exe"
sha256 = "ab"
[portal]
installer = "C:\temp\new.msi"
virtual-dir = 1
product-code = '{01234567-89AB-CDEF-0123-456789ABCDEF}'
properties = { PASSWORD = "hunter2", TARGETVDIR = "x", lower = 1, OK = "bad	" }
[sdk]
action = "upgrade"
url = "https://a/PfWsSdk.asmx"
product-code = '{01234567-89AB-CDEF-0123-456789abcdef}'
virtual-directory = "MultiFactorAuth"
[gates]
activation = {}
[[hook]]
before = "x"
after = "y"
run = ["a.cmd"]
[[hook]]
timeout = "1x"
"##
        )
        .unwrap_err()
    );
}
