use super::*;

#[test]
fn the_smallest_plan_has_all_defaults() {
    assert_eq!(good(""), Plan::default());
    assert_eq!(read("\u{feff}format = 1\r\n").unwrap(), Plan::default());
    assert_eq!(good("[server]\n[sdk]\n[portal]\n[mobile-app]\n[merge]\n[gates]\n[preflight]\n"), Plan::default());
}

#[test]
fn the_defaults_follow_the_article() {
    let plan = Plan::default();
    let names = Component::WEB.map(|component| plan.web(component).unwrap().virtual_directory.to_string());
    assert_eq!(names, ["MultiFactorAuthWebServiceSdk", "MultiFactorAuth", "MultiFactorAuthMobileAppWebService"]);
    assert_eq!(plan.backup.directory.as_str(), r"%ProgramData%\pfupgrade\backups");
    assert_eq!(plan.server.data_upgrade_timeout, Duration::from_secs(1800));
    assert_eq!(plan.common(Component::Portal).signed_by, SignedBy::Name("Microsoft Corporation".to_owned()));
    assert!(plan.server.arguments.is_none());
}

#[test]
fn everything_that_can_be_said_is_read() {
    let plan = good(EVERYTHING);
    assert_eq!(plan.name.as_deref(), Some("all"));
    assert_eq!(plan.server.common.installer.as_ref().unwrap().as_str(), r"C:\Install\setup.exe");
    assert_eq!(plan.server.common.signed_by, SignedBy::Unsigned);
    assert_eq!(plan.server.arguments.as_deref(), Some(&["/quiet".to_owned(), String::new()][..]));
    assert_eq!(plan.sdk.url.as_ref().unwrap().as_str(), "https://mfa.example.com/Sdk/PfWsSdk.asmx");
    assert_eq!(plan.portal.themes, Themes::Skip);
    assert_eq!(plan.portal.web.properties[&PropertyName::new("SOME_1").unwrap()], "value");
    assert_eq!(plan.mobile_app.common.action, Action::Remove);
    let decisions = vec![
        Decision { path: "system.web/httpRuntime/@maxRequestLength".to_owned(), take: Side::Old },
        Decision { path: "system.web/sessionState/@timeout".to_owned(), take: Side::New },
    ];
    assert_eq!(
        plan.merge,
        Merge {
            other_changes: OtherChanges::Report,
            on_conflict: OnConflict::KeepOld,
            on_encrypted: OnEncrypted::Decrypt,
            decisions
        }
    );
    assert_eq!(plan.gates[&GateId::Activation].reason, "done before");
    assert_eq!(plan.preflight.allow, ["pending-reboot"]);
    assert_eq!(plan.hooks.len(), 2);
    assert_eq!(plan.hooks[0].when, When::Before("uninstall-portal".to_owned()));
    assert_eq!(plan.hooks[0].timeout, Duration::from_secs(300));
    assert_eq!(plan.hooks[1].when, When::After("verify".to_owned()));
    assert_eq!(plan.hooks[1].run.arguments, ["/d", "/c", r"C:\Scripts\a b.cmd portal"]);
    assert_eq!(plan.hooks[1].timeout, Duration::from_secs(5400));
}

pub(super) const EVERYTHING: &str = r#"
name = "all"
backup.directory = 'D:\Backups\%COMPUTERNAME%'
[server]
action = "upgrade"
installer = 'C:\Install\setup.exe'
sha256 = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
signed-by = false
product-code = '{01234567-89AB-CDEF-0123-456789ABCDEF}'
rollback-installer = '%ProgramFiles(x86)%\old.exe'
arguments = ["/quiet", ""]
data-upgrade-timeout = "2h"
[sdk]
method = "console"
url = "https://mfa.example.com/Sdk/PfWsSdk.asmx"
[portal]
virtual-directory = "Portal"
site = "Default Web Site"
application-pool = "Portal Pool"
signed-by = "Contoso"
properties = { SOME_1 = "value", "_EMPTY.X" = "" }
themes = "skip"
[mobile-app]
action = "remove"
virtual-directory = "m"
[merge]
other-changes = "report"
on-conflict = "keep-old"
on-encrypted = "decrypt"
[[merge.decision]]
path = "system.web/httpRuntime/@maxRequestLength"
take = "old"
[[merge.decision]]
path = "system.web/sessionState/@timeout"
take = "new"
[gates]
activation = { skip = "done before" }
portal-url = { skip = "the address stays" }
[preflight]
allow = ["pending-reboot"]
[[hook]]
before = "uninstall-portal"
run = ['C:\Windows\System32\net.exe']
[[hook]]
after = "verify"
run = ['%SystemRoot%\System32\cmd.EXE', '/d', '/c', 'C:\Scripts\a b.cmd portal']
timeout = "1h30m"
"#;

#[test]
fn the_plans_to_copy_are_good_and_say_what_they_promise() {
    let one_server = Plan::read(include_bytes!("../../../plans/one-server.toml"), "one-server.toml").unwrap();
    let installer = MachinePath::new(r"C:\Install\MultiFactorAuthenticationServerSetup.exe").ok();
    let mut expected = Plan { name: Some("One server, new directory names".to_owned()), ..Plan::default() };
    expected.server.common.installer = installer;
    assert_eq!(one_server, expected);

    let keep = include_bytes!("../../../plans/keep-directory-names.toml");
    let keep = Plan::read(keep, "keep-directory-names.toml").unwrap();
    let names = Component::WEB.map(|component| keep.web(component).unwrap().virtual_directory.to_string());
    assert_eq!(names, ["PhoneFactorWebServiceSdk", "PhoneFactor", "PhoneFactorPhoneAppWebService"]);
    assert_eq!(keep.server, one_server.server);
}

#[test]
fn what_the_plans_to_copy_suggest_in_comments_is_good_too() {
    for text in
        [include_str!("../../../plans/one-server.toml"), include_str!("../../../plans/keep-directory-names.toml")]
    {
        let suggestion = |line: &str| match line.strip_prefix("# ") {
            Some(code) if code.starts_with('[') || code.contains(" = ") => code.to_owned(),
            _ => line.to_owned(),
        };
        let text: Vec<String> = text.lines().map(suggestion).collect();
        let plan = read(&text.join("\n")).unwrap_or_else(|errors| unreachable!("{errors}"));
        assert_eq!(plan.mobile_app.common.action, Action::Remove);
    }
}

#[test]
fn the_serde_form_is_the_form_of_the_file() {
    let plan = good(EVERYTHING);
    let journal = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&journal).unwrap(), plan);
    assert_eq!(good(&toml::to_string(&plan).unwrap()), plan);
    assert_eq!(good(&toml::to_string(&Plan::default()).unwrap()), Plan::default());
}

#[test]
fn a_journal_cannot_bring_in_what_a_plan_cannot_hold() {
    let good = serde_json::to_string(&Plan::default()).unwrap();
    for (from, to) in [("MultiFactorAuth\"", "a/b\""), ("\"30m\"", "\"30\""), ("%ProgramData%\\\\", "")] {
        let changed = good.replace(from, to);
        assert_ne!(good, changed);
        assert!(serde_json::from_str::<Plan>(&changed).is_err(), "{changed}");
    }
}

#[test]
fn paths_are_expanded_once() {
    let variable = |name: &str| match name {
        "ProgramData" => Some(r"C:\ProgramData".to_owned()),
        "ProgramFiles(x86)" => Some(r"C:\%ProgramData%".to_owned()),
        "Odd" => Some("relative".to_owned()),
        _ => None,
    };
    let expand = |text: &str| MachinePath::new(text).unwrap().expand(variable);
    assert_eq!(expand(r"%ProgramData%\a").unwrap().as_str(), r"C:\ProgramData\a");
    assert_eq!(expand(r"%ProgramFiles(x86)%\a").unwrap().as_str(), r"C:\%ProgramData%\a");
    assert_eq!(expand(r"C:\100%\50% off").unwrap().as_str(), r"C:\100%\50% off");
    assert_eq!(
        expand(r"C:\%NONE%\a").unwrap_err().to_string(),
        r"`C:\%NONE%\a` contains the environment variable `NONE`, which is not set on this server"
    );
    assert!(matches!(expand(r"%Odd%\a"), Err(ExpandError::Path { .. })));
}

#[test]
fn durations_read_back() {
    for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1h1s", 3601), ("24h", 86_400)]
    {
        assert_eq!(duration::parse(text).unwrap().as_secs(), seconds, "{text}");
    }
    for text in ["", "30", "m", "h1m", "m30", "1m1h", "1.5h", "-1s", "+1s", " 1s", "1s "] {
        assert_eq!(duration::parse(text).unwrap_err().label, "is not a duration", "{text}");
    }
    assert_eq!(duration::parse("0s").unwrap_err().label, "is too short");
    for text in ["25h", "24h1s", "99999999999999999999h"] {
        assert_eq!(duration::parse(text).unwrap_err().label, "is too long", "{text}");
    }
    for seconds in [1, 59, 60, 61, 3600, 3661, 86_400] {
        let duration = Duration::from_secs(seconds);
        assert_eq!(duration::parse(&duration::format(duration)).unwrap(), duration);
    }
}

#[test]
fn the_names_of_components_and_gates_are_those_of_the_file() {
    for component in Component::ALL {
        assert_eq!(serde_json::to_string(&component).unwrap(), format!("\"{component}\""));
        assert!(KEYS.iter().any(|doc| doc.tables == [""] && doc.key == component.key()));
    }
    for gate in GateId::ALL {
        assert_eq!(serde_json::to_string(&gate).unwrap(), format!("\"{gate}\""));
        assert!(KEYS.iter().any(|doc| doc.tables == ["gates"] && doc.key == gate.key()));
    }
}

/// A value that each key takes.
fn sample(doc: &KeyDoc) -> &str {
    match (doc.values, doc.kind, doc.key) {
        (["auto", ..], ..) => "\"upgrade\"",
        ([value, ..], ..) => value,
        (.., "format") => "1",
        (_, "a table" | "a table of texts", _) => "{}",
        (_, "an array of tables", _) => "[]",
        (_, "a path", _) => r"'C:\a'",
        (_, "64 hexadecimal digits", _) => "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"",
        (_, "a GUID in braces", _) => "'{01234567-89AB-CDEF-0123-456789ABCDEF}'",
        (_, "a URL", _) => "\"https://a/PfWsSdk.asmx\"",
        (_, "an array of URLs", _) => "[\"https://a/\"]",
        (_, "a duration", _) => "\"5m\"",
        (_, "{ skip = \"reason\" }", _) => "{ skip = \"b\" }",
        (.., "run") => r"['C:\a.exe']",
        (_, "an array of texts" | "an array of ids", _) => "[\"a\"]",
        _ => "\"a\"",
    }
}

#[test]
fn the_reader_takes_exactly_the_documented_keys() {
    for doc in KEYS {
        let value = sample(doc);
        let value = if doc.values.contains(&value) { format!("\"{value}\"") } else { value.to_owned() };
        for table in doc.tables {
            let text = match *table {
                "" => format!("{} = {value}\n", doc.key),
                "hook" | "merge.decision" => format!("[[{table}]]\n{} = {value}\n", doc.key),
                table => format!("[{table}]\n{} = {value}\n", doc.key),
            };
            let errors = read(&text).err().map(|diagnostics| diagnostics.errors).unwrap_or_default();
            // Another key may be missing, but this one is known, and its sample is of its kind.
            let only_missing = |error: &Diagnostic| {
                error.message == "`format` is missing"
                    || ["a hook", "a decision"].iter().any(|start| error.message.starts_with(start))
                    || doc.key == "sha256"
            };
            assert!(errors.iter().all(only_missing), "{text}{errors:?}");
            // One letter more makes it unknown, and the hint leads back.
            let unknown = text.replacen(&format!("{} =", doc.key), &format!("{}x =", doc.key), 1);
            let errors = read(&unknown).unwrap_err().errors;
            assert!(errors.iter().any(|error| error.message.starts_with("unknown key")), "{unknown}");
        }
    }
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    for doc in KEYS.iter().filter(|doc| !doc.default.is_empty()) {
        for table in doc.tables {
            let plan = |line: &str| match *table {
                "hook" => good(&format!("[[hook]]\nbefore = \"a\"\nrun = ['C:\\a.exe']\n{line}\n")),
                table => good(&format!("[{table}]\n{line}\n")),
            };
            assert_eq!(plan(&format!("{} = {}", doc.key, doc.default)), plan(""), "{table}.{}", doc.key);
            for value in doc.values.iter().filter(|value| format!("\"{value}\"") != doc.default) {
                assert_ne!(plan(&format!("{} = \"{value}\"", doc.key)), plan(""), "{table}.{} = {value}", doc.key);
            }
        }
    }
}

#[test]
fn every_key_is_documented_once() {
    let mut paths: Vec<String> = KEYS.iter().flat_map(KeyDoc::paths).collect();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count);
    assert!(paths.contains(&"mobile-app.installer".to_owned()));
}
