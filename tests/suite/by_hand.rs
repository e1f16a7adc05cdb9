//! What a person has to do while a run goes on: installers that do not come along, the console, the web servers.

use crate::support::*;

use crate::support::faulty::{Fault, Faulty};
use pfupgrade::engine::{Answer, End, EngineError, Event, Operator, Silent, Watcher};
use pfupgrade::plan::Plan;
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::{self, MemoryDisk};
use pfupgrade::platform::op::{Gate, Op};
use pfupgrade::platform::registry::Value;
use pfupgrade::platform::simulated::Simulated;
use pfupgrade::prepare::prepare;
use pfupgrade::report::summary::Summary;

const AGENT: &str = r"C:\Program Files\PhoneFactor";

/// A person whose setup brings no installer of these names along.
struct Without<'a> {
    person: Person<'a>,
    disk: &'a MemoryDisk,
    missing: &'a [&'a str],
}

impl Operator for Without<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        let answer = self.person.at_gate(gate, still);
        if gate.id == "server-setup" {
            for name in self.missing {
                disk::remove(self.disk, &path(AGENT).child(name)).unwrap();
            }
        }
        answer
    }
}

/// What is begun and who is asked, in order.
#[derive(Default)]
struct Heard(Vec<String>);

impl Watcher for Heard {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Step { step, .. } => self.0.push(step.to_string()),
            Event::Gate { gate } => self.0.push(format!("asked: {}", gate.id)),
            _ => {}
        }
    }
}

const PORTAL: &str = "MultiFactorAuthenticationUserPortalSetup64.msi";
const MOBILE: &str = "MultiFactorAuthenticationMobileAppWebServiceSetup64.msi";

/// Runs a plan where the setup does not bring `missing` along.
fn run_without(disk: &MemoryDisk, plan: &Plan, missing: &[&str]) -> (Result<End, EngineError>, Vec<String>) {
    let (machine, clock) = (boot(disk), clock());
    let engine = engine(&machine, &clock);
    let prepared = prepare(machine.inspect(), &*clock, plan, &engine.state).unwrap();
    let mut heard = Heard::default();
    let mut person = Without { person: Person::at(&machine), disk, missing };
    (engine.run(&prepared.frozen, &mut person, &mut heard), heard.0)
}

#[test]
fn a_component_whose_installer_is_missing_waits_while_the_others_go_on() {
    let start = one_server();
    let disk = start.snapshot();
    let (end, heard) = run_without(&disk, &plan("one-server"), &[PORTAL]);
    assert!(matches!(&end, Ok(End::Waiting(gate)) if gate.id == "package-portal"), "{end:?}");
    let installed = |disk: &MemoryDisk, name: &str| {
        boot(disk)
            .facts()
            .installed
            .values()
            .any(|product| product.name.ends_with(name) && product.version > "6".into())
    };
    assert!(!installed(&disk, "User Portal") && installed(&disk, "Mobile App Web Service"));
    let at = |what: &str| heard.iter().position(|heard| heard == what).unwrap_or_else(|| panic!("{what}: {heard:?}"));
    assert!(at("configure-mobile-app") < at("asked: package-portal"), "people are asked last: {heard:?}");
    assert!(!heard.contains(&"verify".to_owned()) && !heard.contains(&"install-portal".to_owned()), "{heard:?}");

    // The file comes, and the run ends as if it had come along.
    let package = disk::read(&start_with_packages(), &path(AGENT).child(PORTAL), 1 << 26).unwrap();
    put(&disk, path(AGENT).child(PORTAL).as_str(), package);
    resume(&disk).unwrap().unwrap();
    let undisturbed = start.snapshot();
    run(&undisturbed, &plan("one-server")).unwrap();
    // The file is not the one that the server's package knows; only its time differs.
    assert_same(&whole(&undisturbed), &whole(&disk), "resumed");
    rollback(&disk).unwrap().unwrap();
    let mut rolled_back = without_what_stays(whole(&disk));
    // What a person put into the agent's folder while the run waited is not the run's to take away.
    rolled_back.remove(path(AGENT).child(PORTAL).as_str());
    assert_same(&without_what_stays(whole(&start)), &rolled_back, "rolled back");
}

/// A machine on which the new server is installed.
fn start_with_packages() -> MemoryDisk {
    let disk = one_server();
    run(&disk, &plan("one-server")).unwrap();
    disk
}

#[test]
fn a_wrong_installer_that_came_along_is_told_at_the_gate() {
    let disk = one_server();
    let (end, _) = run_without(&disk, &plan("one-server"), &[MOBILE]);
    assert!(matches!(&end, Ok(End::Waiting(gate)) if gate.id == "package-mobile-app"), "{end:?}");
    put(&disk, path(AGENT).child(MOBILE).as_str(), b"no package at all");
    let end = resume(&disk).unwrap();
    assert!(matches!(&end, Ok(End::Waiting(gate)) if gate.id == "package-mobile-app"), "{end:?}");
    rollback(&disk).unwrap().unwrap();
}

#[test]
fn the_console_installs_what_the_plan_says() {
    let start = one_server();
    let by_package = start.snapshot();
    run(&by_package, &plan_with("")).unwrap();
    let by_hand = start.snapshot();
    let plan = plan_with("[portal]\nmethod = 'console'");
    let (end, heard) = run_without(&by_hand, &plan, &[]);
    assert!(matches!(end, Ok(End::Done { .. })), "{end:?}");
    assert!(heard.contains(&"asked: install-portal".to_owned()), "{heard:?}");
    assert_same(&whole(&by_package), &whole(&by_hand), "installed in the console");
    rollback(&by_hand).unwrap().unwrap();
    assert_same(&without_what_stays(whole(&start)), &without_what_stays(whole(&by_hand)), "rolled back");
}

#[test]
fn an_agent_server_hands_over_to_its_web_servers() {
    let disk = demo_machine("agent-server");
    run(&disk, &plan("agent-server")).unwrap();
    let found = last_run(&disk).unwrap();
    let note = get(&disk, found.frozen.folders.run.child("hand-over.txt").as_str()).unwrap();
    for name in [PORTAL, MOBILE] {
        let file = path(AGENT).child(name);
        let sum = disk::hash(&disk, &file).unwrap();
        assert!(note.contains(&format!("{file}  SHA-256 {sum}\r\n")), "{note}");
    }
    assert!(note.contains("/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx\""), "{note}");
    let summary = Summary::of(&found, boot(&disk).inspect()).unwrap();
    let left = summary.by_hand.iter().find(|left| left.title == "Upgrade the web servers").unwrap();
    assert!(left.lines.iter().any(|line| line.contains(PORTAL)), "{left:?}");
    // A server that has its web parts itself hands nothing over.
    let disk = start_with_packages();
    assert!(!last_run(&disk).unwrap().frozen.steps.iter().any(|step| step.id == "hand-over"));
}

/// A person who installs the portal under another name than the gate says.
struct Elsewhere<'a>(Person<'a>, &'a Simulated);

impl Operator for Elsewhere<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        let Some(Op::Install { package, properties, log }) = gate.by_hand.as_deref() else {
            return self.0.at_gate(gate, still);
        };
        let mut properties = properties.clone();
        properties.insert("TARGETVDIR".to_owned(), "Portal2".to_owned());
        let install = Op::Install { package: package.clone(), properties, log: log.clone() };
        match self.1.perform(&install, &mut |_| {}) {
            Ok(_) => Answer::Done { by: "simulated operator".to_owned() },
            Err(_) => Answer::Later,
        }
    }
}

fn run_elsewhere(machine: &Simulated, platform: &dyn Platform) -> Result<End, EngineError> {
    let clock = clock();
    let engine = engine(platform, &clock);
    let plan = plan_with("[portal]\nmethod = 'console'");
    let prepared = prepare(platform.inspect(), &*clock, &plan, &engine.state).unwrap();
    engine.run(&prepared.frozen, &mut Elsewhere(Person::at(machine), machine), &mut Silent)
}

#[test]
fn an_application_that_was_installed_under_another_name_is_renamed_and_comes_back() {
    let start = one_server();
    let before = without_what_stays(whole(&start));
    let renamed = start.snapshot();
    let machine = boot(&renamed);
    let all = Faulty::counting(&machine, || ());
    assert_eq!(run_elsewhere(&machine, &all).unwrap(), End::Done { reboot: false });
    let folder = r"C:\inetpub\wwwroot\Portal2";
    let iis = iis(&renamed).unwrap();
    let site = &iis.sites[0].name;
    let portal = iis.application(site, "/MultiFactorAuth").unwrap();
    assert!(portal.folder == path(folder) && !portal.settings.is_empty(), "{portal:?}");
    assert!(iis.application(site, "/Portal2").is_none());
    assert!(get(&renamed, &format!(r"{folder}\web.config")).unwrap().contains("svc-pfportal"));
    assert!(get(&renamed, &format!(r"{folder}\app_offline.htm")).is_none());
    assert!(!disk::exists(&renamed, &path(r"C:\inetpub\wwwroot\MultiFactorAuth")).unwrap());
    let whole_renamed = whole(&renamed);
    rollback(&renamed).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&renamed)), "rolled back");

    // The same, whatever interrupts it.
    let performed = all.performed();
    let at =
        |words: &str| performed.iter().position(|text| text.starts_with(words)).unwrap_or_else(|| panic!("{words}"));
    let config = format!(r"write {folder}\web.config");
    for words in [
        &format!("close {folder}"),
        "rename the application /Portal2",
        &config,
        "configure the application /MultiFactorAuth of",
    ] {
        for fault in [Fault::Fails, Fault::KilledBefore, Fault::KilledAfter] {
            let disk = start.snapshot();
            let machine = boot(&disk);
            let faulty = Faulty::new(&machine, at(words), fault, || disk.stop());
            run_elsewhere(&machine, &faulty).unwrap_err();
            let (on, back) = (disk.snapshot(), disk.snapshot());
            resume(&on).unwrap().unwrap();
            assert_same(&whole_renamed, &whole(&on), &format!("{words} {fault:?}, resumed"));
            rollback(&back).unwrap().unwrap();
            assert_same(&before, &without_what_stays(whole(&back)), &format!("{words} {fault:?}, rolled back"));
        }
    }
}

/// Says of the old portal whether a package of Windows Installer has put it there.
fn portal_by_windows_installer(disk: &MemoryDisk, is: u32) {
    let (code, _) = product(disk, "User Portal");
    change(disk, |facts| {
        let below = [r"HKLM\SOFTWARE\Microsoft", r"HKLM\SOFTWARE\WOW6432Node\Microsoft"];
        let keys = below.map(|below| format!(r"{below}\Windows\CurrentVersion\Uninstall\{code}"));
        let key = keys.into_iter().find(|key| facts.registry.key(key).is_some()).unwrap();
        facts.registry.set(&key, "WindowsInstaller", Value::Number(is));
    });
}

#[test]
fn a_product_that_says_no_way_to_uninstall_it_is_uninstalled_by_a_person() {
    let start = one_server();
    portal_by_windows_installer(&start, 0);
    let plan = plan_with("[preflight]\nallow = [\"no-way-back\"]");
    let waits = |end: Result<End, EngineError>| match end {
        Ok(End::Waiting(gate)) => assert_eq!(gate.id, "uninstall-portal"),
        end => panic!("{end:?}"),
    };
    let disk = start.snapshot();
    waits(run(&disk, &plan));
    waits(resume(&disk).unwrap());

    // Back again while it waits.
    let back = disk.snapshot();
    assert_eq!(rollback(&back).unwrap().unwrap(), End::RolledBack);
    assert_same(&without_what_stays(whole(&start)), &without_what_stays(whole(&back)), "rolled back at the gate");

    // The person does it, and the run goes on.
    portal_by_windows_installer(&disk, 1);
    let (code, _) = product(&disk, "User Portal");
    let op = Op::Uninstall { code: code.into(), name: String::new(), log: path(r"C:\by-hand.log"), way_back: None };
    boot(&disk).perform(&op, &mut |_| {}).unwrap();
    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
}
