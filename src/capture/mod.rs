//! Copies a real machine into a simulated one: everything that a rehearsal needs, without secrets.
//!
//! Facts and registry keys are copied with placeholders for secrets ([`crate::webconfig::placeholder`]). Files whose
//! content matters are copied: web.config files (with placeholders), custom themes, files unchanged since their
//! installation, packages. All others are stand-ins of the same size, and programs are simulated ones. The rehearsal
//! then previews the same steps as the machine, with the same reasons.

mod facts;
mod files;
mod package;
mod registry;

use crate::draft::{self, Installers};
use crate::engine::Engine;
use crate::plan::{Component, Plan};
use crate::platform::disk::{self, Disk};
use crate::platform::simulated::{MachineFacts, Signed};
use crate::platform::{Context, Failure, Inspect};
use crate::survey::{Survey, survey};
use crate::winpath::WinPath;
use jiff::Timestamp;
use serde::Serialize;

/// Options of a capture.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Whether to copy only the tables of packages, with stand-ins for their files.
    pub without_packages: bool,
    /// A plan whose installers and programs are captured as well.
    pub plan: Option<Plan>,
    /// Folders to search for installers, besides the usual ones.
    pub installers: Vec<WinPath>,
}

/// The result of a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Captured {
    /// The machine's name.
    pub machine: String,
    /// When it was captured.
    pub captured: Option<Timestamp>,
    /// How many files there are.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
    /// What differs from the machine.
    pub left_out: Vec<String>,
    /// Files that stand in for others.
    #[serde(rename = "stand-in")]
    pub stand_ins: Vec<StandIn>,
    /// Files with placeholders for secrets.
    #[serde(rename = "placeholder")]
    pub placeholders: Vec<Placeholders>,
}

/// A file that stands in for another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandIn {
    /// Its path.
    pub path: WinPath,
    /// How many bytes the real one has.
    pub bytes: u64,
    /// The SHA-256 of the real one, if that reveals nothing: only for the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A file or key with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Placeholders {
    /// The file or key.
    pub of: String,
    /// How many values are placeholders.
    pub values: usize,
}

/// A machine that is being captured.
struct Capture<'a> {
    machine: &'a dyn Inspect,
    survey: &'a Survey,
    wish: &'a Wish,
    to: &'a dyn Disk,
    facts: MachineFacts,
    captured: Captured,
}

/// Copies what a rehearsal needs from a machine to an empty disk. machine.toml is written last, so that an interrupted
/// capture is not a machine.
pub fn capture(engine: &Engine<'_>, to: &dyn Disk, wish: &Wish) -> Result<Captured, Failure> {
    let machine = engine.platform.inspect();
    let survey = survey(machine)?;
    let mut facts = MachineFacts::new(survey.system.clone());
    facts.utc_offset_minutes = machine.utc_offset().map(|seconds| seconds / 60);
    facts::capture(machine, &survey, wish, &mut facts)?;
    let captured =
        Captured { machine: survey.system.name.clone(), captured: Some(engine.clock.now()), ..Captured::default() };
    let mut work = Capture { machine, survey: &survey, wish, to, facts, captured };
    work.registry()?;
    work.folders(&engine.state)?;
    let installers = draft::look(machine, survey.system.bits, &wish.installers);
    work.packages(&installers)?;
    let Capture { facts, captured, .. } = work;
    let record = toml::to_string(&captured).context("list what was captured")?;
    let record = format!("{RECORD}{record}");
    disk::replace(to, &WinPath::outside_drives("captured.toml"), record.as_bytes()).context("write captured.toml")?;
    facts.write(to)?;
    Ok(captured)
}

const RECORD: &str = "\
# What this simulated machine was captured from, and what of it is not real. Stand-ins have the size of the real files;
# placeholders have the shape of the secrets they stand for. Nothing reads this file but people.

";

impl Capture<'_> {
    /// The packages for reinstalling old products, the new installers, and the files that the plan names.
    fn packages(&mut self, installers: &Installers) -> Result<(), Failure> {
        let products = self.survey.components.values().flat_map(|found| &found.products);
        let mut packages: Vec<WinPath> = products.filter_map(|product| product.package.clone()).collect();
        packages.extend(installers.web.values().flatten().map(|package| package.path.clone()));
        let mut programs: Vec<WinPath> = installers.setups.iter().map(|setup| setup.path.clone()).collect();
        for path in self.named_by_plan() {
            if path.name().to_ascii_lowercase().ends_with(".msi") { packages.push(path) } else { programs.push(path) }
        }
        for path in packages {
            if self.exists(&path)? {
                self.package(&path, !self.wish.without_packages)?;
            }
        }
        for path in programs {
            if self.exists(&path)? {
                self.program(&path)?;
            }
        }
        Ok(())
    }

    /// The files that the plan names, as far as its variables are set here.
    fn named_by_plan(&self) -> Vec<WinPath> {
        let Some(plan) = &self.wish.plan else { return Vec::new() };
        let common = Component::ALL.iter().map(|component| plan.common(*component));
        let installers = common.flat_map(|common| [&common.installer, &common.rollback_installer]).flatten();
        let programs = plan.hooks.iter().map(|hook| &hook.run.path);
        installers.chain(programs).filter_map(|path| path.expand(|name| self.machine.variable(name)).ok()).collect()
    }

    fn exists(&self, path: &WinPath) -> Result<bool, Failure> {
        disk::exists(self.machine.files(), path).context(format!("look for {path}"))
    }

    /// Gives a file the same signer as on the machine; `sums` are the hashes of its content here.
    fn sign(&mut self, path: &WinPath, sums: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        use crate::platform::facts::Signature;
        if let Signature::Signed { by } = self.machine.signature(path)? {
            let signed = sums.into_iter().map(|sum| Signed { path: None, sha256: Some(sum), by: by.clone() });
            self.facts.signatures.extend(signed);
        }
        Ok(())
    }
}
