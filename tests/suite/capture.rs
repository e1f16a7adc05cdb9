//! `capture`: what a captured machine previews is what the machine itself does, and nothing in it is a secret.

use crate::support::matrix::{self, Played};
use crate::support::mixes::*;
use crate::support::runs::program;
use crate::support::steady::steady;
use crate::support::*;

use pfupgrade::capture::{Captured, Wish, capture};
use pfupgrade::draft::draft;
use pfupgrade::engine::End;
use pfupgrade::plan::{Component, Plan};
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::{self, Kind, MemoryDisk, ReadDisk};
use pfupgrade::platform::facts::Bits;
use pfupgrade::platform::registry::Value;
use pfupgrade::platform::simulated::demo;
use std::fs;

const TABLES: Wish = Wish { without_packages: true, plan: None, installers: Vec::new() };

fn captured(disk: &MemoryDisk, wish: &Wish) -> (MemoryDisk, Captured) {
    let (machine, clock, to) = (boot(disk), clock(), MemoryDisk::new());
    let captured = capture(&engine(&machine, &clock), &to, wish).unwrap();
    to.sync_all();
    (to, captured)
}

/// The whole preview, as scripts have it.
fn shown(disk: &MemoryDisk, plan: &Plan) -> serde_json::Value {
    serde_json::to_value(preview(disk, plan)).unwrap()
}

#[track_caller]
fn previews_the_same(disk: &MemoryDisk, plan: &Plan, what: &str) {
    let expected = shown(disk, plan);
    for wish in [Wish::default(), TABLES] {
        let (copy, _) = captured(disk, &wish);
        let (mut expected, mut found) = (expected.clone(), shown(&copy, plan));
        if wish.without_packages {
            // Their packages are smaller.
            for preview in [&mut expected, &mut found] {
                for step in preview["steps"].as_array_mut().unwrap() {
                    step["bytes"] = serde_json::Value::Null;
                }
            }
        }
        if found != expected {
            let text = |value| serde_json::to_string_pretty(value).unwrap();
            let (expected, found) = (text(&expected), text(&found));
            let diff = similar::TextDiff::from_lines(&expected, &found);
            panic!("{what}, {wish:?}:\n{}", diff.unified_diff().context_radius(3));
        }
    }
}

fn drafted(disk: &MemoryDisk) -> Plan {
    let machine = boot(disk);
    let draft = draft(machine.inspect(), &*clock(), &path(r"C:\ProgramData\pfupgrade"), &[]).unwrap();
    Plan::read(draft.text.as_bytes(), "drafted").unwrap()
}

#[test]
fn every_demo_machine_previews_the_same_once_captured() {
    for name in demo::NAMES {
        let disk = demo_machine(name);
        previews_the_same(&disk, &plan(name), name);
        previews_the_same(&disk, &drafted(&disk), name);
    }
    previews_the_same(&one_server(), &plan("keep-directory-names"), "old names");
}

#[test]
fn every_mix_of_components_previews_the_same_once_captured() {
    for set in 0..16_usize {
        let all = Component::ALL.into_iter().enumerate();
        let present = all.filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, component)| component).collect();
        let case = Case { keeps_names: set % 2 == 0, ..Case::of(present) };
        previews_the_same(&case.machine(), &case.plan(), &format!("{case:?}"));
    }
    let places = [(Component::Portal, other_site("konto")), (Component::MobileApp, default_site("handy"))];
    let elsewhere = Case { places: places.into(), ..Case::of(Component::ALL.into()) };
    for case in [elsewhere, Case { bits: Bits::X86, ..Case::of(Component::ALL.into()) }] {
        previews_the_same(&case.machine(), &case.plan(), &format!("{case:?}"));
    }
}

#[test]
fn what_stands_in_the_way_stands_there_as_well() {
    type Trouble = fn(&MemoryDisk);
    let troubles: [(&str, Trouble); 12] = [
        ("directory-taken", |disk| put(disk, r"C:\inetpub\wwwroot\MultiFactorAuth\index.htm", "x")),
        ("leftovers", |disk| put(disk, r"C:\pfupgrade-aside\20160101-000000\portal\x", "x")),
        ("unreadable-web-config", |disk| put(disk, r"C:\inetpub\wwwroot\PhoneFactor\web.config", "<configuration")),
        ("no-data", |disk| put(disk, r"C:\Program Files\PhoneFactor\Data\PhoneFactor.pfdata", "")),
        ("no-service", |disk| change(disk, |facts| facts.services.clear())),
        ("cannot-uninstall", |disk| {
            let (_, package) = product(disk, "User Portal");
            disk::remove(disk, &path(&package)).unwrap();
        }),
        ("no-way-back", |disk| change(disk, |facts| apply_patch(facts, "User Portal"))),
        ("installer-signature", |disk| change(disk, |facts| facts.signatures.clear())),
        ("account-missing", |disk| change(disk, |facts| facts.accounts = Some(Vec::new()))),
        ("no-asp-net", |disk| change(disk, |facts| facts.web_server.as_mut().unwrap().features.clear())),
        ("pending-reboot", |disk| {
            let file = r"\??\C:\Program Files\PhoneFactor\pfsvc.exe".to_owned();
            change(disk, |facts| facts.system.pending_renames.push(file));
        }),
        ("no-single-product", |disk| {
            let key =
                r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{11111111-2222-3333-4444-555555555555}";
            change(disk, |facts| facts.registry.set(key, "DisplayName", Value::Text("PhoneFactor User Portal".into())));
        }),
    ];
    for (id, trouble) in troubles {
        let disk = one_server();
        trouble(&disk);
        disk.sync_all();
        let wanted = plan("one-server");
        assert!(refusals(&disk, &wanted).iter().any(|found| found == id), "{id}");
        let ids = |disk: &MemoryDisk| refusals(disk, &wanted);
        let (copy, _) = captured(&disk, &Wish::default());
        assert_eq!(ids(&copy), ids(&disk), "{id}");
    }
}

#[test]
fn accounts_that_nobody_knows_of_stay_unknown() {
    let disk = one_server();
    change(&disk, |facts| facts.unknown_accounts = vec![r"FABRIKAM\svc-pfportal".to_owned()]);
    previews_the_same(&disk, &plan("one-server"), "an account of a domain that is not at hand");
}

#[test]
fn a_machine_that_is_half_upgraded_is_captured_as_one() {
    let played = Played::of("one-server");
    for operation in ["uninstall PhoneFactor Mobile", "UserPortalSetup64.msi", "MobileAppWebServiceSetup64.msi"] {
        let (_, at, _) = played.ops.iter().find(|(words, ..)| words.contains(operation)).unwrap();
        let disk = played.left(*at as usize, matrix::Kind::Killed);
        disk::remove(&disk, &path(r"C:\ProgramData\pfupgrade\runs")).unwrap();
        let ids = refusals(&disk, &plan("one-server"));
        assert!(ids.contains(&"leftovers".to_owned()), "{operation}: {ids:?}");
        let (copy, _) = captured(&disk, &Wish::default());
        assert_eq!(refusals(&copy, &plan("one-server")), ids, "{operation}");
    }
}

#[test]
fn a_service_with_a_variable_in_its_path_is_captured() {
    let disk = one_server();
    change(&disk, |facts| {
        let service = facts.services.iter_mut().find(|service| service.name == "PFSvc").unwrap();
        service.image_path = r#""%ProgramFiles%\PhoneFactor\pfsvc.exe""#.to_owned();
    });
    previews_the_same(&disk, &plan("one-server"), "a service with a variable in its path");
}

#[test]
fn encrypted_sections_and_files_beside_stay_what_they_are() {
    let disk = one_server();
    let portal = r"C:\inetpub\wwwroot\PhoneFactor";
    let config = get(&disk, &format!(r"{portal}\web.config")).unwrap();
    put(
        &disk,
        &format!(r"{portal}\web.config"),
        config.replace("<connectionStrings/>", "<connectionStrings configSource=\"db.txt\"/>"),
    );
    let outside =
        "<connectionStrings><add name=\"db\" connectionString=\"Server=s;Password=tellnobody\"/></connectionStrings>";
    put(&disk, &format!(r"{portal}\db.txt"), outside);
    previews_the_same(&disk, &plan("one-server"), "a section in a file of its own");
    let (copy, _) = captured(&disk, &Wish::default());
    let made = get(&copy, &format!(r"{portal}\db.txt")).unwrap();
    assert!(made.contains("connectionString=\"Xxxxxx=x;passwxxx=xxxxxxxxxx\""), "{made}");

    let program = path(r"C:\Windows\Microsoft.NET\Framework64\v2.0.50727\aspnet_regiis.exe");
    let arguments = ["-pef", "appSettings", portal].map(str::to_owned);
    assert_eq!(boot(&disk).run_program(&program, &arguments).unwrap(), 0);
    disk.sync_all();
    previews_the_same(&disk, &plan("one-server"), "an encrypted section");
    previews_the_same(&disk, &plan_with("[merge]\non-encrypted = \"decrypt\""), "one that is decrypted");
}

#[test]
fn a_rehearsal_on_it_comes_to_its_end_and_back() {
    for wish in [Wish::default(), TABLES] {
        let disk = one_server();
        let (copy, _) = captured(&disk, &wish);
        let drafted = drafted(&copy);
        let before = copy.snapshot();
        let end = run(&copy, &drafted).unwrap();
        assert!(matches!(end, End::Done { .. }), "{end:?}");
        assert_eq!(steps(&copy, &drafted), [""; 0], "a second run finds nothing to do");
        assert_eq!(rollback(&copy).unwrap().unwrap(), End::RolledBack);
        if !wish.without_packages {
            assert_eq!(shown(&copy, &drafted)["components"], shown(&before, &drafted)["components"]);
        }
    }
}

/// The demo machine with secrets in every place there is.
fn secretive() -> MemoryDisk {
    let disk = one_server();
    let portal = r"C:\inetpub\wwwroot\PhoneFactor";
    let config = get(&disk, &format!(r"{portal}\web.config")).unwrap();
    let config = config.replace(
        "<connectionStrings/>",
        "<connectionStrings><add name=\"db\" connectionString=\"Server=s;Password=tellnobody1\"/></connectionStrings>\
         <!-- the old password was tellnobody2 -->",
    );
    put(&disk, &format!(r"{portal}\web.config"), config.replace("<appSettings>", "<appSettings file=\"own.config\">"));
    put(&disk, &format!(r"{portal}\own.config"), "<appSettings><add key=\"pwd\" value=\"tellnobody3\"/></appSettings>");
    put(&disk, &format!(r"{portal}\broken.config"), "<appSettings><add key=\"pwd\" value=\"tellnobody4\">");
    put(&disk, &format!(r"{portal}\notes.txt"), "the password is tellnobody5");
    put(&disk, r"C:\Program Files\PhoneFactor\Logs\pfsvc.log", "user tellnobody6 signed in");
    put(&disk, r"C:\Program Files\PhoneFactor\own.ini", "password=tellnobody7");
    change(&disk, |facts| {
        let key = r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor";
        facts.registry.set(key, "LdapBindPassword", Value::Text("tellnobody8".into()));
        let service = facts.services.iter_mut().find(|service| service.name == "PFSvc").unwrap();
        service.image_path += " --password=tellnobody9";
        let iis = facts.web_server.as_mut().unwrap();
        let settings = &mut iis.sites[0].applications[0].settings;
        let name = "system.webServer/security/authentication/anonymousAuthentication/@password";
        settings.insert(name.to_owned(), "tellnobody0".to_owned());
    });
    disk.sync_all();
    disk
}

#[test]
fn no_secret_of_the_machine_is_in_it() {
    let disk = secretive();
    let data = r"C:\Program Files\PhoneFactor\Data";
    let mut secrets: Vec<Vec<u8>> =
        ["tellnobody", "Horse", "Green", "Boat", "Blue"].map(|text| text.as_bytes().to_vec()).into();
    for entry in disk.walk(&path(data)).unwrap() {
        let content = disk::read(&disk, &entry.path, 1 << 20).unwrap();
        // The group's name is not a secret. The first line of a file only says what kind of file it is.
        if entry.path.name() != "groupName" {
            secrets.push(content[20..60].to_vec());
        }
    }
    for wish in [Wish::default(), TABLES] {
        let (copy, captured) = captured(&disk, &wish);
        let mut read = 0;
        let facts = boot(&copy).facts().to_text().unwrap();
        let record = toml::to_string(&captured).unwrap();
        let mut contents = vec![("machine.toml".to_owned(), facts.into_bytes()), ("record".to_owned(), record.into())];
        for drive in ['C', 'D'] {
            for entry in copy.walk(&path(&format!("{drive}:\\"))).unwrap() {
                if entry.kind == Kind::File {
                    contents.push((entry.path.to_string(), disk::read(&copy, &entry.path, 1 << 30).unwrap()));
                }
            }
        }
        for (name, content) in contents {
            for secret in &secrets {
                let found = content.windows(secret.len()).any(|window| window == secret.as_slice());
                assert!(!found, "{name} holds {}", String::from_utf8_lossy(secret));
            }
            read += 1;
        }
        assert!(read > 20, "only {read} files");
        assert!(captured.placeholders.len() >= 4, "{:?}", captured.placeholders);
        // The database is known by its size and hash.
        let database = captured.stand_ins.iter().find(|file| file.path.name() == "PhoneFactor.pfdata").unwrap();
        let real = path(&format!(r"{data}\PhoneFactor.pfdata"));
        assert_eq!(database.sha256, Some(disk::hash(&disk, &real).unwrap()));
        let size = |disk: &MemoryDisk| disk.entry(&real).unwrap().unwrap().len;
        assert_eq!((size(&copy), database.bytes), (size(&disk), size(&disk)));
    }
    previews_the_same(&disk, &plan("one-server"), "with secrets everywhere");
}

#[test]
fn tables_alone_take_less_room() {
    let disk = one_server();
    let (whole, _) = captured(&disk, &Wish::default());
    let (tables, _) = captured(&disk, &TABLES);
    let (_, package) = product(&disk, "User Portal");
    let size = |disk: &MemoryDisk| disk.entry(&path(&package)).unwrap().unwrap().len;
    assert_eq!(size(&whole), size(&disk));
    assert!(size(&tables) < size(&whole), "{} {}", size(&tables), size(&whole));
}

#[test]
fn what_the_plan_names_is_taken_along() {
    let disk = one_server();
    put_hook(&disk, 0);
    copy(&disk, r"C:\Install\MultiFactorAuthenticationServerSetup.exe", r"D:\Kits\Setup.exe");
    copy(&disk, r"C:\Install\data", r"D:\Kits\data");
    let text = "format = 1\n[server]\ninstaller = 'D:\\Kits\\Setup.exe'\n[[hook]]\nbefore = \"verify\"\nrun = ['C:\\Scripts\\hook.exe']\n";
    let wanted = Plan::read(text.as_bytes(), "plan").unwrap();
    let expected = shown(&disk, &wanted);
    let (found, _) = captured(&disk, &Wish { plan: Some(wanted.clone()), ..Wish::default() });
    assert_eq!(shown(&found, &wanted), expected);
    assert!(matches!(run(&found, &wanted).unwrap(), End::Done { .. }));
}

#[test]
fn real_programs_become_simulated_ones() {
    let disk = one_server();
    let program = [b"MZ\x90\x00", vec![7; 50_000].as_slice()].concat();
    put(&disk, r"C:\Program Files\PhoneFactor\pfsvc.exe", &program);
    put(&disk, r"C:\Install\MultiFactorAuthenticationServerSetup.exe", &program);
    change(&disk, |facts| facts.signatures.clear());
    let unsigned = "signed-by = false\n[sdk]\nsigned-by = false\n[portal]\nsigned-by = false\n[mobile-app]\nsigned-by = false\n\
                    installer = 'C:\\Install\\mobile.msi'\n";
    let mobile = demo_machine("web-server");
    let package = r"C:\Install\MultiFactorAuthenticationMobileAppWebServiceSetup64.msi";
    put(&disk, r"C:\Install\mobile.msi", disk::read(&mobile, &path(package), 1 << 26).unwrap());
    disk.sync_all();
    let wanted = plan_with(unsigned);
    let expected = shown(&disk, &wanted);
    let (found, _) = captured(&disk, &Wish { plan: Some(wanted.clone()), ..Wish::default() });
    assert_eq!(shown(&found, &wanted), expected);
    assert!(matches!(run(&found, &wanted).unwrap(), End::Done { .. }));
    assert_eq!(rollback(&found).unwrap().unwrap(), End::RolledBack);
}

#[test]
fn a_folder_holds_a_machine_to_rehearse_on() {
    let place = tempfile::tempdir().unwrap();
    let program = program(place.path());
    program.says("plan --simulate=real").ends_with(2);
    program.says("init pfupgrade.toml --simulate=real").ends_with(0);
    let ran = program.says("capture copy --simulate=real").ends_with(0).says("Captured MFA01 to copy: ");
    assert!(ran.err.contains("next: pfupgrade init rehearsal.toml --simulate=copy"), "{}", ran.err);
    let shown = |machine: &str| program.says(&format!("plan --simulate={machine}")).ends_with(0).out;
    // A second may have passed in between, which the id of the run would show.
    assert_eq!(steady(&shown("copy")), steady(&shown("real")));
    program.says("run --yes --simulate=copy").ends_with(0);
    let record = fs::read_to_string(place.path().join("copy/captured.toml")).unwrap();
    assert!(record.contains(r"PhoneFactor.pfdata"), "{record}");

    program
        .says("capture copy --simulate=real")
        .ends_with(2)
        .says("copy is not empty")
        .says("next: specify an empty or a new folder");
    let documents = program.says("capture small --without-packages --plan pfupgrade.toml --simulate=real --json");
    assert_eq!(documents.ends_with(0).json()[0]["kind"], "capture");
}
