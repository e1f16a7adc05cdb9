use super::{accepted::EVERYTHING, *};
use proptest::prelude::*;

/// Reads bytes and uses whatever comes out, none of which may panic.
fn use_plan(bytes: &[u8]) {
    match Plan::read(bytes, "plan.toml") {
        Ok(plan) => {
            let json = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        }
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            assert!(!errors.render(true, 80).is_empty());
            assert!(serde_json::to_string(&errors).is_ok());
            for error in &errors.errors {
                let characters = error.at.source_line.chars().count();
                assert!(error.at.column <= error.at.end_column && error.at.end_column <= characters + 1, "{error:?}");
            }
        }
    }
}

/// Pieces that are likely to come close to something.
fn piece() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        ".",
        ",",
        "\"",
        "'",
        "\"\"\"",
        "\n",
        "\r\n",
        "\\",
        "%",
        "#",
        "é",
        "日",
        "🔑",
        "format = 1",
        "[server]",
        "[[hook]]",
        "hook = [{}]",
        "installer",
        "properties = {",
        "PASSWORD = ",
        "\t",
        "\0",
    ];
    prop_oneof![proptest::sample::select(PIECES).prop_map(str::to_owned), "[ -~]{0,8}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        use_plan(&bytes);
    }

    #[test]
    fn any_pieces_are_read_or_refused(pieces in proptest::collection::vec(piece(), 0..30)) {
        use_plan(pieces.concat().as_bytes());
    }

    #[test]
    fn a_changed_plan_is_read_or_refused(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..20_usize, piece()), 1..5),
    ) {
        let mut bytes = format!("format = 1\n{EVERYTHING}").into_bytes();
        for (at, cut, piece) in edits {
            let at = at.index(bytes.len());
            let end = (at + cut).min(bytes.len());
            bytes.splice(at..end, piece.into_bytes());
        }
        use_plan(&bytes);
    }

    #[test]
    fn a_secret_is_never_shown(
        key in proptest::sample::select(&["PASSWORD", "'SQL_PWD'", "\"ApiKey\"", "properties.A_SECRET", "token.a"][..]),
        value in proptest::sample::select(
            &["\"S\"", "'S'", "\"\"\"\nS\n\"\"\"", "\"S", "'S", "S", "[\"]\", 'S']", "{ a = 'S', b = 1 }", "\"\\\"S\"", "[\n'S", "\"S\"S\"", "'S'S'"][..]
        ),
        before in piece(),
        behind in piece(),
    ) {
        let text = format!("{before}\n[sdk]\n{key} = {}\n{behind}", value.replace('S', "hunter2é"));
        if let Err(errors) = read(&text) {
            let shown = errors.render(false, 200) + &serde_json::to_string(&errors).unwrap();
            prop_assert!(!shown.contains("hunter2"), "{}", shown);
        }
    }
}
