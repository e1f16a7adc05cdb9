//! A run is finished once the new version has been seen working, and not before.

use crate::support::{self, program::Program};
use crate::support::{Person, boot, clock, engine, one_server, path, plan, put, resume};
use pfupgrade::engine::{Answer, End, Operator, Silent};
use pfupgrade::platform::disk;
use pfupgrade::platform::op::Gate;
use pfupgrade::platform::simulated::{MachineFacts, Scripted, ScriptedResponse};
use pfupgrade::prepare::prepare;
use std::fs;

/// A demo machine whose facts are changed.
fn with(change: impl FnOnce(&mut MachineFacts)) -> Program {
    let program = Program::after("plan --quiet", 0);
    alter(&program, change);
    program
}

fn alter(program: &Program, change: impl FnOnce(&mut MachineFacts)) {
    let file = program.at("machine.toml");
    let mut facts = MachineFacts::from_text(&fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut facts);
    fs::write(file, facts.to_text().unwrap()).unwrap();
}

const NEW_PORTAL: &str = "https://mfa.fabrikam.example/MultiFactorAuth/";

/// The new portal answers with an error.
fn broken(facts: &mut MachineFacts) {
    facts.answers.insert(NEW_PORTAL.to_owned(), 500.into());
}

fn mended(facts: &mut MachineFacts) {
    facts.answers.clear();
}

#[test]
fn a_portal_that_does_not_work_keeps_the_run_open() {
    let program = with(broken);
    let ended = program.ends("run --yes --quiet", 11);
    assert!(ended.err.contains("The new version is installed, but 1 check failed:"), "{}", ended.err);
    assert!(ended.err.contains("the User Portal responds") && ended.err.contains("500"), "{}", ended.err);
    let next = ["next: fix the failed checks, then run: pfupgrade resume --simulate=machine"];
    assert_eq!(ended.next()[..1], next);
    // Everybody says the same, and the console steps were not reached.
    let status = program.ends("status", 0);
    assert!(status.out.contains("22 of 25 done") && status.out.contains("ongoing"), "{}", status.out);
    assert_eq!(status.next(), ended.next());
    assert!(program.ends("verify", 11).out.contains("FAILED  the User Portal responds"));
    program.ends("resume --quiet", 11);
    program.ends("run --yes --quiet", 11);
    let report = program.ends("report", 0).out;
    for told in ["**Failed.** Everything is installed, but", "| **failed: https://mfa.fabrikam.example/"] {
        assert!(report.contains(told), "{told}: {report}");
    }
    // Once it works, the run goes on to its end.
    alter(&program, mended);
    program.ends("resume --quiet", 0);
    program.ends("verify --quiet", 0);
}

#[test]
fn a_run_with_faults_can_be_rolled_back() {
    let program = with(broken);
    program.ends("run --yes --quiet", 11);
    program.ends("rollback --yes --quiet", 0);
    assert!(program.at("C/inetpub/wwwroot/PhoneFactor/web.config").exists());
}

#[test]
fn hooks_behind_the_verify_step_wait_for_it() {
    let program = with(broken);
    let hook = "\n[[hook]]\nafter = 'verify'\nrun = ['C:\\Install\\hook.exe']\n";
    let plan = program.beside("pfupgrade.toml");
    fs::write(&plan, fs::read_to_string(&plan).unwrap() + hook).unwrap();
    fs::write(program.at("C/Install/hook.exe"), "[simulated-program]\n\n[[action]]\ndo = \"exit\"\ncode = 3\n")
        .unwrap();
    program.ends("run --yes --quiet", 11);
    alter(&program, mended);
    // The hook fails now, and not before.
    program.ends("resume --quiet", 1);
}

#[test]
fn every_check_of_verify_is_in_the_journal() {
    let program = Program::after("run --yes --quiet", 0);
    let verify = program.ends("verify --json", 0).document();
    let checks = verify["checks"].as_array().unwrap().iter().filter(|check| check["backup"] == false);
    let names: Vec<&str> = checks.map(|check| check["what"].as_str().unwrap()).collect();
    let report = program.ends("report --json", 0).document();
    let recorded: Vec<&str> =
        report["verified"]["checks"].as_array().unwrap().iter().map(|check| check["what"].as_str().unwrap()).collect();
    assert_eq!(recorded, names);
    assert!(names.len() > 15, "{names:?}");
}

#[test]
fn kept_directory_names_are_no_leftovers() {
    let program = Program::new();
    let plans = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    fs::copy(plans.join("keep-directory-names.toml"), program.beside("pfupgrade.toml")).unwrap();
    program.ends("run --yes --quiet", 0);
    program.ends("verify", 0);
    // One kept name is enough.
    let program = Program::new();
    let plan = program.beside("pfupgrade.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("\"MultiFactorAuth\"", "\"PhoneFactor\"")).unwrap();
    program.ends("run --yes --quiet", 0);
    program.ends("verify", 0);
}

/// What a URL responds while the old version is there, and the new one.
fn scripted(old: u16, new: u16) -> Scripted {
    Scripted::Response(ScriptedResponse { old: Some(old), new: Some(new), ..ScriptedResponse::default() })
}

const OLD_PORTAL: &str = "https://mfa.fabrikam.example/PhoneFactor/";

#[test]
fn the_new_version_has_to_respond_as_well_as_the_old_one() {
    for (old, new, code) in [
        (200, 200, 0),
        (200, 401, 11),
        (200, 500, 11),
        (401, 403, 0),
        (401, 200, 0),
        (401, 404, 11),
        // Nobody can say that the upgrade broke it; the preview says that it is broken.
        (500, 503, 0),
        (500, 200, 0),
    ] {
        let program = with(|facts| {
            facts.answers.insert(OLD_PORTAL.to_owned(), old.into());
            facts.answers.insert(NEW_PORTAL.to_owned(), new.into());
        });
        let preview = program.ends("plan", 0).out;
        let is_silent = preview.contains("[no-answer]") && preview.contains(&format!("responds with {old}"));
        assert_eq!(is_silent, old == 500, "{preview}");
        let ended = program.ends("run --yes --quiet", code);
        let told = format!("before the upgrade: {old} from {OLD_PORTAL}");
        assert_eq!(ended.err.contains(&told), code == 11, "{old} {new}: {}", ended.err);
        program.ends("verify --quiet", code);
    }
}

#[test]
fn a_kept_name_responds_by_what_is_installed_there() {
    let program = with(|facts| drop(facts.answers.insert(OLD_PORTAL.to_owned(), scripted(200, 500))));
    let plan = program.beside("pfupgrade.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("\"MultiFactorAuth\"", "\"PhoneFactor\"")).unwrap();
    let ended = program.ends("run --yes --quiet", 11);
    assert!(ended.err.contains("/PhoneFactor/ responds with 500; before the upgrade"), "{}", ended.err);
}

/// The portal redirects to this place.
fn redirects(to: &str) -> Scripted {
    let location = Some(to.to_owned());
    Scripted::Response(ScriptedResponse { old: Some(302), location, ..ScriptedResponse::default() })
}

#[test]
fn redirects_are_followed_on_the_same_host() {
    let login = "https://mfa.fabrikam.example/MultiFactorAuth/login.aspx";
    for (to, at_login, code) in [
        ("login.aspx?ReturnUrl=%2f", Some(200), 0),
        ("/MultiFactorAuth/login.aspx", Some(500), 11),
        ("/MultiFactorAuth/error.htm?aspxerrorpath=/MultiFactorAuth/", None, 11),
        ("/MultiFactorAuth/", None, 11),
        ("https://sso.fabrikam.example/", None, 11),
    ] {
        let program = with(|facts| {
            facts.answers.insert(NEW_PORTAL.to_owned(), redirects(to));
            for url in [login.to_owned(), format!("{login}?ReturnUrl=%2f")] {
                facts.answers.extend(at_login.map(|status| (url, Scripted::Status(status))));
            }
        });
        program.ends("run --yes --quiet", code);
    }
}

#[test]
fn a_certificate_that_got_worse_is_a_fault() {
    let expired = |old: bool, new: bool| {
        let of = |is: bool| ScriptedResponse {
            old: Some(200),
            certificate: is.then(|| "it has expired".to_owned()),
            ..ScriptedResponse::default()
        };
        with(|facts| {
            facts.answers.insert(OLD_PORTAL.to_owned(), Scripted::Response(of(old)));
            facts.answers.insert(NEW_PORTAL.to_owned(), Scripted::Response(of(new)));
        })
    };
    expired(true, true).ends("run --yes --quiet", 0);
    let ended = expired(false, true).ends("run --yes --quiet", 11);
    assert!(
        ended.err.contains("does not trust the certificate") && ended.err.contains("it has expired"),
        "{}",
        ended.err
    );
}

#[test]
fn another_machine_of_that_name_is_not_asked() {
    let program = with(|facts| {
        broken(facts);
        facts.host_names = Some(Vec::new());
    });
    let file = program.at("C/Windows/System32/inetsrv/config/applicationHost.config");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("*:443:\"", "*:443:mfa.fabrikam.example\"")).unwrap();
    program.ends("run --yes --quiet", 0);
    let shown = program.ends("verify", 0).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("was not requested, because mfa.fabrikam.example is not this server"), "{shown}");
}

#[test]
fn urls_of_the_plan_are_requested_as_well() {
    let url = "https://mfa01/intranet/status";
    let planned = |old: u16, new: u16| {
        let program = with(|facts| {
            // The site's application is the portal's, once it is new.
            drop(facts.answers.insert(url.to_owned(), scripted(old, new)));
        });
        let plan = program.beside("pfupgrade.toml");
        let text = fs::read_to_string(&plan).unwrap();
        fs::write(&plan, format!("{text}\n[verify]\nurl = [\"{url}\"]\n")).unwrap();
        program
    };
    planned(200, 200).ends("run --yes --quiet", 0);
    let program = planned(200, 200);
    program.ends("run --yes --quiet --ask", 5);
    alter(&program, |facts| drop(facts.answers.insert(url.to_owned(), 500.into())));
    let ended = program.ends("resume --confirm server-setup --quiet", 11);
    assert!(ended.err.contains("/intranet/status responds with 500; before the upgrade"), "{}", ended.err);
    let plan = program.beside("other.toml");
    fs::write(plan, "format = 1\n[verify]\nurl = ['https://anna:secret@mfa01/']\n").unwrap();
    let said = program.ends("plan other.toml", 2).err;
    assert!(said.contains("contains a user name"), "{said}");
}

const DATA: &str = r"C:\Program Files\PhoneFactor\Data";

/// Runs the setup as it is asked to, and then something happens to the data folder; activates nothing.
struct Careless<'a>(Person<'a>, &'a dyn Fn());

impl Operator for Careless<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        if gate.id == "activation" {
            return Answer::Later;
        }
        let answer = self.0.at_gate(gate, still);
        if gate.id == "server-setup" {
            (self.1)();
        }
        answer
    }
}

#[test]
fn what_the_setup_has_lost_is_asked_about() {
    let file = |name: &str| format!(r"{DATA}\{name}");
    for (name, content, told) in [
        ("PhoneFactor.pfdata", Some(""), "PhoneFactor.pfdata is empty"),
        ("PhoneFactor.pfdata", None, "PhoneFactor.pfdata is missing"),
        ("PhoneFactor.pfdata", Some("PFDATA 7\n"), "PhoneFactor.pfdata had "),
        ("licenseKey", None, "licenseKey is missing"),
        ("cert", Some("another"), "cert has changed"),
        ("groupName", Some("Elsewhere"), "the replication group was Fabrikam and is Elsewhere"),
        ("groupName", None, "groupName is missing"),
    ] {
        let disk = one_server();
        let (machine, clock) = (boot(&disk), clock());
        let engine = engine(&machine, &clock);
        let prepared = prepare(&machine, &*clock, &plan("one-server"), &engine.state).unwrap();
        let harm = || match content {
            Some(content) => put(&disk, &file(name), content),
            None => disk::remove(&disk, &path(&file(name))).unwrap(),
        };
        let mut person = Careless(Person::at(&machine), &harm);
        let end = engine.run(&prepared.frozen, &mut person, &mut Silent).unwrap();
        let End::Waiting(gate) = end else { panic!("{name}: {end:?}") };
        assert_eq!(gate.id, "activation");
        let last = gate.instructions.last().unwrap();
        assert!(last.starts_with("Check this before you confirm: ") && last.contains(told), "{told}: {last}");
        // Whoever confirms it has looked at it.
        let end = resume(&disk).unwrap().unwrap();
        match told.ends_with("is empty") || told.ends_with("pfdata is missing") {
            true => assert!(matches!(end, End::Faults { .. }), "{told}: nobody can sign in without users"),
            false => assert_eq!(end, End::Done { reboot: false }),
        }
    }
}

#[test]
fn the_replication_group_is_named_at_the_end() {
    let program = Program::after("plan --quiet", 0);
    let ended = program.ends("run --yes --quiet", 0).out;
    let told = ["Make sure that the server is in its replication group", "before the upgrade: Fabrikam"];
    assert!(told.iter().all(|told| ended.contains(told)), "{ended}");
}

/// How the run on a changed demo machine ends.
fn ended(change: impl FnOnce(&mut MachineFacts)) -> End {
    let disk = one_server();
    support::change(&disk, change);
    support::run(&disk, &plan("one-server")).unwrap()
}

#[test]
fn a_module_of_iis_without_its_file_stops_every_pool() {
    let agent = path(r"C:\Program Files\PhoneFactor\PFSvc.exe");
    let end = ended(|facts| {
        facts.web_server.as_mut().unwrap().global_modules.insert("PhoneFactorFilter".to_owned(), agent);
    });
    let End::Faults { faults } = end else { panic!("{end:?}") };
    assert!(matches!(&faults[..], [fault] if fault.contains("PhoneFactorFilter: ")), "{faults:?}");
}

#[test]
fn a_service_that_ran_needs_a_running_successor() {
    let more = |facts: &mut MachineFacts, number: usize| {
        for number in 0..number {
            let mut service = facts.service("PFSvc").unwrap().clone();
            service.name = format!("PFRadius{number}").into();
            service.image_path = r"C:\Program Files\PhoneFactor\PFRadius.exe".to_owned();
            facts.services.push(service);
        }
    };
    // The new version has two.
    assert_eq!(ended(|facts| more(facts, 1)), End::Done { reboot: false });
    let end = ended(|facts| more(facts, 2));
    let End::Faults { faults } = end else { panic!("{end:?}") };
    assert!(matches!(&faults[..], [fault] if fault.contains("stopped: PFRadius0, PFRadius1")), "{faults:?}");
}

#[test]
fn verify_after_a_rollback_looks_at_what_was_before() {
    let program = Program::after("run --yes --quiet", 0);
    program.ends("rollback --yes --quiet", 0);
    let shown = program.ends("verify", 0).out;
    assert!(shown.contains("passed  products, web applications, services and InstallPath are as before"), "{shown}");
    alter(&program, |facts| facts.services.retain(|service| service.name != *"PFSvc"));
    let shown = program.ends("verify", 11).out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("the service PFSvc is missing"), "{shown}");
}

#[test]
fn a_successor_counts_however_its_program_is_written() {
    let disk = one_server();
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let prepared = prepare(&machine, &*clock, &plan("one-server"), &engine.state).unwrap();
    // Windows resolves variables of the system in the path of a service's program.
    let shorten = || {
        support::change(&disk, |facts| {
            for service in &mut facts.services {
                service.image_path = service.image_path.replace(r"C:\Program Files", "%ProgramFiles%");
            }
        });
        machine.refresh().unwrap();
    };
    let mut person = Careless(Person::at(&machine), &shorten);
    assert_eq!(engine.run(&prepared.frozen, &mut person, &mut Silent).unwrap(), End::Done { reboot: false });
}
