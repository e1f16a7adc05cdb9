//! Exact texts of a small preview, narrow and wide.

use super::*;
use crate::preflight::Finding;
use crate::report::preview::*;
use crate::report::summary::{ByHand, GateSummary, StepSummary, Summary};
use crate::webconfig::{Change, DiffLine, Fate, LineKind, Shown};

fn step(id: &str, title: &str, outage: bool) -> StepPreview {
    StepPreview {
        id: id.to_owned(),
        title: title.to_owned(),
        reason: "because the article has it so".to_owned(),
        certainty: Certainty::Exact,
        outage,
        touches: Vec::new(),
        gate: None,
        no_return: false,
        merge: None,
        notes: Vec::new(),
    }
}

fn merged() -> MergePreview {
    let plain = |text: &str| Shown::Plain(text.to_owned());
    let change = |path: &str, old, new, result, fate| Change { path: path.to_owned(), old, new, result, fate };
    let line = |kind, text: &str| DiffLine { kind, text: text.to_owned() };
    MergePreview {
        estimate: false,
        file: r"C:\inetpub\wwwroot\MultiFactorAuth\web.config".to_owned(),
        changes: vec![
            change("appSettings/SSL_REQUIRED", plain("false"), Shown::Absent, plain("false"), Fate::Added),
            change("appSettings/PASSWORD", Shown::Masked, Shown::Masked, Shown::Masked, Fate::Carried),
            change(
                "system.web/pages/@theme",
                plain("Contoso"),
                plain("Default"),
                plain("Default"),
                Fate::Reported { why: "the plan leaves themes alone".to_owned() },
            ),
        ],
        diff: vec![
            line(LineKind::Gap, ""),
            line(LineKind::Context, "  <appSettings>"),
            line(LineKind::Added, r#"    <add key="SSL_REQUIRED" value="false" /><!-- behind the load balancer -->"#),
        ],
    }
}

fn sample() -> Preview {
    let mut backup = step("back-up-portal", "Back up the User Portal", false);
    backup.touches =
        vec![r"back up C:\inetpub\wwwroot\PhoneFactor to C:\ProgramData\pfupgrade\backups\1\portal".to_owned()];
    backup.notes = vec!["edited, not carried: login.aspx".to_owned()];
    let mut uninstall = step("uninstall-portal", "Uninstall PhoneFactor User Portal 5.2.5", true);
    uninstall.no_return = true;
    let mut configure = step("configure-portal", "Carry over the settings of the User Portal and open it", true);
    configure.certainty = Certainty::Estimated;
    configure.merge = Some(merged());
    let mut tell = step("portal-url", "Change the User Portal URL in the server's console", true);
    tell.gate = Some(GatePreview {
        id: "portal-url".to_owned(),
        title: "Change the User Portal URL".to_owned(),
        instructions: vec![
            "Open the console.".to_owned(),
            "Set it to https://mfa.contoso.com/MultiFactorAuth".to_owned(),
        ],
        skipped: None,
    });
    Preview {
        format: 1,
        kind: "preview",
        machine: "MFA01".to_owned(),
        windows: "Windows Server 2012 R2 (6.3.9600)".to_owned(),
        plan: Some("One server".to_owned()),
        simulated: true,
        unfinished_run: None,
        components: vec![
            ComponentPreview {
                id: "server".to_owned(),
                title: "server".to_owned(),
                found: None,
                location: None,
                fate: "not installed: nothing to do".to_owned(),
            },
            ComponentPreview {
                id: "portal".to_owned(),
                title: "User Portal".to_owned(),
                found: Some("PhoneFactor User Portal 5.2.5".to_owned()),
                location: Some("Default Web Site/PhoneFactor".to_owned()),
                fate: "upgraded, as Default Web Site/MultiFactorAuth".to_owned(),
            },
        ],
        findings: vec![
            Finding::refuse_unless_allowed("pending-reboot", "Windows waits for a restart")
                .evidence([r"rename of C:\inetpub\wwwroot\PhoneFactor\bin\pfup.dll"])
                .advice("restart Windows first"),
            Finding::warn("service-retired", "Microsoft's service answers no more"),
        ],
        steps: vec![backup, uninstall, configure, tell],
        no_return: vec!["Windows keeps no copy of the package of PhoneFactor User Portal 5.2.5".to_owned()],
        backup: r"C:\ProgramData\pfupgrade\backups\1".to_owned(),
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_preview_at_60_columns() {
    assert_eq!(plain(&preview(&sample(), 60)), include_str!("preview-60.txt"));
}

#[test]
fn a_preview_at_100_columns() {
    assert_eq!(plain(&preview(&sample(), 100)), include_str!("preview-100.txt"));
}

#[test]
fn nothing_is_wider_than_the_page_or_ends_in_spaces() {
    for width in 60..=120 {
        for line in plain(&preview(&sample(), width)).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
            assert_eq!(line, line.trim_end());
        }
    }
}

#[test]
fn nothing_to_do_is_said() {
    let nothing = Preview { steps: Vec::new(), findings: Vec::new(), no_return: Vec::new(), ..sample() };
    let text = plain(&preview(&nothing, 100));
    assert!(text.ends_with("\nThere is nothing to do. Nothing has been changed.\n"), "{text}");
    assert!(!text.contains("backups"), "{text}");
}

#[test]
fn a_summary() {
    let done = |title: &str, how: &str| StepSummary { id: String::new(), title: title.to_owned(), how: how.to_owned() };
    let run = Summary {
        run: "20160301-200000".to_owned(),
        machine: "MFA01".to_owned(),
        steps: vec![done("Back up the server", "done"), done("Activate the server", "skipped: done beforehand")],
        gates: vec![GateSummary { id: "portal-url".to_owned(), by: "operator".to_owned() }],
        by_hand: vec![ByHand { title: "Tell the users".to_owned(), lines: vec!["the new address".to_owned()] }],
        backup: r"C:\backups\1".to_owned(),
        journal: r"C:\runs\1\journal.jsonl".to_owned(),
    };
    let expected = r"Run 20160301-200000 on MFA01 is finished.

What was done: 1 step
  - Back up the server
  - Activate the server (skipped: done beforehand)

Who answered at gates
  portal-url: operator

What is left to do by hand
  - Tell the users
      the new address

Where things are
  backups   C:\backups\1
  journal   C:\runs\1\journal.jsonl
  way back  pfupgrade rollback
";
    assert_eq!(plain(&summary(&run, "pfupgrade rollback", 60)), expected);
}
