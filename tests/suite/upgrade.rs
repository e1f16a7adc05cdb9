//! The main job: a whole run ends in the machine that Microsoft's article describes.

use crate::support::*;

use pfupgrade::engine::End;
use pfupgrade::journal::Standing;
use pfupgrade::platform::disk::{MemoryDisk, create_folders};
use pfupgrade::platform::op::{Blob, Op};
use pfupgrade::platform::{Inspect, Platform};
use pfupgrade::prepare::prepare;
use pfupgrade::survey::survey;
use pfupgrade::winpath::WinPath;

/// The article, carried out by hand: no step, no engine, no merge, only what its sentences say, one after the other.
struct ByHand<'a> {
    machine: &'a dyn Platform,
    site: [&'a str; 3],
}

const SETUP: &str = r"C:\Install\MultiFactorAuthenticationServerSetup.exe";
const AGENT: &str = r"C:\Program Files\PhoneFactor";

impl ByHand<'_> {
    fn perform(&self, op: Op) {
        self.machine.perform(&op, &mut |_| {}).unwrap();
    }

    fn log() -> WinPath {
        path(r"C:\ProgramData\pfupgrade\by-hand.log")
    }

    fn uninstall(&self, name: &str) {
        let found = survey(self.machine.inspect()).unwrap();
        let products = found.components.values().flat_map(|found| &found.products);
        let product = products.into_iter().find(|product| product.name == name).unwrap();
        self.perform(Op::Uninstall {
            code: product.code.clone(),
            name: name.to_owned(),
            log: Self::log(),
            way_back: None,
        });
    }

    fn install(&self, package: &str, name: &str, site: u32, pool: &str) {
        let property = |name: &str, value: String| (name.to_owned(), value);
        self.perform(Op::Install {
            package: path(AGENT).child(package),
            properties: [
                property("TARGETVDIR", name.to_owned()),
                property("TARGETSITE", format!("/LM/W3SVC/{site}")),
                property("TARGETAPPPOOL", pool.to_owned()),
            ]
            .into(),
            log: Self::log(),
        });
    }

    fn write(&self, file: &str, content: &[u8]) {
        self.perform(Op::Write { path: path(file), content: Blob::new(content) });
    }

    /// The new application keeps the pool and the settings that the old one had.
    fn settings(&self, site: &str, old: &str, before: &MemoryDisk, new: &str, folder: &str) {
        let mut application = boot(before).application(site, old).unwrap().unwrap();
        application.path = new.to_owned();
        application.folder = path(folder);
        self.perform(Op::Configure { site: site.into(), application });
    }
}

/// What the article says for this server, with these names for the virtual directories.
fn by_hand(names: [&str; 3], portal: &[u8], mobile: &[u8]) -> MemoryDisk {
    let before = one_server();
    let disk = before.snapshot();
    let machine = boot(&disk);
    let hand = ByHand { machine: &machine, site: names };
    let [sdk, portal_name, mobile_name] = hand.site;
    let web = path(r"C:\inetpub\wwwroot");
    let aside = |drive: char| format!(r"{drive}:\pfupgrade-aside\20160305-220000");
    create_folders(machine.disk(), &path(r"C:\ProgramData\pfupgrade")).unwrap();

    // "Uninstall the User Portal", the custom theme saved before and what is left in the folder put aside.
    hand.perform(Op::stop(&"PFSvc".into()));
    let theme = path(r"C:\ProgramData\pfupgrade\theme");
    hand.perform(Op::Copy { from: web.join(r"PhoneFactor\App_Themes\Contoso").unwrap(), to: theme.clone() });
    hand.uninstall("PhoneFactor User Portal");
    hand.perform(Op::Move { from: web.child("PhoneFactor"), to: path(&aside('C')).child("portal"), aside: true });
    // "If the Mobile App Web Service is installed ... If the Web Service SDK is installed ... Uninstall the Agent."
    hand.uninstall("PhoneFactor Mobile App Web Service");
    hand.uninstall("PhoneFactor Web Service SDK");
    hand.uninstall("PhoneFactor Agent");
    // "Install Multi-Factor Authentication Server": it lands in the same folder and upgrades the data file.
    assert_eq!(machine.run_program(&path(SETUP), &[]).unwrap(), 0);
    // "Install the Web Service SDK", "the User Portal", "the Mobile App Web Service", each under its name.
    hand.install("MultiFactorAuthenticationWebServiceSdkSetup64.msi", sdk, 1, "PhoneFactor");
    hand.install("MultiFactorAuthenticationUserPortalSetup64.msi", portal_name, 1, "PhoneFactor");
    hand.install("MultiFactorAuthenticationMobileAppWebServiceSetup64.msi", mobile_name, 2, "PhoneFactorMobile");
    // "Copy the values of the appSettings and applicationSettings sections", the theme and the changed defaults.
    let (portal_folder, mobile_folder) = (web.child(portal_name), path(r"D:\Sites\Mobile").child(mobile_name));
    hand.perform(Op::Copy { from: theme, to: portal_folder.join(r"App_Themes\Contoso").unwrap() });
    hand.write(portal_folder.child("web.config").as_str(), portal);
    hand.write(mobile_folder.child("web.config").as_str(), mobile);
    let settings = |site, old: &str, new: &str, folder: &WinPath| {
        hand.settings(site, old, &before, &format!("/{new}"), folder.as_str());
    };
    settings("Default Web Site", "/PhoneFactorWebServiceSdk", sdk, &web.child(sdk));
    settings("Default Web Site", "/PhoneFactor", portal_name, &portal_folder);
    settings("Mobile", "/PhoneFactorPhoneAppWebService", mobile_name, &mobile_folder);
    disk
}

const PORTAL: &[u8] = include_bytes!("../expected/portal.web.config");
const MOBILE: &[u8] = include_bytes!("../expected/mobile-app.web.config");

#[test]
fn a_run_ends_where_the_article_ends() {
    let disk = one_server();
    assert_eq!(run(&disk, &plan("one-server")).unwrap(), End::Done { reboot: false });
    assert_eq!(last_run(&disk).unwrap().standing(), Standing::Finished);
    let names = ["MultiFactorAuthWebServiceSdk", "MultiFactorAuth", "MultiFactorAuthMobileAppWebService"];
    assert_same(&whole(&by_hand(names, PORTAL, MOBILE)), &whole(&disk), "new names");
}

#[test]
fn a_run_can_keep_the_old_names() {
    let disk = one_server();
    run(&disk, &plan("keep-directory-names")).unwrap();
    let names = ["PhoneFactorWebServiceSdk", "PhoneFactor", "PhoneFactorPhoneAppWebService"];
    // The address of the SDK then stays as the administrator wrote it.
    let kept = |config: &[u8], old: &str| {
        let text = String::from_utf8(config.to_vec()).unwrap();
        let changed = text.replace("MultiFactorAuthWebServiceSdk", old);
        assert_ne!(text, changed);
        changed.into_bytes()
    };
    let (portal, mobile) = (kept(PORTAL, "phonefactorwebservicesdk"), kept(MOBILE, "PhoneFactorWebServiceSdk"));
    assert_same(&whole(&by_hand(names, &portal, &mobile)), &whole(&disk), "kept names");
}

#[test]
fn a_second_run_has_nothing_to_do() {
    for name in ["one-server", "keep-directory-names"] {
        let disk = one_server();
        run(&disk, &plan(name)).unwrap();
        let (machine, clock) = (boot(&disk), clock());
        let again = prepare(&machine, &*clock, &plan(name), &path(r"C:\ProgramData\pfupgrade")).unwrap();
        assert_eq!(again.frozen.steps, [], "{name}");
        assert!(!again.preview.refused(), "{name}: {:?}", again.preview.findings);
    }
}

#[test]
fn a_preview_changes_nothing() {
    let disk = one_server();
    let (before, changes) = (whole(&disk), disk.changes());
    let (machine, clock) = (boot(&disk), clock());
    prepare(&machine, &*clock, &plan("one-server"), &path(r"C:\ProgramData\pfupgrade")).unwrap();
    assert_eq!(disk.changes(), changes);
    assert_same(&before, &whole(&disk), "previewed");
}

#[test]
fn a_rollback_of_a_finished_run_ends_in_the_machine_before() {
    for name in ["one-server", "keep-directory-names"] {
        let disk = one_server();
        let before = without_what_stays(whole(&disk));
        run(&disk, &plan(name)).unwrap();
        assert_eq!(rollback(&disk).unwrap().unwrap(), End::RolledBack);
        assert_same(&before, &without_what_stays(whole(&disk)), name);
        // And it can be upgraded again.
        assert_eq!(run(&disk, &plan(name)).unwrap(), End::Done { reboot: false });
    }
}

#[test]
fn no_secret_leaves_the_backup_and_the_merged_file() {
    let disk = one_server();
    run(&disk, &plan("one-server")).unwrap();
    rollback(&disk).unwrap().unwrap();
    let secrets: [&[u8]; 4] = [b"Horse", b"Green&lt;Boat", b"Green<Boat", b"Blue&"];
    let own = pfupgrade::platform::disk::ReadDisk::walk(&disk, &path(r"C:\ProgramData\pfupgrade\runs")).unwrap();
    let mut read = 0;
    for entry in own.iter().filter(|entry| entry.len > 0) {
        let content = pfupgrade::platform::disk::read(&disk, &entry.path, u64::MAX - 1).unwrap();
        for secret in secrets {
            let found = content.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{} holds {}", entry.path, String::from_utf8_lossy(secret));
        }
        read += 1;
    }
    assert!(read > 5, "only {read} files: the journal and the logs have to be among them");
}
