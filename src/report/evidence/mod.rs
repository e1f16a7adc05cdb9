//! The evidence of a run, fit to be attached to the ticket of a change: as data, and as a document that is
//! rendered as a web page or as Markdown.
//!
//! Everything in it comes from the journal, so that the report of a run is the same bytes whenever it is made, and no
//! secret is in it, since none is in the journal.

mod document;
mod html;
mod markdown;
mod time_line;

use crate::finding::Finding;
use crate::journal::{Frozen, RecordedRun, RunState, Stands};
use crate::plan::{Component, FORMAT};
use crate::platform::Size;
use crate::secret::holds_secret;
use crate::step::{Account, FollowUp, Kept, Source, StepId, Work};
use jiff::Timestamp;
use serde::Serialize;

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

/// A component before and after.
#[derive(Debug, Clone, Serialize)]
pub struct ComponentEvidence {
    /// Its name in sentences.
    pub title: &'static str,
    /// Name and version of the product that was found.
    pub found: String,
    /// Where it was served from.
    pub location: String,
    /// What was to become of it.
    pub fate: String,
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
        let story = state.clone();
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
            components: components(frozen),
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

fn verdict(story: &RunState) -> Verdict {
    let of = |tone, word, says: String| Verdict { tone, word, says };
    let at = story.at().map(|step| format!(" at the step \"{}\"", step.title)).unwrap_or_default();
    let what = if story.goes_back() { "The rollback" } else { "The upgrade" };
    match &story.stands {
        Stands::Finished { reboot: false } => {
            of(Tone::Good, "Finished", "The upgrade is finished, and the machine has been verified.".to_owned())
        }
        Stands::Finished { reboot: true } => of(
            Tone::Good,
            "Finished",
            "The upgrade is finished, and the machine has been verified. An installer asked for a restart of Windows."
                .to_owned(),
        ),
        Stands::RolledBack => of(
            Tone::Good,
            "Rolled back",
            "The upgrade has been rolled back: the machine has been compared with the one before, and is as it was."
                .to_owned(),
        ),
        Stands::Failed { step, why, .. } if story.goes_back() || *step == StepId::rollback() => {
            of(Tone::Bad, "Rollback failed", format!("The rollback has failed and is not over: {why}."))
        }
        Stands::Failed { step, why, .. } => {
            let title = story.step(step).map_or_else(|| step.to_string(), |known| known.title.clone());
            let says = format!("The upgrade has failed at the step \"{title}\" and is not over: {why}.");
            of(Tone::Bad, "Failed", says)
        }
        Stands::Waiting { gate } => {
            of(Tone::Open, "Waiting", format!("The upgrade is not over: it waits for a person at \"{}\".", gate.title))
        }
        Stands::Restart { .. } => {
            of(Tone::Open, "Waiting", format!("{what} is not over: it waits for a restart of Windows."))
        }
        Stands::Stopped => of(Tone::Open, "Stopped", format!("{what} is not over: the operator has stopped it{at}.")),
        Stands::Interrupted => {
            of(Tone::Open, "Not over", format!("{what} is not over: it is at work, or was cut off{at}."))
        }
    }
}

fn components(frozen: &Frozen) -> Vec<ComponentEvidence> {
    let of = |(component, found): (&Component, &crate::survey::FoundComponent)| {
        let products: Vec<String> = found.products.iter().map(|product| product.title()).collect();
        let places: Vec<String> = found.applications.iter().map(|served| served.location()).collect();
        ComponentEvidence {
            title: component.title(),
            found: products.join(", "),
            location: places.join(", "),
            fate: fate(frozen, *component),
        }
    };
    frozen.survey.components.iter().map(of).collect()
}

/// What the procedure has for a component.
fn fate(frozen: &Frozen, component: Component) -> String {
    let new = frozen.steps.iter().find_map(|step| match &step.work {
        Work::InstallServer(server) if component == Component::Server => {
            Some(format!("upgraded to {}", server.version.as_deref().unwrap_or("the new version")))
        }
        Work::InstallWeb(web) if web.component == component => Some(format!("upgraded, as {}{}", web.site, web.path)),
        _ => None,
    });
    let removes = |work: &Work| matches!(work, Work::Uninstall(step) if step.component == component);
    new.unwrap_or_else(|| match frozen.steps.iter().any(|step| removes(&step.work)) {
        true => "removed".to_owned(),
        false => "left as it was".to_owned(),
    })
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
