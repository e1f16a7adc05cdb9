//! Back up one component while everything still runs.

use super::{FollowUp, Probe, Source, StepContext, StepId, StepKind};
use crate::plan::Component;
use crate::platform::Failure;
use crate::platform::op::{Blob, Op};
use crate::platform::registry::View;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};

/// Copies what the component has on the disk, its cached package, its registry key and its settings in IIS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackUp {
    /// Which component.
    pub component: Component,
    /// Files and folders.
    pub items: Vec<Item>,
    /// The registry key, and the file it is exported to.
    pub key: Option<(View, String, WinPath)>,
    /// Facts about IIS for people, and the file they are written to.
    pub facts: Option<(String, WinPath)>,
    /// What IIS's own backup of its configuration is called, in the one step that has it made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_server: Option<String>,
    /// Files that differ from what the package installed and that no later step carries over.
    pub not_carried: Vec<String>,
}

/// A file or folder with the place of its backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What is backed up.
    pub from: WinPath,
    /// Where to.
    pub to: WinPath,
    /// Folders that are left out.
    pub except: Vec<WinPath>,
}

impl StepKind for BackUp {
    fn id(&self) -> StepId {
        StepId::of("back-up", self.component)
    }

    fn title(&self) -> String {
        format!("Back up the {}", self.component.title())
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
        let name = self.component.title();
        let title = format!("Look at files of the {name} that had been edited; they are in the backup only");
        let left = (!self.not_carried.is_empty()).then(|| FollowUp::new(title, self.not_carried.clone()));
        Ok(left.into_iter().collect())
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        self.not_carried.iter().map(|file| format!("edited, not carried: {file}")).collect()
    }
}
