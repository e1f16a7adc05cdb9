//! A real machine copied into a simulated one: everything that a rehearsal needs, and no secret.
//!
//! Facts and registry keys are copied with placeholders for secrets ([`crate::webconfig::placeholder`]). Of the files,
//! those are copied whose content matters for what is decided: web.config files (with placeholders), own themes, what
//! a package has installed unchanged, packages. All others are stand-ins of the same size, and programs are simulated
//! ones. The rehearsal then previews the same steps as the machine, with the same reasons.

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

/// What is captured, and how.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Only the tables of packages: their files are stand-ins.
    pub without_packages: bool,
    /// A plan whose installers and programs are captured as well.
    pub plan: Option<Plan>,
    /// Folders in which installers may lie, besides the usual ones.
    pub installers: Vec<WinPath>,
}

/// What a capture has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Captured {
    /// The machine's name.
    pub machine: String,
    /// When it was captured.
    pub captured: Option<Timestamp>,
    /// How many files there are.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// What is not as it is on the machine.
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
    /// Where it lies.
    pub path: WinPath,
    /// How many bytes the real one has.
    pub bytes: u64,
    /// The SHA-256 of the real one, where that gives nothing away: the database has it.
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

/// Copies what a rehearsal needs of a machine to an empty disk. The machine's own file comes last: what has been cut
/// off is not taken for a machine.
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
    let record = toml::to_string(&captured).context("tell what was captured")?;
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
    /// The packages by which old products can come back, the new installers, and what the plan names.
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

    /// The files that the plan names, as far as its variables are known here.
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

    /// Has a file signed by the same people as on the machine; `made` is its content here.
    fn sign(&mut self, path: &WinPath, sums: impl IntoIterator<Item = String>) -> Result<(), Failure> {
        use crate::platform::facts::Signature;
        if let Signature::Signed { by } = self.machine.signature(path)? {
            let signed = sums.into_iter().map(|sum| Signed { path: None, sha256: Some(sum), by: by.clone() });
            self.facts.signatures.extend(signed);
        }
        Ok(())
    }
}
