//! What only Windows can answer. `.ci/windows` runs these under Wine, on a machine that is thrown away.

use super::disk::{Drives, host_path};
use super::win32::files;
use super::{Windows, program, registry, services};
use crate::package::RegistryRoot;
use crate::package::builder::{PackageBuilder, Registry};
use crate::platform::disk::{self, Disk, ReadDisk};
use crate::platform::facts::{ServiceState, Signature};
use crate::platform::op::Op;
use crate::platform::own::{AtStart, Notice};
use crate::platform::registry::{Tree, Value, View};
use crate::platform::{FailureKind, Inspect, Platform, Progress, installer_log};
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

fn path(text: &str) -> WinPath {
    WinPath::new(text).expect("a good path")
}

/// An empty folder of a test's own.
fn folder(name: &str) -> WinPath {
    let at = path(&std::env::var("TEMP").expect("a folder for temporary files")).child(&format!("pfupgrade {name}"));
    disk::remove(&Drives, &at).expect("removed");
    disk::create_folders(&Drives, &at).expect("created");
    at
}

fn text(at: &WinPath) -> String {
    String::from_utf8(disk::read(&Drives, at, 1000).expect("read")).expect("text")
}

#[test]
fn each_view_of_the_registry_is_its_own_and_keeps_every_type() {
    let key = r"HKLM\SOFTWARE\pfupgrade-test";
    let values = [
        ("", Value::Text("default".to_owned())),
        ("text", Value::Text("C:\\x\\".to_owned())),
        ("expand", Value::Expand { expand: "%TEMP%".to_owned() }),
        ("number", Value::Number(u32::MAX)),
        ("list", Value::List(vec!["a".to_owned(), "b".to_owned()])),
        ("binary", Value::Binary { kind: 3, bytes: vec![0, 255] }),
        ("large", Value::Binary { kind: 11, bytes: vec![1; 8] }),
        ("unterminated", Value::Binary { kind: 1, bytes: vec![65, 0] }),
    ];
    let mut tree = Tree { values: values.map(|(name, value)| (name.to_owned(), value)).into(), ..Tree::default() };
    tree.keys.insert("below".to_owned(), tree.clone());
    registry::restore(View::Wow32, key, Some(&tree)).expect("written");
    let machine = Windows::new().expect("this machine");
    assert_eq!(machine.registry_tree(View::Wow32, key), Ok(Some(tree.clone())));
    assert_eq!(machine.registry_key(View::Native, key), Ok(None));
    assert!(
        machine.registry_key(View::Native, r"HKLM\SOFTWARE\Wow6432Node\pfupgrade-test\below").expect("asked").is_some()
    );
    tree.keys.clear();
    tree.values.remove("text");
    registry::restore(View::Wow32, key, Some(&tree)).expect("written");
    assert_eq!(machine.registry_tree(View::Wow32, key), Ok(Some(tree)));
    registry::restore(View::Wow32, key, None).expect("removed");
    assert_eq!(machine.registry_key(View::Wow32, key), Ok(None));
}

#[test]
fn files_are_replaced_and_removed_whatever_their_attributes() {
    let mut at = folder("long");
    for number in 0..12 {
        at = at.child(&format!("a folder with a rather long name, number {number}"));
    }
    assert!(at.as_str().len() > 400);
    disk::create_folders(&Drives, &at).expect("folders");
    let file = at.child("Web.Config");
    disk::replace(&Drives, &file, b"one").expect("written");
    files::set_attributes(&host_path(&file), 1 | 2).expect("read-only and hidden");
    let before = Drives.marks(&file).expect("asked").expect("marks");
    disk::replace(&Drives, &at.child("WEB.CONFIG"), b"two").expect("replaced");
    assert_eq!(text(&file), "two");
    let after = Drives.marks(&file).expect("asked").expect("marks");
    assert_eq!((after.attributes, &after.rights), (before.attributes, &before.rights));
    assert!(Drives.entry(&at.child("missing")).expect("asked").is_none());
    assert_eq!(Drives.walk(&folder_above(&at, 12)).expect("walked").len(), 13);
    disk::remove(&Drives, &folder_above(&at, 12)).expect("removed");
}

fn folder_above(at: &WinPath, levels: usize) -> WinPath {
    (0..levels).fold(at.clone(), |at, _| at.parent().expect("a parent"))
}

#[test]
fn names_have_the_case_that_the_disk_has() {
    let at = folder("case");
    disk::replace(&Drives, &at.child("Web.Config"), b"x").expect("written");
    let found = Drives.entry(&at.child("WEB.config")).expect("asked").expect("there");
    assert_eq!(found.path.name(), "Web.Config");
    assert_eq!(Drives.entry(&path(r"C:\")).expect("asked").expect("there").path, path(r"C:\"));
}

#[test]
fn a_backup_brings_attributes_and_times_back() {
    let at = folder("backup");
    let (web, backup) = (at.child("web"), at.child("kept"));
    disk::create_folders(&Drives, &web.child("bin")).expect("folders");
    disk::replace(&Drives, &web.child(r"web.config"), b"old").expect("written");
    files::set_attributes(&host_path(&web.child("web.config")), 1).expect("read-only");
    let machine = Windows::new().expect("this machine");
    let done = |op: Op| machine.perform(&op, &mut |_| {}).expect("done");
    let all = || {
        let entries = Drives.walk(&web).expect("walked").into_iter();
        // Wine does not keep when a folder was created.
        let marks = |entry: &disk::Entry| {
            let marks = Drives.marks(&entry.path).expect("asked").expect("marks");
            (marks.attributes, marks.rights, (entry.len > 0).then_some((marks.created, entry.modified)))
        };
        entries.map(|entry| (marks(&entry), entry.path)).collect::<Vec<_>>()
    };
    let before = all();
    done(Op::BackUp { from: web.clone(), to: backup.clone(), except: Vec::new() });
    done(Op::Remove { path: web.clone() });
    done(Op::Restore { from: backup, to: web.clone(), except: Vec::new() });
    assert_eq!(all(), before);
}

#[test]
fn a_private_folder_is_made_once() {
    let at = folder("private");
    let own = at.child("own");
    disk::create_private(&Drives, &own).expect("created");
    disk::create_private(&Drives, &own).expect("as it was");
    disk::replace(&Drives, &at.child("file"), b"x").expect("written");
    assert!(disk::create_private(&Drives, &at.child("file")).is_err());
}

#[test]
fn a_lock_is_held_once() {
    let at = folder("lock").child("lock");
    let held = Drives.lock(&at).expect("asked");
    assert!(held.is_some() && Drives.lock(&at).expect("asked").is_none());
    drop(held);
    assert!(Drives.lock(&at).expect("asked").is_some());
}

fn cmd(line: &str) -> Command {
    let mut command = Command::new(r"C:\windows\system32\cmd.exe");
    command.args(["/d", "/c", line]);
    command
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_program_is_over_when_its_children_are() {
    assert_eq!(program::run(&mut cmd("exit 7"), "cmd", "run", MINUTE, None, &mut |_| {}), Ok(7));
    let child = "start ping -n 3 127.0.0.1";
    let begun = std::time::Instant::now();
    assert_eq!(program::run(&mut cmd(child), "cmd", "run", MINUTE, None, &mut |_| {}), Ok(0));
    assert!(begun.elapsed() > Duration::from_secs(1), "its child was not waited for: {:?}", begun.elapsed());
}

#[test]
fn what_a_silent_installer_is_at_is_told_once() {
    let log = folder("log").child("install.log");
    disk::replace(&Drives, &log, b"Action 22:00:01: InstallFiles. Copying new files\r\n").expect("written");
    let mut told = Vec::new();
    let ended = program::run(&mut cmd("ping -n 4 127.0.0.1"), "cmd", "run", MINUTE, Some(&log), &mut |progress| {
        told.push(progress);
    });
    assert_eq!(ended, Ok(0));
    assert_eq!(told, [Progress::Action("Copying new files".to_owned())]);
}

#[test]
fn a_log_is_masked_in_its_place() {
    let log = folder("masked log").child("install.log");
    disk::replace(&Drives, &log, b"Property(S): PASSWORD = hunter2\r\n").expect("written");
    installer_log::mask(&Drives, &log).expect("masked");
    assert_eq!(text(&log), "Property(S): PASSWORD =(masked)\r\n");
}

#[test]
fn a_program_that_takes_too_long_is_named_and_left_alone() {
    let mut ping = Command::new(r"C:\windows\system32\ping.exe");
    ping.args(["-n", "4", "127.0.0.1"]);
    let failure =
        program::run(&mut ping, "ping.exe", "run it", Duration::ZERO, None, &mut |_| {}).expect_err("too long");
    let FailureKind::StillRunning(process) = failure.kind else { panic!("{failure}") };
    assert!(program::still_runs(&process), "{process:?}");
    let machine = Windows::new().expect("this machine");
    assert!(machine.running(Some(&process)).expect("asked").is_some_and(|what| what.contains("ping.exe")));
    while program::still_runs(&process) {
        std::thread::yield_now();
    }
    assert_eq!(machine.running(Some(&process)), Ok(None));
}

#[test]
fn services_are_listed_and_one_that_is_not_there_cannot_be_started() {
    let all = services::all().expect("listed");
    assert!(!all.is_empty() && all.iter().all(|service| !service.name.is_empty()), "{all:?}");
    let set = |state| services::set("pfupgrade-none", state, None, &mut |_| {});
    assert!(set(ServiceState::Stopped).is_ok());
    assert!(set(ServiceState::Running).expect_err("there is none").why.contains("1060"));
}

#[test]
fn windows_says_what_it_is() {
    let machine = Windows::new().expect("this machine");
    let system = machine.system().expect("asked");
    assert!(system.elevated && !system.name.is_empty() && system.windows.contains("(6."), "{system:?}");
    assert!(machine.free_space('C').expect("asked") > 0);
    assert!(machine.free_space('B').is_err());
    let program = path(r"C:\windows\system32\cmd.exe");
    assert_eq!(machine.signature(&program), Ok(Signature::None));
    // Wine's shell has no version; its libraries do.
    assert_eq!(machine.program_version(&program), Ok(None));
    let library =
        machine.program_version(&path(r"C:\windows\system32\advapi32.dll")).expect("asked").expect("a version");
    assert!(library.version.split('.').count() == 4 && !library.product.is_empty(), "{library:?}");
    assert_eq!(machine.account_exists("Administrators"), Ok(Some(true)));
    assert_eq!(machine.account_exists("pfupgrade nobody"), Ok(Some(false)));
    assert!(machine.request("http://127.0.0.1:9/", Duration::from_secs(1)).is_err());
    assert_eq!(machine.web_server(), Ok(None));
}

fn package(name: &str) -> PackageBuilder {
    let value = Registry {
        root: RegistryRoot::LocalMachine,
        key: r"SOFTWARE\pfupgrade-installed".to_owned(),
        name: Some("Given".to_owned()),
        value: "[GIVEN]".to_owned(),
        permanent: false,
    };
    PackageBuilder::new("wine", name, "1.2.3").file("readme.txt", "x").registry(value)
}

fn build(name: &str, package: &PackageBuilder) -> (WinPath, WinPath) {
    let at = folder(name);
    let file = at.child("a package.msi");
    disk::replace(&Drives, &file, &package.build().expect("built")).expect("written");
    (file, at.child("its log.log"))
}

#[test]
fn an_installer_gets_properties_as_they_are() {
    let machine = Windows::new().expect("this machine");
    let (file, log) = build("installer", &package("Quoted"));
    let code = package("Quoted").product_code();
    machine.uninstall((&code, "Quoted"), None, &log, &mut |_| {}).expect("nothing is left of an earlier test");
    // Wine, other than Windows, takes a backslash before a quote for an escape.
    for given in ["a b", "Größe", "/x A=B", r"C:\x\", r"C:\a b\c"] {
        let properties = BTreeMap::from([("GIVEN".to_owned(), given.to_owned()), ("EMPTY".to_owned(), String::new())]);
        machine.install(&file, &properties, &log, &mut |_| {}).expect("installed");
        // Once more: it is there already.
        machine.install(&file, &properties, &log, &mut |_| {}).expect("installed");
        let found = registry::text(View::Native, r"HKLM\SOFTWARE\pfupgrade-installed", "Given");
        assert_eq!(found, Ok(Some(given.to_owned())));
        machine.uninstall((&code, "Quoted"), None, &log, &mut |_| {}).expect("uninstalled");
        machine.uninstall((&code, "Quoted"), None, &log, &mut |_| {}).expect("it is gone already");
    }
}

#[test]
fn a_failed_installation_says_why() {
    let machine = Windows::new().expect("this machine");
    let refuses =
        package("Refused").action("Refuse", 19, ("", "This machine is not good enough."), 1450, "NOT Installed");
    let (file, log) = build("refusal", &refuses);
    let failure = machine.install(&file, &BTreeMap::new(), &log, &mut |_| {}).expect_err("it refuses");
    assert_eq!(failure.kind, FailureKind::Ended(1603), "{failure}");
    assert!(failure.why.contains("Refuse"), "{failure}");
}

#[test]
fn a_task_is_there_from_when_it_is_wanted_until_it_is_not() {
    let machine = Windows::new().expect("this machine");
    let folder = folder("at start");
    let command = AtStart { arguments: vec!["resume".to_owned(), "a b\\".to_owned()], folder: folder.clone() };
    let task = machine.windows.join(r"System32\Tasks\pfupgrade").expect("a path");
    let is_there = |path: &WinPath| disk::exists(&Drives, path).expect("asked");
    for _ in 0..2 {
        machine.at_start(Some(&command)).expect("registered, or registered anew");
        assert!(is_there(&task) && is_there(&command.program()) && !is_there(&folder.child("at-start.xml")));
    }
    for _ in 0..2 {
        machine.at_start(None).expect("removed, or not there");
        assert!(!is_there(&task));
    }
}

#[test]
fn an_entry_of_the_event_log_has_a_source_that_can_show_it() {
    let machine = Windows::new().expect("this machine");
    machine.tell_event_log(Notice::Gate, "The run 1 waits for Jürgen.").expect("written");
    let source = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\pfupgrade";
    let source = registry::key(View::Native, source).expect("asked").expect("a source");
    assert_eq!(source.text("EventMessageFile"), Some(r"%SystemRoot%\System32\EventCreate.exe"));
    assert_eq!(source.number("TypesSupported"), Some(7));
}
