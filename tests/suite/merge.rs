//! The merge as a command: the README's example, decisions, and what is refused.

use std::fs;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a language in the part of the README that explains the merge.
fn blocks(language: &str) -> Vec<&'static str> {
    let part = README.split_once("## How old settings are migrated").unwrap().1;
    let part = part.split_once("## What is promised").unwrap().0;
    let fence = format!("\n```{language}\n");
    part.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A folder with the files of the README's example.
fn example() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for (name, block) in ["base", "old", "new"].into_iter().zip(blocks("xml")) {
        fs::write(place.path().join(format!("{name}.config")), block).unwrap();
    }
    place
}

/// Runs `merge old.config new.config --base base.config` with more arguments.
fn merge(place: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
    command.args(["merge", "old.config", "new.config", "--base", "base.config"]).args(arguments);
    command.current_dir(place.path()).stdin(Stdio::null()).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn the_example_of_the_readme_gives_its_result_and_its_account() {
    let place = example();
    let command = README.split_once("\npfupgrade merge old.config new.config --base base.config").unwrap().1;
    let command = command.split("```").next().unwrap();
    let arguments: Vec<&str> = command.split_whitespace().filter(|word| *word != "\\").collect();
    let output = merge(&place, &arguments);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::read_to_string(place.path().join("merged.config")).unwrap(), blocks("xml")[3]);
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed: String = printed.lines().map(|line| format!("{}\n", line.trim())).collect();
    let account: String = blocks("text")[0].lines().map(|line| format!("{}\n", line.trim())).collect();
    assert!(printed.contains(&account), "the account has to be:\n{printed}");
}

const CONFLICT: &str = "system.web/sessionState/@timeout";

#[test]
fn a_conflict_is_decided_by_its_path_and_nothing_is_written_before() {
    let place = example();
    let merged = place.path().join("merged.config");
    let output = merge(&place, &["--output", "merged.config"]);
    assert_eq!(code(&output), 8);
    assert!(!merged.exists());
    for (side, timeout) in [("old", "40"), ("new", "30")] {
        let decision = format!("{CONFLICT}={side}");
        let output = merge(&place, &["--output", "merged.config", "--decide", &decision]);
        assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(&merged).unwrap();
        assert!(text.contains(&format!(r#"<sessionState timeout="{timeout}" />"#)), "{text}");
    }
    // The policy decides the others only.
    let decision = format!("{CONFLICT}=new");
    let output = merge(&place, &["--output", "merged.config", "--on-conflict", "keep-old", "--decide", &decision]);
    assert_eq!(code(&output), 0);
    assert!(fs::read_to_string(&merged).unwrap().contains(r#"timeout="30""#));
}

#[test]
fn a_decision_that_is_not_needed_is_a_note_and_no_error() {
    let place = example();
    for path in ["appSettings/SMTP_HOST", "appSettings/NoLongerThere"] {
        let output = merge(&place, &["--on-conflict", "keep-new", "--decide", &format!("{path}=old")]);
        assert_eq!(code(&output), 0);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(&format!("note: the decision `{path}` matches no conflict")), "{said}");
    }
    // One that is misspelled decides nothing.
    assert_eq!(code(&merge(&place, &["--decide", "system.web/sessionState/@timeuot=old"])), 8);
}

#[test]
fn a_decision_that_says_nothing_is_refused() {
    let place = example();
    for decision in ["system.web/sessionState/@timeout=both", "old", "=old"] {
        let output = merge(&place, &["--decide", decision]);
        assert_eq!(code(&output), 2, "{decision}");
        assert!(output.stdout.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_is_replaced_keeps_its_mode_and_owner() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    let place = example();
    let merged = place.path().join("merged.config");
    fs::write(&merged, "before").unwrap();
    fs::set_permissions(&merged, fs::Permissions::from_mode(0o640)).unwrap();
    // Only root may give a file away.
    let is_given_away = chown(&merged, Some(4711), Some(4712)).is_ok();
    let before = fs::metadata(&merged).unwrap();
    let output = merge(&place, &["--on-conflict", "keep-new", "--output", "merged.config"]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::read_to_string(&merged).unwrap().contains("s3cret"));
    let after = fs::metadata(&merged).unwrap();
    assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()));
    assert_eq!(after.uid() == 4711, is_given_away);
    assert_ne!(after.ino(), before.ino(), "it was written in place, so that a power cut could leave half of it");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_of_its_own_is_not_replaced() {
    let place = example();
    let target = place.path().join("target.config");
    fs::write(&target, "before").unwrap();
    std::os::unix::fs::symlink("target.config", place.path().join("link.config")).unwrap();
    std::os::unix::fs::symlink("nowhere.config", place.path().join("dangling.config")).unwrap();
    fs::create_dir(place.path().join("folder.config")).unwrap();
    for (name, why) in [
        ("link.config", "link.config: it is a symbolic link"),
        (
            "link.config",
            &*format!("next: specify the file that it points to: {}", target.canonicalize().unwrap().display()),
        ),
        ("dangling.config", "dangling.config: it is a symbolic link"),
        ("folder.config", "folder.config: it is not a file"),
        ("/dev/null", "/dev/null: it is not a file"),
    ] {
        let output = merge(&place, &["--on-conflict", "keep-new", "--output", name]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(code(&output) == 2 && said.contains(why), "{said}");
    }
    assert_eq!(fs::read_to_string(&target).unwrap(), "before");
    assert!(place.path().join("link.config").is_symlink());
}

#[test]
fn the_account_is_there_for_scripts_without_secrets() {
    let place = example();
    let output = merge(&place, &["--json"]);
    assert_eq!(code(&output), 8);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let changes = document["changes"].as_array().unwrap();
    let conflict = changes.iter().find(|change| change["path"] == CONFLICT).unwrap();
    assert_eq!(conflict["fate"], serde_json::json!({"kind": "conflict", "taken": null}));
    assert_eq!(changes.len(), 7);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("s3cret"));
}

#[test]
fn what_asp_net_would_refuse_is_not_written() {
    let place = example();
    // ASP.NET refuses a location within another one.
    let old = fs::read_to_string(place.path().join("old.config")).unwrap();
    fs::write(
        place.path().join("old.config"),
        old.replace("</configuration>", "  <location path=\"a\"><location path=\"b\" /></location>\n</configuration>"),
    )
    .unwrap();
    let output = merge(&place, &["--on-conflict", "keep-old", "--output", "merged.config"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(code(&output) == 2 && said.contains("a location stands within another one"), "{said}");
    assert!(!place.path().join("merged.config").exists());
}

#[test]
fn what_is_left_to_do_by_hand_is_counted_and_with_strict_nothing_is_written() {
    let place = example();
    // The new version no longer has what the administrator changed.
    let file = |settings: &str| {
        format!("<configuration>\n  <system.web>\n    {settings}\n  </system.web>\n</configuration>\n")
    };
    let shipped = "<pages theme=\"a\" />";
    for (name, settings) in [("old", "<pages theme=\"b\" own=\"1\" />"), ("base", shipped), ("new", "")] {
        fs::write(place.path().join(format!("{name}.config")), file(settings)).unwrap();
    }
    let count = |output: &Output| {
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let changes = document["changes"].as_array().unwrap().clone();
        let reported = changes.iter().filter(|change| change["fate"]["kind"] == "reported").count();
        assert_eq!(document["by_hand"], reported);
        reported
    };
    let reported = count(&merge(&place, &["--json"]));
    assert!(reported > 0);
    let words =
        if reported == 1 { "1 change left to do by hand" } else { &*format!("{reported} changes left to do by hand") };

    let output = merge(&place, &["--output", "merged.config"]);
    assert_eq!(code(&output), 0);
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.ends_with(&format!("\n{words}.\n")), "{printed}");
    fs::remove_file(place.path().join("merged.config")).unwrap();

    let output = merge(&place, &["--strict", "--output", "merged.config"]);
    assert_eq!(code(&output), 8);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("{words}; nothing was written.")), "{said}");
    assert!(!place.path().join("merged.config").exists());

    // Nothing to do by hand: nothing is said of it, and all is well.
    fs::copy(place.path().join("base.config"), place.path().join("old.config")).unwrap();
    let output = merge(&place, &["--strict", "--output", "merged.config"]);
    assert_eq!(code(&output), 0);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("by hand"));
    assert_eq!(count(&merge(&place, &["--json"])), 0);
}

/// A file that holds the SDK's URL. The new version ships a placeholder for it, as the old one did.
fn with_url(url: &str) -> String {
    format!(
        "<configuration>\n  <applicationSettings>\n    <pfup.Properties.Settings>\n      \
         <setting name=\"pfup_pfwssdk_PfWsSdk\" serializeAs=\"String\">\n        <value>{url}</value>\n      \
         </setting>\n    </pfup.Properties.Settings>\n  </applicationSettings>\n</configuration>\n"
    )
}

#[test]
fn the_directory_of_the_sdk_is_renamed_in_its_url_and_nothing_else_is() {
    let place = tempfile::tempdir().unwrap();
    let placeholder = "http://localhost:4898/PfWsSdk.asmx";
    for name in ["base.config", "new.config"] {
        fs::write(place.path().join(name), with_url(placeholder)).unwrap();
    }
    let renamed = ["--sdk-directory", "MultiFactorAuthWebServiceSdk", "--output", "merged.config"];
    for (old, merged) in [
        (
            "https://mfa:8443/PhoneFactorWebServiceSdk/pfwssdk.asmx?wsdl",
            "https://mfa:8443/MultiFactorAuthWebServiceSdk/pfwssdk.asmx?wsdl",
        ),
        ("https://sdk/a/Sdk/PfWsSdk.asmx", "https://sdk/a/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx"),
        (
            "https://mfa/multifactorauthwebservicesdk/PfWsSdk.asmx",
            "https://mfa/multifactorauthwebservicesdk/PfWsSdk.asmx",
        ),
        ("https://mfa/PfWsSdk.asmx", "https://mfa/PfWsSdk.asmx"),
    ] {
        fs::write(place.path().join("old.config"), with_url(old)).unwrap();
        let output = merge(&place, &renamed);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(code(&output), 0, "{said}");
        assert_eq!(fs::read_to_string(place.path().join("merged.config")).unwrap(), with_url(merged));
        let is_noted = said.contains("note: no SDK URL with a virtual directory in old.config");
        assert_eq!(is_noted, old == "https://mfa/PfWsSdk.asmx", "{said}");
    }
    // Without the option the URL is a value like any other.
    fs::write(place.path().join("old.config"), with_url("https://mfa/Sdk/PfWsSdk.asmx")).unwrap();
    assert_eq!(code(&merge(&place, &["--output", "merged.config"])), 0);
    let merged = fs::read_to_string(place.path().join("merged.config")).unwrap();
    assert_eq!(merged, with_url("https://mfa/Sdk/PfWsSdk.asmx"));
    assert_eq!(code(&merge(&place, &["--sdk-directory", "two/names"])), 2);
}

#[test]
fn the_demo_portal_merges_without_a_conflict_between_placeholders() {
    let place = tempfile::tempdir().unwrap();
    let demo = |file: &str| fs::read_to_string(format!("src/platform/simulated/demo/{file}")).unwrap();
    let (old, new) = (demo("admin/portal.config"), demo("new/portal.config"));
    // The old version shipped another placeholder than the new one, and other themes and modes.
    let base = old
        .replace(
            "https://mfa.fabrikam.example:443/phonefactorwebservicesdk/pfwssdk.asmx",
            "http://localhost:4898/PfWsSdk.asmx",
        )
        .replace("theme=\"Contoso\"", "theme=\"Default\"");
    for (name, text) in [("old", &old), ("base", &base), ("new", &new)] {
        fs::write(place.path().join(format!("{name}.config")), text).unwrap();
    }
    let output = merge(&place, &["--sdk-directory", "Sdk"]);
    let screen = String::from_utf8_lossy(&output.stdout);
    assert_eq!(code(&output), 0, "{screen}");
    assert!(screen.contains("https://mfa.fabrikam.example:443/Sdk/pfwssdk.asmx"), "{screen}");
}
