//! The change report of a run, to attach to the ticket: as data, and as a document that is rendered as a web page or as
//! Markdown.
//!
//! Everything in it comes from the journal, so the report of a run always has the same bytes, and no secret is in it,
//! because none is in the journal.

mod component;
mod document;
mod facts;
mod html;
mod markdown;
mod outcome;
mod time_line;
mod times;

pub use component::{ActivationEnd, ActivationReport, ComponentReport, Now};
pub use facts::{IisFacts, ThemeReport, UsedInstallerReport, WebReport};

use crate::finding::Finding;
use crate::journal::{Frozen, RecordedRun, RunState, Stands};
use crate::plan::FORMAT;
use crate::platform::Size;
use crate::secret::holds_secret;
use crate::step::{Checked, FollowUp, Kept, SettingsReport, Source, StepId};
use jiff::Timestamp;
use serde::Serialize;
use times::ServerTime;

/// The report of a run.
#[derive(Debug, Clone, Serialize)]
pub struct ChangeReport {
    /// Version of this document.
    pub format: u32,
    /// `report`.
    pub kind: &'static str,
    /// The run's id.
    pub run: String,
    /// The machine's name.
    pub machine: String,
    /// Its Windows.
    pub windows: String,
    /// Whether the machine is simulated.
    pub simulated: bool,
    /// The ticket of the change.
    pub ticket: Option<String>,
    /// Who started it, if known.
    pub user: Option<String>,
    /// The version of the program that started it.
    pub program: String,
    /// When it started.
    pub begun: Timestamp,
    /// Its verdict.
    pub verdict: Verdict,
    /// The components, before and now.
    pub components: Vec<ComponentReport>,
    /// The activation of MFA Server; `None` if it is not part of the run.
    pub activation: Option<ActivationReport>,
    /// The checks at the end, if the journal lists them.
    pub verified: Option<ChecksReport>,
    /// The web components in IIS, before and after.
    pub web: Vec<WebReport>,
    /// The custom themes that were copied.
    pub themes: Vec<ThemeReport>,
    /// The installers of new versions that were run or requested.
    pub installers_used: Vec<UsedInstallerReport>,
    /// What is left to do by hand; empty unless the run is finished.
    pub by_hand: Vec<FollowUp>,
    /// What happened.
    pub story: RunState,
    /// What became of each web.config, with secrets masked.
    pub settings: Vec<SettingsReport>,
    /// The findings of the preflight checks.
    pub findings: Vec<Finding>,
    /// Key lines of the installers' logs.
    pub installers: Vec<InstallerReport>,
    /// The valid backups.
    pub backups: Vec<BackupReport>,
    /// The plan's own name.
    pub plan_name: Option<String>,
    /// The plan as used, in TOML.
    pub plan: String,
    /// The saved preview that was carried out.
    pub approved: Option<String>,
    /// Where the backups are.
    pub backup: String,
    /// The journal.
    pub journal: String,
    /// The server's local time.
    #[serde(skip)]
    time: ServerTime,
}

/// The checks at the end.
#[derive(Debug, Clone, Serialize)]
pub struct ChecksReport {
    /// When.
    pub time: Timestamp,
    /// Every check.
    pub checks: Vec<Checked>,
}

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Its tone.
    pub tone: Tone,
    /// One or two words.
    pub word: &'static str,
    /// A sentence or two.
    pub says: String,
}

/// The tone of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// Good.
    Good,
    /// Action is required.
    Open,
    /// Failed.
    Bad,
}

/// The log of an installer.
#[derive(Debug, Clone, Serialize)]
pub struct InstallerReport {
    /// When it ended.
    pub time: Timestamp,
    /// The step.
    pub step: String,
    /// What it did.
    pub what: String,
    /// The key lines.
    pub lines: Vec<String>,
}

/// A backup.
#[derive(Debug, Clone, Serialize)]
pub struct BackupReport {
    /// When it was verified.
    pub time: Timestamp,
    /// What was backed up.
    pub of: String,
    /// Its path.
    pub to: String,
    /// Its size, if recorded.
    pub size: Option<Size>,
    /// SHA-256 of its manifest, which lists that of every file; or of the exported key.
    pub sha256: Option<String>,
}

impl ChangeReport {
    /// Creates the report of a run.
    pub fn of(found: &RecordedRun, simulated: bool) -> Self {
        let RecordedRun { frozen, state, .. } = found;
        let (story, time) = (state.clone(), ServerTime::of(state));
        let first = story.sessions.iter().find(|session| session.command == "run");
        let is_over = matches!(story.stands, Stands::Finished { .. });
        let by_hand = state.finished.iter().filter_map(|finished| finished.follow_ups.clone()).flatten();
        Self {
            format: 1,
            kind: "report",
            run: frozen.folders.id.clone(),
            machine: frozen.survey.system.name.clone(),
            windows: frozen.survey.system.windows.clone(),
            simulated,
            ticket: frozen.ticket.clone(),
            user: first.and_then(|session| session.user.clone()),
            program: frozen.program.clone(),
            begun: state.begun.unwrap_or_default(),
            verdict: verdict(&story),
            components: component::components(found, &time),
            activation: component::activation(frozen, state),
            verified: state
                .checks
                .as_ref()
                .map(|checks| ChecksReport { time: checks.time, checks: checks.all.clone() }),
            web: facts::web(frozen, state),
            themes: facts::themes(frozen, state),
            installers_used: facts::installers_used(frozen, state),
            by_hand: by_hand.filter(|_| is_over).collect(),
            settings: state.settings.iter().map(|(_, report)| report.clone()).collect(),
            findings: frozen.findings.clone(),
            installers: installers(state),
            backups: state.history.backups.iter().map(backup).collect(),
            plan_name: frozen.plan.name.clone(),
            plan: plan(frozen),
            approved: frozen.approved.clone(),
            backup: frozen.folders.backup.to_string(),
            journal: found.journal.to_string(),
            story,
            time,
        }
    }

    /// A self-contained web page.
    pub fn html(&self) -> String {
        html::page(&document::document(self))
    }

    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        markdown::page(&document::document(self))
    }
}

/// The result of the checks at the end, in a sentence, only as far as the journal shows it.
fn verified(story: &RunState) -> String {
    match &story.checks {
        Some(checks) if checks.faults() == 0 => {
            format!("All {} checks of the upgraded machine passed.", checks.all.len())
        }
        Some(checks) => {
            format!("{} of {} checks of the upgraded machine failed.", checks.faults(), checks.all.len())
        }
        None => "The journal does not list what was checked at the end.".to_owned(),
    }
}

fn verdict(story: &RunState) -> Verdict {
    let of = |tone, word, says: String| Verdict { tone, word, says };
    let at = story.at().map(|step| format!(" at the step \"{}\"", step.title)).unwrap_or_default();
    let what = if story.goes_back() { "The rollback" } else { "The upgrade" };
    match &story.stands {
        Stands::Finished { reboot } => {
            let restart = if *reboot { " An installer requested a restart of Windows." } else { "" };
            of(Tone::Good, "Finished", format!("The upgrade is finished. {}{restart}", verified(story)))
        }
        Stands::RolledBack => {
            let lost = story.rollback.as_ref().map_or(0, |rollback| rollback.not_restored.len());
            let but = if lost == 0 { "" } else { " What was not restored is listed below." };
            let says = "The upgrade was rolled back. Products, web applications, services and InstallPath were compared \
                        with those from before the run, and are the same.";
            of(Tone::Good, "Rolled back", format!("{says}{but}"))
        }
        Stands::Failed { step, why, .. } if story.goes_back() || *step == StepId::rollback() => {
            of(Tone::Bad, "Rollback failed", format!("The rollback failed and is not complete: {why}."))
        }
        Stands::Failed { step, why, .. } if *step == *"verify" => {
            let says = format!("Everything is installed, but checks of the upgraded machine failed: {why}.");
            of(Tone::Bad, "Failed", says)
        }
        Stands::Failed { step, why, .. } => {
            let title = story.step(step).map_or_else(|| step.to_string(), |known| known.title.clone());
            let says = format!("The upgrade failed at the step \"{title}\" and is not complete: {why}.");
            of(Tone::Bad, "Failed", says)
        }
        Stands::Waiting { gate } => {
            let says = format!("The upgrade is not complete: it is waiting for the operator at \"{}\".", gate.title);
            of(Tone::Open, "Waiting", says)
        }
        Stands::Restart { .. } => {
            of(Tone::Open, "Waiting", format!("{what} is not complete: it is waiting for a restart of Windows."))
        }
        Stands::Stopped => of(Tone::Open, "Stopped", format!("{what} is not complete: the operator stopped it{at}.")),
        Stands::Interrupted => {
            let says = format!("{what} is not complete: it is still running, or was interrupted{at}.");
            of(Tone::Open, "Not complete", says)
        }
    }
}

/// The logs of installers, in order.
fn installers(state: &RunState) -> Vec<InstallerReport> {
    let said = state.operations.iter().filter_map(|operation| {
        let (time, lines) = operation.log().filter(|(_, lines)| !lines.is_empty())?;
        let (step, what, lines) = (operation.step.to_string(), operation.op.to_string(), lines.to_vec());
        Some(InstallerReport { time, step, what, lines })
    });
    said.collect()
}

fn backup(kept: &Kept) -> BackupReport {
    let of = match &kept.what {
        Source::Path(path) => path.to_string(),
        Source::Key(key) => key.clone(),
    };
    BackupReport { time: kept.time, of, to: kept.to.to_string(), size: kept.size, sha256: kept.sha256.clone() }
}

/// The plan as TOML. A plan with credentials is invalid; anything that looks like one is masked anyway.
fn plan(frozen: &Frozen) -> String {
    let text = toml::to_string(&frozen.plan).unwrap_or_default();
    let shown = |line: &str| match line.split_once('=') {
        Some((key, _)) if holds_secret(line) => format!("{key}= \"(masked)\"\n"),
        _ => format!("{line}\n"),
    };
    format!("format = {FORMAT}\n{}", text.lines().map(shown).collect::<String>())
}

/// Replaces invisible characters, and those that change the text direction.
fn plain(text: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    text.replace(is_hidden, "\u{fffd}")
}

/// Splits text at backticks: text and code in turn. Unpaired or empty ones do not count.
fn parts(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split('`').collect();
    let is_paired = parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|part| !part.trim().is_empty());
    if is_paired { parts } else { vec![text] }
}

#[cfg(test)]
mod tests;
