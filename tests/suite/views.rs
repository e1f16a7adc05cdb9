//! One reading of the journal: whatever more than one view of a run shows is the same in all of them, and true of the
//! machine.

use crate::support::program::Program;
use crate::support::views::{Done, agree};
use crate::support::*;

use crate::support::faulty::{Fault, Faulty};
use jiff::SignedDuration;
use pfupgrade::engine::{Answer, End, EngineError, Event, Operator, Silent, Watcher};
use pfupgrade::journal::{RecordedRun, Standing, Stands};
use pfupgrade::names::ProductCode;
use pfupgrade::plan::Plan;
use pfupgrade::platform::clock::{Clock, StillClock};
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::facts::ServiceState;
use pfupgrade::platform::op::Gate;
use pfupgrade::platform::simulated::{Simulated, Trouble, Works};
use pfupgrade::prepare::prepare;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

const PORTAL: &str = "PhoneFactor User Portal";
const DONE: End = End::Done { reboot: false };

/// A server whose clock goes on from one command to the next. After each, all views of the run are compared.
struct Night {
    machine: Simulated,
    disk: MemoryDisk,
    clock: Arc<StillClock>,
    plan: Plan,
}

impl Night {
    fn new(lines: &str) -> Self {
        Self::of(one_server(), clock(), plan_with(lines))
    }

    fn of(disk: MemoryDisk, clock: Arc<StillClock>, plan: Plan) -> Self {
        let machine = Simulated::open(Arc::new(disk.clone()), clock.clone()).unwrap();
        Self { machine, disk, clock, plan }
    }

    /// As it is now, to try something out on it.
    fn copy(&self) -> Self {
        Self::of(self.disk.snapshot(), Arc::new(StillClock::at(self.clock.now())), self.plan.clone())
    }

    fn with(self, trouble: Trouble) -> Self {
        change(&self.disk, |facts| facts.troubles.push(trouble));
        self
    }

    fn machine(&self) -> &Simulated {
        self.machine.refresh().unwrap();
        &self.machine
    }

    #[track_caller]
    fn run(&self, operator: &mut dyn Operator) -> Result<End, EngineError> {
        let machine = self.machine();
        let engine = engine(machine, &self.clock);
        let prepared = prepare(machine, &*self.clock, &self.plan, &engine.state).unwrap();
        self.agreed(engine.run(&prepared.frozen, operator, &mut Silent))
    }

    #[track_caller]
    fn resume(&self, operator: &mut dyn Operator) -> Result<End, EngineError> {
        let (machine, found) = (self.machine(), self.found());
        let engine = engine(machine, &self.clock);
        let (forecast, mut done) = (engine.forecast(&found).unwrap(), Done::default());
        let ended = self.agreed(engine.resume(&found, operator, &mut done));
        ended.inspect(|end| done.is_as_foretold(&forecast, end).unwrap())
    }

    #[track_caller]
    fn roll_back(&self, watcher: &mut dyn Watcher) -> Result<End, EngineError> {
        let machine = self.machine();
        self.agreed(engine(machine, &self.clock).rollback(&self.found(), watcher))
    }

    #[track_caller]
    fn agreed<T>(&self, ended: T) -> T {
        agree(&self.disk).unwrap();
        ended
    }

    /// Time passes.
    fn passes(&self, seconds: u64) {
        self.clock.wait(Duration::from_secs(seconds));
    }

    fn found(&self) -> RecordedRun {
        last_run(&self.disk).unwrap()
    }

    /// How long each outage took, in seconds; `None` where it is not over.
    fn outages(&self) -> Vec<Option<i64>> {
        let seconds = |begun: jiff::Timestamp, ended: jiff::Timestamp| ended.duration_since(begun).as_secs();
        let outages = self.found().state.outages;
        outages.iter().map(|span| span.ended.map(|ended| seconds(span.begun, ended))).collect()
    }

    fn agent_runs(&self) -> bool {
        let services = self.machine().facts().services;
        services.iter().any(|service| service.name == "PFSvc" && service.state == ServiceState::Running)
    }
}

/// Another installation is at work, so often.
fn busy(with: &str, times: u32) -> Trouble {
    Trouble {
        with: with.to_owned(),
        when: None,
        code: 1618,
        times,
        takes: SignedDuration::ZERO,
        works: Works::AtTheEnd,
        returns_early: false,
        leaves: Vec::new(),
    }
}

#[test]
fn an_uninstall_that_never_begins_ends_the_outage_in_every_view() {
    let night = Night::new("").with(busy(PORTAL, 40));
    let ended = night.run(&mut Person::at(night.machine()));
    let Err(EngineError::Step { step, nothing_lost: true, .. }) = &ended else { panic!("{ended:?}") };
    assert_eq!((step.as_str(), night.outages()), ("uninstall-portal", vec![Some(15 * 60)]));
    assert!(night.agent_runs() && night.found().state.uninstalled.is_empty());
    // Users can sign in until somebody goes on; nine more times it is busy.
    night.passes(3600);
    assert_eq!(night.resume(&mut Person::at(night.machine())).unwrap(), DONE);
    assert_eq!(night.outages(), [Some(15 * 60), Some(9 * 30)]);
    assert_eq!(night.found().state.outage_ms(), Some((15 * 60 + 9 * 30) * 1000));
}

#[test]
fn an_outage_during_which_windows_starts_the_old_service_is_one_outage_in_every_view() {
    let night = Night::new("");
    let machine = night.machine();
    let number = {
        let disk = night.disk.snapshot();
        let machine = boot(&disk);
        let counted = Faulty::counting(&machine, || {});
        run_on(&machine, &counted, &night.plan).unwrap();
        counted.performed().iter().position(|words| words.starts_with("uninstall PhoneFactor Mobile")).unwrap()
    };
    let faulty = Faulty::new(machine, number, Fault::Fails, || ());
    let engine = engine(&faulty, &night.clock);
    let prepared = prepare(machine, &*night.clock, &night.plan, &engine.state).unwrap();
    let ended = night.agreed(engine.run(&prepared.frozen, &mut Person::at(machine), &mut Silent));
    assert!(matches!(&ended, Err(EngineError::Step { step, .. }) if step == "uninstall-mobile-app"), "{ended:?}");
    assert_eq!((night.outages(), night.agent_runs()), (vec![None], false));
    night.passes(20);
    night.machine().restart().unwrap();
    assert!(night.agent_runs());
    night.agreed(());
    assert_eq!(night.resume(&mut Person::at(night.machine())).unwrap(), DONE);
    assert_eq!(night.outages(), [Some(20)]);
}

/// Presses Ctrl+C once the clock shows a time.
struct Stops<'a> {
    person: Person<'a>,
    clock: &'a StillClock,
    after: i64,
}

impl Stops<'_> {
    fn wants_to(&self) -> bool {
        self.clock.now().duration_since(clock().now()).as_secs() >= self.after
    }
}

impl Operator for Stops<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        self.person.at_gate(gate, still)
    }

    fn wants_to_stop(&self) -> bool {
        self.wants_to()
    }
}

#[test]
fn a_run_that_is_stopped_while_its_first_uninstall_waits_has_uninstalled_nothing() {
    let night = Night::new("").with(busy(PORTAL, 40));
    let machine = night.machine();
    let mut stops = Stops { person: Person::at(machine), clock: &night.clock, after: 60 };
    assert_eq!(night.run(&mut stops).unwrap(), End::Stopped);
    let state = night.found().state;
    assert_eq!((state.stands, state.uninstalled.len(), night.outages()), (Stands::Stopped, 0, vec![Some(60)]));
    assert!(night.agent_runs());
    let back = night.copy();
    assert_eq!(back.roll_back(&mut Silent).unwrap(), End::RolledBack);
    assert_eq!(back.outages(), [Some(60)], "no service has stopped for the rollback");
    // A restart of Windows in between changes nothing of that.
    night.passes(600);
    night.machine().restart().unwrap();
    change(&night.disk, |facts| facts.troubles.clear());
    assert_eq!(night.resume(&mut Person::at(night.machine())).unwrap(), DONE);
    assert_eq!(night.outages(), [Some(60), Some(0)]);
}

#[test]
fn a_run_that_is_stopped_while_a_later_uninstall_waits_has_uninstalled_the_first_only() {
    let night = Night::new("").with(busy("PhoneFactor Mobile App Web Service", 40));
    let machine = night.machine();
    let mut stops = Stops { person: Person::at(machine), clock: &night.clock, after: 60 };
    assert_eq!(night.run(&mut stops).unwrap(), End::Stopped);
    let uninstalled = night.found().state.uninstalled;
    let there = |code: &ProductCode| night.machine().facts().installed.contains_key(code.as_str());
    assert!(!uninstalled.is_empty() && !uninstalled.iter().any(there), "{uninstalled:?}");
    assert_eq!((night.outages(), night.agent_runs()), (vec![None], false));
    night.passes(20);
    night.machine().restart().unwrap();
    change(&night.disk, |facts| facts.troubles.clear());
    let back = night.copy();
    assert_eq!(back.roll_back(&mut Silent).unwrap(), End::RolledBack);
    assert_eq!(back.outages(), [Some(80)]);
    assert_eq!(night.resume(&mut Person::at(night.machine())).unwrap(), DONE);
    assert_eq!(night.outages(), [Some(80)]);
}

/// Does what every gate asks but one.
struct LeavesOut<'a>(Person<'a>, &'static str);

impl Operator for LeavesOut<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        if gate.id == self.1 { Answer::Later } else { self.0.at_gate(gate, still) }
    }
}

#[test]
fn a_gate_that_two_people_wait_at_is_passed_by_the_one_who_answers() {
    let night = Night::new("");
    let by = |account: &str| {
        let account = format!(r"FABRIKAM\{account}");
        change(&night.disk, |facts| facts.system.account = Some(account));
    };
    let machine = night.machine();
    by("anna");
    for gate in ["server-setup", "portal-url"] {
        let mut person = LeavesOut(Person::at(machine), gate);
        let ended = if gate == "server-setup" { night.run(&mut person) } else { night.resume(&mut person) };
        assert!(matches!(&ended, Ok(End::Waiting(asked)) if asked.id == gate), "{ended:?}");
        night.passes(600);
        by("bert");
    }
    by("carl");
    assert_eq!(night.resume(&mut Person::at(night.machine())).unwrap(), DONE);
    let gates = night.found().state.gates;
    let who = |gate: &str| {
        let passed: Vec<_> = gates.iter().filter(|passed| passed.gate == gate).collect();
        let [passed] = passed.as_slice() else { panic!("{gate}: {passed:?}") };
        passed.user.clone().unwrap()
    };
    assert_eq!([who("server-setup"), who("portal-url")], [r"FABRIKAM\bert", r"FABRIKAM\carl"]);
    // The portal's URL is typed once the outage is over.
    assert_eq!(night.outages(), [Some(600)]);
}

#[test]
fn a_step_that_waits_for_a_person_does_not_hide_the_one_that_was_cut_off() {
    let night = Night::new("[portal]\nmethod = 'console'\n[mobile-app]\nmethod = 'console'");
    let killed_at = |number: usize| {
        let night = night.copy();
        let machine = night.machine();
        let faulty = Faulty::new(machine, number, Fault::KilledBefore, || night.disk.stop());
        let engine = engine(&faulty, &night.clock);
        let prepared = prepare(machine, &*night.clock, &night.plan, &engine.state).unwrap();
        let ended = engine.run(&prepared.frozen, &mut LeavesOut(Person::at(machine), "install-portal"), &mut Silent);
        let words = faulty.performed().get(number).cloned();
        (ended.is_err(), words, night.disk.snapshot())
    };
    let number = (0..).find(|number| {
        killed_at(*number).1.is_some_and(|words| words.contains(r"D:\Sites") && words.starts_with("write"))
    });
    let (_, words, disk) = killed_at(number.unwrap());
    agree(&disk).unwrap();
    let state = last_run(&disk).unwrap().state;
    assert_eq!(state.at().map(|step| step.id.to_string()).as_deref(), Some("configure-mobile-app"), "{words:?}");
    let told = state.where_it_stands().unwrap();
    assert!(told.contains("configure-mobile-app was interrupted"), "{told}");
}

/// Stops a rollback after so many parts.
struct StopsAfter(Cell<usize>);

impl Watcher for StopsAfter {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Undo { .. }) {
            self.0.set(self.0.get() - 1);
        }
    }

    fn wants_to_stop(&self) -> bool {
        self.0.get() == 0
    }
}

#[test]
fn a_rollback_of_a_finished_run_has_an_outage_of_its_own() {
    let night = Night::new("").with(busy(PORTAL, 2));
    assert_eq!(night.run(&mut Person::at(night.machine())).unwrap(), DONE);
    assert_eq!(night.outages(), [Some(60)]);
    night.passes(24 * 3600);
    // It is interrupted twice, and Windows is restarted in between.
    for seconds in [100, 200] {
        assert_eq!(night.roll_back(&mut StopsAfter(Cell::new(6))).unwrap(), End::Stopped);
        assert_eq!((night.outages(), night.found().standing()), (vec![Some(60), None], Standing::RollingBack));
        night.passes(seconds);
        night.machine().restart().unwrap();
    }
    assert_eq!(night.roll_back(&mut Silent).unwrap(), End::RolledBack);
    assert_eq!(night.outages(), [Some(60), Some(300)]);
}

#[test]
fn a_rollback_of_a_run_that_was_called_off_is_no_outage() {
    let night = Night::new("").with(busy(PORTAL, 40));
    night.run(&mut Person::at(night.machine())).unwrap_err();
    night.passes(3600);
    assert_eq!(night.roll_back(&mut Silent).unwrap(), End::RolledBack);
    assert_eq!(night.outages(), [Some(15 * 60)]);
}

#[test]
fn a_kill_right_after_the_services_were_stopped_is_an_outage_until_they_run_again() {
    let start = one_server();
    let disk = killed_before(&start, &plan_with(""), "back up C:\\Program Files\\PhoneFactor\\Data");
    let night = Night::of(disk, clock(), plan_with(""));
    night.agreed(());
    assert_eq!((night.outages(), night.agent_runs()), (vec![None], false));
    night.passes(30);
    let back = night.copy();
    assert_eq!(back.roll_back(&mut Silent).unwrap(), End::RolledBack);
    assert_eq!((back.outages(), back.agent_runs()), (vec![Some(30)], true));
    // Resumed, it comes to an uninstall that cannot begin: that is called off.
    change(&night.disk, |facts| facts.troubles.push(busy(PORTAL, 31)));
    night.resume(&mut Person::at(night.machine())).unwrap_err();
    assert_eq!((night.outages(), night.agent_runs()), (vec![Some(30 + 15 * 60)], true));
}

/// What a command said at its end is what status and report say.
#[track_caller]
fn said_alike(program: &Program, arguments: &str, code: i32) {
    let ended = program.ends(arguments, code);
    // `--ask` is an argument of the simulation, which goes on as it began.
    let ask = if arguments.contains("--ask") { "--ask" } else { "" };
    let run = program.ends(&format!("status --json {ask}"), 0).document()["runs"][0].clone();
    let report = program.ends("report --format json", 0).document();
    let what = format!("{arguments}\n{}\n{run:#}", ended.err);
    let (begun, length) = (!run["outage_begun"].is_null(), run["outage_ms"].as_i64());
    let open = report["story"]["outages"].as_array().unwrap().iter().any(|span| span["ended"].is_null());
    assert_eq!(begun && length.is_none(), open, "{what}");
    // Lines may break anywhere.
    let said = ended.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!said.contains("cannot sign in until") || open, "{what}");
    for words in ["have been started again", "The outage is over", "Users can sign in"] {
        assert!(!said.contains(words) || !open, "{what}");
    }
    assert!(!open || said.contains("cannot sign in until") || said.contains("as requested"), "{what}");
    for (label, key) in [("next: ", "next"), ("  or: ", "or")] {
        let line = ended.next().iter().find_map(|line| line.strip_prefix(label).map(str::to_owned));
        // A run that is over has said in its summary how it is taken back.
        if code != 0 {
            assert_eq!(line.unwrap_or_default(), run[key].as_str().unwrap(), "{what}");
        }
    }
    let summary = ended.out.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    for summary in summary.filter(|event| event["event"] == "summary") {
        assert_eq!(
            (&summary["outage_ms"], summary["steps"].as_array().unwrap().len()),
            (&run["outage_ms"], run["done"].as_u64().unwrap() as usize)
        );
    }
}

#[test]
fn the_last_words_of_a_command_are_those_of_status_and_report() {
    for fault in [
        "stop-services",
        "stop-services=kill",
        "back-up-data",
        "back-up-data=reboot",
        "uninstall-portal=kill",
        "uninstall-mobile-app",
        "uninstall-mobile-app=reboot",
        "prepare-server",
        "install-portal:2=hang",
    ] {
        let program = Program::new();
        said_alike(&program, &format!("run --yes --quiet --json --fail-at {fault}"), 1);
        let back = ["uninstall-mobile-app=reboot", "back-up-data"].contains(&fault);
        said_alike(&program, &format!("{} --quiet --json", if back { "rollback" } else { "resume" }), 0);
    }
}

#[test]
fn the_last_words_at_gates_and_of_rollbacks_are_those_of_status_and_report() {
    let program = Program::new();
    said_alike(&program, "run --yes --quiet --ask", 5);
    said_alike(&program, "resume --confirm server-setup --quiet --ask", 5);
    said_alike(&program, "resume --confirm portal-url --quiet --ask", 5);
    said_alike(&program, "resume --confirm mobile-app-url --quiet --ask --json", 0);
    said_alike(&program, "rollback --yes --quiet --fail-at rollback:5", 10);
    said_alike(&program, "rollback --yes --quiet --fail-at rollback:3=kill", 1);
    said_alike(&program, "rollback --yes --quiet", 0);
}

/// Whether a line of code looks what a record is.
fn is_pattern(line: &str) -> bool {
    let Some((before, after)) = line.split_once("Entry::") else { return false };
    let before = before.trim_end();
    let begins = ["let", "matches!(", "|", "Some(", "Ok("].iter().any(|words| before.ends_with(words));
    before.contains("matches!(") || begins || after.contains("=>") || after.contains("} = ")
}

/// What is written into a journal is written by the engine; what was written is read by the fold alone, and shown record
/// by record in one place.
#[test]
fn nothing_but_the_fold_reads_records() {
    const WRITE: [&str; 6] = ["recording", "decide", "gate", "restart", "rollback", "run"];
    const SHOWS: &str = "report/status.rs";
    let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in walkdir::WalkDir::new(&src).into_iter().map(Result::unwrap) {
        let name = file.path().strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
        if !name.ends_with(".rs") || name.starts_with("journal/") || name == SHOWS {
            continue;
        }
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(
            !text.contains(".records."),
            "{name} goes through the records of a run: that is for src/journal/state.rs"
        );
        if !text.contains("journal::") || !text.contains("Entry::") {
            continue;
        }
        let room = name.strip_prefix("engine/").and_then(|file| file.strip_suffix(".rs"));
        assert!(
            room.is_some_and(|room| WRITE.contains(&room)),
            "{name} names the records of the journal and does not write any"
        );
        let reads = text.lines().map(str::trim).find(|line| is_pattern(line));
        assert_eq!(reads, None, "{name} looks what a record is: that is for src/journal/state.rs");
    }
}
