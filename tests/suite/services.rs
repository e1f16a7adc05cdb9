//! Services that others run on top of the agent's: they stop with it, and are not forgotten.

use crate::support::*;

use pfupgrade::engine::{Answer, EngineError, Operator, Silent};
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::facts::{Service, ServiceState, StartType};
use pfupgrade::platform::op::{Gate, Op};
use pfupgrade::platform::simulated::{MachineFacts, Simulated};
use pfupgrade::prepare::prepare;
use pfupgrade::report::summary::Summary;

const HOOK: &str = "[[hook]]\nbefore = \"uninstall-portal\"\nrun = ['C:\\Scripts\\hook.exe']\n";

fn service(name: &str, needs: &str, start: StartType) -> Service {
    Service {
        name: name.into(),
        display_name: format!("Contoso {name}"),
        image_path: format!(r"C:\Contoso\{name}.exe"),
        state: ServiceState::Running,
        start,
        account: r"CONTOSO\svc".to_owned(),
        depends_on: vec![needs.into()],
    }
}

/// A server on which reports need a monitor, the monitor needs the agent, and something else needs neither.
fn server() -> MemoryDisk {
    let disk = one_server();
    let program = "simulated-program = 1\nproduct = \"Contoso\"\nversion = \"1\"\n";
    for name in ["Reports", "Monitor", "Other"] {
        put(&disk, &format!(r"C:\Contoso\{name}.exe"), program);
    }
    put_hook(&disk, 0);
    change(&disk, |facts| {
        facts.services.insert(0, service("Reports", "monitor", StartType::Manual));
        facts.services.push(service("Monitor", "PFSvc", StartType::Automatic));
        facts.services.push(service("Other", "EventLog", StartType::Manual));
    });
    disk.sync_all();
    disk
}

fn running(disk: &MemoryDisk) -> Vec<String> {
    let facts = MachineFacts::read(disk).unwrap();
    let running = facts.services.iter().filter(|service| service.state == ServiceState::Running);
    running.map(|service| service.name.to_string()).collect()
}

#[test]
fn services_that_depend_on_the_agent_run_again_when_the_outage_is_called_off() {
    let disk = server();
    let before = running(&disk);
    assert_eq!(before, ["Reports", "PFSvc", "Monitor", "Other"]);
    put_hook(&disk, 1);
    let ended = run(&disk, &plan_with(HOOK));
    assert!(matches!(ended, Err(EngineError::Step { nothing_lost: true, .. })), "{ended:?}");
    assert_eq!(running(&disk), before);
    // They stop before what they need, so that the journal has each of them as it was.
    let stop = last_run(&disk).unwrap().frozen.steps.iter().find(|step| step.id == "stop-services").cloned().unwrap();
    assert_eq!(stop.work.kind().title(), "Stop Reports, Monitor, PFSvc: the outage starts");
}

#[test]
fn services_that_depend_on_the_agent_are_as_they_were_after_a_rollback() {
    let start = server();
    let before = without_what_stays(whole(&start));
    let plan = plan_with(HOOK);
    let disk = start.snapshot();
    run(&disk, &plan).unwrap();
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
    let cuts =
        ["stop the service Reports", "stop the service Monitor", "stop the service PFSvc", "back up C:\\Program"];
    for cut in cuts.into_iter().chain(["uninstall PhoneFactor User Portal", "uninstall PhoneFactor Agent"]) {
        let disk = killed_before(&start, &plan, cut);
        rollback(&disk).unwrap().unwrap();
        assert_same(&before, &without_what_stays(whole(&disk)), cut);
    }
}

#[test]
fn what_cannot_be_started_again_is_named_at_the_end() {
    let disk = server();
    run(&disk, &plan_with(HOOK)).unwrap();
    assert_eq!(running(&disk), ["Other", "MultiFactorAuth", "MultiFactorAuthAdSync"]);
    let summary = Summary::of(&last_run(&disk).unwrap(), boot(&disk).inspect()).unwrap();
    let left = summary.by_hand.iter().find(|left| left.title.starts_with("Check services")).unwrap();
    let expected = ["Monitor: it depends on PFSvc", "Reports: it depends on monitor"];
    for (line, expected) in left.lines.iter().zip(expected) {
        assert_eq!(line, &format!("{expected}, which is no longer running"));
    }
    assert_eq!(left.lines.len(), 2);
}

/// A person who has the monitor depend on the new server.
struct Administrator<'a>(Person<'a>, &'a MemoryDisk, &'a Simulated);

impl Operator for Administrator<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        let answer = self.0.at_gate(gate, still);
        if gate.id == "server-setup" {
            change(self.1, |facts| {
                let monitor = facts.services.iter_mut().find(|service| service.name == "Monitor").unwrap();
                monitor.depends_on = vec!["MultiFactorAuth".into()];
            });
            self.2.refresh().unwrap();
        }
        answer
    }
}

#[test]
fn what_can_be_started_again_runs_at_the_end() {
    let disk = server();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let prepared = prepare(machine.inspect(), &*clock, &plan_with(""), &engine.state).unwrap();
    let mut person = Administrator(Person::at(&machine), &disk, &machine);
    engine.run(&prepared.frozen, &mut person, &mut Silent).unwrap();
    assert_eq!(running(&disk), ["Reports", "Monitor", "Other", "MultiFactorAuth", "MultiFactorAuthAdSync"]);
    let summary = Summary::of(&last_run(&disk).unwrap(), machine.inspect()).unwrap();
    assert!(!summary.by_hand.iter().any(|left| left.title.starts_with("Check services")));
}

#[test]
fn a_simulated_service_stops_with_what_it_needs_and_starts_what_it_needs() {
    let disk = server();
    let machine = boot(&disk);
    let outcome = machine.perform(&Op::stop(&"PFSvc".into()), &mut |_| {}).unwrap();
    assert_eq!(running(&disk), ["Other"]);
    assert_eq!(outcome.notes.len(), 2, "{:?}", outcome.notes);
    let start = |name: &str| Op::Service { name: name.into(), state: ServiceState::Running, start: None };
    machine.perform(&start("Reports"), &mut |_| {}).unwrap();
    assert_eq!(running(&disk), ["Reports", "PFSvc", "Monitor", "Other"]);
    machine.perform(&Op::stop(&"Other".into()), &mut |_| {}).unwrap();
    let failure = machine.perform(&start("Other"), &mut |_| {}).unwrap_err();
    assert!(failure.why.contains("error 1075") && failure.why.contains("EventLog"), "{failure}");
    let text = machine.facts().to_text().unwrap().replace("\"EventLog\"", "\"Other\"");
    assert!(MachineFacts::from_text(&text).unwrap_err().contains("Other depends on itself"));
}
