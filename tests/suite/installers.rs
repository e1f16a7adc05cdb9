//! Installers, programs and services that fail, hang, or return too early: what is said, what still runs, and that
//! going on and going back end where they would have ended without the trouble.

use crate::support::package_builder::PackageBuilder;
use crate::support::views::agree;
use crate::support::*;

use crate::support::faulty::{Fault, Faulty};
use jiff::SignedDuration;
use pfupgrade::engine::{End, EngineError, Event, Watcher};
use pfupgrade::journal::Standing;
use pfupgrade::plan::Plan;
use pfupgrade::platform::clock::{Clock, StillClock};
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::facts::ServiceState;
use pfupgrade::platform::simulated::{Simulated, Trouble, When, Works};
use pfupgrade::platform::{Failure, FailureKind};
use pfupgrade::prepare::prepare;
use pfupgrade::survey::survey;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

mod restarts;

const PORTAL_MSI: &str = "MultiFactorAuthenticationUserPortalSetup64.msi";
const SETUP: &str = "MultiFactorAuthenticationServerSetup.exe";
const OLD_PORTAL: &str = "PhoneFactor User Portal";
const SILENT: &str = "arguments = ['/quiet']\n";
const HOOK: &str = "[[hook]]\nbefore = \"uninstall-portal\"\nrun = ['C:\\Scripts\\hook.exe']\ntimeout = \"5m\"\n";
const LATE_HOOK: &str = "[[hook]]\nbefore = \"install-portal\"\nrun = ['C:\\Scripts\\hook.exe']\ntimeout = \"5m\"\n";
const DONE: End = End::Done { reboot: false };

/// Keeps what is told.
#[derive(Default)]
struct Notes(Vec<String>);

impl Watcher for Notes {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Note { text } => self.0.push(text.clone()),
            Event::Started { notes, .. } => self.0.extend(notes.iter().cloned()),
            _ => {}
        }
    }
}

impl Notes {
    fn count(&self, words: &str) -> usize {
        self.0.iter().filter(|note| note.contains(words)).count()
    }
}

/// A machine whose clock goes on from one command to the next.
struct Server {
    disk: MemoryDisk,
    clock: Arc<StillClock>,
    plan: Plan,
    before: Whole,
}

impl Server {
    /// The demo machine with trouble on it, and a plan with these lines.
    fn new(lines: &str, troubles: impl IntoIterator<Item = Trouble>) -> Self {
        let disk = one_server();
        put_hook(&disk, 0);
        let before = without_what_stays(whole(&disk));
        change(&disk, |facts| facts.troubles.extend(troubles));
        Self { disk, clock: clock(), plan: plan_with(lines), before }
    }

    fn machine(&self) -> Simulated {
        Simulated::open(Arc::new(self.disk.clone()), self.clock.clone()).unwrap()
    }

    /// As it is now, to try something out on it.
    fn copy(&self) -> Self {
        let Self { plan, before, .. } = self;
        let clock = Arc::new(StillClock::at(self.clock.now()));
        Self { disk: self.disk.snapshot(), clock, plan: plan.clone(), before: before.clone() }
    }

    fn run(&self, notes: &mut Notes) -> Result<End, EngineError> {
        let machine = self.machine();
        let engine = engine(&machine, &self.clock);
        let prepared = prepare(&machine, &*self.clock, &self.plan, &engine.state).unwrap();
        assert!(!prepared.preview.refused(), "{:?}", prepared.preview.findings);
        self.agreed(engine.run(&prepared.frozen, &mut Person::at(&machine), notes))
    }

    fn resume(&self, notes: &mut Notes) -> Result<End, EngineError> {
        let machine = self.machine();
        let engine = engine(&machine, &self.clock);
        let found = engine.last_run().unwrap().unwrap();
        self.agreed(engine.resume(&found, &mut Person::at(&machine), notes))
    }

    fn rollback(&self, notes: &mut Notes) -> Result<End, EngineError> {
        let machine = self.machine();
        let engine = engine(&machine, &self.clock);
        let found = engine.last_run().unwrap().unwrap();
        self.agreed(engine.rollback(&found, notes))
    }

    /// All views of the run have to agree.
    fn agreed<T>(&self, ended: T) -> T {
        agree(&self.disk).unwrap();
        ended
    }

    fn minutes(&self) -> i64 {
        self.clock.now().duration_since(clock().now()).as_mins()
    }

    fn services_run(&self) -> bool {
        let services = self.machine().facts().services;
        services.iter().any(|service| service.name == "PFSvc" && service.state == ServiceState::Running)
    }

    /// From here, going on ends in the upgraded machine, and going back in the one before.
    #[track_caller]
    fn ends_well(&self) {
        let back = self.copy();
        assert_eq!(back.rollback(&mut Notes::default()).unwrap(), End::RolledBack);
        assert_same(&self.before, &without_what_stays(whole(&back.disk)), "rolled back");
        let on = self.copy();
        assert_eq!(on.resume(&mut Notes::default()).unwrap(), DONE);
        on.is_upgraded();
    }

    /// The run is over, and the machine is that of a run without trouble.
    #[track_caller]
    fn is_upgraded(&self) {
        let smooth = one_server();
        put_hook(&smooth, 0);
        run(&smooth, &self.plan).unwrap();
        let expected = survey(&boot(&smooth)).unwrap();
        let found = survey(&self.machine()).unwrap();
        // The logs say when things happened, and so does the upgraded data file.
        assert_eq!(found.components, expected.components);
        assert_eq!(found.services, expected.services);
        assert_eq!(last_run(&self.disk).unwrap().standing(), Standing::Finished);
        let times = [
            r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata",
            r"C:\Program Files\PhoneFactor\Logs",
            "machine.toml",
        ];
        let timeless = |mut all: Whole| {
            all.retain(|name, _| !times.iter().any(|time| name.starts_with(time)) && !name.contains("pfupgrade-aside"));
            all
        };
        assert_same(&timeless(whole(&smooth)), &timeless(whole(&self.disk)), "upgraded");
        let facts = self.machine().facts();
        assert!(facts.troubles.is_empty() && facts.processes.is_empty(), "{:?}", facts.processes);
    }
}

fn trouble(with: &str) -> Trouble {
    Trouble {
        with: with.to_owned(),
        when: None,
        code: 0,
        times: 1,
        takes: SignedDuration::ZERO,
        works: Works::AtTheEnd,
        returns_early: false,
        leaves: Vec::new(),
    }
}

fn ends(with: &str, code: i32, times: u32) -> Trouble {
    Trouble { code, times, ..trouble(with) }
}

fn hangs(with: &str, minutes: i64, works: Works) -> Trouble {
    Trouble { takes: SignedDuration::from_mins(minutes), works, ..trouble(with) }
}

/// The failure of a step, and whether nothing had been lost.
#[track_caller]
fn failed(ended: Result<End, EngineError>) -> (String, Failure, bool) {
    match ended {
        Err(EngineError::Step { step, failure, nothing_lost }) => (step.to_string(), failure, nothing_lost),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_code_is_told_by_its_name_with_the_log_and_what_to_do() {
    for (code, name, next) in [
        (1602, "ERROR_INSTALL_USEREXIT", "find out who"),
        (1603, "ERROR_INSTALL_FAILURE", "check its log"),
        (1612, "ERROR_INSTALL_SOURCE_ABSENT", "restore the package"),
        (1619, "ERROR_INSTALL_PACKAGE_OPEN_FAILED", "complete"),
        (1638, "ERROR_PRODUCT_VERSION", "Programs and Features"),
        (1645, "ERROR_INSTALL_REMOTE_PROHIBITED", "at the console"),
        (1652, "ERROR_INSTALL_SERVICE_SAFEBOOT", "start Windows normally"),
    ] {
        let server = Server::new("", [ends(PORTAL_MSI, code, 1)]);
        let (step, failure, nothing_lost) = failed(server.run(&mut Notes::default()));
        assert_eq!((step.as_str(), nothing_lost), ("install-portal", false));
        assert!(failure.why.contains(&format!("{code} ({name}: ")), "{failure}");
        assert!(failure.next.contains(next) && failure.next.contains(r"logs\install-portal.log"), "{}", failure.next);
        assert_eq!(failure.kind, FailureKind::Ended(code));
        let log = get(&server.disk, r"C:\ProgramData\pfupgrade\runs\20160305-220000\logs\install-portal.log").unwrap();
        assert!(log.contains(&format!("is returning {code}")), "{log}");
        server.ends_well();
    }
}

#[test]
fn the_line_of_the_log_that_explains_a_failure_is_quoted() {
    let server = Server::new(SILENT, [Trouble { works: Works::Never, ..trouble(SETUP) }]);
    let setup = "simulated-program = 1\nproduct = \"Multi-Factor Authentication Server\"\nversion = \"7.3.0.3\"\n\
         [[action]]\ndo = \"install-package\"\npackage = 'data\\MultiFactorAuthenticationServer.msi'\n\
         [action.properties]\nTARGETDIR = 'C:\\Program Files\\PhoneFactor\\'\n";
    put(&server.disk, r"C:\Install\MultiFactorAuthenticationServerSetup.exe", setup);
    change(&server.disk, |facts| facts.troubles.clear());
    let plan = plan_with(&format!("{SILENT}signed-by = false\n"));
    let server = Server { plan, ..server };
    // This setup brings no Visual C++ runtimes, which the web parts ask for.
    let (step, failure, _) = failed(server.run(&mut Notes::default()));
    assert_eq!(step, "install-sdk");
    assert!(failure.why.contains("1603") && failure.why.contains("Visual C++ 2015"), "{failure}");
    assert!(failure.why.ends_with("(action LaunchConditions)"), "{failure}");
}

#[test]
fn what_an_installer_logs_is_kept_without_credentials() {
    let server = Server::new("signed-by = false\narguments = ['/quiet']\n", []);
    let setup = "simulated-program = 1\nproduct = \"Multi-Factor Authentication Server\"\nversion = \"7.3.0.3\"\n\
         [[action]]\ndo = \"install-package\"\npackage = 'data\\refused.msi'\n";
    let message = "The database refused Server=db;Password=hunter2; for [ProductName]";
    let package =
        PackageBuilder::new("refused", "Refused", "1.0").file("a.txt", "a").launch_condition("0 = 1", message);
    put(&server.disk, r"C:\Install\MultiFactorAuthenticationServerSetup.exe", setup);
    put(&server.disk, r"C:\Install\data\refused.msi", package.build().unwrap());
    let (step, failure, _) = failed(server.run(&mut Notes::default()));
    assert_eq!(step, "install-server");
    assert!(!failure.to_string().contains("hunter2"), "{failure}");
    let kept =
        |file: &str| get(&server.disk, &format!(r"C:\ProgramData\pfupgrade\runs\20160305-220000\{file}")).unwrap();
    let log = kept(r"logs\install-server.log");
    assert!(log.contains("The database refused Server=db;Password=(masked)\r\n"), "{log}");
    assert!(!log.contains("hunter2") && !kept("journal.jsonl").contains("hunter2"), "{log}");
}

#[test]
fn another_installation_is_waited_for() {
    for troubles in [[ends(PORTAL_MSI, 1618, 2)], [ends(OLD_PORTAL, 1618, 2)], [ends(SETUP, 1618, 2)]] {
        let server = Server::new(SILENT, troubles);
        let mut notes = Notes::default();
        assert_eq!(server.run(&mut notes).unwrap(), DONE);
        assert_eq!(notes.count("another installation is running; retrying in 30 s"), 2, "{:?}", notes.0);
        assert_eq!(server.minutes(), 1);
        server.is_upgraded();
    }
}

#[test]
fn another_installation_is_not_waited_for_without_end() {
    let server = Server::new("", [ends(PORTAL_MSI, 1618, 31)]);
    let (step, failure, _) = failed(server.run(&mut Notes::default()));
    assert_eq!((step.as_str(), server.minutes()), ("install-portal", 15));
    assert!(failure.why.contains("1618") && failure.why.contains("retried for 15 min"), "{failure}");
    assert!(failure.next.contains("Windows Update"), "{}", failure.next);
    server.ends_well();
}

#[test]
fn a_rollback_waits_for_another_installation_too() {
    let server = Server::new("", []);
    server.run(&mut Notes::default()).unwrap();
    change(&server.disk, |facts| facts.troubles.extend([ends("Multi-Factor Authentication User Portal", 1618, 3)]));
    let mut notes = Notes::default();
    assert_eq!(server.rollback(&mut notes).unwrap(), End::RolledBack);
    assert_eq!(notes.count("another installation is running"), 3);
    assert_same(&server.before, &without_what_stays(whole(&server.disk)), "rolled back");
}

#[test]
fn an_uninstaller_that_does_not_begin_leaves_the_services_running() {
    for code in [1618, 1612, 1601] {
        let server = Server::new("", [ends(OLD_PORTAL, code, if code == 1618 { 31 } else { 1 })]);
        let (step, failure, nothing_lost) = failed(server.run(&mut Notes::default()));
        assert_eq!((step.as_str(), nothing_lost), ("uninstall-portal", true), "{failure}");
        assert!(server.services_run());
        // What is written now is neither lost nor overwritten.
        let server = Server { before: without_what_stays(whole(&server.disk)), ..server };
        server.ends_well();
    }
    // One that has begun may have changed something.
    let server = Server::new("", [ends(OLD_PORTAL, 1603, 1)]);
    let (_, _, nothing_lost) = failed(server.run(&mut Notes::default()));
    assert!(!nothing_lost && !server.services_run());
    server.ends_well();
}

#[test]
fn a_program_that_hangs_is_not_stopped_and_is_waited_for() {
    for works in [Works::AtTheEnd, Works::AtTheBeginning, Works::Never] {
        for with in [SETUP, PORTAL_MSI, OLD_PORTAL] {
            let server = Server::new(SILENT, [hangs(with, 90, works)]);
            let (_, failure, nothing_lost) = failed(server.run(&mut Notes::default()));
            assert!(matches!(failure.kind, FailureKind::StillRunning(_)), "{with}: {failure}");
            assert!(failure.why.contains("60 min") && failure.why.contains("PID 4242 is still running"), "{failure}");
            assert!(failure.next.contains("PID 4242"), "{}", failure.next);
            assert!(!nothing_lost);
            assert_eq!(server.machine().facts().processes.len(), 1, "{with} has been stopped");
            let journal = server.journal();
            assert!(journal.contains("\"entry\":\"outcome-unknown\"") && journal.contains("\"id\":4242"), "{with}");
            let mut notes = Notes::default();
            let on = server.copy();
            assert_eq!(on.resume(&mut notes).unwrap(), DONE, "{with} {works:?}");
            assert_eq!(notes.count("PID 4242"), 1, "{:?}", notes.0);
            assert_eq!(on.minutes(), 90);
            on.is_upgraded();
            server.ends_well();
        }
    }
}

impl Server {
    fn journal(&self) -> String {
        get(&self.disk, r"C:\ProgramData\pfupgrade\runs\20160305-220000\journal.jsonl").unwrap()
    }
}

#[test]
fn a_setup_that_hung_and_did_its_work_is_not_run_again() {
    let server = Server::new(SILENT, [hangs(SETUP, 90, Works::AtTheEnd), ends(SETUP, 1, 1)]);
    failed(server.run(&mut Notes::default()));
    // A second run of the setup would end with 1.
    assert_eq!(server.resume(&mut Notes::default()).unwrap(), DONE);
    assert_eq!(server.machine().facts().troubles.len(), 1);
}

#[test]
fn what_never_ends_is_not_waited_for_without_end() {
    let server = Server::new("", [hangs(PORTAL_MSI, 60 * 24 * 30, Works::Never)]);
    failed(server.run(&mut Notes::default()));
    for _ in 0..2 {
        let (step, failure, _) = failed(server.resume(&mut Notes::default()));
        assert_eq!(step, "install-portal");
        assert!(matches!(failure.kind, FailureKind::StillRunning(_)) && failure.why.contains("4242"), "{failure}");
    }
    let ended = server.rollback(&mut Notes::default());
    assert!(matches!(&ended, Err(EngineError::Rollback { failure, .. }) if failure.why.contains("4242")), "{ended:?}");
    // Somebody ends it.
    change(&server.disk, |facts| facts.processes.clear());
    server.ends_well();
}

#[test]
fn a_hook_that_hangs_before_the_uninstall_calls_the_outage_off() {
    let server = Server::new(HOOK, [hangs("hook.exe", 10, Works::AtTheEnd)]);
    let (step, failure, nothing_lost) = failed(server.run(&mut Notes::default()));
    assert!(step.as_str().starts_with("hook") && nothing_lost && server.services_run(), "{step}: {failure}");
    assert!(failure.why.contains("5 min"), "{failure}");
    server.ends_well();
}

#[test]
fn a_hook_that_hung_is_not_run_twice() {
    let server = Server::new(LATE_HOOK, [hangs("hook.exe", 10, Works::AtTheEnd), ends("hook.exe", 1, 1)]);
    failed(server.run(&mut Notes::default()));
    let mut notes = Notes::default();
    assert_eq!(server.resume(&mut notes).unwrap(), DONE);
    assert_eq!(notes.count("it is not run again"), 1, "{:?}", notes.0);
}

#[test]
fn an_uninstall_is_over_when_the_product_is_gone() {
    let early = |minutes| Trouble { returns_early: true, ..hangs(OLD_PORTAL, minutes, Works::AtTheEnd) };
    let server = Server::new("", [early(5)]);
    let mut notes = Notes::default();
    assert_eq!(server.run(&mut notes).unwrap(), DONE);
    assert_eq!(notes.count("is still present: waiting until it is gone"), 1, "{:?}", notes.0);
    assert_eq!(server.minutes(), 5);
    server.is_upgraded();

    let server = Server::new("", [early(20)]);
    let (step, failure, _) = failed(server.run(&mut Notes::default()));
    assert_eq!((step.as_str(), server.minutes()), ("uninstall-portal", 15));
    assert!(failure.why.contains("still present") && failure.next.contains("Programs and Features"), "{failure}");
    server.ends_well();
}

#[test]
fn a_service_that_does_not_stop_or_start_is_given_up_and_the_others_run_again() {
    let with = |when, code, minutes| Trouble { when: Some(when), code, ..hangs("PFSvc", minutes, Works::AtTheEnd) };
    for (trouble, words) in [(with(When::Stop, 0, 10), "after 3 min"), (with(When::Stop, 1061, 0), "error 1061")] {
        let server = Server::new("", [trouble]);
        let (step, failure, nothing_lost) = failed(server.run(&mut Notes::default()));
        assert_eq!((step.as_str(), nothing_lost, server.services_run()), ("stop-services", true, true));
        assert!(failure.context == "stop the service PFSvc" && failure.why.contains(words), "{failure}");
        assert!(failure.next.contains("event log"), "{}", failure.next);
        server.ends_well();
    }
    let server = Server::new("", [with(When::Stop, 0, 2)]);
    assert_eq!(server.run(&mut Notes::default()).unwrap(), DONE);
    assert_eq!(server.minutes(), 2);
}

#[test]
fn a_service_that_does_not_start_again_is_told_and_hides_nothing() {
    let start = Trouble { when: Some(When::Start), code: 1053, ..trouble("PFSvc") };
    let server = Server::new(HOOK, [ends("hook.exe", 1, 1), start]);
    let mut notes = Notes::default();
    let (step, failure, nothing_lost) = failed(server.run(&mut notes));
    assert!(step.as_str().starts_with("hook") && failure.why.contains("it ended with 1"), "{failure}");
    assert!(!nothing_lost && failure.why.contains("nothing was uninstalled, but"), "{failure}");
    assert_eq!(notes.count("could not start the service PFSvc: error 1053"), 1, "{:?}", notes.0);
    server.ends_well();
}

#[test]
fn a_half_installed_product_is_finished_or_else_installed_anew() {
    // Every change of the disk between the beginning of the portal's installation and its end.
    let smooth = Server::new("", []);
    let begun = |text: &str| {
        let (disk, at) = (smooth.disk.snapshot(), AtomicU64::new(0));
        let machine = boot(&disk);
        let watched = Faulty::new(&machine, number_of(&smooth, text), Fault::KilledBefore, || {
            at.store(disk.changes(), Ordering::Relaxed);
            disk.stop();
        });
        run_on(&machine, &watched, &smooth.plan).unwrap_err();
        at.load(Ordering::Relaxed)
    };
    let mut half = 0;
    for after in (begun(PORTAL_MSI)..begun(r"wwwroot\MultiFactorAuth\web.config")).step_by(3) {
        let disk = smooth.disk.snapshot();
        disk.stop_after(after);
        run(&disk, &smooth.plan).unwrap_err();
        let cut = Server { disk: disk.snapshot(), ..smooth.copy() };
        change(&cut.disk, |facts| facts.troubles.extend([ends(PORTAL_MSI, 1603, 1)]));
        let mut notes = Notes::default();
        assert_eq!(cut.resume(&mut notes).unwrap(), DONE, "cut after {after}");
        // Where the installation was over already, nothing is installed again.
        change(&cut.disk, |facts| facts.troubles.clear());
        cut.is_upgraded();
        half += notes.count("removed and installed again");
    }
    assert!(half > 3, "only {half} were half installed");
}

/// The number of the first operation whose words hold `text`.
fn number_of(server: &Server, text: &str) -> usize {
    let disk = server.disk.snapshot();
    let machine = boot(&disk);
    let counted = Faulty::counting(&machine, || {});
    run_on(&machine, &counted, &server.plan).unwrap();
    counted.performed().iter().position(|words| words.contains(text)).unwrap()
}
