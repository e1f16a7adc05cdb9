//! How errors come out, for people and for scripts.

use super::*;

#[test]
fn files_that_are_no_text() {
    let refused = |bytes: &[u8], shown: &str| {
        assert_eq!(Plan::read(bytes, "plan.toml").unwrap_err().to_string(), shown.trim());
    };
    let utf16 = r#"
error: the file is UTF-16, not UTF-8
--> plan.toml
 = hint: save it as UTF-8; in Notepad: File, Save As, Encoding: UTF-8
"#;
    refused(b"\xff\xfef\0o\0", utf16);
    refused(b"\xfe\xff\0f\0o", utf16);
    refused(b"f\0o\0", utf16);
    refused(
        b"format = 1\nname = \"M\xfcnchen\"\n",
        r#"
error: the file is not UTF-8
 --> plan.toml:2:10
  |
2 | name = "M�nchen"
  |          ^ not a UTF-8 character
  |
  = hint: save it as UTF-8; in Notepad: File, Save As, Encoding: UTF-8
"#,
    );
    refused(
        "#".repeat(5000).as_bytes(),
        r#"
error: line 1 has 5000 bytes; the maximum is 4096
--> plan.toml
 = hint: split it, or is this the right file?
"#,
    );
    refused(
        &vec![b'\n'; 1024 * 1024 + 1],
        r#"
error: the file is larger than 1048576 bytes, the maximum size of a plan
--> plan.toml
 = hint: is this the right file?
"#,
    );
    Plan::read(format!("format = 1{}", "\n".repeat(1024 * 1024 - 10)).as_bytes(), "plan.toml").unwrap();
}

#[test]
fn color_changes_no_word() {
    let errors = read("format = 1\nfoo = 1\n").unwrap_err();
    let colored = errors.render(true, 120);
    assert_ne!(colored, errors.render(false, 120));
    assert!(colored.contains("unknown key `foo`"));
}

#[test]
fn scripts_get_characters_and_no_secret() {
    let errors = read("format = 1\nsdk.properties = { \"ü\" = \"\", PASSWORD = \"hunter2\" }\r\n").unwrap_err();
    let expected = serde_json::json!({
        "file": "plan.toml",
        "omitted": 0,
        "errors": [
            {
                "message": "`sdk.properties.ü` is not a public property",
                "line": 2, "column": 20, "end_column": 23, "label": "",
                "source_line": "sdk.properties = { \"ü\" = \"\", PASSWORD = \"*******\" }",
                "hint": "names of public properties have only capital letters, digits, `_` and `.`",
                "also": null,
            },
            {
                "message": "`sdk.properties.PASSWORD` looks like a secret; the plan is stored with the run, so it must \
                            not contain any",
                "line": 2, "column": 30, "end_column": 38, "label": "",
                "source_line": "sdk.properties = { \"ü\" = \"\", PASSWORD = \"*******\" }",
                "hint": "use method = \"console\" and type it there",
                "also": null,
            },
        ],
    });
    assert_eq!(serde_json::to_value(&errors).unwrap(), expected);
}

#[test]
fn a_byte_order_mark_moves_nothing() {
    let errors = read("\u{feff}foo = 1 # 日\nformat = 1\nname = 1\n").unwrap_err().errors;
    let places: Vec<_> = errors.iter().map(|error| (error.at.line, error.at.column, error.at.end_column)).collect();
    assert_eq!(places, [(1, 1, 4), (3, 8, 9)]);
}

#[test]
fn a_file_that_is_no_plan_is_not_answered_without_end() {
    let errors = read(&"a = 1\nb c\n".repeat(1000)).unwrap_err();
    assert_eq!(errors.errors.len(), 100);
    assert!(errors.omitted > 500);
    assert!(errors.to_string().ends_with("more errors"));
}

#[test]
fn a_user_in_an_address_is_covered() {
    let errors = read("format = 1\nsdk.url = \"https://user:hunter2@mfa.example.com/PfWsSdk.asmx\"\n").unwrap_err();
    assert_eq!(errors.errors[0].at.source_line, "sdk.url = \"https://************@mfa.example.com/PfWsSdk.asmx\"");
}

#[test]
fn reserved_and_odd_values_of_small_kinds() {
    for name in
        ["TARGETVDIR", "TargetSite", "TARGETAPPPOOL", "REINSTALLMODE", "remove", "API_KEY", "1A", "", "A-B", "É"]
    {
        assert!(PropertyName::new(name).is_err(), "{name}");
    }
    for url in
        ["ftp://a/PfWsSdk.asmx", "https:///PfWsSdk.asmx", "https://a b/PfWsSdk.asmx", "https://a/PfWsSdk.asmx?wsdl"]
    {
        assert!(SdkUrl::new(url).is_err(), "{url}");
    }
    for url in ["http://localhost:4898/PfWsSdk.asmx", "HTTPS://a/x/y/pfwssdk.ASMX"] {
        assert!(SdkUrl::new(url).is_ok(), "{url}");
    }
    for name in ["", ".", "a.", "a\\b", "a b", "a?b", "ä", "a%20b"] {
        assert!(VirtualDirectory::new(name).is_err(), "{name}");
    }
    assert!(Sha256Hex::new("0".repeat(64)).unwrap().matches(&[0; 32]));
    assert!(!Sha256Hex::new("0".repeat(64)).unwrap().matches(&[0; 31]));
}
