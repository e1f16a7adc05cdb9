//! What the whole-program tests share: demo machines in memory, a person who answers, and whole machines to compare.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

pub mod draw;
pub mod faulty;
pub mod matrix;
pub mod mixes;
pub mod package_builder;
pub mod program;
pub mod reading;
pub mod runs;
pub mod steady;
pub mod views;

use faulty::{Fault, Faulty};
use pfupgrade::engine::{Answer, End, Engine, EngineError, Operator, Silent};
use pfupgrade::finding::Finding;
use pfupgrade::journal::RecordedRun;
use pfupgrade::package::{Package, packed_code};
use pfupgrade::plan::Plan;
use pfupgrade::platform::clock::StillClock;
use pfupgrade::platform::disk::{self, Kind, MemoryDisk, ReadDisk};
use pfupgrade::platform::facts::{Bits, WebServer};
use pfupgrade::platform::op::{Gate, Op};
use pfupgrade::platform::registry::Value;
use pfupgrade::platform::simulated::{MachineFacts, Simulated, demo};
use pfupgrade::platform::{Inspect, Platform};
use pfupgrade::prepare::Preview;
use pfupgrade::prepare::prepare;
use pfupgrade::winpath::WinPath;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// 2016-03-05, a Saturday night.
pub fn clock() -> Arc<StillClock> {
    Arc::new(StillClock::at("2016-03-05T22:00:00Z".parse().unwrap()))
}

/// A path that is known to be good.
pub fn path(text: &str) -> WinPath {
    WinPath::new(text).unwrap()
}

/// The demo machine, built once and copied for each test.
pub fn one_server() -> MemoryDisk {
    static MACHINE: OnceLock<MemoryDisk> = OnceLock::new();
    let machine = MACHINE.get_or_init(|| {
        let disk = MemoryDisk::new();
        demo::one_server(Arc::new(disk.clone()), clock()).unwrap();
        disk.sync_all();
        disk
    });
    machine.snapshot()
}

/// The demo machine of a name.
pub fn demo_machine(name: &str) -> MemoryDisk {
    demo_for(Bits::X64, name)
}

/// The demo machine of a name, with 32-bit or 64-bit Windows.
pub fn demo_for(bits: Bits, name: &str) -> MemoryDisk {
    let disk = MemoryDisk::new();
    demo::build_for(bits, name, Arc::new(disk.clone()), clock()).unwrap();
    disk.sync_all();
    disk
}

/// Boots the machine on a disk.
pub fn boot(disk: &MemoryDisk) -> Simulated {
    Simulated::open(Arc::new(disk.clone()), clock()).unwrap()
}

/// Changes what the machine of a disk knows besides its files, its IIS included.
pub fn change(disk: &MemoryDisk, change: impl FnOnce(&mut MachineFacts)) {
    let mut facts = MachineFacts::read(disk).unwrap();
    let there = iis(disk);
    facts.web_server.clone_from(&there);
    change(&mut facts);
    if facts.web_server == there {
        facts.web_server = None;
    }
    facts.write(disk).unwrap();
}

/// IIS of the machine of a disk, with the settings of all applications that it can use.
pub fn iis(disk: &MemoryDisk) -> Option<WebServer> {
    let machine = boot(disk);
    let mut iis = machine.web_server().unwrap()?;
    for site in &mut iis.sites {
        for application in &mut site.applications {
            if let Ok(Some(found)) = machine.application(&site.name, &application.path) {
                *application = found;
            }
        }
    }
    Some(iis)
}

/// Writes a file of the machine, with the folders it lies in.
pub fn put(disk: &MemoryDisk, file: &str, content: impl AsRef<[u8]>) {
    disk::create_folders(disk, &path(file).parent().unwrap()).unwrap();
    disk::replace(disk, &path(file), content.as_ref()).unwrap();
}

/// The content of a file of the machine; `None` where it is not there.
pub fn get(disk: &MemoryDisk, file: &str) -> Option<String> {
    let content = disk::read(disk, &path(file), u64::MAX - 1).ok()?;
    Some(String::from_utf8_lossy(&content).into_owned())
}

/// A program of the administrator that ends with a code, for a hook.
pub fn put_hook(disk: &MemoryDisk, code: i32) {
    let program = format!(
        "simulated-program = 1\nproduct = \"hook\"\nversion = \"1\"\n[[action]]\ndo = \"exit\"\ncode = {code}\n"
    );
    put(disk, r"C:\Scripts\hook.exe", program);
}

/// The machine as a kill leaves it just before the first operation whose words hold `text`.
pub fn killed_before(start: &MemoryDisk, plan: &Plan, text: &str) -> MemoryDisk {
    for at in 0.. {
        let disk = start.snapshot();
        let machine = boot(&disk);
        let faulty = Faulty::new(&machine, at, Fault::KilledBefore, || disk.stop());
        run_on(&machine, &faulty, plan).unwrap_err();
        if faulty.performed()[at].contains(text) {
            return disk.snapshot();
        }
    }
    unreachable!("a run ends")
}

/// A plan of the folder `plans`.
pub fn plan(name: &str) -> Plan {
    let file = format!("{}/plans/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    Plan::read(&std::fs::read(&file).unwrap(), &file).unwrap()
}

/// A plan of the default kind with more lines.
pub fn plan_with(lines: &str) -> Plan {
    let text =
        format!("format = 1\n[server]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'\n{lines}\n");
    Plan::read(text.as_bytes(), "plan").unwrap_or_else(|errors| panic!("{errors}"))
}

/// The person at the simulated machine: runs what is to be run, and says yes.
pub struct Person<'a> {
    machine: &'a Simulated,
    answered: BTreeSet<String>,
}

impl<'a> Person<'a> {
    /// The person at a machine.
    pub fn at(machine: &'a Simulated) -> Self {
        Self { machine, answered: BTreeSet::new() }
    }
}

impl Operator for Person<'_> {
    fn at_gate(&mut self, gate: &Gate, _: &str) -> Answer {
        // A killed machine answers nobody; nor is there anything a person could do who has been here before.
        let done = || gate.by_hand.as_ref().is_none_or(|op| self.machine.perform(op, &mut |_| {}).is_ok());
        match self.answered.insert(gate.id.clone()) && done() {
            true => Answer::Done { by: "simulated operator".to_owned() },
            false => Answer::Later,
        }
    }
}

/// The engine of a machine.
pub fn engine<'a>(platform: &'a dyn Platform, clock: &'a StillClock) -> Engine<'a> {
    Engine { platform, clock, state: path(r"C:\ProgramData\pfupgrade") }
}

/// Runs a plan on the machine of `disk`, as `platform` shows it.
pub fn run_on(machine: &Simulated, platform: &dyn Platform, plan: &Plan) -> Result<End, EngineError> {
    let clock = clock();
    let engine = engine(platform, &clock);
    let _lock = engine.lock()?;
    let prepared = prepare(platform.inspect(), &*clock, plan, &engine.state)?;
    let refusals: Vec<_> = prepared.preview.findings.iter().filter(|finding| finding.refuses()).collect();
    assert!(refusals.is_empty(), "preflight refuses: {refusals:#?}");
    engine.run(&prepared.frozen, &mut Person::at(machine), &mut Silent)
}

/// Runs a plan on the machine of `disk`. Where that ends as it should, all views of the run have to agree.
pub fn run(disk: &MemoryDisk, plan: &Plan) -> Result<End, EngineError> {
    let machine = boot(disk);
    let ended = run_on(&machine, &machine, plan);
    if ended.is_ok() {
        views::agree(disk).unwrap();
    }
    ended
}

/// The last run of the machine of `disk`.
pub fn last_run(disk: &MemoryDisk) -> Option<RecordedRun> {
    let (machine, clock) = (boot(disk), clock());
    engine(&machine, &clock).last_run().unwrap()
}

/// Goes on with the last run; `None` where there has been none. All views of it have to agree before and after.
pub fn resume(disk: &MemoryDisk) -> Option<Result<End, EngineError>> {
    let (machine, clock) = (boot(disk), clock());
    let engine = engine(&machine, &clock);
    let _lock = engine.lock().unwrap();
    let found = engine.last_run().unwrap()?;
    views::agree(disk).unwrap();
    let ended = engine.resume(&found, &mut Person::at(&machine), &mut Silent);
    views::agree(disk).unwrap();
    Some(ended)
}

/// Rolls the last run back; `None` where there has been none. All views of it have to agree before and after.
pub fn rollback(disk: &MemoryDisk) -> Option<Result<End, EngineError>> {
    let (machine, clock) = (boot(disk), clock());
    let engine = engine(&machine, &clock);
    let _lock = engine.lock().unwrap();
    let found = engine.last_run().unwrap()?;
    views::agree(disk).unwrap();
    let ended = engine.rollback(&found, &mut Silent);
    views::agree(disk).unwrap();
    Some(ended)
}

/// A whole machine: every folder and file with its content and time, `machine.toml` included.
pub type Whole = BTreeMap<String, Option<Vec<u8>>>;

/// The tool's own folder: what it holds tells of the run, and is the only thing that may differ.
const OWN: &str = r"C:\PROGRAMDATA\PFUPGRADE";
/// IIS's own backups of its configuration lie here, and nothing else does; they are never removed.
const OF_IIS: &str = r"C:\WINDOWS\SYSTEM32\INETSRV";

/// A run that was cut before its first record counts as never begun, and the next one gets one of these names.
const LATER: [&str; 2] = ["20160305-220000-2", "20160305-220000-3"];
const FIRST: &str = "20160305-220000";

/// The same text where the run was the first one.
fn of_first_run(text: &str) -> String {
    LATER.iter().fold(text.to_owned(), |text, later| text.replace(later, FIRST))
}

/// Everything on the disk but the tool's own folder.
pub fn whole(disk: &MemoryDisk) -> Whole {
    let mut all = Whole::new();
    for drive in ['C', 'D'] {
        let root = path(&format!("{drive}:\\"));
        for entry in disk.walk(&root).unwrap() {
            if [OWN, OF_IIS].iter().any(|folder| entry.path.key().starts_with(folder)) {
                continue;
            }
            let content = (entry.kind == Kind::File).then(|| disk::read(disk, &entry.path, u64::MAX - 1).unwrap());
            all.insert(of_first_run(entry.path.as_str()), content);
        }
    }
    let mut facts = boot(disk).facts();
    facts.booted = None;
    facts.web_server = iis(disk);
    // The order of applications means nothing to IIS.
    for site in facts.web_server.iter_mut().flat_map(|iis| &mut iis.sites) {
        site.applications.sort_by(|one, other| one.path.cmp(&other.path));
    }
    // Nor does that of services to Windows.
    facts.services.sort_by(|one, other| one.name.cmp(&other.name));
    let facts = of_first_run(&toml::to_string(&facts).unwrap());
    all.insert("machine.toml".to_owned(), Some(facts.into_bytes()));
    all
}

/// The differences between two machines, in words; empty where there are none.
pub fn differences(expected: &Whole, found: &Whole) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut all = Vec::new();
    for name in names {
        match (expected.get(name), found.get(name)) {
            (Some(_), None) => all.push(format!("missing: {name}")),
            (None, Some(_)) => all.push(format!("too much: {name}")),
            (Some(a), Some(b)) if a != b => all.push(format!("{name} differs:\n{}", text_diff(a, b))),
            _ => {}
        }
    }
    all
}

fn text_diff(a: &Option<Vec<u8>>, b: &Option<Vec<u8>>) -> String {
    let text =
        |content: &Option<Vec<u8>>| String::from_utf8_lossy(content.as_deref().unwrap_or(b"(folder)")).into_owned();
    let (a, b) = (text(a), text(b));
    similar::TextDiff::from_lines(&a, &b).unified_diff().context_radius(1).to_string()
}

/// Fails with the differences between two machines.
#[track_caller]
pub fn assert_same(expected: &Whole, found: &Whole, what: &str) {
    let found = differences(expected, found);
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

/// A whole machine without what a rollback does not restore, and says so: runtimes that a setup installed, the place a
/// product was installed from and when, and the logs that the new server wrote.
pub fn without_what_stays(mut machine: Whole) -> Whole {
    machine.retain(|name, _| !name.starts_with(r"C:\Program Files\PhoneFactor\Logs\MultiFactorAuth"));
    if let Some(Some(facts)) = machine.get_mut("machine.toml") {
        let text = String::from_utf8(std::mem::take(facts)).unwrap();
        let stays = |line: &&str| {
            !["vc-x86", "vc-x64", "InstallSource", "InstallDate"].iter().any(|name| line.starts_with(name))
        };
        *facts = text.lines().filter(stays).map(|line| format!("{line}\n")).collect::<String>().into_bytes();
    }
    machine
}

/// What a plan would do.
pub fn preview(disk: &MemoryDisk, plan: &Plan) -> Preview {
    let (machine, clock) = (boot(disk), clock());
    prepare(machine.inspect(), &*clock, plan, &path(r"C:\ProgramData\pfupgrade")).unwrap().preview
}

/// What the checks say.
pub fn findings(disk: &MemoryDisk, plan: &Plan) -> Vec<Finding> {
    preview(disk, plan).findings
}

/// The ids of what refuses a run.
pub fn refusals(disk: &MemoryDisk, plan: &Plan) -> Vec<String> {
    findings(disk, plan).into_iter().filter(Finding::refuses).map(|finding| finding.id).collect()
}

/// The ids of the steps.
pub fn steps(disk: &MemoryDisk, plan: &Plan) -> Vec<String> {
    preview(disk, plan).steps.into_iter().map(|step| step.id).collect()
}

/// The one finding with this id.
pub fn finding(disk: &MemoryDisk, plan: &Plan, id: &str) -> Finding {
    let found: Vec<Finding> = findings(disk, plan).into_iter().filter(|finding| finding.id == id).collect();
    let [finding] = found.as_slice() else { panic!("{id}: {found:#?}") };
    finding.clone()
}

/// Replaces the package that a product was installed from: Windows Installer knows its code.
pub fn recache(disk: &MemoryDisk, name: &str, package: Vec<u8>) {
    let (code, cached) = product(disk, name);
    let info = Package::open(std::io::Cursor::new(&package), "new").unwrap().info().clone();
    put(disk, &cached, package);
    let key = format!(r"HKLM\SOFTWARE\Classes\Installer\Products\{}", packed_code(&code).unwrap());
    let packed = Value::Text(packed_code(&info.package_code).unwrap());
    change(disk, |facts| facts.registry.set(&key, "PackageCode", packed));
}

/// Applies a patch to a product, which its package alone would not restore.
pub fn apply_patch(facts: &mut MachineFacts, name: &str) {
    const PRODUCTS: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products";
    let (code, _) = facts.installed.iter().find(|(_, product)| product.name.ends_with(name)).unwrap();
    let patches = format!(r"{PRODUCTS}\{}\Patches\{PATCH}", packed_code(code).unwrap());
    facts.registry.set(&patches, "State", Value::Number(1));
}

/// The code of a patch, as the name of a key.
pub const PATCH: &str = "0123456789ABCDEF0123456789ABCDEF";

/// Copies a file of the machine.
pub fn copy(disk: &MemoryDisk, from: &str, to: &str) {
    boot(disk).perform(&Op::Copy { from: path(from), to: path(to) }, &mut |_| {}).unwrap();
}

/// Code and cached package of the product whose name ends so.
pub fn product(disk: &MemoryDisk, name: &str) -> (String, String) {
    let facts = boot(disk).facts();
    let (code, product) = facts.installed.iter().find(|(_, product)| product.name.ends_with(name)).unwrap();
    (code.clone(), product.package.to_string())
}

/// The same machine with other facts than files.
pub fn altered(disk: &MemoryDisk, alter: impl FnOnce(&mut MachineFacts)) -> MemoryDisk {
    let other = disk.snapshot();
    change(&other, alter);
    other.sync_all();
    other
}
