//! A plan that is right for a machine, written from what is found there, with the reason of every line.
//!
//! A draft decides only what the machine itself decides. What a person has to decide stands in it as comments to choose
//! from, and is named in [`Draft::to_decide`].

mod installers;
mod page;
mod server;
mod web;

pub use installers::{Installers, Setup, WebPackage, install_folder, look, usual_name};

pub(crate) use web::renamed;

use crate::finding::Level;
use crate::package::Architecture;
use crate::plan::{Common, Component, Plan};
use crate::platform::clock::Clock;
use crate::platform::{Failure, Inspect};
use crate::prepare::Preview;
use crate::prepare::prepare;
use crate::survey::products::{self, Product};
use crate::survey::reinstall::way_back;
use crate::survey::{FoundComponent, Survey, survey};
use crate::winpath::WinPath;
use page::Page;

/// A plan for a machine.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The plan file.
    pub text: String,
    /// What it would do.
    pub preview: Preview,
    /// What a person should look at or decide before a run.
    pub to_decide: Vec<String>,
}

/// What a draft is written from.
struct Ground<'a> {
    machine: &'a dyn Inspect,
    survey: &'a Survey,
    installers: &'a Installers,
}

/// What becomes of a component.
enum State<'a> {
    Absent,
    Upgraded(&'a Product),
    /// Only a person can say which product it is, or clear up what was interrupted.
    Unclear,
    Old(&'a Product),
}

impl Ground<'_> {
    fn found(&self, component: Component) -> Option<&FoundComponent> {
        self.survey.components.get(&component)
    }

    fn state(&self, component: Component) -> State<'_> {
        let Some(found) = self.found(component) else { return State::Absent };
        let old: Vec<&Product> = found.old().collect();
        match (old.as_slice(), found.new_era()) {
            ([], Some(new)) => State::Upgraded(new),
            ([old], None) => State::Old(old),
            ([], None) if found.evidence.is_empty() => State::Absent,
            _ => State::Unclear,
        }
    }

    fn is_old(&self, component: Component) -> bool {
        matches!(self.state(component), State::Old(_))
    }
}

/// A draft while it is written.
struct Writing<'a> {
    ground: &'a Ground<'a>,
    page: Page,
    to_decide: Vec<String>,
}

/// Writes a plan for a machine. `named` are folders in which installers may lie, besides the usual ones.
pub fn draft(machine: &dyn Inspect, clock: &dyn Clock, state: &WinPath, named: &[WinPath]) -> Result<Draft, Failure> {
    let survey = survey(machine)?;
    let installers = look(machine, survey.system.bits, named);
    let ground = Ground { machine, survey: &survey, installers: &installers };
    let mut writing = Writing { ground: &ground, page: Page::new(), to_decide: Vec::new() };
    writing.head(clock);
    writing.server();
    for component in Component::WEB {
        writing.web(component);
    }
    writing.merge();
    let Writing { page, mut to_decide, .. } = writing;
    let text = page.into_text();
    let plan = Plan::read(text.as_bytes(), "the new plan")
        .map_err(|errors| Failure::new("write a plan for this machine", errors))?;
    let preview = prepare(machine, clock, &plan, state)?.preview;
    let mut page = Page::new();
    rest(&mut page, &preview);
    let refused = preview.findings.iter().filter(|finding| finding.refuses());
    to_decide.extend(refused.map(|finding| format!("[{}] {}: {}", finding.id, finding.title, finding.advice)));
    Ok(Draft { text: format!("{text}\n{}", page.into_text()), preview, to_decide })
}

impl Writing<'_> {
    fn head(&mut self, clock: &dyn Clock) {
        let (page, system) = (&mut self.page, &self.ground.survey.system);
        let date = clock.now().strftime("%Y-%m-%d");
        page.note(&format!("A plan for {}, {}, written by `pfupgrade init` on {date}.", system.name, system.windows));
        page.note("Each line stands with what was found and why it is there; what is not there has its default.");
        page.note("Look it through, then see what it would do: pfupgrade plan");
        page.note("Paths stand in single quotes: in double quotes a backslash means something else.");
        page.part("");
        page.line("format", "1");
        page.line("name", &page::text(&format!("Upgrade of {}", system.name)));
        page.part("backup");
        page.note("On a local fixed disk, with room for what is backed up. Each run makes its own folder below.");
        page.line("directory", r"'%ProgramData%\pfupgrade\backups'");
    }

    /// What was found of a component, as a comment; answers with its old product where it is to be upgraded.
    fn found(&mut self, component: Component) -> Option<Product> {
        let ground = self.ground;
        let found = ground.found(component);
        match ground.state(component) {
            State::Absent => {
                self.page.part("");
                self.page.note(&format!("[{component}] is left out: no {} was found here.", component.title()));
                None
            }
            State::Upgraded(new) => {
                self.page.part("");
                self.page.note(&format!("[{component}] is left out: {} is of the new version already.", new.title()));
                None
            }
            State::Old(product) => {
                self.page.part(component.key());
                self.page.note(&format!("Found: {} {}", product.title(), product.code));
                Some(product.clone())
            }
            State::Unclear => {
                self.page.part(component.key());
                found.into_iter().for_each(|found| self.unclear(component, found));
                None
            }
        }
    }

    /// The products to choose from, a line each.
    fn unclear(&mut self, component: Component, found: &FoundComponent) {
        let title = component.title();
        if let Some(new) = found.new_era() {
            self.page.note(&format!("The {title} is here in its old and in its new version: {}.", new.title()));
            self.page.note("An earlier upgrade was interrupted. Finish or undo it by hand first.");
            return;
        }
        let mut candidates: Vec<Product> = found.old().cloned().collect();
        let several = !candidates.is_empty();
        if !several {
            candidates = products::all(self.ground.machine).unwrap_or_default();
            candidates.retain(|product| product.component().is_none() && product.is_of_the_makers());
        }
        match several {
            true => self.page.note(&format!("More than one product may be the {title}. Take the mark off one line:")),
            false => {
                self.page.note(&format!("There are traces of the {title}, but no product whose name says so:"));
                found.evidence.iter().for_each(|evidence| self.page.note(&format!("  {evidence}")));
                self.page.note("If it is one of these, take the mark off its line:");
            }
        }
        for product in &candidates {
            self.page.option("product-code", &page::text(&product.code), &product.title());
        }
        if candidates.is_empty() {
            self.page.option("product-code", r#""{...}""#, r"its key below HKLM\...\CurrentVersion\Uninstall");
        }
    }

    /// The way back of an old product, where it has none.
    fn way_back(&mut self, product: &Product) {
        let Err(why) = way_back(self.ground.machine, product) else { return };
        self.page.note(&format!("A rollback could not bring it back: {why}."));
        self.page.note("With the installer that it came from, it could:");
        self.page.option("rollback-installer", r"'C:\Install\old.msi'", "");
    }

    /// A line with an installer, and who signed it.
    fn installer(&mut self, path: &WinPath, signed_by: Option<&str>) {
        let value = page::path(path.as_str());
        // A `%` in the name of a folder would be taken for a variable.
        match path.as_str().contains('%') {
            true => {
                self.page.note("Its path has a `%` in it, which means something in a plan: put it elsewhere.");
                self.page.option("installer", &value, "");
            }
            false => self.page.line("installer", &value),
        }
        let usual = Common::default().signed_by;
        match signed_by {
            Some(by) if usual == crate::plan::SignedBy::Name(by.to_owned()) => {
                self.page.note(&format!("It is signed by {by}, which is what a run wants."));
            }
            Some(by) => {
                self.page.note(&format!("It is signed by {by}, not by Microsoft. If that is meant:"));
                self.page.option("signed-by", &page::text(by), "");
            }
            None => {
                self.page.note("It has no signature that holds, and a run refuses it. If that is meant:");
                self.page.option("signed-by", "false", "");
            }
        }
    }

    fn merge(&mut self) {
        self.page.part("merge");
        self.page.note("Changes outside appSettings and applicationSettings: \"report\" would only name them.");
        self.page.line("other-changes", "\"apply\"");
        self.page.note("Where both sides changed the same, somebody decides; or \"keep-new\", or \"keep-old\".");
        self.page.line("on-conflict", "\"stop\"");
        self.page.note("Encrypted sections refuse a run. With this, a private copy is decrypted for the merge:");
        self.page.option("on-encrypted", "\"decrypt\"", "");
    }
}

/// What depends on how the plan fits: nothing of it holds as it is written.
fn rest(page: &mut Page, preview: &Preview) {
    let gates: Vec<&str> = preview.steps.iter().filter_map(|step| Some(step.gate.as_ref()?.id.as_str())).collect();
    if !gates.is_empty() {
        page.note(&format!("A run waits for a person at: {}.", gates.join(", ")));
        page.note("One can be skipped with a reason, which is in the report:");
        page.note("[gates]");
        page.option("portal-url", "{ skip = \"told the help desk beforehand\" }", "");
        page.part("");
    }
    let is_allowable = |level: Level| level == Level::RefuseUnlessAllowed;
    let refused: Vec<_> = preview.findings.iter().filter(|finding| finding.refuses()).collect();
    match refused.is_empty() {
        true => {
            page.note("On the day this was written, the checks refused nothing. What they would refuse can be allowed:")
        }
        false => page.note("On the day this was written, a run would have been refused:"),
    }
    for finding in &refused {
        page.note(&format!("- [{}] {}. To do: {}", finding.id, finding.title, finding.advice));
    }
    let ids: Vec<String> = refused.iter().filter(|f| is_allowable(f.level)).map(|f| page::text(&f.id)).collect();
    if refused.is_empty() || !ids.is_empty() {
        let ids = if ids.is_empty() { "\"pending-reboot\"".to_owned() } else { ids.join(", ") };
        page.note("[preflight]");
        page.option("allow", &format!("[{ids}]"), "");
    }
}

/// True for a package that this Windows can install.
fn runs_here(architecture: Architecture, bits: crate::platform::facts::Bits) -> bool {
    use crate::platform::facts::Bits;
    matches!((architecture, bits), (Architecture::X86, _) | (Architecture::X64, Bits::X64))
}
