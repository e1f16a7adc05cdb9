//! Back up one component while everything is still running.

use super::{FollowUp, Probe, Source, StepContext, StepId, StepKind};
use crate::plan::Component;
use crate::platform::Failure;
use crate::platform::op::{Blob, Op};
use crate::platform::registry::View;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Copies the component's files, its cached package, its registry key and its settings in IIS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUp {
    /// Which component.
    pub component: Component,
    /// Files and folders.
    pub items: Vec<Item>,
    /// The registry key, and the file it is exported to.
    pub key: Option<(View, String, WinPath)>,
    /// IIS settings for a manual recovery, and the file they are written to.
    pub facts: Option<(String, WinPath)>,
    /// The name of the backup that IIS makes of its own configuration, in the step that requests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_server: Option<String>,
    /// Files that differ from the package and that no later step migrates.
    pub not_carried: Vec<String>,
}

/// A file or folder with the path of its backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What is backed up.
    pub from: WinPath,
    /// The backup.
    pub to: WinPath,
    /// Excluded folders.
    pub except: Vec<WinPath>,
}

impl StepKind for BackUp {
    fn id(&self) -> StepId {
        StepId::of("back-up", self.component)
    }

    fn title(&self) -> String {
        format!("Back up the {}", self.component.old_title())
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let paths = self.items.iter().map(|item| Source::Path(item.from.clone()));
        let keys = self.key.iter().map(|(_, key, _)| Source::Key(key.clone()));
        Ok(match paths.chain(keys).all(|what| context.history.latest(&what).is_some()) {
            true => Probe::Done,
            false => Probe::Needed("nothing is uninstalled without a backup".to_owned()),
        })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let step = self.id();
        let place = |planned: &WinPath| context.place(&step, planned);
        let back_up =
            |item: &Item| Op::BackUp { from: item.from.clone(), to: place(&item.to), except: item.except.clone() };
        let mut ops: Vec<Op> = self.items.iter().map(back_up).collect();
        if let Some((view, key, to)) = &self.key {
            ops.push(Op::ExportKey { view: *view, key: key.clone(), to: place(to) });
        }
        if let Some(name) = &self.web_server {
            let attempt = context.history.attempts.get(&step).filter(|attempt| **attempt > 1);
            let name = attempt.map_or_else(|| name.clone(), |attempt| format!("{name}-{attempt}"));
            ops.push(Op::BackUpWebServer { name });
        }
        if let Some((facts, to)) = &self.facts {
            ops.push(Op::Write { path: place(to), content: Blob::new(facts.as_bytes()) });
        }
        Ok(Some(ops))
    }

    fn follow_ups(&self, _: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let name = self.component.old_title();
        let title = format!("Review customized files of the {name}; they are kept in the backup only");
        let left = (!self.not_carried.is_empty()).then(|| FollowUp::new(title, self.not_carried.clone()));
        Ok(left.into_iter().collect())
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        let note = |file: &String| format!("Customized page not migrated (kept in the backup): {file}");
        self.not_carried.iter().map(note).collect()
    }
}
