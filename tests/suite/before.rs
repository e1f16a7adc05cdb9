//! What a run needs is shown to be there and usable before anything is uninstalled, or the run is blocked.

use crate::support::program::Program;
use crate::support::*;

use pfupgrade::engine::{Answer, End, Operator, Silent};
use pfupgrade::finding::Finding;
use pfupgrade::package::{Package, packed_code};
use pfupgrade::plan::Plan;
use pfupgrade::platform::disk::{self, MemoryDisk};
use pfupgrade::platform::op::{Gate, Op, WayBack};
use pfupgrade::platform::registry::Value;
use pfupgrade::platform::simulated::{MachineFacts, Signed};
use pfupgrade::platform::{Failure, FailureKind, Platform};
use pfupgrade::prepare::prepare;
use std::collections::BTreeMap;
use std::io::Cursor;

const USER_DATA: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18";
const OLD_PORTAL: &str = r"C:\Install\old portal.msi";
const WITH_OLD_PORTAL: &str = "[portal]\nrollback-installer = 'C:\\Install\\old portal.msi'\n";

/// The demo machine without the cached package of its portal, which is in another folder.
fn without_cached_portal() -> (MemoryDisk, String) {
    let disk = one_server();
    let (_, package) = product(&disk, "User Portal");
    copy(&disk, &package, OLD_PORTAL);
    disk::remove(&disk, &path(&package)).unwrap();
    disk.sync_all();
    (disk, package)
}

/// The package with another name in a row of a table.
fn with_name(bytes: Vec<u8>, (table, column): (&str, &str), key: &str, name: &str) -> Vec<u8> {
    let mut database = msi::Package::open(Cursor::new(bytes)).unwrap();
    let row = msi::Expr::col(table).eq(msi::Expr::string(key));
    database.update_rows(msi::Update::table(table).set(column, msi::Value::from(name)).with(row)).unwrap();
    database.into_inner().unwrap().into_inner()
}

/// The same package with another package code.
fn rebuilt(bytes: Vec<u8>) -> Vec<u8> {
    let mut database = msi::Package::open(Cursor::new(bytes)).unwrap();
    database.summary_info_mut().set_uuid(uuid::Uuid::from_u128(7));
    database.into_inner().unwrap().into_inner()
}

fn bytes(disk: &MemoryDisk, file: &str) -> Vec<u8> {
    disk::read(disk, &path(file), u64::MAX - 1).unwrap()
}

/// Blocked whatever the plan allows.
#[track_caller]
fn is_blocked(disk: &MemoryDisk, lines: &str, id: &str) -> Finding {
    let allowed = format!("{lines}[preflight]\nallow = ['no-way-back', '{id}']");
    let found = finding(disk, &plan_with(&allowed), id);
    assert!(found.refuses() && !found.advice.is_empty(), "{found:?}");
    assert!(refusals(disk, &plan_with(lines)).contains(&id.to_owned()));
    found
}

#[test]
fn a_product_without_its_cached_package_cannot_be_uninstalled() {
    let (disk, package) = without_cached_portal();
    let found = is_blocked(&disk, "", "cannot-uninstall");
    assert!(found.evidence[0].contains(&package) && found.advice.contains(&package), "{found:?}");
    assert!(found.evidence[1].starts_with(r"it was installed from C:\"), "{found:?}");
    assert!(!findings(&disk, &plan_with("")).iter().any(|finding| finding.id == "no-way-back"));
    // Nor can one that is removed; one that is kept need not be.
    is_blocked(&disk, "[portal]\naction = 'remove'\n", "cannot-uninstall");
    assert_eq!(refusals(&disk, &plan_with("[portal]\naction = 'keep'")), [""; 0]);
}

#[test]
fn a_cached_package_has_to_be_the_one_of_the_product() {
    let (agent, portal) = ("PhoneFactor Agent", "User Portal");
    let start = one_server();
    let (code, package) = product(&start, portal);
    let rebuilt = rebuilt(bytes(&start, &package));
    let of_agent = bytes(&start, &product(&start, agent).1);
    for (content, said) in [
        (Vec::new(), "not a"),
        (of_agent, "is the package of another product"),
        (rebuilt, "is another package of PhoneFactor User Portal"),
    ] {
        let disk = start.snapshot();
        put(&disk, &package, content);
        let found = is_blocked(&disk, "", "cannot-uninstall");
        assert!(found.evidence[0].contains(said), "{found:?}");
    }
    let properties = format!(r"{USER_DATA}\Products\{}\InstallProperties", packed_code(&code).unwrap());
    let unknown = altered(&start, |facts| facts.registry.unset(&properties, "LocalPackage"));
    let found = is_blocked(&unknown, "", "cannot-uninstall");
    assert!(found.advice.starts_with("specify the package"), "{found:?}");
}

#[test]
fn a_patch_whose_file_is_gone_keeps_a_product_from_being_uninstalled() {
    let patch = r"C:\Windows\Installer\1a2b3c.msp";
    let disk = altered(&one_server(), |facts| {
        apply_patch(facts, "User Portal");
        let key = format!(r"{USER_DATA}\Patches\{PATCH}");
        facts.registry.set(&key, "LocalPackage", Value::Text(patch.to_owned()));
    });
    let found = is_blocked(&disk, "", "cannot-uninstall");
    assert!(found.evidence[0].contains(patch), "{found:?}");
    put(&disk, patch, "a patch");
    assert_eq!(refusals(&disk, &plan_with("")), ["no-way-back"]);
}

#[test]
fn a_product_without_its_cached_package_is_uninstalled_by_the_one_it_was_installed_from() {
    let (disk, _) = without_cached_portal();
    let before = without_what_stays(whole(&disk));
    assert_eq!(refusals(&disk, &plan_with(WITH_OLD_PORTAL)), [""; 0]);
    assert_eq!(run(&disk, &plan_with(WITH_OLD_PORTAL)).unwrap(), End::Done { reboot: false });
    assert!(get(&disk, OLD_PORTAL).is_some(), "the package at hand is nobody's to remove");
    assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack);
    let mut after = without_what_stays(whole(&disk));
    // Windows Installer has its copy again.
    after.retain(|name, _| before.contains_key(name) || !name.starts_with(r"C:\Windows\Installer\"));
    assert_same(&before, &after, "rolled back");
}

#[test]
fn another_package_of_the_product_does_not_uninstall_it() {
    let (disk, _) = without_cached_portal();
    put(&disk, OLD_PORTAL, rebuilt(bytes(&disk, OLD_PORTAL)));
    let found = is_blocked(&disk, WITH_OLD_PORTAL, "cannot-uninstall");
    assert!(found.evidence[0].contains("its package code is {00000000-0000-0000-0000-000000000007}"), "{found:?}");
    // It can install the product again, and while Windows Installer has its own copy no more is needed.
    let disk = one_server();
    put(&disk, OLD_PORTAL, rebuilt(bytes(&disk, &product(&disk, "User Portal").1)));
    assert_eq!(refusals(&disk, &plan_with(WITH_OLD_PORTAL)), [""; 0]);
    // What nobody knows of the package is not taken for the right one.
    let (disk, _) = without_cached_portal();
    let key =
        format!(r"HKLM\SOFTWARE\Classes\Installer\Products\{}", packed_code(&product(&disk, "Portal").0).unwrap());
    let unknown = altered(&disk, |facts| facts.registry.remove(&key));
    let found = is_blocked(&unknown, WITH_OLD_PORTAL, "cannot-uninstall");
    assert!(found.evidence[0].contains("the registry does not contain the package code"), "{found:?}");
}

/// Uninstalls the old portal, with a package or without.
fn uninstall(disk: &MemoryDisk, with: Option<&str>) -> Result<(), Failure> {
    put(disk, r"C:\tmp\marker", "");
    let way_back = with.map(|with| WayBack {
        package: path(with),
        properties: BTreeMap::new(),
        before: Vec::new(),
        after: Vec::new(),
        uninstalls_with: Some(path(with)),
    });
    let code = product(disk, "PhoneFactor User Portal").0.into();
    let op = Op::Uninstall { code, name: "portal".to_owned(), log: path(r"C:\tmp\log"), way_back };
    boot(disk).perform(&op, &mut |_| ()).map(|_| ())
}

#[test]
fn the_simulated_windows_installer_needs_a_package_whatever_else_it_remembers() {
    let (disk, _) = without_cached_portal();
    let ended = |disk: &MemoryDisk, with| uninstall(disk, with).map_err(|failure| failure.kind);
    assert_eq!(ended(&disk, None), Err(FailureKind::Ended(1612)));
    assert!(boot(&disk).facts().product(&product(&disk, "User Portal").0).is_some());
    let other = r"C:\Install\other.msi";
    put(&disk, other, rebuilt(bytes(&disk, OLD_PORTAL)));
    assert_eq!(ended(&disk, Some(other)), Err(FailureKind::Ended(1638)));
    copy(&disk, &product(&disk, "Agent").1, other);
    assert_eq!(ended(&disk, Some(other)), Err(FailureKind::Ended(1605)));
    assert_eq!(ended(&disk, Some(r"C:\Install\nowhere.msi")), Err(FailureKind::Ended(1619)));
    assert_eq!(ended(&disk, Some(OLD_PORTAL)), Ok(()));
    assert!(Package::open(Cursor::new(bytes(&disk, OLD_PORTAL)), "old").is_ok());
}

const AGENT: &str = r"C:\Program Files\PhoneFactor";
const DATA_FILE: &str = r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata";
const KEY: &str = r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor";

fn install_path(facts: &mut MachineFacts, value: &str) {
    facts.registry.set(KEY, "InstallPath", Value::Text(value.to_owned()));
}

#[test]
fn the_agent_needs_its_data() {
    let start = one_server();
    let without = |change: &dyn Fn(&MemoryDisk)| {
        let disk = start.snapshot();
        change(&disk);
        is_blocked(&disk, "", "no-data")
    };
    let missing = without(&|disk| disk::remove(disk, &path(DATA_FILE)).unwrap());
    assert_eq!((missing.title.as_str(), &missing.evidence[0]), ("the agent's data file is missing", &DATA_FILE.into()));
    let empty = without(&|disk| put(disk, DATA_FILE, ""));
    assert_eq!(empty.title, "the agent's data file is empty");
    let folder = without(&|disk| disk::remove(disk, &path(AGENT).child("Data")).unwrap());
    assert_eq!(folder.title, "the agent's data folder is missing");
    assert!(folder.advice.contains("restore the Data folder"), "{folder:?}");
    // A name with other letters in capitals is the same one; a folder of that name is no database.
    let disk = start.snapshot();
    let data = bytes(&disk, DATA_FILE);
    disk::remove(&disk, &path(DATA_FILE)).unwrap();
    put(&disk, &DATA_FILE.replace("PhoneFactor.pfdata", "Phonefactor.PFDATA"), data);
    assert_eq!(refusals(&disk, &plan_with("")), [""; 0]);
    without(&|disk| {
        disk::remove(disk, &path(DATA_FILE)).unwrap();
        disk::create_folders(disk, &path(DATA_FILE)).unwrap();
    });
    // Where the agent is kept, nothing needs it.
    let disk = start.snapshot();
    disk::remove(&disk, &path(DATA_FILE)).unwrap();
    let kept = Plan::read(b"format = 1\n[server]\naction = 'keep'\n", "plan").unwrap();
    assert!(!refusals(&disk, &kept).contains(&"no-data".to_owned()));
}

#[test]
fn the_agent_needs_a_service() {
    let disk = altered(&one_server(), |facts| facts.services.retain(|service| service.name != "PFSvc"));
    let found = is_blocked(&disk, "", "no-service");
    assert!(found.evidence[0].contains(AGENT) && found.advice.starts_with("repair the agent"), "{found:?}");
}

#[test]
fn a_service_is_found_however_its_program_is_written() {
    for line in [r#""%ProgramFiles%\PhoneFactor\pfsvc.exe" -k"#, r"\??\C:\Program Files\PhoneFactor\pfsvc.exe"] {
        let disk = altered(&one_server(), |facts| {
            facts.services.iter_mut().find(|service| service.name == "PFSvc").unwrap().image_path = line.to_owned();
        });
        assert_eq!(refusals(&disk, &plan_with("")), [""; 0], "{line}");
        assert!(steps(&disk, &plan_with("")).contains(&"stop-services".to_owned()), "{line}");
        run(&disk, &plan_with("")).unwrap();
    }
}

#[test]
fn what_disagrees_about_the_folder_of_the_agent_blocks() {
    let start = one_server();
    let (code, _) = product(&start, "Agent");
    let uninstall = format!(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{code}");
    let is_said = |disk: &MemoryDisk, said: &str| {
        let found = is_blocked(disk, "", "folders-disagree");
        assert!(found.evidence[0].starts_with("InstallPath in the registry: "), "{found:?}");
        assert!(found.evidence.iter().any(|seen| seen.contains(said)), "{said}: {found:?}");
    };
    let location = |folder: &str| {
        altered(&start, |facts| facts.registry.set(&uninstall, "InstallLocation", Value::Text(folder.to_owned())))
    };
    is_said(&location(r"D:\PhoneFactor\"), r"PhoneFactor Agent 5.2.5 is installed in D:\PhoneFactor");
    for same in [r"c:\program files\PHONEFACTOR", r#""C:\Program Files\PhoneFactor\""#, r"C:\Program Files\", ""] {
        assert_eq!(refusals(&location(same), &plan_with("")), [""; 0], "{same}");
    }
    let moved = altered(&start, |facts| install_path(facts, r"D:\PhoneFactor\"));
    is_said(&moved, r"the service PFSvc runs C:\Program Files\PhoneFactor\pfsvc.exe");
    assert!(refusals(&moved, &plan_with("")).contains(&"no-data".to_owned()));
    let native = |facts: &mut MachineFacts| {
        let key = KEY.replace(r"\Wow6432Node", "");
        facts.registry.set(&key, "InstallPath", Value::Text(r"D:\Old agent\".to_owned()));
    };
    let disk = altered(&start, native);
    assert_eq!(refusals(&disk, &plan_with("")), [""; 0], "that folder is gone");
    put(&disk, r"D:\Old agent\pfsvc.exe", "");
    is_said(&disk, r"InstallPath in the 64-bit registry: D:\Old agent");
}

#[test]
fn an_install_path_without_its_backslash_is_the_same_folder() {
    let value = |disk: &MemoryDisk| {
        let facts = boot(disk).facts();
        facts.registry.value(KEY, "InstallPath").and_then(Value::text).map(str::to_owned).unwrap()
    };
    let start = altered(&one_server(), |facts| install_path(facts, AGENT));
    let setup = path(r"C:\Install\MultiFactorAuthenticationServerSetup.exe");
    // Whether the setup writes the value with a backslash, or without, is nobody's business.
    for writes in [None, Some(AGENT), Some(r"C:\PROGRAM FILES\phonefactor\")] {
        let disk = start.snapshot();
        if let Some(writes) = writes {
            let key = r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor";
            let more = format!(
                "\n[[action]]\ndo = 'write-registry'\nkey = '{key}'\nname = 'InstallPath'\nvalue = '{writes}'\n"
            );
            let program = get(&disk, setup.as_str()).unwrap().trim_end_matches('\0').to_owned() + &more;
            put(&disk, setup.as_str(), program);
        }
        let before = without_what_stays(whole(&disk));
        let ended = run(&disk, &plan_with("signed-by = false"));
        assert_eq!(ended.unwrap(), End::Done { reboot: false }, "{writes:?}");
        assert!(path(&value(&disk)) == path(AGENT));
        assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack);
        assert_eq!(value(&disk), AGENT);
        assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
    }
    // The setup may append names to the value.
    for start in [start, one_server()] {
        let (machine, clock) = (boot(&start), clock());
        let engine = engine(&machine, &clock);
        let prepared = prepare(&machine, &*clock, &plan_with(""), &engine.state).unwrap();
        let ended = engine.run(&prepared.frozen, &mut Nobody, &mut Silent).unwrap();
        assert!(matches!(ended, End::Waiting(gate) if gate.id == "server-setup"));
        assert_eq!(value(&start), format!(r"{AGENT}\"));
        assert_eq!(resume(&start).unwrap().unwrap(), End::Done { reboot: false });
    }
}

/// Nobody is there to be asked.
struct Nobody;

impl Operator for Nobody {
    fn at_gate(&mut self, _: &Gate, _: &str) -> Answer {
        Answer::Later
    }
}

#[test]
fn a_setup_that_chooses_another_folder_is_found() {
    let disk = altered(&one_server(), |facts| install_path(facts, AGENT));
    let setup = r"C:\Install\MultiFactorAuthenticationServerSetup.exe";
    let more = format!("\n[[action]]\ndo = 'write-registry'\nkey = '{KEY}'\nname = 'InstallPath'\nvalue = 'D:\\x'\n");
    put(&disk, setup, get(&disk, setup).unwrap().trim_end_matches('\0').to_owned() + &more);
    let ended = run(&disk, &plan_with("signed-by = false")).unwrap_err().to_string();
    assert!(ended.contains(r"InstallPath was C:\Program Files\PhoneFactor and is D:\x after the setup"), "{ended}");
}

#[test]
fn a_blocked_plan_ends_with_what_to_do_and_shows_no_steps() {
    let program = Program::after("plan --quiet", 0);
    std::fs::write(program.at("C/Program Files/PhoneFactor/Data/PhoneFactor.pfdata"), "").unwrap();
    for (command, shown) in [("plan", true), ("run --yes", false)] {
        let ran = program.ends(command, 4);
        let text = if shown { &ran.out } else { &ran.err };
        let (before, last) = text.split_once("\n1 blocking check\n").unwrap();
        assert!(before.contains("[service-retired]") && !text.contains("What a run will do"), "{text}");
        assert!(!text.contains("uninstall-portal") && !text.contains("the outage starts"), "{text}");
        assert!(last.contains("[no-data] the agent's data file is empty"), "{text}");
        assert!(last.contains("advice: users and settings would be lost: restore the Data folder"), "{text}");
        assert!(last.contains("The run is blocked: no-data. See the checks above.\nNothing was changed.\n"), "{text}");
        assert_eq!(ran.next(), ["next: fix the 1 blocking check above, then run this command again"]);
    }
}

#[test]
fn a_plan_for_another_server_is_blocked() {
    let disk = one_server();
    let lines = |name: &str| {
        let text = format!(
            "format = 1\nmachine = '{name}'\n[server]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'\n"
        );
        Plan::read(text.as_bytes(), "plan").unwrap()
    };
    for name in ["MFA01", "mfa01"] {
        assert_eq!(refusals(&disk, &lines(name)), [""; 0], "{name}");
    }
    let found = finding(&disk, &lines("MFA02"), "another-machine");
    assert!(found.refuses() && found.title == "the plan is for MFA02, and this server is MFA01", "{found:?}");
    // Nothing to do there does not make it the right one.
    let upgraded = disk.snapshot();
    run(&upgraded, &lines("MFA01")).unwrap();
    assert_eq!(refusals(&upgraded, &lines("MFA02")), ["another-machine"]);
    // `init` names the server it writes a plan for.
    let program = Program::new();
    program.ends("init new.toml", 0);
    let written = std::fs::read_to_string(program.beside("new.toml")).unwrap();
    assert!(written.contains("\nmachine = \"MFA01\""), "{written}");
    program.ends("plan new.toml", 0);
    std::fs::write(program.beside("new.toml"), written.replace("\"MFA01\"", "\"WEB01\"")).unwrap();
    program.ends("run new.toml --yes", 4);
}

#[test]
fn names_that_cannot_be_written_are_found_before_the_outage() {
    const NEW_PORTAL: &str = r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi";
    let start = demo_machine("web-server");
    let plan = plan("web-server");
    let package = Package::open(Cursor::new(bytes(&start, NEW_PORTAL)), "new").unwrap();
    let file = package.files()[0].key.clone();
    let folder = package.folders().into_iter().find(|folder| folder.name == "App_Themes").unwrap().key;
    let names = ["AUX.aspx", "con", "a?b.aspx", "a:b", "dot.", "blank "];
    let cases = names.iter().map(|name| (("File", "FileName"), file.as_str(), *name, "file"));
    let below = [(("Directory", "DefaultDir"), folder.as_str(), "x|nul", "folder")];
    for (place, key, name, kind) in cases.chain(below) {
        let disk = start.snapshot();
        put(&disk, NEW_PORTAL, with_name(bytes(&disk, NEW_PORTAL), place, key, name));
        change(&disk, |facts| facts.signatures.push(signed(NEW_PORTAL)));
        let found = finding(&disk, &plan, "installer-unreadable");
        let said = format!("its {kind} `{}` has a name that Windows cannot write", name.trim_start_matches("x|"));
        assert!(found.refuses() && found.evidence[0].contains(&said), "{name}: {found:?}");
    }
    // The same of the package that a rollback would install again.
    let (_, old) = product(&start, "User Portal");
    let package = Package::open(Cursor::new(bytes(&start, &old)), "old").unwrap();
    let key = package.files()[0].key.clone();
    put(&start, &old, with_name(bytes(&start, &old), ("File", "FileName"), &key, "lpt1.aspx"));
    let found = finding(&start, &plan, "no-way-back");
    assert!(found.refuses() && found.evidence[0].contains("its file `lpt1.aspx`"), "{found:?}");
}

/// The signature of a file, whatever its content.
fn signed(file: &str) -> Signed {
    Signed { path: Some(path(file)), sha256: None, by: "Microsoft Corporation".to_owned() }
}
