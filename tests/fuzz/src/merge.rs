//! Any three files merge, or there is an error; merging into the result changes nothing any more.

#![no_main]
#![allow(missing_docs, dead_code, unused_imports, reason = "only a part of the modules is used here")]

#[path = "../../../src/secret.rs"]
mod secret;
#[path = "../../../src/webconfig/mod.rs"]
mod webconfig;

use std::collections::HashSet;
use webconfig::{
    ConfigError, Document, OnConflict, OtherChanges, Rules, SdkUrlRule, Sources, ThemeRule, check_merged, merge,
};

/// Stands between the files of one input.
const GAP: &[u8] = b"\0\0\0\0";

fn rules(bits: u8) -> Rules {
    let flag = |bit: u8| bits & (1 << bit) != 0;
    let (old, new) = ("PhoneFactorWebServiceSdk".to_owned(), "MultiFactorAuthWebServiceSdk".to_owned());
    Rules {
        sdk_url: match bits & 3 {
            0 | 1 => SdkUrlRule::Keep,
            2 => SdkUrlRule::ReplaceDirectory { old, new },
            _ => SdkUrlRule::Set("https://h/x/PfWsSdk.asmx".to_owned()),
        },
        theme: if flag(2) { ThemeRule::KeepNew } else { ThemeRule::Carry },
        other_changes: if flag(3) { OtherChanges::Report } else { OtherChanges::Apply },
        on_conflict: match (flag(4), flag(5)) {
            (false, _) => OnConflict::KeepOld,
            (true, false) => OnConflict::Stop,
            (true, true) => OnConflict::KeepNew,
        },
        strict: flag(6),
        ..Rules::default()
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((bits, rest)) = bytes.split_first() else { return };
    let mut files = Vec::new();
    let mut rest = rest;
    while let Some(at) = rest.windows(GAP.len()).position(|window| window == GAP).filter(|_| files.len() < 2) {
        files.push(&rest[..at]);
        rest = &rest[at + GAP.len()..];
    }
    files.push(rest);
    let parsed: Result<Vec<_>, _> = files.iter().map(|file| Document::parse(file.to_vec(), "web.config")).collect();
    let Ok([old, base, new]) = parsed.as_deref() else { return };
    let rules = rules(*bits);
    for base in [Some(base), None] {
        let sources = Sources { old, base, new };
        let merged = match merge(&sources, &rules) {
            Ok(merged) => merged,
            Err(error @ ConfigError::Unsound { .. }) => panic!("{error}"),
            Err(_) => continue,
        };
        let paths: HashSet<&str> = merged.changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths.len(), merged.changes.len(), "two changes have one path");
        let bytes = merged.document.bytes().to_vec();
        let result = Document::parse(bytes, "web.config").expect("a result is a document");
        let _ = check_merged(&result, new, &Default::default());
        let again = merge(&Sources { new: &result, ..sources }, &rules).expect("a result merges");
        assert_eq!(again.document.bytes(), result.bytes(), "merging again changes the result");
    }
    let same = Sources { old, base: Some(old), new };
    if let (SdkUrlRule::Keep, Ok(merged)) = (&rules.sdk_url, merge(&same, &rules)) {
        assert_eq!(merged.document.bytes(), new.bytes(), "nothing is to be carried");
    }
});
