//! Migrate the settings of a web component, and open it.

use super::SettingsReport;
use super::web::install_id;
use super::{Certainty, FollowUp, MergePreview, Probe, Protected, StepContext, StepId, StepKind};
use crate::names::SiteName;
use crate::plan::Component;
use crate::platform::facts::Application;
use crate::platform::op::{Blob, Gate, Op};
use crate::platform::{Context, Failure, Inspect, OFFLINE, disk};
use crate::survey::{packages, web_config::read_beside};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{self, Change, Document, Fate, Merged, OutsideFile, Rules, Shown, Together};
use crate::winpath::WinPath;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// Copies themes, writes the web.config, sets the location's settings, then opens the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigureWeb {
    /// Which component.
    pub component: Component,
    /// The site.
    pub site: SiteName,
    /// The target state of the application, with the settings of the old one.
    pub application: Application,
    /// The folder of the old application.
    pub old_folder: WinPath,
    /// The cached package of the old product, for the web.config as shipped.
    pub old_package: Option<WinPath>,
    /// The package of the new product.
    pub package: WinPath,
    /// The path of the new web.config as shipped.
    pub shipped: WinPath,
    /// The rules of the merge.
    pub rules: Rules,
    /// Custom themes: folders below `App_Themes`.
    pub themes: Vec<String>,
    /// Encrypted sections; a decrypted copy is merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<Protected>,
}

/// Context lines around each difference of a report.
const CONTEXT: usize = 3;

/// A change without its values.
fn hidden(change: Change) -> Change {
    let hide = |shown: Shown| if shown == Shown::Absent { shown } else { Shown::Masked };
    Change { old: hide(change.old), new: hide(change.new), result: hide(change.result), ..change }
}

/// A merge, with its input files.
pub(super) struct Merge {
    files: Files,
    merged: Merged,
    /// The files beside the merged file.
    outside: Vec<OutsideFile>,
}

/// The files of a merge.
struct Files {
    /// With the content of their external files.
    together: Together,
    /// The file as shipped by the old version.
    base: Option<Document>,
    /// The file as shipped by the new version; `None` until its package is available.
    new: Option<Document>,
}

impl Files {
    /// Until the new file is available, the old one as shipped stands in for it: the migrated values are the same.
    fn shipped(&self) -> Option<&Document> {
        self.new.as_ref().or(self.base.as_ref())
    }
}

impl ConfigureWeb {
    /// The folder of the new application: the one that the operator has chosen, or else the planned one. Until the new
    /// version is installed, the machine reports the old one.
    fn folder(&self, context: &StepContext<'_>) -> Result<WinPath, Failure> {
        let is_begun = context.history.attempts.contains_key(&install_id(self.component));
        let iis = if is_begun { context.machine.web_server()? } else { None };
        let found = iis.as_ref().and_then(|iis| iis.application(&self.site, &self.application.path));
        Ok(found.map_or_else(|| self.application.folder.clone(), |found| found.folder.clone()))
    }

    fn theme_paths(&self, context: &StepContext<'_>, folder: &WinPath) -> Vec<(WinPath, WinPath)> {
        let old = context.old(&self.old_folder).child("App_Themes");
        let new = folder.child("App_Themes");
        self.themes.iter().map(|theme| (old.child(theme), new.child(theme))).collect()
    }

    fn document(context: &StepContext<'_>, path: &WinPath) -> Result<Option<Document>, Failure> {
        let doing = format!("read {path}");
        if !disk::exists(context.machine.files(), path).context(&doing)? {
            return Ok(None);
        }
        let bytes = disk::read(context.machine.files(), path, CONFIG_LIMIT).context(&doing)?;
        Document::parse(bytes, path.as_str()).context(&doing).map(Some)
    }

    fn packaged(context: &StepContext<'_>, package: &WinPath) -> Result<Option<Document>, Failure> {
        let Some(bytes) = packages::read_file(context.machine, package, "web.config", CONFIG_LIMIT)? else {
            return Ok(None);
        };
        let name = format!("web.config in {package}");
        Document::parse(bytes, &name).context(format!("read {name}")).map(Some)
    }

    /// The three files of the merge: from the run's copies if they exist, otherwise from their present location. `None`
    /// if there is no old file: there is nothing to migrate.
    fn files(&self, context: &StepContext<'_>) -> Result<Option<Files>, Failure> {
        let folder = match &self.protected {
            Some(protected) => protected.folder.clone(),
            None => context.old(&self.old_folder),
        };
        let Some(old) = Self::document(context, &folder.child("web.config"))? else {
            return Ok(None);
        };
        let base = match &self.old_package {
            Some(package) => Self::packaged(context, &context.old(package))?,
            None => None,
        };
        let new = match Self::document(context, &self.shipped)? {
            Some(new) => Some(new),
            None => Self::packaged(context, &self.package)?,
        };
        let read = |file: &str| read_beside(context.machine, &folder, file);
        let read_base = |file: &str| match &self.old_package {
            Some(package) => packaged_beside(context.machine, &context.old(package), file),
            None => Ok(None),
        };
        let read_new = |file: &str| packaged_beside(context.machine, &self.package, file);
        let together = Together::of(
            (&old, &read),
            base.as_ref().map(|base| (base, &read_base as _)),
            new.as_ref().map(|new| (new, &read_new as _)),
        );
        let together = together.context(format!("read what {} refers to", old.name()))?;
        Ok(Some(Files { together, base, new }))
    }

    /// Migrates the old values into the file as shipped, and checks the result. Also returns the files to write beside
    /// it.
    fn carry(&self, context: &StepContext<'_>, files: &Files) -> Result<Option<(Merged, Vec<OutsideFile>)>, Failure> {
        let doing = format!("merge the web.config of the {}", self.component.title());
        let (Some(sources), Some(new)) = (files.together.sources(), files.shipped()) else { return Ok(None) };
        let mut rules = self.rules.clone();
        rules.decisions.extend(context.history.decisions.clone());
        let merged = webconfig::merge(&sources, &rules).context(&doing)?;
        let (merged, outside) = files.together.separate(merged).context(&doing)?;
        let document = merged.document.named(self.application.folder.child("web.config").as_str());
        webconfig::check_merged(&document, new, &rules.declared_above).context(&doing)?;
        Ok(Some((Merged { document, ..merged }, outside)))
    }

    /// The merge; `None` if there is no old file, or no new one. `stand_in`: the old file as shipped may stand in for a
    /// new one that is not available yet.
    fn merged(&self, context: &StepContext<'_>, stand_in: bool) -> Result<Option<Rc<Merge>>, Failure> {
        let decisions = &context.history.decisions;
        if let Some(known) = context.memo.merge(self.component, decisions) {
            return Ok(Some(known));
        }
        let Some(files) = self.files(context)?.filter(|files| stand_in || files.new.is_some()) else { return Ok(None) };
        let Some((merged, outside)) = self.carry(context, &files)? else { return Ok(None) };
        let merge = Rc::new(Merge { files, merged, outside });
        if merge.files.new.is_some() {
            context.memo.keep_merge(self.component, decisions, &merge);
        }
        Ok(Some(merge))
    }

    /// The files to write to the new folder: those that the web.config refers to, then the web.config.
    fn written(&self, context: &StepContext<'_>, folder: &WinPath) -> Result<Vec<(WinPath, Vec<u8>)>, Failure> {
        let Some(merge) = self.merged(context, false)? else { return Ok(Vec::new()) };
        let place =
            |file: &OutsideFile| folder.join(&file.outside.file).context(format!("place {}", file.outside.file));
        let mut written = Vec::new();
        for file in &merge.outside {
            written.push((place(file)?, file.bytes.clone()));
        }
        written.push((folder.child("web.config"), merge.merged.document.bytes().to_vec()));
        Ok(written)
    }

    /// Fails if a file that the web.config refers to is missing: IIS would return only errors. Until the new version is
    /// installed, that is unknown.
    fn check_beside(
        &self,
        context: &StepContext<'_>,
        folder: &WinPath,
        written: &[(WinPath, Vec<u8>)],
    ) -> Result<(), Failure> {
        let Some((path, bytes)) = written.last() else { return Ok(()) };
        let doing = format!("check the files that {path} refers to");
        if !disk::exists(context.machine.files(), folder).context(&doing)? {
            return Ok(());
        }
        let document = Document::parse(bytes.clone(), path.as_str()).context(&doing)?;
        let themes: Vec<WinPath> = self.theme_paths(context, folder).into_iter().map(|(_, to)| to).collect();
        let exists = |beside: &str| {
            let place = folder.join(beside).context(&doing)?;
            let will_be = themes.contains(&place) || written.iter().any(|(written, _)| *written == place);
            Ok::<bool, Failure>(will_be || disk::exists(context.machine.files(), &place).context(&doing)?)
        };
        match webconfig::missing(&document, &exists)?.as_slice() {
            [] => Ok(()),
            missing => {
                let old = context.old(&self.old_folder);
                let next = format!("copy it there, from {old} if it was there");
                Err(Failure::new(doing, missing.join("; ")).next(next))
            }
        }
    }

    /// [`ConfigureWeb::written`] in a comparable form: encryption gives another text each time.
    fn seen(&self, context: &StepContext<'_>, folder: &WinPath) -> Result<Vec<(WinPath, Vec<u8>)>, Failure> {
        if self.protected.is_some() { Ok(Vec::new()) } else { self.written(context, folder) }
    }

    /// Writes the result beside the decrypted copy, encrypts it there, and copies it to its place.
    fn encrypted(
        &self,
        context: &StepContext<'_>,
        protected: &Protected,
        folder: &WinPath,
    ) -> Result<Vec<Op>, Failure> {
        let private = protected.folder.child("merged");
        let written = self.written(context, &private)?;
        let Some((path, bytes)) = written.last() else { return Ok(Vec::new()) };
        let document = Document::parse(bytes.clone(), path.as_str()).context("read the merged web.config")?;
        let log = context.folders.log(&format!("encrypt-{}", self.component));
        let encrypt = protected.encrypt(&document, &private, &log);
        let mut copies = Vec::new();
        for (path, _) in &written {
            let to = folder.join(path.below(&private).unwrap_or_default()).context(format!("place {path}"))?;
            copies.push(Op::Copy { from: path.clone(), to });
        }
        let write = |(path, bytes)| Op::Write { path, content: Blob::new(bytes) };
        Ok(written.into_iter().map(write).chain(encrypt).chain(copies).collect())
    }

    /// The conflicts, decided or not; empty while the new file is unknown.
    pub fn conflicts(&self, context: &StepContext<'_>) -> Result<Vec<Change>, Failure> {
        let Some(merge) = self.merged(context, false)? else { return Ok(Vec::new()) };
        Ok(merge.merged.changes.iter().filter(|change| change.is_conflict()).cloned().collect())
    }

    /// What became of the old web.config, once the merged one is written; `None` if there was no old one.
    pub(crate) fn settings_report(&self, context: &StepContext<'_>) -> Result<Option<SettingsReport>, Failure> {
        let Some(merge) = self.merge(context)? else { return Ok(None) };
        let before = self.old_folder.child("web.config");
        let told =
            |changes, diff| SettingsReport { before: before.to_string(), after: merge.file.clone(), changes, diff };
        if self.protected.is_some() {
            // Encrypted values are never shown, whatever their name: only what became of them.
            return Ok(Some(told(merge.changes.into_iter().map(hidden).collect(), Vec::new())));
        }
        let parsed = |path: &WinPath| {
            let found = Self::document(context, path)?;
            found.ok_or_else(|| Failure::new(format!("read {path}"), "it is missing"))
        };
        let old = parsed(&context.old(&self.old_folder).child("web.config"))?;
        let new = parsed(&WinPath::new(&merge.file).context("find the merged web.config")?)?;
        Ok(Some(told(merge.changes, webconfig::masked_diff(&old, &new, CONTEXT))))
    }

    /// The ID of the gate for deciding conflicts.
    pub fn gate(&self) -> String {
        format!("decide-{}", self.component)
    }
}

/// A file that the web.config in a package refers to. Fails without the package.
fn packaged_beside(machine: &dyn Inspect, package: &WinPath, file: &str) -> Result<Option<Vec<u8>>, String> {
    let there = disk::exists(machine.files(), package).map_err(|error| error.to_string())?;
    let read = || packages::read_beside(machine, package, ("web.config", file), CONFIG_LIMIT);
    if there { read().map_err(|failure| failure.to_string()) } else { Err(format!("{package} is missing; restore it")) }
}

impl StepKind for ConfigureWeb {
    fn id(&self) -> StepId {
        StepId::of("configure", self.component)
    }

    fn title(&self) -> String {
        format!("Migrate the settings of the {} and open it to users", self.component.title())
    }

    fn probe(&self, context: &StepContext<'_>) -> Result<Probe, Failure> {
        let files = context.machine.files();
        let there = |path: &WinPath| disk::exists(files, path).context(format!("look for {path}"));
        let needed = |why: String| Ok(Probe::Needed(why));
        let folder = self.folder(context)?;
        if there(&folder.child(OFFLINE))? {
            return needed(format!("{OFFLINE} still keeps it closed"));
        }
        for (_, theme) in self.theme_paths(context, &folder) {
            if !there(&theme)? {
                return needed(format!("the theme {theme} is missing"));
            }
        }
        for (path, bytes) in self.seen(context, &folder)? {
            if !there(&path)? || disk::read(files, &path, CONFIG_LIMIT).context(format!("read {path}"))? != bytes {
                return needed(format!("{path} does not have the migrated settings"));
            }
        }
        match context.machine.application(&self.site, &self.application.path)? {
            Some(found) if found.is_as(&self.wanted(folder)) => Ok(Probe::Done),
            _ => needed(format!("the application {} does not have the settings of the old one", self.application.path)),
        }
    }

    fn operations(&self, context: &StepContext<'_>) -> Result<Option<Vec<Op>>, Failure> {
        let folder = self.folder(context)?;
        let mut ops: Vec<Op> =
            self.theme_paths(context, &folder).into_iter().map(|(from, to)| Op::Copy { from, to }).collect();
        let written = self.written(context, &folder)?;
        if written.is_empty() && self.waits(context)? {
            return Ok(None);
        }
        self.check_beside(context, &folder, &written)?;
        let write = |(path, bytes)| Op::Write { path, content: Blob::new(bytes) };
        match &self.protected {
            Some(protected) => ops.extend(self.encrypted(context, protected, &folder)?),
            None => ops.extend(written.into_iter().map(write)),
        }
        ops.push(Op::Configure { site: self.site.clone(), application: self.wanted(folder.clone()) });
        let planned = &self.application.folder;
        if folder != *planned {
            // It was closed for an application that is now elsewhere.
            ops.push(Op::Remove { path: planned.child(OFFLINE) });
            ops.push(Op::RemoveEmpty { path: planned.clone(), up_to: planned.clone() });
        }
        ops.push(Op::Remove { path: folder.child(OFFLINE) });
        Ok(Some(ops))
    }

    /// If the new file was known before the run, its conflicts were decided then.
    fn to_decide(&self, context: &StepContext<'_>) -> Result<Option<Gate>, Failure> {
        let conflicts = self.conflicts(context)?;
        let told: Vec<String> = conflicts.iter().filter(|it| it.is_undecided()).map(Change::conflict).collect();
        if told.is_empty() {
            return Ok(None);
        }
        let title = format!("Decide the conflicts in the web.config of the {}", self.component.title());
        let mut instructions = vec![
            "Your customizations conflict with the new version. The component stays closed to users until you decide."
                .to_owned(),
        ];
        instructions.extend(told);
        instructions.push(
            "`resume --decide PATH=old` keeps the old value, `PATH=new` the new one; repeat it for each conflict."
                .to_owned(),
        );
        instructions.push("If you confirm this step without a decision, the new values are kept.".to_owned());
        Ok(Some(Gate { id: self.gate(), title, instructions, by_hand: None, watch: None }))
    }

    fn certainty(&self, context: &StepContext<'_>) -> Certainty {
        match self.waits(context) {
            Ok(false) => Certainty::Exact,
            _ => Certainty::KnownLater,
        }
    }

    fn merge(&self, context: &StepContext<'_>) -> Result<Option<MergePreview>, Failure> {
        let Some(merge) = self.merged(context, true)? else { return Ok(None) };
        let (Merge { files, merged, .. }, Some(shipped)) = (&*merge, merge.files.shipped()) else { return Ok(None) };
        let file = self.folder(context)?.child("web.config").to_string();
        let diff = webconfig::masked_diff(shipped, &merged.document, 2);
        Ok(Some(MergePreview { file, estimate: files.new.is_none(), changes: merged.changes.clone(), diff }))
    }

    fn follow_ups(&self, context: &StepContext<'_>) -> Result<Vec<FollowUp>, Failure> {
        let Some(merged) = self.merge(context)? else { return Ok(Vec::new()) };
        let left = merged.changes.iter().filter_map(|change| match &change.fate {
            Fate::Reported { why } => Some(format!("{}: {why}", change.path)),
            Fate::Conflict { taken: None } => Some(format!(
                "{}: the new version changed it as well, and its value was kept; decide which one to use",
                change.path
            )),
            _ => None,
        });
        let left: Vec<String> = left.collect();
        let title = format!("Review settings that were not migrated to {}", merged.file);
        Ok(if left.is_empty() { Vec::new() } else { vec![FollowUp::new(title, left)] })
    }
}

impl ConfigureWeb {
    /// The target state of the application.
    fn wanted(&self, folder: WinPath) -> Application {
        Application { folder, ..self.application.clone() }
    }

    /// Whether the merge is unknown: the new web.config comes with the MFA Server setup, or the old one is not
    /// decrypted yet.
    fn waits(&self, context: &StepContext<'_>) -> Result<bool, Failure> {
        let there = |path: &WinPath| disk::exists(context.machine.files(), path).context(format!("look for {path}"));
        let is_readable = match &self.protected {
            Some(protected) => there(&protected.folder.child("web.config"))?,
            None => true,
        };
        Ok(!is_readable || (!there(&self.shipped)? && !there(&self.package)?))
    }
}
