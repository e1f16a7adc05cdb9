//! Encrypted sections: decrypted in a private copy before the uninstall; the copy is removed at the end.

use super::{Probe, StepContext, StepId, StepKind};
use crate::plan::Component;
use crate::platform::op::Op;
use crate::platform::{Context, Failure, disk};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::Document;
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The program reads and writes one small file.
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// A section and its encryption provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its path, such as `connectionStrings`.
    pub path: String,
    /// The provider that it names; `None` means the machine's default.
    pub provider: Option<String>,
}

/// What must be decrypted for a merge, and encrypted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protected {
    /// The folder of the decrypted copy, in the folder of the run.
    pub folder: WinPath,
    /// The encrypted sections.
    pub sections: Vec<Section>,
    /// `aspnet_regiis.exe` of the new version's .NET Framework.
    pub program: WinPath,
}

impl Protected {
    /// Encrypts the sections of the web.config in `folder` that `document` has.
    pub(super) fn encrypt(&self, document: &Document, folder: &WinPath, log: &WinPath) -> Vec<Op> {
        let sections = self.sections.iter().filter(|section| document.has_section(&section.path));
        let run = |section: &Section| {
            let mut arguments = vec!["-pef".to_owned(), section.path.clone(), folder.to_string()];
            if let Some(provider) = &section.provider {
                arguments.extend(["-prov".to_owned(), provider.clone()]);
            }
            Op::Run { program: self.program.clone(), arguments, timeout: TIMEOUT, log: log.clone() }
        };
        sections.map(run).collect()
    }
}

/// Decrypts a copy of an old web.config with the machine's keys, which an administrator can use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decrypt {
    /// Its component.
    pub component: Component,
    /// The folder of the old application.
    pub old_folder: WinPath,
    /// The web.config and the files it refers to, below that folder.
    pub files: Vec<String>,
    /// The folder of the copy.
    pub to: WinPath,
    /// The encrypted sections.
    pub sections: Vec<String>,
    /// `aspnet_regiis.exe` of the old version's .NET Framework.
    pub program: WinPath,
}

impl StepKind for Decrypt {
    fn id(&self) -> StepId {
        StepId::of("decrypt", self.component)
    }

    fn title(&self) -> String {
        format!("Decrypt a private copy of the web.config of the {}", self.component.title())
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let (files, path) = (context.machine.files(), self.to.child("web.config"));
        let doing = format!("read {path}");
        if !disk::exists(files, &path).context(&doing)? {
            return Ok(Probe::Needed(format!("{path} is not there")));
        }
        let bytes = disk::read(files, &path, CONFIG_LIMIT).context(&doing)?;
        let values = Document::parse(bytes, path.as_str()).and_then(|document| document.values()).context(&doing)?;
        Ok(match values.encrypted.as_slice() {
            [] => Probe::Done,
            sections => Probe::Needed(format!("{} in {path} is encrypted", sections.join(", "))),
        })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let mut ops = Vec::new();
        for file in &self.files {
            let place = |folder: &WinPath| folder.join(file).context(format!("place {file}"));
            ops.push(Op::Copy { from: place(&self.old_folder)?, to: place(&self.to)? });
        }
        ops.extend(self.sections.iter().map(|section| Op::Run {
            program: self.program.clone(),
            arguments: vec!["-pdf".to_owned(), section.clone(), self.to.to_string()],
            timeout: TIMEOUT,
            log: context.folders.log(&format!("decrypt-{}", self.component)),
        }));
        Ok(Some(ops))
    }

    fn notes(&self, _: &StepContext<'_>) -> Vec<String> {
        vec!["The backup stays encrypted. The step remove-decrypted, or a rollback, removes the copy.".to_owned()]
    }
}

/// Removes the decrypted copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveDecrypted {}

impl StepKind for RemoveDecrypted {
    fn id(&self) -> StepId {
        StepId::named("remove-decrypted")
    }

    fn title(&self) -> String {
        "Remove the decrypted copies".to_owned()
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let folder = context.folders.decrypted();
        Ok(match disk::exists(context.machine.files(), &folder).context(format!("look for {folder}"))? {
            true => Probe::Needed(format!("{folder} is there")),
            false => Probe::Done,
        })
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        Ok(Some(vec![Op::Remove { path: context.folders.decrypted() }]))
    }
}
