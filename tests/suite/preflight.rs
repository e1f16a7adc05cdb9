//! What is found before anything is touched: accounts, addresses, names, users, leftovers.

use crate::support::*;

use pfupgrade::finding::Level;
use pfupgrade::package::packed_code;
use pfupgrade::platform::disk::MemoryDisk;
use pfupgrade::platform::facts::Bits;
use pfupgrade::platform::registry::Value;

const USER_DATA: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData";
const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
const SOMEBODY: &str = "S-1-5-21-1-2-3-1001";
const PORTAL: &str = r"C:\inetpub\wwwroot\PhoneFactor";

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn accounts_that_do_not_exist_are_refused_unless_allowed() {
    let known =
        |gone: &str| altered(&one_server(), |facts| facts.accounts.as_mut().unwrap().retain(|known| known != gone));
    for (gone, needed_by) in [
        (r"FABRIKAM\svc-pfpool", "identity of the application pool \"PhoneFactor\""),
        (r"FABRIKAM\svc-pfportal", "the User Portal signs in"),
        (r"FABRIKAM\svc-pfmobile", "the Mobile App Web Service signs in"),
        ("PhoneFactor Admins", "its members may use the Web Service SDK"),
    ] {
        let disk = known(gone);
        let found = finding(&disk, &plan_with(""), "account-missing");
        assert!(found.refuses(), "{found:?}");
        assert!(found.evidence.iter().any(|seen| seen.contains(gone) && seen.contains(needed_by)), "{found:?}");
        assert_eq!(refusals(&disk, &plan_with("[preflight]\nallow = ['account-missing']")), [""; 0]);
    }
    let nobody_knows = altered(&one_server(), |facts| facts.accounts = None);
    assert_eq!(finding(&nobody_knows, &plan_with(""), "account-missing").level, Level::Warn);
    assert!(!findings(&one_server(), &plan_with("")).iter().any(|finding| finding.id == "account-missing"));
}

#[test]
fn an_sdk_elsewhere_has_to_answer() {
    let disk = demo_machine("web-server");
    let plan = plan("web-server");
    assert_eq!(refusals(&disk, &plan), [""; 0]);
    let url = plan.sdk.url.as_ref().unwrap().as_str().to_owned();
    for (status, refused) in
        [(Some(200), false), (Some(401), false), (Some(404), true), (Some(503), true), (None, true)]
    {
        let disk = altered(&disk, |facts| {
            facts.answers = status.map(|status| (url.clone(), status.into())).into_iter().collect()
        });
        let expected = if refused { &["sdk-url-silent"][..] } else { &[] };
        assert_eq!(refusals(&disk, &plan), expected, "{status:?}");
    }
}

#[test]
fn what_could_not_be_put_back_is_refused_by_its_name() {
    let long = format!("{}.css", "x".repeat(240));
    let disk = one_server();
    put(&disk, &format!(r"{PORTAL}\App_Themes\Contoso\{long}"), "");
    let found = finding(&disk, &plan_with(""), "cannot-back-up");
    assert!(found.refuses() && found.evidence[0].contains(&long), "{found:?}");
    let fits = format!("{}.css", "x".repeat(230));
    let disk = one_server();
    put(&disk, &format!(r"{PORTAL}\App_Themes\Contoso\{fits}"), "");
    run(&disk, &plan_with("")).unwrap();
    rollback(&disk).unwrap().unwrap();
    assert!(get(&disk, &format!(r"{PORTAL}\App_Themes\Contoso\{fits}")).is_some());
}

/// The demo machine, its old portal installed for one user only.
fn portal_of_somebody() -> MemoryDisk {
    let disk = one_server();
    let (code, _) = product(&disk, "User Portal");
    let packed = packed_code(&code).unwrap();
    altered(&disk, |facts| {
        let tree = |key: &str| facts.registry.key(key).unwrap();
        let properties = tree(&format!(r"{USER_DATA}\S-1-5-18\Products\{packed}\InstallProperties"));
        facts.registry.remove(&format!(r"{USER_DATA}\S-1-5-18\Products\{packed}"));
        facts.registry.remove(&format!(r"{UNINSTALL}\{code}"));
        for (name, value) in properties.values {
            let key = format!(r"{USER_DATA}\{SOMEBODY}\Products\{packed}\InstallProperties");
            facts.registry.set(&key, &name, value);
        }
    })
}

#[test]
fn a_product_of_one_user_is_found_and_only_that_user_can_upgrade_it() {
    let disk = portal_of_somebody();
    let found = finding(&disk, &plan_with(""), "other-user");
    assert!(found.refuses() && found.evidence.iter().any(|seen| seen.contains(SOMEBODY)), "{found:?}");
    let as_somebody = altered(&disk, |facts| facts.system.user = Some(SOMEBODY.to_owned()));
    assert_eq!(refusals(&as_somebody, &plan_with("")), [""; 0]);
    assert_eq!(refusals(&disk, &plan_with("[portal]\naction = 'keep'")), [""; 0]);
}

#[test]
fn what_has_been_applied_to_a_product_would_be_lost() {
    let disk = one_server();
    let (code, _) = product(&disk, "User Portal");
    let key = format!(r"{USER_DATA}\S-1-5-18\Products\{}", packed_code(&code).unwrap());
    let patch = r"Patches\0123456789ABCDEF0123456789ABCDEF";
    for (below, name, value) in [(patch, "State", Value::Number(1)), ("Transforms", "1", text("@locale.mst"))] {
        let disk = altered(&disk, |facts| facts.registry.set(&format!(r"{key}\{below}"), name, value));
        let found = finding(&disk, &plan_with(""), "no-way-back");
        assert!(found.refuses() && found.evidence[0].contains("alone would not restore that"), "{found:?}");
    }
}

#[test]
fn what_a_run_without_a_journal_has_moved_aside_is_told() {
    let disk = one_server();
    put(&disk, r"C:\pfupgrade-aside\20160101-000000\portal\web.config", "<configuration/>");
    let found = finding(&disk, &plan_with(""), "leftovers");
    assert!(found.refuses() && found.evidence[0].contains("20160101-000000"), "{found:?}");
    put(&disk, r"C:\ProgramData\pfupgrade\runs\20160101-000000\journal.jsonl", "");
    assert_eq!(refusals(&disk, &plan_with("")), [""; 0]);
}

#[test]
fn an_installer_of_another_component_or_of_the_old_version_is_refused() {
    let disk = demo_machine("web-server");
    let plan = plan("web-server");
    let portal = r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi";
    let old = product(&disk, "User Portal").1;
    for (other, said) in [
        (r"C:\Install\MultiFactorAuthenticationMobileAppWebServiceSetup64.msi", "is for the Mobile App Web Service"),
        (old.as_str(), "is for the old version"),
    ] {
        let disk = disk.snapshot();
        copy(&disk, other, portal);
        let found = finding(&disk, &plan, "installer-product");
        assert!(found.refuses() && found.title.contains(said), "{found:?}");
    }
}

#[test]
fn packages_of_64_bits_are_refused_on_windows_of_32() {
    let disk = altered(&demo_machine("web-server"), |facts| facts.system.bits = Bits::X86);
    let ids = refusals(&disk, &plan("web-server"));
    assert!(ids.iter().all(|id| id == "installer-architecture") && ids.len() == 2, "{ids:?}");
}
