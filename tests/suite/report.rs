//! `report`: the evidence of runs that ended in every way, in every form.

use crate::support::program::Program;
use crate::support::{path, put};
use pfupgrade::journal::RecordedRun;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::report::change::{ChangeReport, Now};
use std::fs;

/// Every secret of the demo machines, as it is and as XML has it.
const SECRETS: [&str; 2] = ["Blue", "Horse"];

const SECTIONS: [&str; 16] = [
    "Components",
    "What is left to do",
    "Checks of the upgraded machine",
    "Steps and times",
    "Settings migrated",
    "Themes restored",
    "IIS before and after",
    "Manual steps",
    "Checks before the start",
    "What went wrong",
    "Installers used",
    "What the installers logged",
    "Backups",
    "The plan as it was used",
    "Source of this report",
    "Signatures",
];

/// The report in its three forms.
#[track_caller]
fn forms(program: &Program) -> [String; 3] {
    ["html", "markdown", "json"].map(|form| program.ends(&format!("report --format {form}"), 0).out)
}

#[track_caller]
fn holds(program: &Program, words: &[&str]) {
    let [html, markdown, json] = forms(program);
    for section in SECTIONS {
        assert!(html.contains(&format!(">{section}</h2>")) && markdown.contains(&format!("## {section}")), "{section}");
    }
    for words in words {
        assert!(markdown.contains(words), "not told: {words}\n{markdown}");
    }
    for secret in SECRETS {
        assert!(![&html, &markdown, &json].iter().any(|form| form.contains(secret)), "{secret}");
    }
    assert_eq!(forms(program), [html, markdown, json], "a report is the same bytes each time");
}

#[test]
fn a_finished_run() {
    let program = Program::after("run --yes --quiet --ticket CHG0012345", 0);
    let config = fs::read_to_string(program.at("C/inetpub/wwwroot/MultiFactorAuth/web.config")).unwrap();
    assert!(
        SECRETS.iter().all(|secret| config.contains(secret)),
        "the machine has to hold the secrets that are looked for"
    );
    let words = [
        "**Finished.** The upgrade is finished. All 33 checks of the upgraded machine passed.",
        "| User Portal | PhoneFactor User Portal 5.2.5, served as Default Web Site/PhoneFactor | upgrade, to be served as",
        "| upgraded to Multi-Factor Authentication User Portal 7.3.0.3, settings migrated, opened as Default Web Site",
        "| The service MultiFactorAuth is running | passed |",
        "Activation of MFA Server: detected",
        "UTC-08:00)",
        "MultiFactorAuthenticationUserPortalSetup64.msi` | Multi-Factor Authentication User Portal 7.3.0.3 | Microsoft",
        "| named by the manual step; confirmed by simulated operator |",
        r"App_Themes\Contoso` | `C:\inetpub\wwwroot\MultiFactorAuth\App_Themes\Contoso` | ",
        "| Path | `/PhoneFactor` | `/MultiFactorAuth` |",
        "| Carried out by |  |  |  |",
        "- Ticket: CHG0012345",
        r"- Started by: FABRIKAM\\admin",
        "| `appSettings/WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD` | (masked) | (masked) | (masked) | migrated |",
        "rewritten: the Web Service SDK has a new URL",
        "Tell users the new portal URL",
        "| `server-setup` | confirmed by simulated operator | FABRIKAM",
        "| **Outage: users could not sign in** |",
        "Installation completed successfully.",
        "| `C:\\Program Files\\PhoneFactor\\Data` | 8 files, ",
        "installer = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'",
    ];
    holds(&program, &words);
    let document = program.ends("report --json", 0).document();
    assert_eq!((&document["format"], &document["kind"]), (&1.into(), &"report".into()));
    assert_eq!(document["story"]["state"], "finished");
    assert!(document["components"].as_array().unwrap().iter().all(|component| component["now"] == "upgraded"));
    assert_eq!(
        (&document["activation"]["how"], &document["story"]["sessions"][0]["utc_offset"]),
        (&"seen".into(), &(-28800).into())
    );
    assert!(document["backups"].as_array().unwrap().iter().all(|backup| backup["sha256"].is_string()));

    let file = program.beside("report.html");
    program.ends("report --format html --output report.html --quiet", 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), program.ends("report --format html", 0).out);
    let said = program.ends("report --format html --output report.html", 2);
    assert!(said.err.contains("could not write the report") && said.err.contains("specify a new file"), "{}", said.err);

    program.ends("rollback --yes --quiet", 0);
    holds(
        &program,
        &[
            "**Rolled back.**",
            "## Rollback",
            "44 of 44 operations done, after",
            "| as before the run: ",
            "It was rolled back",
        ],
    );
}

#[test]
fn a_run_that_failed_and_one_that_waits() {
    let program = Program::after("run --yes --quiet --fail-at install-portal:2", 1);
    let words = [
        "**Failed.** The upgrade failed at the step",
        "| failed |",
        "not started",
        "since ",
        "PhoneFactor User Portal 5.2.5 uninstalled; installation of the new version started, whether it completed is",
        "PhoneFactor Mobile App Web Service 5.2.5 uninstalled; the new version is not installed yet",
        "upgraded to Multi-Factor Authentication Web Service SDK 7.3.0.3",
        "The run has not reached the checks of the upgraded machine.",
    ];
    holds(&program, &words);
    program.ends("rollback --yes --quiet --fail-at rollback:5", 10);
    holds(&program, &["**Rollback failed.**", "| not done |", "not known until the rollback is complete"]);
    let program = Program::after("run --yes --quiet --ask", 5);
    let words = [
        "**Waiting.** The upgrade is not complete: it is waiting for the operator at",
        "Run the MFA Server setup",
        "the manual step that installs the new version is not confirmed yet",
        "| named by the manual step; not confirmed |",
        "Activation of MFA Server: not reached.",
    ];
    holds(&program, &words);
    assert!(!forms(&program).iter().any(|form| form.contains("upgraded to ")), "nothing is upgraded");
}

#[test]
fn any_run_can_be_reported_and_none_is_made_up() {
    let program = Program::after("plan --quiet", 0);
    assert!(program.ends("report", 2).err.contains("there is no run to report"));
    program.ends("run --yes --quiet --fail-at uninstall-sdk", 1);
    program.ends("rollback --quiet", 0);
    let first = program.last_run();
    let first = first.file_name().unwrap().to_str().unwrap();
    program.ends("run --yes --quiet", 0);
    assert!(program.ends(&format!("report {first}"), 0).out.contains("**Rolled back.**"));
    assert!(program.ends("report", 0).out.contains("**Finished.**"));
    let said = program.ends("report 20000101-000000", 2);
    assert!(said.err.contains("there is no run 20000101-000000") && said.err.contains(first), "{}", said.err);
}

/// The sample up to the record before this one.
fn of_format_1(before: &str) -> ChangeReport {
    let whole = include_str!("../samples/journal-1.jsonl");
    let lines: Vec<&str> = whole.lines().take_while(|line| before.is_empty() || !line.contains(before)).collect();
    let disk = MemoryDisk::new();
    put(&disk, r"C:\journal.jsonl", lines.join("\n") + "\n");
    ChangeReport::of(&RecordedRun::read(&disk, path(r"C:\journal.jsonl")).unwrap(), true)
}

/// What a journal of format 1 does not hold is not recorded, and nothing is made of that.
#[test]
fn a_journal_of_format_1_is_told_without_what_it_lacks() {
    let report = of_format_1(r#""entry":"rollback-started""#);
    let markdown = report.markdown();
    for words in [
        "The upgrade is finished. The journal does not list what was checked at the end.",
        "The upgraded machine was checked; this journal does not list the checks.",
        "upgraded to new version (which one is not recorded), settings migrated",
        "MultiFactorAuthenticationUserPortalSetup64.msi` | not recorded | not recorded | not recorded | run; it ended",
        "the time zone of the server is not recorded",
        "Activation of MFA Server: detected",
    ] {
        assert!(markdown.contains(words), "not told: {words}\n{markdown}");
    }
    assert!(report.components.iter().all(|component| component.now == Now::Upgraded), "{:#?}", report.components);
    assert!(!markdown.contains("verified at"), "{markdown}");

    let report = of_format_1("");
    assert_eq!(report.verdict.word, "Rolled back");
    assert!(report.components.iter().all(|component| component.now == Now::RolledBack), "{:#?}", report.components);

    let report = of_format_1(r#""entry":"op-done","step":"install-portal","index":1"#);
    let now: Vec<(&str, Now)> = report.components.iter().map(|it| (it.id.as_str(), it.now)).collect();
    let expected = [
        ("server", Now::Upgraded),
        ("sdk", Now::Upgraded),
        ("portal", Now::Installing),
        ("mobile-app", Now::Uninstalled),
    ];
    assert_eq!(now, expected);
}

/// Found by reading such a report: it said that the installer had ended.
#[test]
fn a_manual_step_that_the_plan_skips_has_installed_nothing() {
    let program = Program::new();
    let plan = fs::read_to_string(program.beside("pfupgrade.toml")).unwrap();
    let skip = "\n[gates]\nserver-setup = { skip = \"somebody else does\" }\n";
    fs::write(program.beside("pfupgrade.toml"), plan + skip).unwrap();
    program.ends("run --yes --quiet", 1);
    let words = [
        "the plan skips the manual step that installs the new version, the result is not verified yet",
        "| the plan skips the manual step: somebody else does |",
        "| `server-setup` | **skipped by the plan: somebody else does** |",
    ];
    holds(&program, &words);
}
