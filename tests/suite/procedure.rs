//! Plan and survey compiled: the order of the steps, and what is refused before anything is touched.

use crate::support::*;

use pfupgrade::engine::Silent;
use pfupgrade::finding::{Finding, Level};
use pfupgrade::plan::Plan;
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::{self, MemoryDisk};
use pfupgrade::platform::facts::Application;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::registry::Value;
use pfupgrade::prepare::{Preview, prepare};

const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
const KEY: &str = r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor";
const PORTAL: &str = r"C:\inetpub\wwwroot\PhoneFactor";

/// A machine with another application in its default site that is none of ours.
fn with_application(disk: &MemoryDisk, name: &str, folder: &str) -> MemoryDisk {
    let application = Application {
        path: name.to_owned(),
        folder: path(folder),
        pool: "PhoneFactor".to_owned(),
        settings: Default::default(),
    };
    altered(disk, |facts| facts.web_server.as_mut().unwrap().sites[0].applications.push(application))
}

#[test]
fn a_rollback_installer_must_be_the_package_of_the_installed_product() {
    let disk = one_server();
    let (_, portal) = product(&disk, "User Portal");
    let (_, sdk) = product(&disk, "SDK");
    copy(&disk, &portal, r"C:\Install\portal.msi");
    put(&disk, r"C:\Install\damaged.msi", &disk::read(&disk, &path(&portal), 1 << 26).unwrap()[..4000]);
    let with = |installer: &str| plan_with(&format!("[portal]\nrollback-installer = '{installer}'"));
    for (installer, why) in [
        (r"C:\Install\nowhere.msi", "is missing"),
        (r"%NOWHERE%\portal.msi", "%NOWHERE%"),
        (r"C:\Install\damaged.msi", "damaged.msi"),
        (sdk.as_str(), "PhoneFactor Web Service SDK 5.2.5 {"),
    ] {
        let found = finding(&disk, &with(installer), "rollback-installer");
        assert!(found.refuses());
        assert!(found.evidence[0].contains(why.trim_matches('%')), "{found:?}");
    }
    assert_eq!(refusals(&disk, &with(r"C:\Install\portal.msi")), [""; 0]);
}

#[test]
fn the_cached_package_stays_the_base_of_the_merge_beside_a_rollback_installer() {
    let start = one_server();
    let (_, cached) = product(&start, "User Portal");
    copy(&start, &cached, r"C:\Install\portal.msi");
    let web_config = r"C:\inetpub\wwwroot\MultiFactorAuth\web.config";
    let merged = |plan: &Plan| {
        let disk = start.snapshot();
        run(&disk, plan).unwrap();
        (get(&disk, web_config).unwrap(), disk)
    };
    let (expected, _) = merged(&plan_with(""));
    let before = without_what_stays(whole(&start));
    let (found, disk) = merged(&plan_with("[portal]\nrollback-installer = 'C:\\Install\\portal.msi'"));
    assert_eq!(found, expected);
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &without_what_stays(whole(&disk)), "rolled back");
}

#[test]
fn an_agent_outside_the_default_folder_comes_back_into_its_own() {
    let disk = one_server();
    let (code, package) = product(&disk, "Agent");
    copy(&disk, &package, r"C:\tmp\agent.msi");
    let log = path(r"C:\tmp\agent.log");
    let perform = |op| boot(&disk).perform(&op, &mut |_| {}).unwrap();
    perform(Op::Uninstall { code: code.into(), name: "agent".to_owned(), log: log.clone(), way_back: None });
    perform(Op::Copy { from: path(r"C:\Program Files\PhoneFactor"), to: path(r"D:\PF") });
    perform(Op::Remove { path: path(r"C:\Program Files\PhoneFactor") });
    let properties = [("TARGETDIR".to_owned(), r"D:\PF\".to_owned())].into();
    perform(Op::Install { package: path(r"C:\tmp\agent.msi"), properties, log });
    perform(Op::Remove { path: path(r"C:\tmp") });
    let before = whole_without_logs(&disk);
    run(&disk, &plan_with("")).unwrap();
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &whole_without_logs(&disk), "rolled back");
}

/// A whole machine without what a rollback does not restore, the logs of a server on D: included.
fn whole_without_logs(disk: &MemoryDisk) -> Whole {
    let mut machine = without_what_stays(whole(disk));
    machine.retain(|name, _| !name.starts_with(r"D:\PF\Logs\MultiFactorAuth"));
    machine
}

/// The demo machine, its portal under a name that says nothing, and the portal's product code.
fn renamed_portal() -> (MemoryDisk, String) {
    let disk = one_server();
    let (code, _) = product(&disk, "User Portal");
    let key = format!("{UNINSTALL}\\{code}");
    let name = Value::Text("PF Benutzerportal".to_owned());
    (altered(&disk, |facts| facts.registry.set(&key, "DisplayName", name)), code)
}

#[test]
fn a_product_whose_name_says_nothing_is_upgraded_by_its_code() {
    let (disk, code) = renamed_portal();
    let found = finding(&disk, &plan_with(""), "no-single-product");
    let line = format!("product-code = \"{code}\"");
    assert!(found.refuses() && found.advice.contains(&line), "{found:?}");
    // Windows Installer gives a product its own name again.
    let with_own_name = |disk: &MemoryDisk| {
        let mut machine = without_what_stays(whole(disk));
        let facts = machine.get_mut("machine.toml").and_then(Option::as_mut).unwrap();
        let text = String::from_utf8(std::mem::take(facts)).unwrap();
        *facts = text.replace("PF Benutzerportal", "PhoneFactor User Portal").into_bytes();
        machine
    };
    let before = with_own_name(&disk);
    run(&disk, &plan_with(&format!("[portal]\n{line}"))).unwrap();
    assert!(!boot(&disk).facts().installed.contains_key(&code));
    rollback(&disk).unwrap().unwrap();
    assert_same(&before, &with_own_name(&disk), "rolled back");
}

#[test]
fn a_code_that_no_product_has_is_refused() {
    let plan = plan_with("[portal]\nproduct-code = '{00000000-1111-2222-3333-444444444444}'");
    let found = finding(&one_server(), &plan, "no-single-product");
    assert!(found.refuses() && found.title.contains("{00000000-1111-2222-3333-444444444444}"), "{found:?}");
}

#[test]
fn what_is_kept_need_not_be_understood() {
    let (disk, _) = renamed_portal();
    assert_eq!(refusals(&disk, &plan_with("[portal]\naction = 'keep'")), [""; 0]);
}

#[test]
fn an_agent_whose_folder_the_registry_does_not_name_is_refused() {
    let keep = "[sdk]\naction = 'keep'\n[portal]\naction = 'keep'\n[mobile-app]\naction = 'keep'";
    let without = altered(&one_server(), |facts| facts.registry.remove(KEY));
    let nonsense = Value::Text("PhoneFactor".to_owned());
    let odd = altered(&one_server(), |facts| facts.registry.set(KEY, "InstallPath", nonsense));
    for disk in [without, odd] {
        for lines in [keep.to_owned(), keep.replace("keep", "remove")] {
            let ids = refusals(&disk, &plan_with(&lines));
            assert!(ids.contains(&"no-install-path".to_owned()), "{ids:?}");
        }
    }
}

#[test]
fn a_web_folder_that_holds_more_than_its_own_is_refused() {
    let overlaps = |disk: &MemoryDisk| {
        let found = finding(disk, &plan_with(""), "folders-overlap");
        assert!(found.refuses());
        found.evidence.join("; ")
    };
    let start = one_server();
    let below = overlaps(&with_application(&start, "/shop", &format!(r"{PORTAL}\shop")));
    assert!(below.contains("Default Web Site/shop"), "{below}");
    let twin = with_application(&start, "/twin", &PORTAL.to_uppercase());
    assert_eq!(refusals(&twin, &plan_with("")), ["no-single-application"]);
    let root = altered(&start, |facts| facts.web_server.as_mut().unwrap().sites[1].folder = path(PORTAL));
    assert!(overlaps(&root).contains("Mobile"));
    let agent = Value::Text(format!(r"{PORTAL}\Agent\"));
    let install = altered(&start, |facts| facts.registry.set(KEY, "InstallPath", agent));
    put(&install, &format!(r"{PORTAL}\Agent\pfsvc.exe"), "");
    assert!(overlaps(&install).contains("InstallPath"));
    let beside = with_application(&start, "/shop", &format!("{PORTAL}-shop"));
    assert_eq!(refusals(&beside, &plan_with("")), [""; 0]);
}

#[test]
fn backups_and_state_lie_in_nothing_that_is_backed_up() {
    let disk = one_server();
    for folder in [PORTAL, r"C:\Program Files\PhoneFactor", r"D:\Sites\Mobile\PhoneFactorPhoneAppWebService"] {
        let plan = plan_with(&format!("[backup]\ndirectory = '{folder}\\Backups'"));
        assert_eq!(refusals(&disk, &plan), ["folders-overlap"], "{folder}");
        let (machine, clock) = (boot(&disk), clock());
        let state = path(folder).child("state");
        let found = prepare(machine.inspect(), &*clock, &plan_with(""), &state).unwrap().preview.findings;
        assert!(found.iter().any(|finding| finding.id == "folders-overlap" && finding.refuses()), "{folder}");
    }
}

const WEB: &str = r#"format = 1
[portal]
installer = 'C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi'
[mobile-app]
installer = 'C:\Install\MultiFactorAuthenticationMobileAppWebServiceSetup64.msi'
"#;
const URL: &str = "[sdk]\nurl = \"https://mfa.fabrikam.example/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx\"";

fn web_plan(lines: &str) -> Plan {
    Plan::read(format!("{WEB}{lines}\n").as_bytes(), "plan").unwrap()
}

#[test]
fn an_install_path_that_is_left_over_is_in_nobodys_way() {
    let stale = Value::Text(r"D:\Gone\".to_owned());
    let disk = altered(&demo_machine("web-server"), |facts| {
        facts.registry.set(KEY, "InstallPath", stale);
        facts.free_space.insert('D', 1 << 20);
    });
    assert_eq!(refusals(&disk, &web_plan(URL)), [""; 0]);
}

/// An application of somebody else that uses the SDK through a setting of its own name.
fn with_own_client(disk: &MemoryDisk, setting: &str) -> MemoryDisk {
    let disk = with_application(disk, "/intranet", r"C:\intranet");
    let url = "https://admin:geheim@h/PhoneFactorWebServiceSdk/PfWsSdk.asmx";
    let setting = format!("<setting name=\"{setting}\" serializeAs=\"String\"><value>{url}</value></setting>");
    let settings = format!("<applicationSettings><My.Settings>{setting}</My.Settings></applicationSettings>");
    put(&disk, r"C:\intranet\web.config", format!("<configuration>{settings}</configuration>"));
    disk
}

fn notes_of<'a>(preview: &'a Preview, id: &str) -> &'a [String] {
    &preview.steps.iter().find(|step| step.id == *id).unwrap().notes
}

#[test]
fn somebody_elses_client_of_the_sdk_is_named_and_not_taken_for_the_portal() {
    for setting in ["Mfa", "intranet_pfwssdk_PfWsSdk"] {
        let disk = with_own_client(&one_server(), setting);
        assert_eq!(refusals(&disk, &plan_with("")), [""; 0]);
        for lines in ["", "[sdk]\naction = 'remove'\nurl = 'https://h/x/PfWsSdk.asmx'"] {
            let preview = preview(&disk, &plan_with(lines));
            let notes = notes_of(&preview, "verify").join("\n");
            let line = format!(r"setting {setting} in C:\intranet\web.config");
            assert!(notes.contains(&line) && !notes.contains("geheim"), "{notes}");
            assert!(!notes.contains(PORTAL), "{notes}");
        }
    }
}

#[test]
fn a_portal_that_is_kept_is_named_where_the_sdk_gets_another_address() {
    let preview = preview(&one_server(), &plan_with("[portal]\naction = 'keep'"));
    let notes = notes_of(&preview, "verify").join("\n");
    assert!(notes.contains(&format!(r"setting pfup_pfwssdk_PfWsSdk in {PORTAL}\web.config")), "{notes}");
}

#[test]
fn a_broken_web_config_of_the_portal_is_said_to_be_broken() {
    let disk = one_server();
    put(&disk, &format!(r"{PORTAL}\web.config"), "<configuration><appSettings></configuration>");
    assert_eq!(refusals(&disk, &plan_with("")), ["unreadable-web-config"]);
    assert_eq!(refusals(&disk, &plan_with("[portal]\naction = 'remove'")), [""; 0]);
    // The same without the package of the portal, by which it is recognized.
    disk::remove(&disk, &path(&product(&disk, "User Portal").1)).unwrap();
    assert_eq!(refusals(&disk, &plan_with("")), ["unreadable-web-config", "cannot-uninstall"]);
}

#[test]
fn an_unreadable_web_config_of_somebody_else_is_in_nobodys_way() {
    let disk = with_application(&one_server(), "/other", r"C:\other");
    disk::create_folders(&disk, &path(r"C:\other\web.config")).unwrap();
    assert_eq!(refusals(&disk, &plan_with("")), [""; 0]);
    let disk = with_application(&one_server(), "/other", r"C:\other");
    put(&disk, r"C:\other\web.config", "<configuration>");
    assert_eq!(refusals(&disk, &plan_with("")), [""; 0]);
}

#[test]
fn whoever_loses_the_sdk_needs_its_new_address() {
    let disk = one_server();
    let remove = "[sdk]\naction = 'remove'\n";
    assert_eq!(refusals(&disk, &plan_with(remove)), ["no-sdk-url", "no-sdk-url"]);
    let url = &URL[URL.find("https").unwrap()..URL.len() - 1];
    let elsewhere = altered(&disk, |facts| facts.answers = [(url.to_owned(), 401.into())].into());
    assert_eq!(refusals(&elsewhere, &plan_with(&URL.replace("[sdk]", remove))), [""; 0]);
    assert_eq!(refusals(&demo_machine("web-server"), &web_plan("")), ["no-sdk-url", "no-sdk-url"]);
}

#[test]
fn an_address_that_nobody_uses_need_not_be_known() {
    let plan = plan_with("[sdk]\naction = 'remove'\n[mobile-app]\naction = 'remove'");
    let web_config = format!(r"{PORTAL}\web.config");
    let before = get(&one_server(), &web_config).unwrap();
    let (_, rest) = before.split_once("pfup_pfwssdk_PfWsSdk").unwrap();
    let (_, rest) = rest.split_once("<value>").unwrap();
    let (url, _) = rest.split_once("</value>").unwrap();
    let off = before.replace("\"USE_WEB_SERVICE_SDK\" value=\"true\"", "\"USE_WEB_SERVICE_SDK\" value=\"False\"");
    let placeholder = before.replace(url, "http://localhost:4898/PfWsSdk.asmx");
    for (content, expected) in [(&before, &["no-sdk-url"][..]), (&off, &[]), (&placeholder, &[])] {
        let disk = one_server();
        put(&disk, &web_config, content);
        assert_eq!(refusals(&disk, &plan), expected, "{content}");
    }
}

const HOOK: &str = r"C:\Scripts\hook.exe";

fn hooks(lines: &[(&str, &str)]) -> Plan {
    let hook = |(number, (side, id)): (usize, &(&str, &str))| {
        format!("[[hook]]\n{side} = \"{id}\"\nrun = ['{HOOK}', '{number}']\n")
    };
    plan_with(&lines.iter().enumerate().map(hook).collect::<String>())
}

#[test]
fn hooks_on_one_side_of_a_step_keep_the_order_of_the_plan() {
    let disk = one_server();
    put(&disk, HOOK, "");
    let plan = hooks(&[
        ("after", "back-up-sdk"),
        ("before", "back-up-portal"),
        ("after", "back-up-sdk"),
        ("before", "back-up-portal"),
    ]);
    assert_eq!(
        steps(&disk, &plan)[..6],
        [
            "back-up-sdk",
            "hook-1-after-back-up-sdk",
            "hook-3-after-back-up-sdk",
            "hook-2-before-back-up-portal",
            "hook-4-before-back-up-portal",
            "back-up-portal",
        ]
    );
}

#[test]
fn a_hook_needs_its_program_and_its_step() {
    let disk = one_server();
    assert_eq!(refusals(&disk, &hooks(&[("after", "verify")])), ["hook-without-program"]);
    disk::create_folders(&disk, &path(HOOK)).unwrap();
    assert_eq!(refusals(&disk, &hooks(&[("after", "verify")])), ["hook-without-program"]);
    assert_eq!(refusals(&disk, &hooks(&[("after", "nothing")])), ["hook-without-step"]);
}

#[test]
fn the_console_installs_on_the_servers_own_machine_only() {
    let console = "[portal]\nmethod = 'console'";
    assert_eq!(refusals(&one_server(), &plan_with(console)), [""; 0]);
    let disk = demo_machine("web-server");
    let plan = Plan::read(format!("{WEB}{URL}").replace("[portal]", console).as_bytes(), "plan").unwrap();
    assert_eq!(refusals(&disk, &plan), ["method-console"]);
}

#[test]
fn an_allowance_without_effect_is_said_to_have_none() {
    let disk = one_server();
    let about = |id: &str| {
        let all = findings(&disk, &plan_with(&format!("[preflight]\nallow = ['{id}']")));
        let found = all.into_iter().find(|finding| finding.id == "unknown-allowance");
        found.map(|finding| (finding.level, finding.title.contains(id)))
    };
    for id in ["pending-rebot", "no-space", "interruptions"] {
        assert_eq!(about(id), Some((Level::Warn, true)), "{id}");
    }
    assert_eq!(about("pending-reboot"), None);
}

#[test]
fn a_damaged_package_of_the_new_version_is_refused_before_anything_is_touched() {
    let disk = demo_machine("web-server");
    let package = r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi";
    let bytes = disk::read(&disk, &path(package), 1 << 26).unwrap();
    put(&disk, package, &bytes[..bytes.len() / 2]);
    let ids = refusals(&disk, &web_plan(URL));
    assert!(ids.contains(&"installer-unreadable".to_owned()), "{ids:?}");
}

/// A run whose portal package was `exchanged` between the preview and its installation.
fn run_with_exchanged_package(plan: &str, exchanged: &[u8]) -> String {
    let disk = demo_machine("web-server");
    let (machine, clock) = (boot(&disk), clock());
    let engine = engine(&machine, &clock);
    let _lock = engine.lock().unwrap();
    let prepared = prepare(machine.inspect(), &*clock, &web_plan(plan), &engine.state).unwrap();
    assert!(!prepared.preview.findings.iter().any(Finding::refuses));
    put(&disk, r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi", exchanged);
    let why = engine.run(&prepared.frozen, &mut Person::at(&machine), &mut Silent).unwrap_err().to_string();
    assert!(
        !boot(&disk).facts().installed.values().any(|product| product.name.ends_with("Authentication User Portal"))
    );
    why
}

#[test]
fn a_package_that_was_exchanged_since_the_preview_is_not_installed() {
    let disk = demo_machine("web-server");
    let mobile = r"C:\Install\MultiFactorAuthenticationMobileAppWebServiceSetup64.msi";
    let other = disk::read(&disk, &path(mobile), 1 << 26).unwrap();
    let portal = disk::hash(&disk, &path(r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi")).unwrap();
    let why = run_with_exchanged_package(URL, b"no package at all");
    assert!(why.contains("is not signed by") && why.contains("cannot be read"), "{why}");
    let pinned = WEB.replace("[mobile-app]", &format!("sha256 = '{portal}'\n[mobile-app]"));
    let plan = Plan::read(format!("{pinned}{URL}").as_bytes(), "plan").unwrap();
    assert_eq!(refusals(&disk, &plan), [""; 0]);
    put(&disk, r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi", &other);
    assert_eq!(refusals(&disk, &plan), ["installer-hash", "installer-product"]);
}

const OUTAGE: [&str; 2] = ["stop-services", "back-up-data"];
const SERVER: [&str; 3] = ["prepare-server", "install-server", "activation"];

#[test]
fn the_steps_follow_the_article() {
    let disk = one_server();
    let common = [
        &["back-up-sdk", "back-up-portal", "back-up-mobile-app", "back-up-server"][..],
        &OUTAGE,
        &["uninstall-portal", "uninstall-mobile-app", "uninstall-sdk", "uninstall-server"],
        &SERVER,
        &["package-sdk", "package-portal", "package-mobile-app"],
        &["install-sdk", "configure-sdk", "install-portal", "configure-portal"],
        &["install-mobile-app", "configure-mobile-app"],
    ]
    .concat();
    let with = |last: &[&'static str]| [&common[..], last].concat();
    assert_eq!(steps(&disk, &plan("one-server")), with(&["verify", "portal-url", "mobile-app-url"]));
    assert_eq!(steps(&disk, &plan("keep-directory-names")), with(&["verify"]));
}

#[test]
fn what_is_removed_is_not_installed_and_what_is_kept_is_not_touched() {
    let disk = one_server();
    let removed = [
        &["back-up-sdk", "back-up-portal", "back-up-mobile-app", "back-up-server"][..],
        &OUTAGE,
        &["uninstall-portal", "uninstall-mobile-app", "uninstall-sdk", "uninstall-server"],
        &SERVER,
        &["package-sdk", "package-portal"],
        &["install-sdk", "configure-sdk", "install-portal", "configure-portal", "verify", "portal-url"],
    ]
    .concat();
    assert_eq!(steps(&disk, &plan_with("[mobile-app]\naction = 'remove'")), removed);
    let kept = removed.iter().filter(|id| !id.ends_with("mobile-app")).copied().collect::<Vec<_>>();
    assert_eq!(steps(&disk, &plan_with("[mobile-app]\naction = 'keep'")), kept);
    let keep = "[sdk]\naction = 'keep'\n[mobile-app]\naction = 'keep'\n[portal]\naction = 'keep'";
    let server = [&["back-up-server"][..], &OUTAGE, &["uninstall-server"], &SERVER, &["verify"]].concat();
    assert_eq!(steps(&disk, &plan_with(keep)), server);
    let text = format!("format = 1\n[server]\naction = 'keep'\n{keep}");
    assert_eq!(steps(&disk, &Plan::read(text.as_bytes(), "plan").unwrap()), [""; 0]);
}
