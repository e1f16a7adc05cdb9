//! `init`: a plan for every machine, which is good as it is wherever the machine itself decides.

use crate::support::mixes::*;
use crate::support::*;

use pfupgrade::draft::{Draft, draft};
use pfupgrade::engine::End;
use pfupgrade::plan::{Component, Plan};
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::facts::Bits;
use pfupgrade::platform::registry::Value;
use pfupgrade::platform::simulated::demo;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn drafted(disk: &MemoryDisk) -> (Draft, Plan) {
    let machine = boot(disk);
    let draft = draft(machine.inspect(), &*clock(), &path(r"C:\ProgramData\pfupgrade"), &[]).unwrap();
    let plan = Plan::read(draft.text.as_bytes(), "drafted").unwrap_or_else(|errors| panic!("{}\n{errors}", draft.text));
    assert!(draft.text.lines().all(|line| line.chars().count() <= 250 && !line.ends_with(' ')), "{}", draft.text);
    (draft, plan)
}

fn fates(disk: &MemoryDisk, plan: &Plan) -> Vec<(String, Option<String>, String)> {
    preview(disk, plan).components.into_iter().map(|found| (found.id, found.found, found.fate)).collect()
}

#[test]
fn every_demo_machine_is_upgraded_by_what_init_writes() {
    for name in demo::NAMES {
        let disk = demo_machine(name);
        let (draft, drafted) = drafted(&disk);
        assert_eq!(draft.to_decide, [""; 0], "{}", draft.text);
        let end = run(&disk, &drafted).unwrap();
        assert!(matches!(end, End::Done { .. }), "{name}: {end:?}");
        assert_eq!(steps(&disk, &drafted), [""; 0], "{name}: a second run finds nothing to do");
    }
}

#[test]
fn what_init_writes_does_what_the_sample_plan_does() {
    for name in demo::NAMES {
        let disk = demo_machine(name);
        let (_, drafted) = drafted(&disk);
        assert_eq!(fates(&disk, &drafted), fates(&disk, &plan(name)));
        assert_eq!(steps(&disk, &drafted), steps(&disk, &plan(name)));
    }
}

#[test]
fn every_mix_of_components_has_a_plan_without_a_finding() {
    for set in 0..16_usize {
        let all = Component::ALL.into_iter().enumerate();
        let present = all.filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, component)| component).collect();
        let case = Case::of(present);
        let disk = case.machine();
        let (draft, drafted) = drafted(&disk);
        assert_eq!(draft.to_decide, [""; 0], "{case:?}\n{}", draft.text);
        assert_eq!(fates(&disk, &drafted), fates(&disk, &case.plan()), "{case:?}\n{}", draft.text);
    }
}

#[test]
fn other_places_and_a_windows_of_32_bits_are_found() {
    let places = [(Component::Portal, other_site("konto")), (Component::MobileApp, default_site("handy"))];
    let case = Case { places: places.into(), ..Case::of(Component::ALL.into()) };
    for case in [case, Case { bits: Bits::X86, ..Case::of(Component::WEB.into()) }] {
        let disk = case.machine();
        let (draft, drafted) = drafted(&disk);
        assert_eq!(draft.to_decide, [""; 0], "{case:?}\n{}", draft.text);
        assert_eq!(fates(&disk, &drafted), fates(&disk, &case.plan()), "{case:?}\n{}", draft.text);
    }
}

#[test]
fn old_names_stand_there_to_be_taken() {
    let (draft, _) = drafted(&one_server());
    for line in [
        "# virtual-directory = \"PhoneFactorWebServiceSdk\"",
        "# virtual-directory = \"PhoneFactor\"",
        "# virtual-directory = \"PhoneFactorPhoneAppWebService\"",
        "virtual-directory = \"MultiFactorAuth\"",
        "installer = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'",
        "# arguments = [\"...\"]",
    ] {
        assert!(draft.text.lines().any(|found| found == line), "{line}\n{}", draft.text);
    }
    assert!(draft.text.contains("Contoso") && draft.text.contains("login.aspx"), "{}", draft.text);
    // Every line to choose can be chosen.
    let own = draft.text.replace("\nvirtual-directory", "\n# virtual-directory");
    let own = own.lines().map(|line| match line.strip_prefix("# virtual-directory = \"PhoneFactor") {
        Some(rest) => format!("virtual-directory = \"PhoneFactor{rest}"),
        None => line.to_owned(),
    });
    let own = own.collect::<Vec<_>>().join("\n");
    assert_eq!(refusals(&one_server(), &Plan::read(own.as_bytes(), "own").unwrap()), [""; 0]);
}

#[test]
fn an_sdk_on_another_server_is_named_with_its_new_address() {
    let disk = demo_machine("web-server");
    let (draft, drafted) = drafted(&disk);
    let url = drafted.sdk.url.unwrap();
    assert!(
        url.as_str().eq_ignore_ascii_case("https://mfa.fabrikam.example:443/MultiFactorAuthWebServiceSdk/pfwssdk.asmx")
    );
    assert!(draft.text.contains("# url = \"https://mfa.fabrikam.example:443/phonefactorwebservicesdk/pfwssdk.asmx\""));
}

#[test]
fn products_that_cannot_be_told_apart_are_lines_to_choose_from() {
    let disk = one_server();
    let second = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{11111111-2222-3333-4444-555555555555}";
    change(&disk, |facts| {
        facts.registry.set(second, "DisplayName", Value::Text("PhoneFactor User Portal".to_owned()));
        facts.registry.set(second, "DisplayVersion", Value::Text("5.1.0".to_owned()));
    });
    let (code, _) = product(&disk, "User Portal");
    let (draft, _) = drafted(&disk);
    assert!(draft.to_decide[0].starts_with("[no-single-product]"), "{:?}", draft.to_decide);
    let line = format!("# product-code = \"{code}\"");
    assert!(
        draft.text.contains("# product-code = \"{11111111-2222-3333-4444-555555555555}\"   # PhoneFactor User Portal")
    );
    let chosen = draft.text.replace(&line, &line[2..]);
    assert_ne!(chosen, draft.text);
    assert_eq!(refusals(&disk, &Plan::read(chosen.as_bytes(), "chosen").unwrap()), [""; 0]);
}

#[test]
fn a_product_of_another_name_is_a_line_to_take() {
    let disk = one_server();
    let (code, _) = product(&disk, "User Portal");
    change(&disk, |facts| {
        let key = format!(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{code}");
        facts.registry.set(&key, "DisplayName", Value::Text("Konto\n[server]\naction = 'keep'".to_owned()));
    });
    let (draft, drafted) = drafted(&disk);
    assert_eq!(drafted.server.common.action, pfupgrade::plan::Action::Auto, "a name is no line of a plan");
    let line = format!("# product-code = \"{code}\"");
    let chosen = draft.text.replace(&line, &line[2..]);
    assert_ne!(chosen, draft.text);
    // Its remark stays behind it.
    let chosen = Plan::read(chosen.as_bytes(), "chosen").unwrap();
    assert_eq!(refusals(&disk, &chosen), [""; 0]);
}

fn with_setup(version: &str) -> MemoryDisk {
    let disk = one_server();
    let setup = r"C:\Install\MultiFactorAuthenticationServerSetup.exe";
    let text = get(&disk, setup).unwrap().replace("version = \"7.3.0.3\"", &format!("version = \"{version}\""));
    put(&disk, setup, text);
    disk
}

#[test]
fn a_setup_without_the_mobile_app_service_has_it_removed() {
    let (draft, drafted) = drafted(&with_setup("8.0.1.1"));
    assert_eq!(drafted.mobile_app.common.action, pfupgrade::plan::Action::Remove, "{}", draft.text);
    assert!(draft.to_decide.iter().any(|line| line.contains("will be removed")), "{:?}", draft.to_decide);

    let (draft, drafted) = self::drafted(&with_setup("unknown"));
    assert_eq!(drafted.mobile_app.common.action, pfupgrade::plan::Action::Auto, "{}", draft.text);
    assert!(draft.text.contains("\n# action = \"remove\"\n"), "{}", draft.text);
    assert!(draft.to_decide.iter().any(|line| line.starts_with("[mobile-app-dropped]")), "{:?}", draft.to_decide);
}

#[test]
fn what_is_in_the_way_is_got_around() {
    let disk = one_server();
    put(&disk, r"C:\inetpub\wwwroot\MultiFactorAuth\index.htm", "somebody else's");
    change(&disk, |facts| {
        let iis = facts.web_server.as_mut().unwrap();
        for application in iis.sites.iter_mut().flat_map(|site| &mut site.applications) {
            if application.path == "/PhoneFactor" {
                application.pool = "DefaultAppPool".to_owned();
            }
        }
    });
    let (draft, drafted) = drafted(&disk);
    assert_eq!(drafted.portal.web.virtual_directory.as_str(), "PhoneFactor", "{}", draft.text);
    assert_eq!(drafted.portal.web.application_pool.as_deref(), Some("PhoneFactor"), "{}", draft.text);
    assert_eq!(refusals(&disk, &drafted), [""; 0]);
}

#[test]
fn an_unsigned_setup_is_never_accepted_by_itself() {
    let disk = one_server();
    change(&disk, |facts| facts.signatures.clear());
    let (draft, drafted) = drafted(&disk);
    assert_eq!(refusals(&disk, &drafted), ["installer-signature"]);
    assert!(draft.text.contains("\n# signed-by = false\n"), "{}", draft.text);
}

#[test]
fn a_machine_without_any_of_it_has_a_plan_that_does_nothing() {
    let case = Case::of(Vec::new());
    let (draft, drafted) = drafted(&case.machine());
    assert_eq!(steps(&case.machine(), &drafted), [""; 0]);
    assert!(draft.text.contains("[portal] is omitted: no User Portal was found here."), "{}", draft.text);
}

#[test]
fn installers_are_found_where_people_put_them() {
    let disk = one_server();
    let setup = get(&disk, r"C:\Install\MultiFactorAuthenticationServerSetup.exe").unwrap();
    put(&disk, r"D:\It's 50% off\MultiFactorAuthenticationServerSetup.exe", setup.replace("7.3.0.3", "7.3.1.0"));
    put(&disk, r"C:\Users\Ann\Downloads\MultiFactorAuthenticationServerSetup (1).exe", setup);
    let machine = boot(&disk);
    let named = [path(r"D:\It's 50% off")];
    let draft = draft(machine.inspect(), &*clock(), &path(r"C:\ProgramData\pfupgrade"), &named).unwrap();
    let plan = Plan::read(draft.text.as_bytes(), "drafted").unwrap_or_else(|errors| panic!("{}\n{errors}", draft.text));
    assert_eq!(plan.server.common.installer, None, "a `%` would be taken for a variable");
    assert!(draft.text.contains(r#"# installer = "D:\\It's 50% off\\MultiFactor"#), "{}", draft.text);
    assert!(draft.text.contains(r"# installer = 'C:\Users\Ann\Downloads\Multi"), "{}", draft.text);
}

fn pfupgrade(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
    command.args(arguments.split_whitespace()).current_dir(folder).stdin(Stdio::null());
    command.env("TMPDIR", folder).env("TMP", folder).output().unwrap()
}

#[test]
fn init_then_plan_then_run_is_the_shortest_way() {
    let place = tempfile::tempdir().unwrap();
    let here = place.path();
    let ended = |arguments: &str, code: i32| {
        let output = pfupgrade(here, arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments}\n{said}");
        (String::from_utf8(output.stdout).unwrap(), said)
    };
    let (printed, said) = ended("init --simulate=machine", 0);
    assert_eq!(printed, "");
    assert!(said.contains("Wrote pfupgrade.toml"), "{said}");
    assert!(said.contains("next: pfupgrade plan pfupgrade.toml --simulate=machine"), "{said}");
    let written = fs::read(here.join("pfupgrade.toml")).unwrap();
    let (_, said) = ended("init --simulate=machine", 2);
    assert!(said.contains("is not overwritten") && said.contains("next: specify another file"), "{said}");
    assert_eq!(fs::read(here.join("pfupgrade.toml")).unwrap(), written);
    ended("plan --simulate=machine", 0);
    ended("run --yes --simulate=machine", 0);

    let (printed, _) = ended("init other.toml --simulate --demo web-server --json", 0);
    let document: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&document["kind"], &document["format"]), (&"init".into(), &1.into()));
    assert_eq!(document["components"][0]["fate"], "not installed: nothing to do");
    ended("init nowhere/at/all.toml --simulate", 2);
    ended("init x.toml --simulate --installers relative", 2);
}
