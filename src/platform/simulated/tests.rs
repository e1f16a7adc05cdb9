#![allow(clippy::unwrap_used, clippy::panic)]

mod iis;
mod installing;
mod interrupted;

use super::*;
use crate::names::ServiceName;
use crate::package::packed_code;
use crate::platform::clock::StillClock;
use crate::platform::disk::{HostDisk, Kind, MemoryDisk};
use crate::platform::facts::Bits;
use crate::platform::facts::{ServiceState, StartType};
use crate::platform::registry::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const SETUP: &str = r"C:\Install\MultiFactorAuthenticationServerSetup.exe";
const AGENT: &str = r"C:\Program Files\PhoneFactor";
const PORTAL: &str = r"C:\inetpub\wwwroot\PhoneFactor";
const LOG: &str = r"C:\Temp\log.txt";
const KEY: &str = r"HKLM\SOFTWARE\Positive Networks\PhoneFactor";

fn path(text: &str) -> WinPath {
    WinPath::new(text).unwrap()
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(StillClock::at("2016-03-01T12:00:00Z".parse().unwrap()))
}

fn open(disk: &MemoryDisk) -> Simulated {
    Simulated::open(Arc::new(disk.clone()), clock()).unwrap()
}

/// The usual demo machine with a folder for logs, everything on its disk safe.
fn demo() -> (MemoryDisk, Simulated) {
    let disk = MemoryDisk::new();
    let machine = demo::one_server(Arc::new(disk.clone()), clock()).unwrap();
    disk.create_folder(&path(r"C:\Temp")).unwrap();
    disk.sync_all();
    (disk, machine)
}

fn perform(machine: &Simulated, op: &Op) -> Result<Outcome, Failure> {
    machine.perform(op, &mut |_| ())
}

fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn install(package: &str, pairs: &[(&str, &str)]) -> Op {
    Op::Install { package: path(package), properties: properties(pairs), log: path(LOG) }
}

fn code(machine: &Simulated, name: &str) -> String {
    let facts = machine.facts();
    facts.installed.iter().find(|(_, product)| product.name == name).map(|(code, _)| code.clone()).unwrap()
}

fn uninstall(machine: &Simulated, name: &str) -> Op {
    Op::Uninstall { code: code(machine, name).into(), name: name.to_owned(), log: path(LOG), way_back: None }
}

fn run(program: &str) -> Op {
    let timeout = Duration::from_secs(1);
    Op::Run { program: path(program), arguments: Vec::new(), timeout, log: path(LOG) }
}

fn service(name: &str, state: ServiceState) -> Op {
    Op::Service { name: name.into(), state, start: None }
}

fn text(disk: &dyn ReadDisk, at: &str) -> String {
    String::from_utf8_lossy(&disk::read(disk, &path(at), 1 << 20).unwrap()).into_owned()
}

fn is_there(disk: &dyn ReadDisk, at: &str) -> bool {
    disk::exists(disk, &path(at)).unwrap()
}

/// Everything that is on the disk, with the machine's facts.
fn state(disk: &dyn ReadDisk) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::from([("machine.toml".to_owned(), disk::read(disk, &facts::path(), 1 << 26).unwrap())]);
    for drive in [r"C:\", r"D:\"] {
        for entry in disk.walk(&path(drive)).unwrap() {
            let content = match entry.kind {
                Kind::File => disk::read(disk, &entry.path, 1 << 26).unwrap(),
                _ => Vec::new(),
            };
            all.insert(entry.path.to_string(), content);
        }
    }
    all
}

/// The machine with the server's setup done, ready for the new web parts.
fn with_server() -> (MemoryDisk, Simulated) {
    let (disk, machine) = demo();
    perform(&machine, &uninstall(&machine, "PhoneFactor Agent")).unwrap();
    perform(&machine, &run(SETUP)).unwrap();
    (disk, machine)
}

#[test]
fn the_demo_machine_has_what_an_old_server_has() {
    let (disk, machine) = demo();
    let facts = machine.facts();
    let names: Vec<&str> = facts.installed.values().map(|product| product.name.as_str()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    let key = machine.registry_key(View::Wow32, KEY).unwrap().unwrap();
    assert_eq!(key.text("InstallPath"), Some(r"C:\Program Files\PhoneFactor\"));
    assert_eq!(machine.registry_key(View::Native, KEY).unwrap(), None);
    let service = facts.service("PFSvc").unwrap();
    assert_eq!((service.state, service.program()), (ServiceState::Running, Some(path(AGENT).child("pfsvc.exe"))));
    assert_eq!(disk.list(&path(AGENT).child("Data")).unwrap().len(), 8);
    let web_server = machine.web_server().unwrap().unwrap();
    let application = web_server.application("mobile", "/phonefactorphoneappwebservice").unwrap();
    assert_eq!(application.folder, path(r"D:\Sites\Mobile\PhoneFactorPhoneAppWebService"));
    assert_eq!(application.pool, "PhoneFactorMobile");
    assert!(text(&disk, &format!(r"{PORTAL}\web.config")).starts_with("\u{feff}<?xml"));
}

#[test]
fn every_product_is_registered_with_its_cached_package() {
    let (disk, machine) = demo();
    for (code, product) in &machine.facts().installed {
        let uninstall = format!(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{code}");
        let key = machine.registry_key(View::Native, &uninstall).unwrap().unwrap();
        assert_eq!((key.text("DisplayName"), key.number("WindowsInstaller")), (Some(&*product.name), Some(1)));
        assert_eq!(key.text("UninstallString"), Some(&*format!("MsiExec.exe /I{code}")));
        assert_eq!(key.text("InstallDate"), Some("20160301"));
        let data = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products";
        let key =
            machine.registry_key(View::Native, &format!(r"{data}\{}\InstallProperties", packed_code(code).unwrap()));
        assert!(is_there(&disk, key.unwrap().unwrap().text("LocalPackage").unwrap()));
    }
}

#[test]
fn two_demo_machines_are_the_same() {
    for name in demo::NAMES {
        let (one, two) = (MemoryDisk::new(), MemoryDisk::new());
        demo::build(name, Arc::new(one.clone()), clock()).unwrap();
        demo::build(name, Arc::new(two.clone()), clock()).unwrap();
        assert_eq!(state(&one), state(&two));
        let failure = demo::build(name, Arc::new(one), clock()).err().unwrap();
        assert!(failure.why.contains("a machine already exists"), "{failure}");
    }
    assert!(demo::build("other", Arc::new(MemoryDisk::new()), clock()).is_err());
}

#[test]
fn a_machine_on_the_hosts_disk_can_be_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(HostDisk::below(folder.path()));
    let machine = demo::one_server(Arc::clone(&disk), clock()).unwrap();
    let again = Simulated::open(Arc::clone(&disk), clock()).unwrap();
    assert_eq!(machine.facts(), again.facts());
    assert!(folder.path().join("machine.toml").is_file());
    assert!(folder.path().join("C/Program Files/PhoneFactor/Data/PhoneFactor.pfdata").is_file());
    let (memory, _) = demo();
    disk::remove(&memory, &path(r"C:\Temp")).unwrap();
    assert_eq!(state(disk.as_read()), state(&memory));
}

#[test]
fn facts_survive_as_text_and_mistakes_are_pointed_at() {
    let (_, machine) = demo();
    let facts = machine.facts();
    let text = facts.to_text().unwrap();
    assert_eq!(MachineFacts::from_text(&text).unwrap(), facts);
    for (right, wrong) in [("format = 1", "format = 2"), ("elevated = true", "elevate = true")] {
        let error = MachineFacts::from_text(&text.replace(right, wrong)).unwrap_err();
        assert!(error.contains(wrong) || error.contains("format 2"), "{error}");
    }
}

/// Found by killing a run whose next step had nothing to change in it.
#[test]
fn what_a_killed_process_left_beside_machine_toml_is_cleared_away() {
    let (disk, machine) = with_server();
    let left = disk::beside(&super::facts::path());
    disk::replace(&disk, &left, b"# A simulated").unwrap();
    machine.refresh().unwrap();
    assert!(!disk::exists(disk.as_read(), &left).unwrap());
}

#[test]
fn signatures_go_with_the_content() {
    let (disk, machine) = with_server();
    let portal = path(AGENT).child("MultiFactorAuthenticationUserPortalSetup64.msi");
    let by = Signature::Signed { by: "Microsoft Corporation".to_owned() };
    assert_eq!(machine.signature(&portal).unwrap(), by);
    assert_eq!(machine.signature(&path(SETUP)).unwrap(), by);
    let version = machine.program_version(&path(SETUP)).unwrap().unwrap();
    assert_eq!((&*version.product, &*version.version), ("Multi-Factor Authentication Server", "7.3.0.3"));
    disk::replace(&disk, &portal, b"changed").unwrap();
    assert_eq!(machine.signature(&portal).unwrap(), Signature::None);
    assert_eq!(machine.program_version(&portal).unwrap(), None);
    assert!(machine.signature(&path(r"C:\none.msi")).is_err());
}

#[test]
fn a_key_comes_back_exactly_as_it_was() {
    let (_, machine) = demo();
    let before = machine.registry_tree(View::Wow32, KEY).unwrap();
    let to = path(r"C:\Temp\key.json");
    let view = View::Wow32;
    perform(&machine, &Op::ExportKey { view, key: KEY.to_owned(), to: to.clone() }).unwrap();
    machine
        .change(|facts| {
            let key = registry::real_path(facts.system.bits, view, KEY);
            facts.registry.set(&key, "InstallPath", Value::Text("elsewhere".to_owned()));
            facts.registry.set(&format!(r"{key}\New"), "", Value::Number(1));
        })
        .unwrap();
    perform(&machine, &Op::ImportKey { view, key: KEY.to_owned(), from: to }).unwrap();
    assert_eq!(machine.registry_tree(View::Wow32, KEY).unwrap(), before);
}

#[test]
fn a_setup_that_needs_a_restart_says_so_until_there_was_one() {
    let (disk, machine) = demo();
    let program =
        "simulated-program = 1\nproduct = 'x'\nversion = '1'\n[[action]]\ndo = 'need-restart'\nfile = 'x.dll'\n";
    disk::replace(&disk, &path(r"C:\Temp\needs.exe"), program.as_bytes()).unwrap();
    for _ in 0..2 {
        assert!(perform(&machine, &run(r"C:\Temp\needs.exe")).unwrap().reboot);
        assert_eq!(machine.system().unwrap().pending_renames, [r"C:\Temp\x.dll"]);
    }
    assert_eq!(machine.run_program(&path(r"C:\Temp\needs.exe"), &[]).unwrap(), 3010);
    perform(&machine, &service("PFSvc", ServiceState::Stopped)).unwrap();
    machine.restart().unwrap();
    assert!(machine.system().unwrap().pending_renames.is_empty());
    assert_eq!(machine.facts().service("PFSvc").unwrap().state, ServiceState::Running);
}

#[test]
fn services_start_after_what_they_need_and_stop_before_it() {
    let (_, machine) = demo();
    let named = |name: &str, needs: &[&str], start: StartType| {
        let agent = machine.facts().service("PFSvc").unwrap().clone();
        let depends_on = needs.iter().map(|name| ServiceName::from(*name)).collect();
        Service { name: name.into(), depends_on, start, state: ServiceState::Stopped, ..agent }
    };
    let more = [
        named("Monitor", &["PFSvc"], StartType::Automatic),
        named("Queue", &[], StartType::Manual),
        named("Reports", &["Queue"], StartType::Automatic),
        named("Off", &[], StartType::Disabled),
        named("Lost", &["Off"], StartType::Automatic),
    ];
    machine.change(|facts| facts.services.extend(more)).unwrap();
    let why = |op: &Op| perform(&machine, op).unwrap_err().why;
    let of_disabled = why(&service("Lost", ServiceState::Running));
    assert!(of_disabled.contains("error 1068") && of_disabled.contains("error 1058"), "{of_disabled}");
    assert!(why(&service("Off", ServiceState::Running)).starts_with("error 1058"));
    perform(&machine, &service("Monitor", ServiceState::Running)).unwrap();
    let failure = machine.stop_service(&"PFSvc".into()).unwrap_err();
    assert!(failure.why.contains("error 1051: Monitor"), "{failure}");
    let state = |name: &str| machine.facts().service(name).unwrap().state;
    assert_eq!(state("PFSvc"), ServiceState::Running);
    assert_eq!(perform(&machine, &service("PFSvc", ServiceState::Stopped)).unwrap().notes.len(), 1);
    // A manual service that is needed starts with Windows; one that cannot start keeps what needs it from starting.
    machine.restart().unwrap();
    for (name, runs) in [("PFSvc", true), ("Monitor", true), ("Queue", true), ("Reports", true), ("Lost", false)] {
        assert_eq!(state(name) == ServiceState::Running, runs, "{name}");
    }
}

proptest! {
    #[test]
    fn any_registry_survives_as_text(
        keys in vec(("[A-Za-z0-9 .'\"\\\\{}-]{1,30}", vec(("[A-Za-z0-9 .'\"-]{0,9}", value()), 0..4)), 0..8),
    ) {
        let mut facts = MachineFacts::new(System {
            name: "T".to_owned(),
            windows: "Windows".to_owned(),
            bits: Bits::X64,
            elevated: true,
            dotnet_release: None,
            vc_x86: false,
            vc_x64: false,
            user: None,
            account: None,
            pending_renames: Vec::new(),
        });
        for (key, values) in keys {
            for (name, value) in values {
                facts.registry.set(&format!(r"HKLM\{key}"), &name, value.clone());
                prop_assert_eq!(facts.registry.value(&format!(r"hklm\{key}\"), &name.to_uppercase()), Some(&value));
            }
        }
        let text = facts.to_text().unwrap();
        prop_assert_eq!(MachineFacts::from_text(&text).unwrap(), facts);
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::Text),
        any::<u32>().prop_map(Value::Number),
        vec(any::<String>(), 0..3).prop_map(Value::List),
        any::<String>().prop_map(|expand| Value::Expand { expand }),
        (any::<u32>(), vec(any::<u8>(), 0..9)).prop_map(|(kind, bytes)| Value::Binary { kind, bytes }),
    ]
}
