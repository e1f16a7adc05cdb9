//! What the web servers need next.

use super::{Certainty, FollowUp, Probe, StepContext, StepId, StepKind};
use crate::platform::disk::{self, Kind};
use crate::platform::op::{Blob, Op};
use crate::platform::{Context, Failure};
use crate::winpath::{WinPath, fold};
use serde::{Deserialize, Serialize};

/// Lists the packages that the web servers need, with their SHA-256, and the new URL of the SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// The MFA Server folder, where its setup puts the packages.
    pub folder: WinPath,
    /// The new URL of the SDK; `None` if this server has no SDK.
    pub sdk_url: Option<String>,
    /// The file it is written to.
    pub file: WinPath,
}

impl HandOver {
    /// What the web servers need, line by line.
    pub fn lines(&self, context: &StepContext<'_>) -> Result<Vec<String>, Failure> {
        let files = context.machine.files();
        let mut lines = Vec::new();
        let listing = format!("list {}", self.folder);
        let there = disk::exists(files, &self.folder).context(&listing)?;
        let entries = if there { files.list(&self.folder).context(&listing)? } else { Vec::new() };
        for entry in entries.iter().filter(|entry| entry.kind == Kind::File && is_for_web_servers(entry.path.name())) {
            let sum = disk::hash(files, &entry.path).context(format!("read {}", entry.path))?;
            lines.push(format!("{}  SHA-256 {sum}", entry.path));
        }
        if lines.is_empty() {
            lines.push(format!("{} has no installers for web servers", self.folder));
        }
        let url = self.sdk_url.iter().map(|url| format!("[sdk] url = \"{url}\" in the plan of each web server"));
        lines.extend(url);
        lines.push(
            "portals on other servers stay down until they are upgraded, too: run pfupgrade there next".to_owned(),
        );
        Ok(lines)
    }
}

/// The names of the installers are published for 64-bit Windows, and inferred for 32-bit.
fn is_for_web_servers(name: &str) -> bool {
    let name = fold(name);
    ["USERPORTALSETUP", "MOBILEAPPWEBSERVICESETUP"]
        .iter()
        .any(|part| name.starts_with("MULTIFACTORAUTHENTICATION") && name.contains(part) && name.ends_with(".MSI"))
}

impl StepKind for HandOver {
    fn id(&self) -> StepId {
        StepId::named("hand-over")
    }

    fn title(&self) -> String {
        "List what the web servers need".to_owned()
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let there = disk::exists(context.machine.files(), &self.file).context(format!("look for {}", self.file))?;
        Ok(if there { Probe::Done } else { Probe::Needed(format!("{} is not written yet", self.file)) })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let text: String = self.lines(context)?.iter().map(|line| format!("{line}\r\n")).collect();
        Ok(Some(vec![Op::Write { path: self.file.clone(), content: Blob::new(text.into_bytes()) }]))
    }

    fn follow_ups(&self, context: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let lines = self.lines(context)?.into_iter().chain([format!("this list is in {}", self.file)]);
        Ok(vec![FollowUp::new("Upgrade the web servers", lines.collect())])
    }

    fn certainty(&self, _: &StepContext<'_>) -> Certainty {
        Certainty::KnownLater
    }
}
