//! The operator wants to stop while files are copied or read: it ends within one block, and `resume` and `rollback` end as
//! if nobody had.
//!
//! Every block asks once, so the number of questions says how far the work was. `PFUPGRADE_STOP_EVERY=1 cargo test stopping::` stops at every question.

use crate::support::matrix::*;
use crate::support::*;

use pfupgrade::engine::{Answer, End, EngineError, Event, Operator, Watcher};
use pfupgrade::journal::{Entry, Standing, Stands};
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::op::{Gate, Op};
use pfupgrade::prepare::prepare;
use std::cell::Cell;

/// Wants to stop from question `at` on.
struct Stops<'a> {
    person: Option<Person<'a>>,
    at: usize,
    asked: Cell<usize>,
    events: Vec<Event>,
}

impl<'a> Stops<'a> {
    fn at(at: usize, person: Option<Person<'a>>) -> Self {
        Self { person, at, asked: Cell::new(0), events: Vec::new() }
    }

    fn asked(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() > self.at
    }

    /// How often it has been asked after it wanted to stop.
    fn asked_again(&self) -> usize {
        self.asked.get() - self.at - 1
    }
}

impl Operator for Stops<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        self.person.as_mut().unwrap().at_gate(gate, still)
    }

    fn wants_to_stop(&self) -> bool {
        self.asked()
    }
}

impl Watcher for Stops<'_> {
    fn event(&mut self, event: &Event) {
        assert!(self.asked.get() <= self.at, "after the request: {event:?}");
        self.events.push(event.clone());
    }

    fn wants_to_stop(&self) -> bool {
        self.asked()
    }
}

const NEVER: usize = usize::MAX - 1;

/// A server whose data and portal take many blocks, a file each.
fn large() -> MemoryDisk {
    let start = one_server();
    let content: Vec<u8> = (0..1_500_000_u32).flat_map(|number| number.to_le_bytes()).take(1_500_000).collect();
    put(&start, r"C:\Program Files\PhoneFactor\Data\large.bin", &content);
    put(&start, r"C:\inetpub\wwwroot\PhoneFactor\App_Themes\Contoso\large.bin", &content);
    start.sync_all();
    start
}

fn played() -> Played {
    Played::new("one server with large files", large(), plan("one-server"))
}

/// Runs the plan until the question, and how many there were.
fn run_until(played: &Played, at: usize) -> (MemoryDisk, Result<End, EngineError>, usize) {
    let disk = played.start.snapshot();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let lock = engine.lock().unwrap();
    let prepared = prepare(&machine, &*clock, &played.plan, &engine.state).unwrap();
    let mut stops = Stops::at(at, Some(Person::at(&machine)));
    let ended = engine.run(&prepared.frozen, &mut stops, &mut pfupgrade::engine::Silent);
    drop(lock);
    if matches!(ended, Ok(End::Stopped)) {
        assert_eq!(stops.asked_again(), 0, "question {at}: more than one block after the request");
    }
    let asked = stops.asked.get();
    (disk, ended, asked)
}

/// Rolls the last run back until the question.
fn roll_back_until<'a>(disk: &MemoryDisk, at: usize) -> (Result<End, EngineError>, Stops<'a>) {
    let (machine, clock) = (boot(disk), clock());
    let engine = engine(&machine, &clock);
    let _lock = engine.lock().unwrap();
    let found = engine.last_run().unwrap().unwrap();
    let mut stops = Stops::at(at, None);
    let ended = engine.rollback(&found, &mut stops);
    (ended, stops)
}

fn journal(disk: &MemoryDisk) -> String {
    get(disk, r"C:\ProgramData\pfupgrade\runs\20160305-220000\journal.jsonl").unwrap()
}

fn stands(disk: &MemoryDisk) -> Stands {
    last_run(disk).unwrap().state.stands
}

/// Whether the last record is of an operation that had begun when the run was stopped.
fn was_at_work_on(disk: &MemoryDisk) -> Option<Op> {
    let records = last_run(disk).unwrap().records;
    let told: Vec<_> = records.iter().filter(|record| !matches!(record.entry, Entry::CalledOff { .. })).collect();
    let [.., before, last] = told.as_slice() else { panic!("{records:?}") };
    assert_eq!(last.entry, Entry::Stopped);
    if let Entry::OpStarted { op, .. } = &before.entry { Some(op.clone()) } else { None }
}

#[test]
fn a_run_that_is_stopped_at_any_block_is_resumed_and_rolled_back() {
    let played = played();
    let before = whole(&played.start);
    let (.., questions) = run_until(&played, NEVER);
    let every = sample(29, 7, 1);
    let mut verdict = Verdict::default();
    let (mut copied, mut restored) = (0, 0);
    for at in (0..questions).step_by(every) {
        let (left, ended, _) = run_until(&played, at);
        assert_eq!(ended.unwrap(), End::Stopped, "question {at}");
        assert_eq!(stands(&left), Stands::Stopped, "question {at}");
        match was_at_work_on(&left) {
            Some(Op::BackUp { .. } | Op::Copy { .. }) => copied += 1,
            Some(Op::Restore { .. }) => restored += 1,
            Some(op) => panic!("{op} has been interrupted"),
            None => {}
        }
        let records = last_run(&left).unwrap().records;
        assert!(!records.iter().any(|record| matches!(record.entry, Entry::Failed { .. })), "question {at}");
        let uninstalls = |entry: &Entry| matches!(entry, Entry::OpStarted { op: Op::Uninstall { .. }, .. });
        if !records.iter().any(|record| uninstalls(&record.entry)) {
            assert_same(&before, &whole(&left), &format!("question {at}: nothing had been uninstalled"));
        }
        let then = if (at / every).is_multiple_of(2) { Then::Resume } else { Then::RollBack };
        verdict.take(played.ends_well(&left, then), || format!("question {at} of {questions}, {then:?}"));
    }
    verdict.give("stopped runs", "stopping");
    assert!(copied > 0, "{copied} copies and {restored} restorations were interrupted");
}

#[test]
fn a_rollback_that_is_stopped_while_it_reads_leaves_the_run_as_it_was() {
    let played = played();
    let (finished, ..) = run_until(&played, NEVER);
    let every = sample(29, 7, 1);
    let killed = killed_before(
        &played.start,
        &played.plan,
        "install C:\\Program Files\\PhoneFactor\\MultiFactorAuthenticationWeb",
    );
    let (stopped, ..) = run_until(&played, run_until(&played, NEVER).2 - 20);
    for (name, start, standing) in [
        ("finished", finished, Standing::Finished),
        ("killed", killed, Standing::Unfinished),
        ("stopped", stopped, Standing::Unfinished),
    ] {
        let (journal_before, stands_before, machine) = (journal(&start), stands(&start), whole(&start));
        let mut reading = 0;
        for at in (0..).step_by(every) {
            let disk = start.snapshot();
            let (ended, stops) = roll_back_until(&disk, at);
            assert_eq!(ended.unwrap(), End::Stopped, "{name}, question {at}");
            if last_run(&disk).unwrap().standing() == Standing::RollingBack {
                break;
            }
            reading += 1;
            assert_eq!((stops.asked_again(), stops.events.as_slice()), (0, [].as_slice()), "{name}, question {at}");
            assert_eq!(journal(&disk), journal_before, "{name}, question {at}");
            assert_eq!((last_run(&disk).unwrap().standing(), stands(&disk)), (standing, stands_before.clone()));
            assert_same(&machine, &whole(&disk), &format!("{name}, question {at}"));
            if (at / every).is_multiple_of(8) {
                played.ends_well(&disk.snapshot(), Then::Resume).unwrap();
                played.ends_well(&disk, Then::RollBack).unwrap();
            }
        }
        assert!(reading * every > 100, "{name}: stopped {reading} times before the first change");
    }
}

#[test]
fn a_rollback_that_is_stopped_at_any_block_is_continued() {
    let played = played();
    let (finished, ..) = run_until(&played, NEVER);
    let whole_rollback = finished.snapshot();
    let (ended, never) = roll_back_until(&whole_rollback, NEVER);
    assert_eq!(ended.unwrap(), End::RolledBack);
    let every = sample(29, 7, 1);
    let (mut verdict, mut interrupted, mut begun) = (Verdict::default(), 0, 0);
    for at in (0..never.asked.get()).step_by(every) {
        let disk = finished.snapshot();
        let (ended, stops) = roll_back_until(&disk, at);
        assert_eq!((ended.unwrap(), stops.asked_again()), (End::Stopped, 0), "question {at}");
        if standing(&disk).unwrap() != Some(Standing::RollingBack) {
            continue;
        }
        begun += 1;
        assert_eq!(stands(&disk), Stands::Stopped, "question {at}");
        let begins = stops.events.iter().filter(|event| matches!(event, Event::Undo { .. })).count();
        let records = last_run(&disk).unwrap().records;
        let done = records.iter().filter(|record| matches!(record.entry, Entry::Undone { .. })).count();
        interrupted += begins - done;
        // The second attempt is stopped as well: while it saves what has been written meanwhile, or later.
        let (ended, stops) = roll_back_until(&disk, at % 11);
        assert_eq!((ended.unwrap(), stops.asked_again()), (End::Stopped, 0), "question {at}, again");
        assert_eq!(standing(&disk).unwrap(), Some(Standing::RollingBack));
        verdict.take(played.ends_well(&disk, Then::RollBack), || format!("question {at} of {}", never.asked.get()));
    }
    verdict.give("stopped rollbacks", "stopping");
    assert!(begun > 10 && interrupted > 10, "{begun} rollbacks had begun");
}

#[test]
fn checking_a_run_stops_at_any_block() {
    let (disk, ..) = run_until(&played(), NEVER);
    let machine = whole(&disk);
    let (simulated, clock) = (boot(&disk), clock());
    let engine = engine(&simulated, &clock);
    let found = engine.last_run().unwrap().unwrap();
    let checks_until = |at: usize| {
        let stops = Stops::at(at, None);
        let checks = engine.verify(&found, &mut |_| {}, &|| stops.asked()).unwrap();
        (checks, stops)
    };
    let (checks, never) = checks_until(NEVER);
    assert!(checks.unwrap().iter().all(|check| check.fault.is_none()));
    assert!(never.asked.get() > 100);
    for at in 0..never.asked.get() {
        let (checks, stops) = checks_until(at);
        assert_eq!((checks, stops.asked_again()), (None, 0), "question {at}");
    }
    assert_same(&machine, &whole(&disk), "checked");
}

/// The program itself, interrupted by its terminal.
#[cfg(unix)]
mod program {
    use crate::support::runs;
    use std::io::{BufRead, BufReader, Read};
    use std::path::Path;
    use std::process::{Command, Stdio};

    /// Runs the program and interrupts it once it has said some words; its exit code and all that it said on stderr.
    fn interrupted_at(machine: &Path, command: &[&str], words: &str) -> (i32, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        program.args(command).arg(format!("--simulate={}", machine.display()));
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let mut said = BufReader::new(program.stderr.take().unwrap());
        let mut text = String::new();
        while !text.contains(words) {
            assert!(said.read_line(&mut text).unwrap() > 0, "not said: {words}\n{text}");
        }
        assert!(Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap().success());
        said.read_to_string(&mut text).unwrap();
        (program.wait().unwrap().code().unwrap(), text)
    }

    #[test]
    fn ctrl_c_stops_a_command_that_copies_or_reads() {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        let machine = folder.path().join("server");
        let runs = |line: &str| runs::program(folder.path()).says(&format!("{line} --simulate=server"));
        let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/one-server.toml");
        runs(&format!("plan {plan}")).ends_with(0);
        // To copy or to read it takes longer than to be interrupted.
        let large = std::fs::File::create(machine.join("C/Program Files/PhoneFactor/Data/large.bin")).unwrap();
        large.set_len(150 << 20).unwrap();
        let (code, said) = interrupted_at(&machine, &["run", plan, "--yes"], "] Back up the data folder");
        assert_eq!(code, 12, "{said}");
        runs("status").ends_with(0).prints("stopped by the operator at step back-up-data");
        runs("resume").ends_with(0);

        let (code, said) = interrupted_at(&machine, &["rollback", "--yes"], "Verifying all backups");
        assert!(code == 12 && said.contains("The rollback has not started"), "{code}\n{said}");
        runs("status").ends_with(0).prints(": finished");
        let (code, said) = interrupted_at(&machine, &["rollback", "--yes"], r"PhoneFactor\Data to");
        assert!(code == 12 && !said.contains("has not started"), "{code}\n{said}");
        runs("status").ends_with(0).prints("rollback stopped by the operator");
        runs("rollback").ends_with(0);
    }
}
