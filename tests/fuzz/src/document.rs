//! Any bytes are a web.config that gives its bytes back, or an error.

#![no_main]
#![allow(missing_docs, dead_code, unused_imports, reason = "only a part of the modules is used here")]

#[path = "../../../src/secret.rs"]
mod secret;
#[path = "../../../src/webconfig/mod.rs"]
mod webconfig;

use webconfig::{Document, check, masked_diff, missing};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = check(bytes, "web.config");
    let Ok(document) = Document::parse(bytes.to_vec(), "web.config") else { return };
    assert_eq!(document.bytes(), bytes);
    document.values().expect("what was parsed is read");
    let _ = missing(&document, &|_: &str| Ok::<bool, ()>(false));
    assert!(masked_diff(&document, &document, 3).is_empty());
});
