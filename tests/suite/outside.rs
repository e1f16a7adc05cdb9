//! Sections of a web.config that lie in files of their own go along with it.

use crate::support::package_builder::PackageBuilder;
use crate::support::*;

use pfupgrade::engine::End;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::simulated::Signed;

const OLD: &str = r"C:\inetpub\wwwroot\PhoneFactor";
const NEW: &str = r"C:\inetpub\wwwroot\MultiFactorAuth";
const CONNECTIONS: &str = "<connectionStrings>\r\n  <add name=\"Own\" connectionString=\"Server=db;Password=geheim\" />\r\n</connectionStrings>\r\n";

#[test]
fn sections_in_files_of_their_own_go_along_and_a_rollback_takes_them_away() {
    let disk = one_server();
    let file = format!(r"{OLD}\web.config");
    let text = get(&disk, &file).unwrap();
    let reference = r#"<connectionStrings configSource="config\own\connections.config" />"#;
    let start = text.find("<connectionStrings").unwrap();
    let end = start + text[start..].find("/>").unwrap() + 2;
    let text = format!("{}{reference}{}", &text[..start], &text[end..]);
    let text = text.replacen("<appSettings>", r#"<appSettings file="more.config">"#, 1);
    put(&disk, &file, text);
    put(&disk, &format!(r"{OLD}\config\own\connections.config"), CONNECTIONS);
    put(&disk, &format!(r"{OLD}\more.config"), "<appSettings><add key=\"MORE\" value=\"1\"/></appSettings>");
    disk.sync_all();
    let before = whole(&disk);
    let told = preview(&disk, &plan("one-server"));
    assert!(told.findings.iter().all(|finding| finding.id != "outside-configuration"), "{:#?}", told.findings);

    assert_eq!(run(&disk, &plan("one-server")).unwrap(), End::Done { reboot: false });
    let new = get(&disk, &format!(r"{NEW}\web.config")).unwrap();
    assert!(new.contains(reference) && new.contains(r#"<appSettings file="more.config">"#), "{new}");
    assert_eq!(get(&disk, &format!(r"{NEW}\config\own\connections.config")).unwrap(), CONNECTIONS);
    assert!(get(&disk, &format!(r"{NEW}\more.config")).unwrap().contains("MORE"));
    rollback(&disk).unwrap().unwrap();
    assert_same(&without_what_stays(before), &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn a_file_that_is_missing_is_told_before_anything_happens() {
    let disk = one_server();
    let file = format!(r"{OLD}\web.config");
    let text = get(&disk, &file).unwrap();
    put(&disk, &file, text.replacen("<appSettings>", r#"<appSettings file="missing.config">"#, 1));
    let told = finding(&disk, &plan("one-server"), "outside-configuration");
    assert!(told.evidence.iter().any(|line| line.contains("missing.config")), "{told:?}");
    put(&disk, &format!(r"{OLD}\missing.config"), "<connectionStrings/>");
    assert_eq!(run(&disk, &plan("one-server")).unwrap(), End::Done { reboot: false });
}

#[test]
fn a_theme_that_is_not_there_is_refused_and_never_left_to_the_users() {
    let disk = one_server();
    let file = format!(r"{OLD}\web.config");
    let text = get(&disk, &file).unwrap();
    let start = text.find("theme=\"").unwrap() + "theme=\"".len();
    let end = start + text[start..].find('"').unwrap();
    put(&disk, &file, format!("{}Gone{}", &text[..start], &text[end..]));
    assert_eq!(refusals(&disk, &plan("one-server")), ["no-theme"]);
    let allowing = plan_with("[preflight]\nallow = [\"no-theme\"]");
    let failure = run(&disk, &allowing).unwrap_err().to_string();
    assert!(failure.contains("configure-portal") && failure.contains(r"App_Themes\Gone"), "{failure}");
    assert!(get(&disk, &format!(r"{NEW}\app_offline.htm")).is_some(), "it must not be open");
    put(&disk, &format!(r"{NEW}\App_Themes\Gone\page.skin"), "");
    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
}

/// The portal's package of the demo, with what is given instead of its connection strings, and a file of its own.
fn portal(is_old: bool, reference: &str, connections: &str) -> Vec<u8> {
    let (name, version, maker, directory) = match is_old {
        true => ("PhoneFactor User Portal", "5.2.5", "PhoneFactor, Inc.", "PhoneFactor"),
        false => ("Multi-Factor Authentication User Portal", "7.3.0.3", "Microsoft Corporation", "MultiFactorAuth"),
    };
    let config = match is_old {
        true => include_str!("../../src/platform/simulated/demo/old/portal.config"),
        false => include_str!("../../src/platform/simulated/demo/new/portal.config"),
    };
    let package = PackageBuilder::new("demo", name, version).manufacturer(maker).web_setup(directory, "DefaultAppPool");
    let package = package.file("web.config", with_reference(config, reference)).file("login.aspx", "");
    package.file(r"config\db.config", connections).build().unwrap()
}

fn with_reference(config: &str, reference: &str) -> String {
    let start = config.find("<connectionStrings").unwrap();
    let end = start + config[start..].find("/>").unwrap() + 2;
    format!("{}{reference}{}", &config[..start], &config[end..])
}

#[test]
fn a_file_that_both_versions_ship_is_merged_by_meaning() {
    let reference = r#"<connectionStrings configSource="config\db.config" />"#;
    let all = |items: &[&str]| {
        let item = |it: &&str| format!("  <add name=\"{it}\" connectionString=\"Server={it}\" />\r\n");
        format!("<connectionStrings>\r\n{}</connectionStrings>\r\n", items.iter().map(item).collect::<String>())
    };
    let disk = demo_machine("web-server");
    recache(&disk, "User Portal", portal(true, reference, &all(&["A"])));
    let new = r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi";
    put(&disk, new, portal(false, reference, &all(&["A", "B"])));
    change(&disk, |facts| {
        let by = "Microsoft Corporation".to_owned();
        facts.signatures.push(Signed { path: Some(path(new)), sha256: None, by });
    });
    let file = format!(r"{OLD}\web.config");
    let text = with_reference(&get(&disk, &file).unwrap(), reference);
    put(&disk, &file, text);
    put(&disk, &format!(r"{OLD}\config\db.config"), all(&["A", "own"]));
    disk.sync_all();
    let beside =
        |disk: &MemoryDisk| ["web.config", r"config\db.config"].map(|file| get(disk, &format!(r"{OLD}\{file}")));
    let before = beside(&disk);

    let told = preview(&disk, &plan("web-server"));
    let changes: Vec<_> = told.steps.iter().filter_map(|step| step.merge.as_ref()).flat_map(|it| &it.changes).collect();
    assert!(changes.iter().any(|change| change.path == "connectionStrings/add[own]"), "{changes:#?}");
    assert_eq!(run(&disk, &plan("web-server")).unwrap(), End::Done { reboot: false });
    assert!(get(&disk, &format!(r"{NEW}\web.config")).unwrap().contains(reference));
    let merged = get(&disk, &format!(r"{NEW}\config\db.config")).unwrap();
    let names = ["A", "own", "B"].map(|name| merged.find(&format!("name=\"{name}\"")).unwrap());
    assert!(names.is_sorted(), "{merged}");
    rollback(&disk).unwrap().unwrap();
    assert_eq!(beside(&disk), before);
}
