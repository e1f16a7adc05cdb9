//! `report`: the evidence of runs that ended in every way, in every form.

use crate::support::program::Program;
use std::fs;

/// Every secret of the demo machines, as it is and as XML has it.
const SECRETS: [&str; 2] = ["Blue", "Horse"];

const SECTIONS: [&str; 11] = [
    "What was upgraded",
    "What is left to do",
    "Steps and times",
    "Settings carried over",
    "Confirmed by people",
    "Checks before the start",
    "What went wrong",
    "What the installers logged",
    "Backups",
    "The plan as it was used",
    "How this report came about",
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
        "**Finished.** The upgrade is finished",
        "- Ticket: CHG0012345",
        r"- Begun by: FABRIKAM\\admin",
        "| `appSettings/WEB_SERVICE_SDK_AUTHENTICATION_PASSWORD` | (masked) | (masked) | (masked) | carried over |",
        "rewritten: the Web Service SDK has a new address",
        "Tell the users the portal's new address",
        "| `server-setup` | simulated operator | FABRIKAM",
        "| **Outage: users could not sign in** |",
        "Installation completed successfully.",
        "| `C:\\Program Files\\PhoneFactor\\Data` | 8 files, ",
        "installer = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'",
    ];
    holds(&program, &words);
    let document = program.ends("report --json", 0).document();
    assert_eq!((&document["format"], &document["kind"]), (&1.into(), &"report".into()));
    assert_eq!(document["story"]["state"], "finished");
    assert!(document["backups"].as_array().unwrap().iter().all(|backup| backup["sha256"].is_string()));

    let file = program.beside("report.html");
    program.ends("report --format html --output report.html --quiet", 0);
    assert_eq!(fs::read_to_string(&file).unwrap(), program.ends("report --format html", 0).out);
    let said = program.ends("report --format html --output report.html", 2);
    assert!(said.err.contains("could not write the report") && said.err.contains("does not exist yet"), "{}", said.err);

    program.ends("rollback --yes --quiet", 0);
    holds(&program, &["**Rolled back.**", "## Rollback", "parts done, over"]);
}

#[test]
fn a_run_that_failed_and_one_that_waits() {
    let program = Program::after("run --yes --quiet --fail-at install-portal:2", 1);
    holds(&program, &["**Failed.** The upgrade has failed at the step", "| failed |", "not begun", "since "]);
    program.ends("rollback --yes --quiet --fail-at rollback:5", 10);
    holds(&program, &["**Rollback failed.**", "| not done |"]);
    let program = Program::after("run --yes --quiet --ask", 5);
    holds(&program, &["**Waiting.** The upgrade is not over: it waits for a person", "Run the server's setup"]);
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
