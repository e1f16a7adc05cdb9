//! Give a new web component the old settings, and open it.

use super::Account;
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

/// Themes, web.config and the location's settings, then the application is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigureWeb {
    /// Which component.
    pub component: Component,
    /// The site.
    pub site: SiteName,
    /// The application as it has to be, with the settings that the old one had.
    pub application: Application,
    /// The folder of the old application.
    pub old_folder: WinPath,
    /// The cached package of the old product, for the web.config as it was shipped.
    pub old_package: Option<WinPath>,
    /// The package of the new product.
    pub package: WinPath,
    /// Where the new web.config as shipped is kept.
    pub shipped: WinPath,
    /// How values are carried over.
    pub rules: Rules,
    /// Own themes: folders below `App_Themes`.
    pub themes: Vec<String>,
    /// Encrypted sections, of which a decrypted copy is merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected: Option<Protected>,
}

/// Lines that are the same on both sides, around each difference of an account.
const CONTEXT: usize = 3;

/// A change without its values.
fn hidden(change: Change) -> Change {
    let hide = |shown: Shown| if shown == Shown::Absent { shown } else { Shown::Masked };
    Change { old: hide(change.old), new: hide(change.new), result: hide(change.result), ..change }
}

/// A merge, with the files it was made of.
pub(super) struct Merge {
    files: Files,
    merged: Merged,
    /// What belongs beside the merged file.
    outside: Vec<OutsideFile>,
}

/// The files of a merge.
struct Files {
    /// With what they keep in other files.
    together: Together,
    /// As the old version shipped it.
    base: Option<Document>,
    /// As the new version ships it; `None` as long as its package is not there.
    new: Option<Document>,
}

impl Files {
    /// Until the new file is there, the old one as shipped stands in for it: the values carried are the same.
    fn shipped(&self) -> Option<&Document> {
        self.new.as_ref().or(self.base.as_ref())
    }
}

impl ConfigureWeb {
    /// The folder of the new application: the one that a person has chosen, or else the one that was planned. As long
    /// as the new version is not there, what the machine says is about the old one.
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

    /// The three files of the merge: from the run's own copies where they exist, else from where they can be had now.
    /// `None` where there is no old file: nothing is to be carried over.
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

    /// Carries the old values into what is shipped; the result is checked. Answers with the files to be written beside
    /// it, too.
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

    /// The merge; `None` where there is no old file, or no new one. `stand_in`: the old file as shipped may stand in for a
    /// new one that is not there yet.
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

    /// What is written into the new folder: the files that the web.config refers to, then the web.config.
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

    /// Refuses to write a web.config for which something is missing beside it: IIS would answer with errors only. As long
    /// as the new version is not installed, that is not known.
    fn check_beside(
        &self,
        context: &StepContext<'_>,
        folder: &WinPath,
        written: &[(WinPath, Vec<u8>)],
    ) -> Result<(), Failure> {
        let Some((path, bytes)) = written.last() else { return Ok(()) };
        let doing = format!("look for what {path} needs");
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
                let next = format!("put it there, from {old} if it was there, and go on");
                Err(Failure::new(doing, missing.join("; ")).next(next))
            }
        }
    }

    /// [`ConfigureWeb::written`] as it can be recognised: what was encrypted is another text each time.
    fn seen(&self, context: &StepContext<'_>, folder: &WinPath) -> Result<Vec<(WinPath, Vec<u8>)>, Failure> {
        if self.protected.is_some() { Ok(Vec::new()) } else { self.written(context, folder) }
    }

    /// Writes the result beside the decrypted copy, encrypts it there, and puts it into its place.
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

    /// Where both sides changed the same, decided or not; nothing as long as the new file is not known.
    pub fn conflicts(&self, context: &StepContext<'_>) -> Result<Vec<Change>, Failure> {
        let Some(merge) = self.merged(context, false)? else { return Ok(Vec::new()) };
        Ok(merge.merged.changes.iter().filter(|change| change.is_conflict()).cloned().collect())
    }

    /// What became of the old web.config, once the merged one is written. `None` where there was no old one.
    pub(crate) fn account(&self, context: &StepContext<'_>) -> Result<Option<Account>, Failure> {
        let Some(merge) = self.merge(context)? else { return Ok(None) };
        let before = self.old_folder.child("web.config");
        let told = |changes, diff| Account { before: before.to_string(), after: merge.file.clone(), changes, diff };
        if self.protected.is_some() {
            // What an administrator has encrypted is not shown, whatever it is called: only what became of it.
            return Ok(Some(told(merge.changes.into_iter().map(hidden).collect(), Vec::new())));
        }
        let parsed = |path: &WinPath| {
            let found = Self::document(context, path)?;
            found.ok_or_else(|| Failure::new(format!("read {path}"), "it is not there"))
        };
        let old = parsed(&context.old(&self.old_folder).child("web.config"))?;
        let new = parsed(&WinPath::new(&merge.file).context("find the merged web.config")?)?;
        Ok(Some(told(merge.changes, webconfig::masked_diff(&old, &new, CONTEXT))))
    }

    /// Id of the gate at which conflicts are decided.
    pub fn gate(&self) -> String {
        format!("decide-{}", self.component)
    }
}

/// A file that the web.config in a package refers to. Without the package nobody knows whether there is one.
fn packaged_beside(machine: &dyn Inspect, package: &WinPath, file: &str) -> Result<Option<Vec<u8>>, String> {
    let there = disk::exists(machine.files(), package).map_err(|error| error.to_string())?;
    let read = || packages::read_beside(machine, package, ("web.config", file), CONFIG_LIMIT);
    if there {
        read().map_err(|failure| failure.to_string())
    } else {
        Err(format!("{package} is not there; put it back"))
    }
}

impl StepKind for ConfigureWeb {
    fn id(&self) -> StepId {
        StepId::of("configure", self.component)
    }

    fn title(&self) -> String {
        format!("Carry over the settings of the {} and open it", self.component.title())
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
                return needed(format!("{path} does not hold the old settings"));
            }
        }
        let iis = context.machine.web_server()?.unwrap_or_default();
        match iis.application(&self.site, &self.application.path) {
            Some(found) if *found == self.wanted(folder) => Ok(Probe::Done),
            _ => needed(format!("the application {} is not configured as the old one was", self.application.path)),
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
            // It was closed for an application that has come to be elsewhere.
            ops.push(Op::Remove { path: planned.child(OFFLINE) });
            ops.push(Op::RemoveEmpty { path: planned.clone(), up_to: planned.clone() });
        }
        ops.push(Op::Remove { path: folder.child(OFFLINE) });
        Ok(Some(ops))
    }

    /// Where the new file was known before the run, its conflicts were decided then.
    fn to_decide(&self, context: &StepContext<'_>) -> Result<Option<Gate>, Failure> {
        let conflicts = self.conflicts(context)?;
        let told: Vec<String> = conflicts.iter().filter(|it| it.is_undecided()).map(Change::conflict).collect();
        if told.is_empty() {
            return Ok(None);
        }
        let title = format!("Decide what holds in the web.config of the {}", self.component.title());
        let mut instructions = vec![
            "The old file and the new version have changed the same. Until it is decided this stays closed.".to_owned(),
        ];
        instructions.extend(told);
        instructions.push(
            "`resume --decide PATH=old` takes the old value, `PATH=new` the new one; several may be given.".to_owned(),
        );
        instructions.push("To confirm the gate without a decision is to keep the new values.".to_owned());
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
                "{}: the new version changed it too, and its value stays; decide which holds",
                change.path
            )),
            _ => None,
        });
        let left: Vec<String> = left.collect();
        let title = format!("Decide on settings that were not carried over into {}", merged.file);
        Ok(if left.is_empty() { Vec::new() } else { vec![FollowUp::new(title, left)] })
    }
}

impl ConfigureWeb {
    /// The application as it has to be.
    fn wanted(&self, folder: WinPath) -> Application {
        Application { folder, ..self.application.clone() }
    }

    /// True as long as the merge cannot be told: the new web.config comes with the server's setup, or the old one is
    /// still to be decrypted.
    fn waits(&self, context: &StepContext<'_>) -> Result<bool, Failure> {
        let there = |path: &WinPath| disk::exists(context.machine.files(), path).context(format!("look for {path}"));
        let is_readable = match &self.protected {
            Some(protected) => there(&protected.folder.child("web.config"))?,
            None => true,
        };
        Ok(!is_readable || (!there(&self.shipped)? && !there(&self.package)?))
    }
}
