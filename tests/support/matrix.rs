//! A run that is played once, with the disk kept as it was before each change: where a fault leaves a machine, and
//! whether it gets from there to where it should.

use super::views::{Done, agree};
use super::*;
use pfupgrade::journal::Standing;
use pfupgrade::platform::disk::{DiskFault, Synced, Unsynced};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::sync::Mutex;

/// What happens at a change of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The process dies; what it has written is there.
    Killed,
    /// The power goes.
    PowerCut(Unsynced),
    /// The change fails, and the process lives on as it can.
    Fails(DiskFault),
}

impl Kind {
    /// One of each kind.
    pub fn all(seed: u64) -> [Self; 7] {
        [
            Self::Killed,
            Self::PowerCut(Unsynced::Dropped),
            Self::PowerCut(Unsynced::InPart(seed)),
            Self::PowerCut(Unsynced::Torn(seed)),
            Self::PowerCut(Unsynced::Reordered(seed)),
            Self::Fails(DiskFault::FailsOnce),
            Self::Fails(DiskFault::FailsFromThenOn),
        ]
    }
}

/// What is done with what a fault leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The run is resumed.
    Resume,
    /// It is rolled back.
    RollBack,
}

impl Then {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Resume, Self::RollBack];

    fn ends_at(self) -> Standing {
        match self {
            Self::Resume => Standing::Finished,
            Self::RollBack => Standing::RolledBack,
        }
    }
}

/// A run that was played undisturbed.
pub struct Played {
    /// What it is called in messages.
    pub name: String,
    /// The plan.
    pub plan: Plan,
    /// The machine before it.
    pub start: MemoryDisk,
    before: Whole,
    after: Whole,
    /// The disk before each of its changes, and in the end.
    pub states: Vec<MemoryDisk>,
    /// Of each operation: its words, and how many changes there were before and after it.
    pub ops: Vec<(String, u64, u64)>,
    /// What was synced.
    pub syncs: Vec<Synced>,
}

impl Played {
    /// Plays a plan.
    pub fn new(name: &str, start: MemoryDisk, plan: Plan) -> Self {
        let disk = start.snapshot();
        disk.keep_states();
        let machine = boot(&disk);
        let moments = Mutex::new(Vec::new());
        let counted = Faulty::counting(&machine, || moments.lock().unwrap().push(disk.changes()));
        let end = run_on(&machine, &counted, &plan).unwrap();
        assert!(matches!(end, End::Done { .. }), "{name}: {end:?}");
        let words = counted.performed();
        let moments = moments.lock().unwrap().clone();
        let ops = words.into_iter().zip(moments.chunks(2)).map(|(words, at)| (words, at[0], at[1])).collect();
        let mut states = disk.states();
        states.push(disk.snapshot());
        let (before, after) = (without_what_stays(whole(&start)), at_one_time(whole(&disk)));
        Self { name: name.to_owned(), plan, start, before, after, states, ops, syncs: disk.syncs() }
    }

    /// Plays a plan of the folder `plans` on its demo machine.
    pub fn of(plan_name: &str) -> Self {
        let machine = if plan_name == "keep-directory-names" { "one-server" } else { plan_name };
        Self::new(plan_name, demo_machine(machine), plan(plan_name))
    }

    /// The machine as a fault at a change leaves it.
    pub fn left(&self, at: usize, kind: Kind) -> MemoryDisk {
        match kind {
            Kind::Killed => self.states[at].snapshot(),
            Kind::PowerCut(unsynced) => self.states[at].after_power_cut(unsynced),
            Kind::Fails(fault) => {
                let disk = self.start.snapshot();
                disk.fail_after(at as u64, fault);
                // Where the fault meets something that can do without, the run goes on.
                let _ = run(&disk, &self.plan);
                disk.snapshot()
            }
        }
    }

    /// Goes on from what a fault left, which may go wrong again.
    pub fn go_on(&self, left: &MemoryDisk, then: Then) -> Result<(), String> {
        // One clock: what is waited for passes on the machine as well.
        let clock = clock();
        let machine = Simulated::open(Arc::new(left.clone()), clock.clone()).map_err(|error| error.to_string())?;
        let engine = engine(&machine, &clock);
        let lock = engine.lock().map_err(|error| error.to_string())?;
        machine.refresh().map_err(|error| error.to_string())?;
        let found = engine.last_run().map_err(|error| error.to_string())?;
        let ended = match (found, then) {
            // Nothing of the run had been noted: it is begun again.
            (None, Then::Resume) => {
                drop(lock);
                run(left, &self.plan)
            }
            (None, Then::RollBack) => return Ok(()),
            (Some(found), _) if found.standing() == then.ends_at() => return Ok(()),
            (Some(found), then) => {
                // What still runs changes what there is to do.
                let forecast = engine.forecast(&found).ok().filter(|_| machine.facts().processes.is_empty());
                let mut done = Done::default();
                let ended = match then {
                    Then::Resume => engine.resume(&found, &mut Person::at(&machine), &mut done),
                    Then::RollBack => engine.rollback(&found, &mut done),
                };
                if let (Some(forecast), Ok(end)) = (forecast, &ended) {
                    done.is_as_foretold(&forecast, end)?;
                }
                ended
            }
        };
        match (ended.map_err(|error| error.to_string())?, then) {
            (End::Done { .. }, Then::Resume) | (End::RolledBack, Then::RollBack) => Ok(()),
            (other, _) => Err(format!("it ended with {other:?}")),
        }
    }

    /// Goes on from what a fault left, and compares the end with what it has to be. What is said of the run has to be
    /// the same in all views, before and after.
    pub fn ends_well(&self, left: &MemoryDisk, then: Then) -> Result<(), String> {
        agree(left)?;
        self.go_on(left, then)?;
        // That costs as much as going on, and the ends are alike.
        if left.changes().is_multiple_of(4) {
            agree(left).map_err(|why| format!("in the end, {why}"))?;
        }
        match then {
            Then::Resume => same(&self.after, &at_one_time(whole(left)))?,
            Then::RollBack => same(&self.before, &without_what_stays(whole(left)))?,
        }
        match standing(left)? {
            Some(standing) if standing == then.ends_at() => is_tidy(left),
            // The next run takes away what is left of a first record.
            None if then == Then::RollBack => Ok(()),
            other => Err(format!("it stands at {other:?}")),
        }
    }
}

/// Where the last run stands, by its journal.
pub fn standing(disk: &MemoryDisk) -> Result<Option<Standing>, String> {
    let (machine, clock) = (boot(disk), clock());
    let found = engine(&machine, &clock).last_run().map_err(|error| error.to_string())?;
    Ok(found.map(|found| found.standing()))
}

/// No lock is held and no temporary file is left, in the tool's own folder neither. Backups are not touched again: one
/// that was cut off lies there without its manifest, and what an installer left half written is saved as it is. The logs
/// of installers and services are theirs, and so are the backups that IIS writes.
fn is_tidy(disk: &MemoryDisk) -> Result<(), String> {
    let files = ['C', 'D'].into_iter().flat_map(|drive| disk.walk(&path(&format!("{drive}:\\"))).unwrap_or_default());
    let backups = [r"C:\ProgramData\pfupgrade\backups", r"C:\Windows\System32\inetsrv\backup"].map(path);
    let is_backup = |file: &WinPath| backups.iter().any(|backups| file.is_within(backups));
    let is_log = |file: &WinPath| file.parent().is_some_and(|folder| folder.name().eq_ignore_ascii_case("logs"));
    let is_left = |file: &WinPath| file.name().contains("pfupgrade-new") && !is_backup(file) && !is_log(file);
    let left: Vec<String> = files.filter(|entry| is_left(&entry.path)).map(|entry| entry.path.to_string()).collect();
    let owner = disk.entry(&path(r"C:\ProgramData\pfupgrade\owner.json")).unwrap();
    match (left.as_slice(), disk.locks().as_slice()) {
        ([], []) if owner.is_none() => Ok(()),
        (left, locks) => Err(format!("left behind: {left:?}, locks {locks:?}")),
    }
}

/// A machine as if no time had passed in the night of its upgrade: who has to wait ends later.
fn at_one_time(mut machine: Whole) -> Whole {
    const NIGHT: &[u8] = b"2016-03-05T";
    for content in machine.values_mut().flatten() {
        let times = content.windows(NIGHT.len()).enumerate().filter(|(_, found)| *found == NIGHT);
        for at in times.map(|(at, _)| at + NIGHT.len()).collect::<Vec<_>>() {
            if let Some(time) = content.get_mut(at..at + 8) {
                time.copy_from_slice(b"22:00:00");
            }
        }
    }
    machine
}

fn same(expected: &Whole, found: &Whole) -> Result<(), String> {
    match differences(expected, found).as_slice() {
        [] => Ok(()),
        all => Err(all.join("\n")),
    }
}

/// What went wrong in a series of cases: all of it is told, not only the first.
#[derive(Default)]
pub struct Verdict {
    cases: usize,
    faults: Vec<String>,
}

impl Verdict {
    /// Takes one more case into account.
    pub fn take(&mut self, result: Result<(), String>, what: impl FnOnce() -> String) {
        self.cases += 1;
        if let Err(why) = result {
            self.faults.push(format!("{}:\n{why}", what()));
        }
    }

    /// Prints how many cases there were. Fails if one did not end well, with the command that plays the same cases of
    /// this module again.
    #[track_caller]
    pub fn give(&self, of: &str, module: &str) {
        println!("{of}: {} cases, {} of them ended well", self.cases, self.cases - self.faults.len());
        let shown = self.faults.iter().take(5).cloned().collect::<Vec<_>>().join("\n\n");
        let (faults, again) = (self.faults.len(), replay(module));
        assert!(self.faults.is_empty(), "{of}: {faults} of {} cases; {again} plays them again:\n{shown}", self.cases);
        assert!(self.cases > 0, "{of}: no case was played");
    }
}

/// How much of the fault matrices is played: `PFUPGRADE_FAULTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    /// A sample, another one in every run: the default.
    Sample,
    /// `more`: a larger sample.
    More,
    /// `all`: every case.
    All,
}

const FAULTS: &str = "PFUPGRADE_FAULTS";
const SEED: &str = "PFUPGRADE_SEED";

fn share() -> Share {
    match std::env::var(FAULTS).as_deref() {
        Err(_) | Ok("") => Share::Sample,
        Ok("more") => Share::More,
        Ok("all") => Share::All,
        Ok(other) => panic!("{FAULTS}={other} is neither `more` nor `all`"),
    }
}

/// One of two numbers, for the usual sample and for the larger one; `all` where every case is played.
pub fn sample(usual: usize, more: usize, all: usize) -> usize {
    match share() {
        Share::Sample => usual,
        Share::More => more,
        Share::All => all,
    }
}

/// What the samples are drawn by: `PFUPGRADE_SEED`, or else the clock. The first use prints it, past the output that a
/// test that passes keeps to itself.
pub fn seed() -> usize {
    static SEED_OF_THIS_RUN: OnceLock<usize> = OnceLock::new();
    *SEED_OF_THIS_RUN.get_or_init(|| {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        let seed = setting(SEED, since.subsec_micros() as usize);
        let _ = writeln!(std::io::stderr(), "Sampled cases: {} plays the same ones again.", with_seed(seed));
        seed
    })
}

fn with_seed(seed: usize) -> String {
    let share = std::env::var(FAULTS).map_or_else(|_| String::new(), |share| format!("{FAULTS}={share} "));
    format!("{share}{SEED}={seed} cargo test")
}

/// The command that plays the same cases of a module again.
pub fn replay(module: &str) -> String {
    format!("{} {module}::", with_seed(seed()))
}

/// A number from the environment.
pub fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// A number below `below` that depends only on the seed and its purpose.
pub fn draw(seed: u64, what: &str, below: usize) -> usize {
    let mut hash = DefaultHasher::new();
    (seed, what).hash(&mut hash);
    (hash.finish() % below as u64) as usize
}
