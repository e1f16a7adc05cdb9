//! Launch conditions: what a package would say of this server is said before the outage, and the simulated machine
//! says the same.

use crate::support::package_builder::PackageBuilder;
use crate::support::*;

use pfupgrade::finding::{Finding, Level};
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::{self, MemoryDisk};
use pfupgrade::platform::registry::Value;
use std::fs;
use std::path::Path;

const INETSTP: &str = r"HKLM\SOFTWARE\Microsoft\InetStp";
const NEW_PORTAL: &str = r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi";
/// As in the web setups of Visual Studio: a comparison of texts.
const IIS_4: (&str, &str) = ("IISVERSION >= \"#4\"", "This setup requires Internet Information Server 4.0 or later.");

/// A web server whose IIS has this major version.
fn with_iis(major: u32) -> MemoryDisk {
    altered(&demo_machine("web-server"), |facts| facts.registry.set(INETSTP, "MajorVersion", Value::Number(major)))
}

/// The plan of a web server, with an unsigned portal and these lines.
fn web_plan(lines: &str) -> Plan {
    let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/web-server.toml");
    let plan = fs::read_to_string(plan).unwrap().replace("[mobile-app]", "signed-by = false\n\n[mobile-app]");
    Plan::read(format!("{plan}\n{lines}").as_bytes(), "plan").unwrap()
}

fn new_portal() -> PackageBuilder {
    PackageBuilder::new("demo", "Multi-Factor Authentication User Portal", "7.3.0.4")
        .web_setup("MultiFactorAuth", "DefaultAppPool")
        .file("web.config", "<configuration />")
}

fn asks_for_iis(package: PackageBuilder) -> PackageBuilder {
    let search = package.registry_search("IISVERSION", r"SOFTWARE\Microsoft\InetStp", "MajorVersion", true);
    search.launch_condition(IIS_4.0, IIS_4.1)
}

fn about(disk: &MemoryDisk, plan: &Plan) -> Vec<Finding> {
    let mut all = findings(disk, plan);
    all.retain(|finding| finding.id.starts_with("launch-condition"));
    all
}

#[track_caller]
fn says(finding: &Finding, level: Level, words: &[&str]) {
    assert_eq!(finding.level, level, "{finding:?}");
    for words in words {
        assert!(
            finding.title.contains(words) || finding.evidence.iter().any(|seen| seen.contains(words)),
            "{finding:?}"
        );
    }
}

#[test]
fn the_demo_machines_meet_every_condition_of_their_packages() {
    for name in ["one-server", "agent-server", "web-server"] {
        assert_eq!(about(&demo_machine(name), &plan(name)), []);
    }
}

#[test]
fn a_version_of_iis_that_a_new_package_takes_for_older_is_found_before_the_outage() {
    let package = asks_for_iis(new_portal()).build().unwrap();
    let disk = with_iis(8);
    put(&disk, NEW_PORTAL, &package);
    assert_eq!(about(&disk, &web_plan("")), []);

    let disk = with_iis(10);
    put(&disk, NEW_PORTAL, &package);
    assert_eq!(refusals(&disk, &web_plan("")), ["launch-condition"]);
    let seen = r##"IISVERSION is "#10" (HKLM\SOFTWARE\Microsoft\InetStp, MajorVersion)"##;
    let found = about(&disk, &web_plan(""));
    says(
        &found[0],
        Level::RefuseUnlessAllowed,
        &["the new User Portal would not be installed", IIS_4.0, IIS_4.1, seen],
    );
    // The simulated machine refuses it as well.
    let allowed = web_plan("[preflight]\nallow = [\"launch-condition\"]\n");
    let failed = run(&disk, &allowed).unwrap_err().to_string();
    assert!(failed.contains("1603") && failed.contains(IIS_4.1), "{failed}");
}

#[test]
fn a_version_of_iis_that_an_old_package_takes_for_older_is_found_before_the_outage() {
    let old = PackageBuilder::new("demo", "PhoneFactor User Portal", "5.2.5").manufacturer("PhoneFactor, Inc.");
    let old = asks_for_iis(old.web_setup("PhoneFactor", "DefaultAppPool").file("web.config", "<configuration />"));
    let (code, _) = product(&one_server(), "User Portal");
    assert_eq!(old.product_code(), code);
    for (major, fits) in [(8, true), (10, false)] {
        let disk = with_iis(major);
        put(&disk, &product(&disk, "User Portal").1, old.build().unwrap());
        let found = about(&disk, &web_plan(""));
        assert_eq!(found.is_empty(), fits, "{major}: {found:?}");
        if let Some(found) = found.first() {
            says(found, Level::RefuseUnlessAllowed, &["a rollback would not reinstall the User Portal", IIS_4.1]);
        }
    }
}

#[test]
fn a_value_in_the_other_view_of_the_registry_is_not_found() {
    let package = new_portal().registry_search("IISVERSION", r"SOFTWARE\Microsoft\InetStp", "MajorVersion", false);
    let disk = with_iis(8);
    put(&disk, NEW_PORTAL, package.launch_condition(IIS_4.0, IIS_4.1).build().unwrap());
    assert_eq!(refusals(&disk, &web_plan("")), [""; 0]);
    let disk = altered(&disk, |facts| facts.registry.remove(r"HKLM\SOFTWARE\Wow6432Node\Microsoft\InetStp"));
    assert_eq!(refusals(&disk, &web_plan("")), ["launch-condition"]);
    says(&about(&disk, &web_plan(""))[0], Level::RefuseUnlessAllowed, &["IISVERSION is not set (HKLM"]);
}

#[test]
fn what_cannot_be_evaluated_is_named_and_never_passed() {
    for (package, words) in [
        (
            new_portal().other_search("TOOL").launch_condition("TOOL", "A"),
            "TOOL is unknown: it is searched for in files",
        ),
        (new_portal().launch_condition("MsiNTProductType > 1", "A"), "MsiNTProductType is unknown: Windows Installer"),
        (new_portal().launch_condition("%PATH", "A"), "%PATH is unknown: it is an environment variable"),
        (
            new_portal().action("Look", 1, ("Dll", "Entry"), 60, "").launch_condition("SEEN", "A"),
            "SEEN is unknown: the custom action Look may set it",
        ),
        (
            new_portal().action("Set", 51, ("SEEN", "[TARGETVDIR]"), 60, "").launch_condition("SEEN", "A"),
            "SEEN is unknown: the custom action Set sets it",
        ),
    ] {
        let disk = with_iis(8);
        put(&disk, NEW_PORTAL, package.build().unwrap());
        assert_eq!(refusals(&disk, &web_plan("")), [""; 0]);
        let found = about(&disk, &web_plan(""));
        says(&found[0], Level::Warn, &[words, "the new User Portal would not be installed"]);
    }
}

#[test]
fn what_windows_installer_knows_of_this_server_is_known() {
    for (condition, holds) in [
        ("VersionNT >= 603 AND VersionNT64 AND Privileged AND NOT Installed", true),
        ("VersionNT64 > 603", false),
        ("TARGETVDIR = \"MultiFactorAuth\" OR MsiNTProductType > 1", true),
        ("NOT_SET_ANYWHERE", false),
        ("NOT_SET_ANYWHERE AND MsiNTProductType > 1", false),
        ("this is no condition", false),
    ] {
        let disk = with_iis(8);
        put(&disk, NEW_PORTAL, new_portal().launch_condition(condition, "A").build().unwrap());
        let expected: &[&str] = if holds { &[] } else { &["launch-condition"] };
        assert_eq!(refusals(&disk, &web_plan("")), expected, "{condition}");
    }
}

#[test]
fn what_the_setup_of_the_server_installs_first_is_not_missed_before_it() {
    let web = demo_machine("web-server");
    let package = disk::read(&web, &path(NEW_PORTAL), 1 << 26).unwrap();
    let disk = one_server();
    put(&disk, NEW_PORTAL, package);
    let plan = plan_with(&format!("[portal]\ninstaller = '{NEW_PORTAL}'\n"));
    assert_eq!(refusals(&disk, &plan), [""; 0]);
    let found = about(&disk, &plan);
    says(&found[0], Level::Warn, &["VCRUNTIME_X64 is unknown: the MFA Server setup, which runs first, may install it"]);
    run(&disk, &plan).unwrap();

    // Nothing installs it on a web server.
    let without = altered(&web, |facts| facts.system.vc_x64 = false);
    assert!(refusals(&without, &web_plan("")).contains(&"launch-condition".to_owned()));
}
