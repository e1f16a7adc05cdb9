//! Gates: what only a person can do, and what is seen without asking.

use crate::support::runs::program;
use crate::support::*;

use pfupgrade::engine::{Answer, End, EngineError, Event, Operator, Watcher};
use pfupgrade::platform::clock::Clock;
use pfupgrade::platform::disk;
use pfupgrade::platform::op::Gate;
use pfupgrade::prepare::prepare;
use pfupgrade::webconfig::Side;
use std::collections::BTreeMap;

const LOG: &str = r"C:\Program Files\PhoneFactor\Logs\MultiFactorAuthSvc.log";

/// Runs the setup, takes the line away by which the service says that the data is upgraded, and has no more time.
struct Hasty<'a>(Person<'a>, &'a disk::MemoryDisk);

impl Operator for Hasty<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        if gate.id != "server-setup" {
            return Answer::Later;
        }
        let answer = self.0.at_gate(gate, still);
        put(self.1, LOG, "");
        answer
    }
}

/// Keeps the ids of the gates at which somebody was asked, and who answered.
#[derive(Default)]
struct Gates(Vec<String>);

impl Watcher for Gates {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Gate { gate } => self.0.push(format!("{} asked", gate.id)),
            Event::Answered { gate, by, .. } => self.0.push(format!("{gate}: {by}")),
            _ => {}
        }
    }
}

#[test]
fn the_data_upgrade_is_waited_for_as_long_as_the_plan_says_and_then_a_person_is_asked() {
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let plan = plan_with("data-upgrade-timeout = \"45m\"");
    let prepared = prepare(&machine, &*clock, &plan, &engine.state).unwrap();
    let begun = clock.now();
    let mut gates = Gates::default();
    let end = engine.run(&prepared.frozen, &mut Hasty(Person::at(&machine), &disk), &mut gates).unwrap();
    assert!(matches!(&end, End::Waiting(gate) if gate.id == "activation"), "{end:?}");
    assert_eq!(clock.now().duration_since(begun).as_secs(), 45 * 60);
    assert_eq!(gates.0, ["server-setup asked", "server-setup: simulated operator", "activation asked"]);

    // The operator's word is enough, and so is the line in the log.
    let line = "Completed performing tasks to upgrade from 5 to 7";
    for (log, by) in [("", "simulated operator"), (line, "seen on the machine")] {
        let disk = disk.snapshot();
        put(&disk, LOG, log);
        assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
        let records = last_run(&disk).unwrap().records;
        let told = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect::<String>();
        assert!(told.contains(&format!("\"gate\":\"activation\",\"by\":\"{by}\"")), "{log:?}");
    }
}

#[test]
fn gates_that_the_plan_skips_are_answered_by_it() {
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let plan = plan_with(
        "[gates]\nportal-url = { skip = \"done by the identity team\" }\nmobile-app-url = { skip = \"no phones left\" }",
    );
    let prepared = prepare(&machine, &*clock, &plan, &engine.state).unwrap();
    let mut gates = Gates::default();
    engine.run(&prepared.frozen, &mut Person::at(&machine), &mut gates).unwrap();
    assert_eq!(
        gates.0,
        [
            "server-setup asked",
            "server-setup: simulated operator",
            "portal-url: plan: done by the identity team",
            "mobile-app-url: plan: no phones left",
        ]
    );
}

#[test]
fn names_that_are_kept_need_no_gate() {
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let state = engine(&machine, &clock).state;
    let gates_of = |name: &str| {
        let preview = prepare(&machine, &*clock, &plan(name), &state).unwrap().preview;
        let gates = preview.steps.into_iter().filter_map(|step| step.gate).map(|gate| gate.id);
        gates.collect::<Vec<String>>()
    };
    assert_eq!(gates_of("one-server"), ["server-setup", "activation", "portal-url", "mobile-app-url"]);
    assert_eq!(gates_of("keep-directory-names"), ["server-setup", "activation"]);
}

/// Does what every gate asks but one.
struct Undecided<'a>(Person<'a>, &'static str);

impl Operator for Undecided<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        if gate.id == self.1 { Answer::Later } else { self.0.at_gate(gate, still) }
    }
}

const PAGES: &str = "system.web/pages/@controlRenderingCompatibilityVersion";

/// A machine whose portal has an attribute that the new version, which comes with the server's setup, brings as well.
fn with_a_conflict_that_is_known_later() -> disk::MemoryDisk {
    let disk = one_server();
    let file = r"C:\inetpub\wwwroot\PhoneFactor\web.config";
    let text = get(&disk, file).unwrap();
    put(
        &disk,
        file,
        text.replacen("validateRequest=", "controlRenderingCompatibilityVersion=\"3.5\" validateRequest=", 1),
    );
    disk
}

fn portal_of(disk: &disk::MemoryDisk) -> String {
    get(disk, r"C:\inetpub\wwwroot\MultiFactorAuth\web.config").unwrap()
}

#[test]
fn a_conflict_that_is_known_only_later_is_a_gate_of_its_component() {
    let disk = with_a_conflict_that_is_known_later();
    disk.sync_all();
    let before = whole(&disk);
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let prepared = prepare(&machine, &*clock, &plan("one-server"), &engine.state).unwrap();
    let mut person = Undecided(Person::at(&machine), "decide-portal");
    let mut gates = Gates::default();
    let end = engine.run(&prepared.frozen, &mut person, &mut gates).unwrap();
    let End::Waiting(gate) = end else { panic!("{end:?}") };
    assert_eq!(gate.id, "decide-portal");
    assert!(gate.instructions.iter().any(|line| line.contains(PAGES) && line.contains("3.5") && line.contains("4.0")));
    // The others are open; this one is not, with whatever configuration.
    let offline = |folder: &str| get(&disk, &format!(r"{folder}\app_offline.htm")).is_some();
    assert!(offline(r"C:\inetpub\wwwroot\MultiFactorAuth"));
    assert!(!offline(r"C:\inetpub\wwwroot\MultiFactorAuthWebServiceSdk"));
    assert!(!offline(r"D:\Sites\Mobile\MultiFactorAuthMobileAppWebService"));

    // What is no conflict cannot be decided, and nothing is noted of it.
    let found = engine.last_run().unwrap().unwrap();
    let records = found.records.len();
    let wrong = BTreeMap::from([(PAGES.to_owned(), Side::Old), ("system.web/pages/@theme".to_owned(), Side::Old)]);
    match engine.decide(found, &wrong) {
        Err(EngineError::NoConflict { path, known }) => {
            assert_eq!((path.as_str(), known), ("system.web/pages/@theme", vec![PAGES.to_owned()]));
        }
        other => panic!("{other:?}"),
    }
    let found = engine.last_run().unwrap().unwrap();
    assert_eq!(found.records.len(), records);

    let way_back = disk.snapshot();
    let mut decided = |side: Side, value: &str| {
        let disk = disk.snapshot();
        let machine = boot(&disk);
        let engine = crate::support::engine(&machine, &clock);
        let found = engine.last_run().unwrap().unwrap();
        let found = engine.decide(found, &BTreeMap::from([(PAGES.to_owned(), side)])).unwrap();
        let end = engine.resume(&found, &mut Undecided(Person::at(&machine), "decide-portal"), &mut gates).unwrap();
        assert_eq!(end, End::Done { reboot: false });
        assert!(portal_of(&disk).contains(&format!("controlRenderingCompatibilityVersion=\"{value}\"")), "{side:?}");
        assert!(get(&disk, r"C:\inetpub\wwwroot\MultiFactorAuth\app_offline.htm").is_none());
    };
    decided(Side::Old, "3.5");
    decided(Side::New, "4.0");
    // To confirm the gate without a decision keeps the new value.
    assert_eq!(resume(&disk).unwrap().unwrap(), End::Done { reboot: false });
    assert!(portal_of(&disk).contains("controlRenderingCompatibilityVersion=\"4.0\""));
    rollback(&way_back).unwrap().unwrap();
    assert_same(&without_what_stays(before), &without_what_stays(whole(&way_back)), "rolled back at the gate");
}

#[test]
fn every_gate_that_a_run_waits_at_is_named() {
    let place = tempfile::tempdir().unwrap();
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/plans/one-server.toml");
    program(place.path()).runs(&["run", plan, "--ask", "--yes", "--simulate=m"]).ends_with(5);
    program(place.path()).says("resume --confirm server-setup --ask --simulate=m").ends_with(5);
    let resume = program(place.path()).says("resume --confirm portal-url --ask --simulate=m").ends_with(5);
    resume.says("at the manual step portal-url and mobile-app-url\n");
    let resume = program(place.path()).says("resume --confirm mobile-app-url --ask --simulate=m").ends_with(0);
    resume.says("at the manual step mobile-app-url\n");
}
