//! A plan for a machine, generated from a survey, with a reason for every line.
//!
//! A draft decides only what follows from the machine. What you must decide is listed in comments to choose from, and
//! in [`Draft::to_decide`].

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
use crate::survey::reinstall::{uninstalls_with, way_back};
use crate::survey::{FoundComponent, Survey, survey};
use crate::winpath::WinPath;
use page::Page;

/// A plan for a machine.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The plan file.
    pub text: String,
    /// Its preview.
    pub preview: Preview,
    /// What to check or decide before a run.
    pub to_decide: Vec<String>,
}

/// The input of a draft.
struct Ground<'a> {
    machine: &'a dyn Inspect,
    survey: &'a Survey,
    installers: &'a Installers,
}

/// What happens to a component.
enum State<'a> {
    Absent,
    Upgraded(&'a Product),
    /// The product is ambiguous, or an upgrade was interrupted; you must decide.
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

/// A draft in progress.
struct Writing<'a> {
    ground: &'a Ground<'a>,
    page: Page,
    to_decide: Vec<String>,
}

/// Writes a plan for a machine. `named` are folders to search for installers, besides the usual ones.
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
        page.note("Comments say what was found and why each line is there; all other keys have their defaults.");
        page.note("Review it, then preview it with: pfupgrade plan");
        page.note("Put paths in single quotes: in double quotes a backslash is an escape character.");
        page.part("");
        page.line("format", "1");
        page.line("name", &page::text(&format!("Upgrade of {}", system.name)));
        page.note("Only this server accepts the plan.");
        page.line("machine", &page::text(&system.name));
        page.part("backup");
        page.note("On a local fixed disk, with enough free space. Each run creates its own folder here.");
        page.line("directory", r"'%ProgramData%\pfupgrade\backups'");
    }

    /// Writes what was found of a component, as a comment. Returns its old product if it is to be upgraded.
    fn found(&mut self, component: Component) -> Option<Product> {
        let ground = self.ground;
        let found = ground.found(component);
        match ground.state(component) {
            State::Absent => {
                self.page.part("");
                self.page.note(&format!("[{component}] is omitted: no {} was found here.", component.old_title()));
                None
            }
            State::Upgraded(new) => {
                self.page.part("");
                self.page.note(&format!("[{component}] is omitted: {} is already the new version.", new.title()));
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

    /// Writes the products to choose from, one line each.
    fn unclear(&mut self, component: Component, found: &FoundComponent) {
        let title = component.old_title();
        if let Some(new) = found.new_era() {
            self.page.note(&format!("The old and the new {title} are both installed: {}.", new.title()));
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
            true => self.page.note(&format!("More than one product may be the {title}. Uncomment one line:")),
            false => {
                self.page.note(&format!("There are traces of the {title}, but no product with a matching name:"));
                found.evidence.iter().for_each(|evidence| self.page.note(&format!("  {evidence}")));
                self.page.note("If it is one of these, uncomment its line:");
            }
        }
        for product in &candidates {
            self.page.option("product-code", &page::text(&product.code), &product.title());
        }
        if candidates.is_empty() {
            self.page.option("product-code", r#""{...}""#, r"its key below HKLM\...\CurrentVersion\Uninstall");
        }
    }

    /// Writes the rollback installer of an old product that has no package, or a damaged one.
    fn way_back(&mut self, product: &Product) {
        let machine = self.ground.machine;
        if let Err(why) = uninstalls_with(machine, product, None) {
            self.page.note(&format!("Windows Installer could not uninstall it: {why}."));
            self.page.note("With the package that it was installed from, it could:");
        } else if let Err(why) = way_back(machine, product) {
            self.page.note(&format!("A rollback could not reinstall it: {why}."));
            self.page.note("With its original installer, it could:");
        } else {
            return;
        }
        self.page.option("rollback-installer", r"'C:\Install\old.msi'", "");
    }

    /// Writes the line of an installer, with its signer.
    fn installer(&mut self, path: &WinPath, signed_by: Option<&str>) {
        let value = page::path(path.as_str());
        // A `%` in a folder name would be interpreted as a variable.
        match path.as_str().contains('%') {
            true => {
                self.page.note("Its path contains a `%`, which marks a variable in a plan: move it elsewhere.");
                self.page.option("installer", &value, "");
            }
            false => self.page.line("installer", &value),
        }
        let usual = Common::default().signed_by;
        match signed_by {
            Some(by) if usual == crate::plan::SignedBy::Name(by.to_owned()) => {
                self.page.note(&format!("It is signed by {by}, as required."));
            }
            Some(by) => {
                self.page.note(&format!("It is signed by {by}, not by Microsoft. If that is intended:"));
                self.page.option("signed-by", &page::text(by), "");
            }
            None => {
                self.page.note("It has no valid signature, which blocks a run. If that is intended:");
                self.page.option("signed-by", "false", "");
            }
        }
    }

    fn merge(&mut self) {
        self.page.part("merge");
        self.page.note("Changes outside appSettings and applicationSettings: \"report\" would only list them.");
        self.page.line("other-changes", "\"apply\"");
        self.page.note("In a conflict, the run stops for your decision; or use \"keep-new\" or \"keep-old\".");
        self.page.line("on-conflict", "\"stop\"");
        self.page.note("Encrypted sections block a run. With this line, a private copy is decrypted for the merge:");
        self.page.option("on-encrypted", "\"decrypt\"", "");
    }
}

/// Writes commented options that depend on the preview.
fn rest(page: &mut Page, preview: &Preview) {
    let gates: Vec<&str> = preview.steps.iter().filter_map(|step| Some(step.gate.as_ref()?.id.as_str())).collect();
    if !gates.is_empty() {
        page.note(&format!("A run waits for manual steps: {}.", gates.join(", ")));
        page.note("You can skip one with a reason, which the report shows:");
        page.note("[gates]");
        page.option("portal-url", "{ skip = \"told the help desk in advance\" }", "");
        page.part("");
    }
    let is_allowable = |level: Level| level == Level::RefuseUnlessAllowed;
    let refused: Vec<_> = preview.findings.iter().filter(|finding| finding.refuses()).collect();
    match refused.is_empty() {
        true => page.note("No check was blocking when this was written. Blocking checks can be allowed:"),
        false => page.note("Checks were blocking when this was written:"),
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

/// Whether this Windows can install a package.
fn runs_here(architecture: Architecture, bits: crate::platform::facts::Bits) -> bool {
    use crate::platform::facts::Bits;
    matches!((architecture, bits), (Architecture::X86, _) | (Architecture::X64, Bits::X64))
}
