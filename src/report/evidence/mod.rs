//! The evidence of a run, fit to be attached to the ticket of a change: as data, and as a document that is
//! rendered as a web page or as Markdown.
//!
//! Everything in it comes from the journal, so that the report of a run is the same bytes whenever it is made, and no
//! secret is in it, since none is in the journal.

mod component;
mod document;
mod facts;
mod html;
mod markdown;
mod outcome;
mod time_line;
mod times;

pub use component::{ActivationEnd, ActivationEvidence, ComponentEvidence, Now};
pub use facts::{IisFacts, ThemeEvidence, UsedInstallerEvidence, WebEvidence};

use crate::finding::Finding;
use crate::journal::{Frozen, RecordedRun, RunState, Stands};
use crate::plan::FORMAT;
use crate::platform::Size;
use crate::secret::holds_secret;
use crate::step::{Account, Checked, FollowUp, Kept, Source, StepId};
use jiff::Timestamp;
use serde::Serialize;
use times::ServerTime;

/// Everything that is told of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
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
    /// True where the machine is a simulated one.
    pub simulated: bool,
    /// The ticket of the change.
    pub ticket: Option<String>,
    /// Who began it, where that is known.
    pub user: Option<String>,
    /// The version of the program that began it.
    pub program: String,
    /// When it began.
    pub begun: Timestamp,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found, and what became of it.
    pub components: Vec<ComponentEvidence>,
    /// How the new server was activated; `None` where that is no part of the run.
    pub activation: Option<ActivationEvidence>,
    /// What was checked at the end, where the journal lists it.
    pub verified: Option<ChecksEvidence>,
    /// The web components in IIS, before and after.
    pub web: Vec<WebEvidence>,
    /// The custom themes that were copied.
    pub themes: Vec<ThemeEvidence>,
    /// The installers of new versions that were run or asked for.
    pub installers_used: Vec<UsedInstallerEvidence>,
    /// What is left to do by hand; empty unless it is finished.
    pub by_hand: Vec<FollowUp>,
    /// What happened.
    pub story: RunState,
    /// What became of each web.config, secrets masked.
    pub settings: Vec<Account>,
    /// What preflight had to say.
    pub findings: Vec<Finding>,
    /// What the installers' logs say.
    pub installers: Vec<InstallerEvidence>,
    /// The backups that count.
    pub backups: Vec<BackupEvidence>,
    /// The plan's own name.
    pub plan_name: Option<String>,
    /// The plan as it was used, in the form of its file.
    pub plan: String,
    /// The approved preview that was carried out.
    pub approved: Option<String>,
    /// Where the backups are.
    pub backup: String,
    /// The journal.
    pub journal: String,
    /// The server's own time.
    #[serde(skip)]
    time: ServerTime,
}

/// What was checked at the end.
#[derive(Debug, Clone, Serialize)]
pub struct ChecksEvidence {
    /// When.
    pub time: Timestamp,
    /// Every check.
    pub checks: Vec<Checked>,
}

/// What came of a run, in a few words.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// How it is meant.
    pub tone: Tone,
    /// One or two words.
    pub word: &'static str,
    /// A sentence or two.
    pub says: String,
}

/// How a verdict is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// All is well.
    Good,
    /// Somebody has to do something.
    Open,
    /// It went wrong.
    Bad,
}

/// What an installer's log says.
#[derive(Debug, Clone, Serialize)]
pub struct InstallerEvidence {
    /// When it had ended.
    pub time: Timestamp,
    /// The step.
    pub step: String,
    /// What was done.
    pub what: String,
    /// The lines that matter.
    pub lines: Vec<String>,
}

/// A backup.
#[derive(Debug, Clone, Serialize)]
pub struct BackupEvidence {
    /// When it had been read again and matched.
    pub time: Timestamp,
    /// What was backed up.
    pub of: String,
    /// Where it is.
    pub to: String,
    /// How much it holds, where that has been noted.
    pub size: Option<Size>,
    /// SHA-256 of its manifest, which has that of every file; or of the exported key.
    pub sha256: Option<String>,
}

impl Evidence {
    /// Tells it from a run.
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
                .map(|checks| ChecksEvidence { time: checks.time, checks: checks.all.clone() }),
            web: facts::web(frozen, state),
            themes: facts::themes(frozen, state),
            installers_used: facts::installers_used(frozen, state),
            by_hand: by_hand.filter(|_| is_over).collect(),
            settings: state.accounts.iter().map(|(_, account)| account.clone()).collect(),
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

    /// One web page that needs nothing besides itself.
    pub fn html(&self) -> String {
        html::page(&document::document(self))
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        markdown::page(&document::document(self))
    }
}

/// What was checked at the end, in a sentence: nothing is said to be verified that the journal does not show.
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
            let restart = if *reboot { " An installer asked for a restart of Windows." } else { "" };
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
        Stands::Failed { step, why, .. } => {
            let title = story.step(step).map_or_else(|| step.to_string(), |known| known.title.clone());
            let says = format!("The upgrade failed at the step \"{title}\" and is not complete: {why}.");
            of(Tone::Bad, "Failed", says)
        }
        Stands::Waiting { gate } => {
            let says = format!("The upgrade is not complete: it waits for the operator at \"{}\".", gate.title);
            of(Tone::Open, "Waiting", says)
        }
        Stands::Restart { .. } => {
            of(Tone::Open, "Waiting", format!("{what} is not complete: it waits for a restart of Windows."))
        }
        Stands::Stopped => of(Tone::Open, "Stopped", format!("{what} is not complete: the operator stopped it{at}.")),
        Stands::Interrupted => {
            let says = format!("{what} is not complete: it is still running, or was interrupted{at}.");
            of(Tone::Open, "Not complete", says)
        }
    }
}

/// What the logs of installers say, in the order in which these ran.
fn installers(state: &RunState) -> Vec<InstallerEvidence> {
    let said = state.operations.iter().filter_map(|operation| {
        let (time, lines) = operation.log().filter(|(_, lines)| !lines.is_empty())?;
        let (step, what, lines) = (operation.step.to_string(), operation.op.to_string(), lines.to_vec());
        Some(InstallerEvidence { time, step, what, lines })
    });
    said.collect()
}

fn backup(kept: &Kept) -> BackupEvidence {
    let of = match &kept.what {
        Source::Path(path) => path.to_string(),
        Source::Key(key) => key.clone(),
    };
    BackupEvidence { time: kept.time, of, to: kept.to.to_string(), size: kept.size, sha256: kept.sha256.clone() }
}

/// The plan in the form of its file. A plan with credentials is refused; what looks like one all the same is masked.
fn plan(frozen: &Frozen) -> String {
    let text = toml::to_string(&frozen.plan).unwrap_or_default();
    let shown = |line: &str| match line.split_once('=') {
        Some((key, _)) if holds_secret(line) => format!("{key}= \"(masked)\"\n"),
        _ => format!("{line}\n"),
    };
    format!("format = {FORMAT}\n{}", text.lines().map(shown).collect::<String>())
}

/// A text without what could not be seen, or would show it in another order than it has.
fn plain(text: &str) -> String {
    let is_hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    text.replace(is_hidden, "\u{fffd}")
}

/// Words, then what stands between backticks, in turn. Where they do not come in pairs, or hold nothing, none counts.
fn parts(text: &str) -> Vec<&str> {
    let parts: Vec<&str> = text.split('`').collect();
    let is_paired = parts.len() % 2 == 1 && parts.iter().skip(1).step_by(2).all(|part| !part.trim().is_empty());
    if is_paired { parts } else { vec![text] }
}

#[cfg(test)]
mod tests;
