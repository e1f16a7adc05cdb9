//! A report says what happened: wherever a fault leaves a run, no sentence of its report is untrue of the machine.
//!
//! By default a sample is played; `PFUPGRADE_FAULTS=all cargo test truth::` plays every case.

use crate::support::matrix::*;
use crate::support::*;

use pfupgrade::engine::{Event, Silent, Watcher};
use pfupgrade::journal::{RecordedRun, RunState, Standing};
use pfupgrade::platform::disk::{self, HostDisk, Kind as EntryKind, MemoryDisk, ReadDisk, Unsynced};
use pfupgrade::platform::facts::ServiceState;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::simulated::{FailAt, FailKind, MachineFacts, ROLLBACK, Rehearsal, Simulated};
use pfupgrade::platform::{Inspect, OFFLINE, Platform};
use pfupgrade::prepare::prepare;
use pfupgrade::report::change::{ActivationEnd, ChangeReport, ComponentReport, IisFacts, Now};
use pfupgrade::step::Work;
use pfupgrade::survey::{products, survey};
use std::path::Path;

/// The report of a run, and the machine that it is about.
struct Told<'a> {
    found: &'a RecordedRun,
    report: ChangeReport,
    machine: &'a dyn Inspect,
}

/// Fails with a statement that is not so.
fn so(is_so: bool, statement: &str) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(format!("untrue: {statement}")) }
}

impl<'a> Told<'a> {
    fn of(found: &'a RecordedRun, machine: &'a dyn Inspect) -> Self {
        Self { found, report: ChangeReport::of(found, true), machine }
    }

    fn state(&self) -> &RunState {
        &self.found.state
    }

    /// Holds every statement to the machine.
    fn is_true(&self) -> Result<(), String> {
        for component in &self.report.components {
            self.component(component).map_err(|why| format!("{why}\n{component:#?}"))?;
        }
        let is_now = |now: Now| self.report.components.iter().any(|component| component.now == now);
        let markdown = self.report.markdown();
        so(markdown.contains("upgraded to ") <= is_now(Now::Upgraded), "something is upgraded")?;
        so(markdown.contains("verified at ") <= is_now(Now::Upgraded), "something is verified")?;
        if self.report.verdict.word == "Finished" {
            so(!self.report.components.iter().any(|it| !matches!(it.now, Now::Upgraded | Now::Untouched)), "finished")?;
        }
        self.services()?;
        self.activation()?;
        self.copies()
    }

    fn component(&self, told: &ComponentReport) -> Result<(), String> {
        let components = &self.found.frozen.survey.components;
        let (component, before) = components.iter().find(|(key, _)| key.to_string() == told.id).unwrap();
        let is_old = |code: &str| before.products.iter().any(|old| old.code.eq_ignore_ascii_case(code));
        let now = products::of(self.machine, *component).unwrap();
        let old_is_there = before.products.iter().all(|old| products::is_installed(self.machine, &old.code).unwrap());
        let old_is_gone = !before.products.iter().any(|old| products::is_installed(self.machine, &old.code).unwrap());
        let new: Vec<String> =
            now.iter().filter(|product| !is_old(&product.code)).map(products::Product::title).collect();
        let is_new = || !new.is_empty() && told.fate.contains(&new.join(", "));
        so(told.fate.contains("upgraded") <= (told.now == Now::Upgraded), "it is upgraded")?;
        match told.now {
            Now::Untouched | Now::NotUninstalled => so(old_is_there && new.is_empty(), "the old version is there"),
            Now::Uninstalled => so(old_is_gone && new.is_empty(), "nothing is there"),
            Now::Removed | Now::InstallAsked | Now::Installing | Now::InstallEnded => {
                so(old_is_gone, "the old is gone")
            }
            Now::Installed => so(old_is_gone && is_new(), "the new version is installed"),
            Now::Upgraded => {
                so(old_is_gone && is_new(), "the new version is installed")?;
                self.is_migrated(told)
            }
            Now::Uninstalling | Now::RollingBack => Ok(()),
            Now::RolledBack => {
                let is = survey(self.machine).unwrap().components.remove(component).unwrap();
                let places = |found: &pfupgrade::survey::FoundComponent| {
                    let mut all: Vec<String> =
                        found.applications.iter().map(|it| format!("{:?}", it.application)).collect();
                    all.sort();
                    all
                };
                so(is.products == before.products && places(&is) == places(before), "it is as before the run")
            }
        }
    }

    /// What is called upgraded has its steps behind it, and is open.
    fn is_migrated(&self, told: &ComponentReport) -> Result<(), String> {
        for step in &self.found.frozen.steps {
            let is_over = || so(self.state().is_over(&step.id), &format!("{} is over", step.id));
            match &step.work {
                Work::InstallServer(_) | Work::Activate(_) if told.id == "server" => is_over()?,
                Work::InstallWeb(web) if web.component.to_string() == told.id => is_over()?,
                Work::ConfigureWeb(web) if web.component.to_string() == told.id => {
                    is_over()?;
                    let iis = self.machine.web_server().unwrap().unwrap();
                    let there = iis.application(&web.site, &web.application.path);
                    let closed = there.map(|there| there.folder.child(OFFLINE));
                    let is_open = closed.is_some_and(|file| !disk::exists(self.machine.files(), &file).unwrap());
                    so(is_open && told.fate.contains(&format!("{}{}", web.site, web.application.path)), "it is open")?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Where no outage is told of, the service of the server runs.
    fn services(&self) -> Result<(), String> {
        if self.state().is_outage() {
            return Ok(());
        }
        let services = self.machine.services().unwrap();
        let runs = |name: &str| {
            services.iter().any(|found| found.name.eq_ignore_ascii_case(name) && found.state == ServiceState::Running)
        };
        let is_upgraded = self.report.components.iter().any(|it| it.id == "server" && it.now == Now::Upgraded);
        match is_upgraded {
            true => so(runs("MultiFactorAuth"), "the outage is over, so the new service runs"),
            false => {
                let all = self.found.frozen.survey.services.iter();
                let ran = |service: &&pfupgrade::platform::facts::Service| service.state == ServiceState::Running;
                let stopped: Vec<&str> = all.filter(ran).map(|it| it.name.as_str()).filter(|it| !runs(it)).collect();
                so(stopped.is_empty(), &format!("there is no outage, so these run: {stopped:?}"))
            }
        }
    }

    fn activation(&self) -> Result<(), String> {
        let is_undone = self.state().rollback.is_some();
        let is_seen = self.report.activation.as_ref().is_some_and(|told| told.how == ActivationEnd::Seen);
        let log = path(r"C:\Program Files\PhoneFactor\Logs\MultiFactorAuthSvc.log");
        let log = disk::read(self.machine.files(), &log, 1 << 26).unwrap_or_default();
        let says = String::from_utf8_lossy(&log).contains("Completed performing tasks to upgrade from");
        so(is_seen <= (says || is_undone), "the log says that the data is upgraded")
    }

    /// Themes that were copied, applications that were configured, and the files of installers.
    fn copies(&self) -> Result<(), String> {
        let files = self.machine.files();
        for used in &self.report.installers_used {
            if let (Some(file), Some(sum)) = (&used.file, &used.sha256)
                && disk::exists(files, &path(file)).unwrap()
            {
                so(disk::hash(files, &path(file)).unwrap() == *sum, &format!("{file} has the SHA-256 {sum}"))?;
                so(used.signed_by.as_deref() == Some("Microsoft Corporation"), &format!("who signed {file}"))?;
            }
        }
        if self.state().rollback.is_some() {
            return Ok(());
        }
        for theme in &self.report.themes {
            so(disk::exists(files, &path(&theme.to)).unwrap(), &format!("the theme {} was restored", theme.to))?;
        }
        let iis = self.machine.web_server().unwrap().unwrap();
        for after in self.report.web.iter().filter_map(|web| web.after.as_ref()) {
            let IisFacts { site, path, folder, pool, .. } = after;
            let is_so = |it: &pfupgrade::platform::facts::Application| it.folder.as_str() == folder && it.pool == *pool;
            so(iis.application(site, path).is_some_and(is_so), &format!("{site}{path} is configured"))?;
        }
        Ok(())
    }
}

/// Whether every statement of the report of the last run is true of the machine, where there is such a run.
pub fn is_true(machine: &Simulated) -> Result<(), String> {
    let clock = clock();
    let found = engine(machine, &clock).last_run().map_err(|error| error.to_string())?;
    found.map_or(Ok(()), |found| Told::of(&found, machine.inspect()).is_true())
}

/// Kills and power cuts between any two changes of the disk.
#[test]
fn wherever_a_run_is_cut_its_report_is_true() {
    let played = Played::of("one-server");
    let mut verdict = Verdict::default();
    let every = sample(played.states.len() / 60, played.states.len() / 240, 1).max(1);
    for at in (seed() % every..played.states.len()).step_by(every) {
        for kind in [Kind::Killed, Kind::PowerCut(Unsynced::Dropped)] {
            let left = played.left(at, kind);
            verdict.take(is_true(&boot(&left)), || format!("change {at}, {kind:?}"));
        }
    }
    verdict.give("reports of runs that were cut", "truth");
}

/// Tells a rehearsal what is about to be done, as the program does.
struct Rehearsing<'a>(&'a Rehearsal);

impl Watcher for Rehearsing<'_> {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Operation { step, text } => self.0.begins(step.as_str(), text),
            Event::Undo { text, .. } => self.0.begins(ROLLBACK, text),
            _ => {}
        }
    }
}

/// Copies a machine in memory into a folder of the host.
fn put_down(disk: &MemoryDisk, folder: &Path) -> HostDisk {
    let host = HostDisk::below(folder);
    MachineFacts::read(disk).unwrap().write(&host).unwrap();
    for entry in ['C', 'D'].into_iter().flat_map(|drive| disk.walk(&path(&format!("{drive}:\\"))).unwrap()) {
        match entry.kind {
            EntryKind::Folder => disk::create_folders(&host, &entry.path).unwrap(),
            _ => {
                let bytes = disk::read(disk, &entry.path, 1 << 30).unwrap();
                disk::create_folders(&host, &entry.path.parent().unwrap()).unwrap();
                disk::replace(&host, &entry.path, &bytes).unwrap();
            }
        }
    }
    host
}

/// Plays a fault, as `--fail-at` does, in a run or in the rollback of a finished one.
fn rehearsed(start: &MemoryDisk, fault: FailAt, finished: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let host = put_down(start, folder.path());
    let clock = clock();
    let rehearsal = Rehearsal::open(host, clock.clone(), fault).map_err(|error| error.to_string())?;
    {
        let engine = engine(&rehearsal, &clock);
        let _lock = engine.lock().map_err(|error| error.to_string())?;
        let mut watcher = Rehearsing(&rehearsal);
        let _ = match finished {
            true => engine.rollback(&engine.last_run().unwrap().unwrap(), &mut watcher),
            false => {
                let prepared = prepare(rehearsal.inspect(), &*clock, &plan("one-server"), &engine.state).unwrap();
                engine.run(&prepared.frozen, &mut Person::at(rehearsal.machine()), &mut watcher)
            }
        };
    }
    rehearsal.settle().map_err(|error| error.to_string())?;
    let left = rehearsal.left().map_err(|error| error.to_string())?;
    so(rehearsal.struck().is_some(), "the fault struck")?;
    is_true(&left).map_err(|why| format!("after the fault: {why}"))?;
    let then = |then: Then| {
        let engine = engine(&left, &clock);
        let _lock = engine.lock().map_err(|error| error.to_string())?;
        left.refresh().map_err(|error| error.to_string())?;
        let found = engine.last_run().map_err(|error| error.to_string())?.ok_or("there is no run")?;
        let ended = match then {
            _ if found.standing() == Standing::Finished && then == Then::Resume => return Ok(()),
            Then::Resume => engine.resume(&found, &mut Person::at(&left), &mut Silent),
            Then::RollBack => engine.rollback(&found, &mut Silent),
        };
        ended.map_err(|error| error.to_string())?;
        is_true(&left).map_err(|why| format!("after {then:?}: {why}"))
    };
    if !finished {
        then(Then::Resume)?;
    }
    then(Then::RollBack)
}

/// The operations of every step by which a run goes, with their numbers; gates are no operations of the machine.
fn operations(run: &RecordedRun) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for operation in &run.state.operations {
        if !matches!(operation.op, Op::Ask { .. }) {
            let number = all.iter().filter(|(step, _)| *step == operation.step.as_str()).count() + 1;
            all.push((operation.step.as_str().to_owned(), number));
        }
    }
    all
}

#[test]
fn whatever_fails_the_report_is_true() {
    let start = demo_machine("one-server");
    let upgraded = start.snapshot();
    run(&upgraded, &plan("one-server")).unwrap();
    let run = last_run(&upgraded).unwrap();
    let mut cases = Vec::new();
    for (step, number) in operations(&run) {
        cases.extend(FailKind::ALL.map(|(_, kind)| (FailAt { step: step.clone(), number, kind }, false)));
    }
    let back = upgraded.snapshot();
    rollback(&back).unwrap().unwrap();
    let parts = last_run(&back).unwrap().state.rollback.unwrap().parts.len();
    for number in 1..=parts {
        let step = ROLLBACK.to_owned();
        cases.extend(FailKind::ALL.map(|(_, kind)| (FailAt { step: step.clone(), number, kind }, true)));
    }
    let mut verdict = Verdict::default();
    let every = sample(cases.len() / 8, cases.len() / 40, 1);
    for (fault, finished) in cases.into_iter().skip(seed() % every).step_by(every) {
        let told = format!("{fault:?}");
        let start = if finished { &upgraded } else { &start };
        verdict.take(rehearsed(start, fault, finished), || told);
    }
    verdict.give("reports of runs in which something failed", "truth");
}
