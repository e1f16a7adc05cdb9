//! Packages and programs: what they change, and when they refuse.

use super::*;
use crate::package::Architecture;
use crate::package::builder::PackageBuilder;

#[test]
fn uninstalling_removes_its_own_and_leaves_the_rest() {
    let (disk, machine) = demo();
    for name in ["PhoneFactor User Portal", "PhoneFactor Mobile App Web Service", "PhoneFactor Web Service SDK"] {
        let cached = machine.facts().product(&code(&machine, name)).unwrap().package.clone();
        let op = uninstall(&machine, name);
        perform(&machine, &op).unwrap();
        perform(&machine, &op).unwrap();
        assert!(!is_there(&disk, cached.as_str()));
    }
    perform(&machine, &uninstall(&machine, "PhoneFactor Agent")).unwrap();
    let facts = machine.facts();
    assert!(facts.installed.is_empty() && facts.services.is_empty());
    assert!(machine.web_server().unwrap().unwrap().sites.iter().all(|site| site.applications.is_empty()));
    let products = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion";
    assert_eq!(machine.registry_key(View::Native, &format!(r"{products}\Installer")).unwrap(), None);
    assert_eq!(machine.registry_key(View::Native, &format!(r"{products}\Uninstall")).unwrap().unwrap().keys, ["7-Zip"]);
    // The data, the theme and the key with the path were not the packages' own; edited files were.
    assert!(is_there(&disk, &format!(r"{AGENT}\Data\PhoneFactor.pfdata")));
    assert!(is_there(&disk, &format!(r"{PORTAL}\App_Themes\Contoso\images\icons\key.png")));
    assert!(!is_there(&disk, &format!(r"{PORTAL}\web.config")));
    assert!(!is_there(&disk, &format!(r"{PORTAL}\App_Themes\Default")));
    assert!(!is_there(&disk, r"C:\inetpub\wwwroot\PhoneFactorWebServiceSdk"));
    assert!(machine.registry_key(View::Wow32, KEY).unwrap().unwrap().text("InstallPath").is_some());
    assert!(text(&disk, LOG).contains("Removal completed successfully"));
}

#[test]
fn reinstalling_from_the_cached_package_brings_a_product_back() {
    let (disk, machine) = demo();
    let before = machine.facts();
    let code = code(&machine, "PhoneFactor Web Service SDK");
    let package = before.product(&code).unwrap().package.clone();
    disk::copy(&disk, &package, &path(r"C:\Temp\sdk.msi"), &mut |_| Ok(())).unwrap();
    let files = state(&disk);
    perform(&machine, &uninstall(&machine, "PhoneFactor Web Service SDK")).unwrap();
    let op =
        install(r"C:\Temp\sdk.msi", &[("TARGETVDIR", "PhoneFactorWebServiceSdk"), ("TARGETAPPPOOL", "phonefactor")]);
    perform(&machine, &op).unwrap();
    let mut now = state(&disk);
    assert!(now.remove(LOG).is_some());
    for other in ["machine.toml", r"C:\Windows\System32\inetsrv\config\applicationHost.config"] {
        now.remove(other);
    }
    assert!(now.iter().all(|(at, content)| files.get(at) == Some(content)) && now.len() + 2 == files.len());
    assert_eq!(machine.facts().product(&code).unwrap(), before.product(&code).unwrap());
    // Its settings in IIS went with it.
    let application = machine.application("Default Web Site", "/PhoneFactorWebServiceSdk").unwrap().unwrap();
    assert_eq!(application.settings["system.webServer/security/access/@sslFlags"], "None");
}

#[test]
fn the_setup_keeps_the_folder_and_its_service_upgrades_the_data() {
    let (disk, machine) = demo();
    perform(&machine, &uninstall(&machine, "PhoneFactor Agent")).unwrap();
    assert_eq!(machine.run_program(&path(SETUP), &[]).unwrap(), 0);
    let system = machine.system().unwrap();
    assert!(system.vc_x86 && system.vc_x64);
    assert!(is_there(&disk, &format!(r"{AGENT}\MultiFactorAuthenticationUserPortalSetup64.msi")));
    assert!(text(&disk, &format!(r"{AGENT}\Data\PhoneFactor.pfdata")).starts_with("PFDATA 7\n"));
    let log = text(&disk, &format!(r"{AGENT}\Logs\MultiFactorAuthSvc.log"));
    let line = "2016-03-01T12:00:00Z|i|1204|1816|pfsvc|Completed performing tasks to upgrade from 5 to 7\r\n";
    assert!(log.starts_with(line), "{log}");
    for name in ["MultiFactorAuth", "MultiFactorAuthAdSync"] {
        assert_eq!(machine.facts().service(name).unwrap().state, ServiceState::Running);
    }
    // Starting it again upgrades nothing again.
    for state in [ServiceState::Stopped, ServiceState::Running] {
        perform(&machine, &service("MultiFactorAuth", state)).unwrap();
    }
    let log = text(&disk, &format!(r"{AGENT}\Logs\MultiFactorAuthSvc.log"));
    assert_eq!(log.matches("Completed performing tasks").count(), 1);
}

#[test]
fn the_setup_installs_elsewhere_without_the_key() {
    let (disk, machine) = demo();
    perform(&machine, &uninstall(&machine, "PhoneFactor Agent")).unwrap();
    let nothing = path(r"C:\Temp\nothing.json");
    let view = View::Wow32;
    perform(&machine, &Op::ExportKey { view, key: r"HKLM\SOFTWARE\None".to_owned(), to: nothing.clone() }).unwrap();
    perform(&machine, &Op::ImportKey { view, key: KEY.to_owned(), from: nothing }).unwrap();
    assert_eq!(machine.registry_key(view, KEY).unwrap(), None);
    perform(&machine, &run(SETUP)).unwrap();
    assert!(is_there(&disk, r"C:\Program Files\Multi-Factor Authentication Server\MultiFactorAuthSvc.exe"));
    assert!(text(&disk, LOG).contains("Installation completed successfully"));
}

#[test]
fn the_old_agent_cannot_read_upgraded_data() {
    let (disk, machine) = demo();
    perform(&machine, &service("PFSvc", ServiceState::Stopped)).unwrap();
    disk::replace(&disk, &path(AGENT).child("Data").child("PhoneFactor.pfdata"), b"PFDATA 7\nx").unwrap();
    let failure = perform(&machine, &service("PFSvc", ServiceState::Running)).unwrap_err();
    assert!(failure.why.contains("1053") && failure.why.contains("has version 7"), "{failure}");
    assert_eq!(machine.facts().service("PFSvc").unwrap().state, ServiceState::Stopped);
    // Its installer is done nevertheless, and says so.
    let code = code(&machine, "PhoneFactor Agent");
    let package = machine.facts().product(&code).unwrap().package.clone();
    disk::copy(&disk, &package, &path(r"C:\Temp\agent.msi"), &mut |_| Ok(())).unwrap();
    perform(&machine, &uninstall(&machine, "PhoneFactor Agent")).unwrap();
    let notes = perform(&machine, &install(r"C:\Temp\agent.msi", &[])).unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("PFSvc") && note.contains("has version 7")), "{notes:?}");
    assert!(text(&disk, LOG).contains("Error 1920"));
    assert_eq!(machine.facts().service("PFSvc").unwrap().state, ServiceState::Stopped);
}

#[test]
fn web_parts_go_to_the_site_directory_and_pool_that_are_asked_for() {
    let (disk, machine) = with_server();
    let package = format!(r"{AGENT}\MultiFactorAuthenticationMobileAppWebServiceSetup64.msi");
    let op = install(
        &package,
        &[("TARGETSITE", "/LM/W3SVC/2"), ("TARGETVDIR", "pf"), ("TARGETAPPPOOL", "PhoneFactorMobile")],
    );
    perform(&machine, &op).unwrap();
    assert!(is_there(&disk, r"D:\Sites\Mobile\pf\bin\pfpaws.dll"));
    let web_server = machine.web_server().unwrap().unwrap();
    let application = web_server.application("Mobile", "/pf").unwrap();
    assert_eq!((&*application.pool, application.folder.as_str()), ("PhoneFactorMobile", r"D:\Sites\Mobile\pf"));
    let log = text(&disk, LOG);
    assert!(
        log.contains("Action start 12:00:00: InstallFiles.") && log.contains("Property(S): TARGETVDIR = pf"),
        "{log}"
    );
    for (bad, why) in [
        (("TARGETSITE", "/LM/W3SVC/9"), "/LM/W3SVC/9"),
        (("TARGETAPPPOOL", "None"), "the application pool `None`"),
        (("TARGETVDIR", r"a\..\b"), "cannot be used"),
    ] {
        let package = format!(r"{AGENT}\MultiFactorAuthenticationUserPortalSetup64.msi");
        let before = machine.facts();
        let failure = perform(&machine, &install(&package, &[bad])).unwrap_err();
        assert!(
            failure.why.contains("1603 (ERROR_INSTALL_FAILURE: fatal error)") && failure.why.contains(why),
            "{failure}"
        );
        assert!(failure.next.contains(LOG));
        assert_eq!(machine.facts(), before);
    }
}

#[test]
fn a_missing_prerequisite_is_told_in_the_log() {
    let (disk, machine) = demo();
    let package = path(r"C:\Temp\portal.msi");
    let (other, _) = with_server();
    let content = disk::read(&other, &path(AGENT).child("MultiFactorAuthenticationUserPortalSetup64.msi"), 1 << 26);
    disk::replace(&disk, &package, &content.unwrap()).unwrap();
    let failure = perform(&machine, &install(package.as_str(), &[])).unwrap_err();
    assert!(failure.why.contains("Visual C++ 2015"), "{failure}");
    let log = text(&disk, LOG);
    assert!(log.contains("Action ended 12:00:00: LaunchConditions. Return value 3."), "{log}");
    assert!(log.contains("Multi-Factor Authentication User Portal needs the Visual C++ 2015"), "{log}");
}

#[test]
fn a_modified_file_is_kept_and_an_application_that_is_there_is_used() {
    let (disk, machine) = with_server();
    let folder = r"C:\inetpub\wwwroot\MultiFactorAuth";
    disk.create_folder(&path(folder)).unwrap();
    disk::replace(&disk, &path(folder).child("web.config"), b"mine").unwrap();
    let application = Application {
        path: "/multifactorauth".to_owned(),
        folder: path(folder),
        pool: "PhoneFactor".to_owned(),
        settings: BTreeMap::new(),
    };
    machine.create_application("Default Web Site", &application).unwrap();
    let outcome = perform(&machine, &install(&format!(r"{AGENT}\MultiFactorAuthenticationUserPortalSetup64.msi"), &[]));
    let notes = outcome.unwrap().notes;
    assert!(notes.len() == 1 && notes[0].contains("web.config was modified"), "{notes:?}");
    assert_eq!(text(&disk, &format!(r"{folder}\web.config")), "mine");
    perform(&machine, &uninstall(&machine, "Multi-Factor Authentication User Portal")).unwrap();
    assert!(!is_there(&disk, folder));
    assert!(machine.web_server().unwrap().unwrap().application("Default Web Site", "/MultiFactorAuth").is_some());
}

#[test]
fn refusals_have_the_codes_of_windows_installer() {
    let (disk, machine) = demo();
    let fails = |op: &Op, code: &str| {
        let failure = perform(&machine, op).unwrap_err();
        assert!(failure.why.contains(code), "{failure}");
    };
    let builder = PackageBuilder::new("test", "Tool", "1.0").file("a.txt", "a");
    let put = |name: &str, bytes: &[u8]| disk::replace(&disk, &path(r"C:\Temp").child(name), bytes).unwrap();
    put("arm.msi", &builder.clone().architecture(Architecture::Arm64).build().unwrap());
    fails(&install(r"C:\Temp\arm.msi", &[]), "1633 (ERROR_INSTALL_PLATFORM_UNSUPPORTED");
    put("bad.msi", b"no package");
    fails(&install(r"C:\Temp\bad.msi", &[]), "1619");
    fails(&install(r"C:\Temp\none.msi", &[]), "1619");
    put("one.msi", &builder.clone().build().unwrap());
    perform(&machine, &install(r"C:\Temp\one.msi", &[])).unwrap();
    perform(&machine, &install(r"C:\Temp\one.msi", &[])).unwrap();
    let two =
        PackageBuilder::new("test", "Tool", "2.0").file("a.txt", "b").property("ProductCode", &builder.product_code());
    put("two.msi", &two.build().unwrap());
    fails(&install(r"C:\Temp\two.msi", &[]), "1638");
    let nowhere =
        Op::Install { package: path(r"C:\Temp\one.msi"), properties: properties(&[]), log: path(r"C:\No\log") };
    fails(&nowhere, "1622");
    put("note.exe", b"MZ");
    let failure = perform(&machine, &run(r"C:\Temp\note.exe")).unwrap_err();
    assert!(failure.next.contains("simulated-program = 1"), "{failure}");
    put("odd.exe", b"simulated-program = 1\nproduct = 'x'\nversion = '1'\n[[action]]\ndo = 'fly'\n");
    fails(&run(r"C:\Temp\odd.exe"), "unknown variant `fly`");
    put("ends.exe", b"simulated-program = 1\nproduct = 'x'\nversion = '1'\n[[action]]\ndo = 'exit'\ncode = 7\n");
    fails(&run(r"C:\Temp\ends.exe"), "it ended with 7");
    machine.change(|facts| facts.system.bits = Bits::X86).unwrap();
    put("new.msi", &PackageBuilder::new("test", "New", "1.0").file("a.txt", "a").build().unwrap());
    fails(&install(r"C:\Temp\new.msi", &[]), "1633 (ERROR_INSTALL_PLATFORM_UNSUPPORTED");
    machine.change(|facts| facts.system.elevated = false).unwrap();
    fails(&run(SETUP), "access is denied");
}

#[test]
fn packages_for_32_bits_are_registered_for_32_bit_programs() {
    let (disk, machine) = demo();
    let builder = PackageBuilder::new("test", "Tool", "1.0").file("a.txt", "a").architecture(Architecture::X86);
    disk::replace(&disk, &path(r"C:\Temp\one.msi"), &builder.build().unwrap()).unwrap();
    perform(&machine, &install(r"C:\Temp\one.msi", &[])).unwrap();
    let key = format!(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{}", builder.product_code());
    assert!(machine.registry_key(View::Wow32, &key).unwrap().is_some());
    assert!(machine.registry_key(View::Native, &key).unwrap().is_none());
    assert!(is_there(&disk, r"C:\Program Files (x86)\Tool\a.txt"));
    perform(&machine, &uninstall(&machine, "Tool")).unwrap();
    assert!(!is_there(&disk, r"C:\Program Files (x86)\Tool"));
    assert!(is_there(&disk, r"C:\Program Files (x86)"));
}

#[test]
fn a_web_server_takes_the_new_web_parts_without_a_setup() {
    let disk = MemoryDisk::new();
    let machine = demo::build("web-server", Arc::new(disk.clone()), clock()).unwrap();
    disk.create_folder(&path(r"C:\Temp")).unwrap();
    assert!(machine.services().unwrap().is_empty());
    assert_eq!(machine.registry_key(View::Wow32, KEY).unwrap(), None);
    let package = r"C:\Install\MultiFactorAuthenticationUserPortalSetup64.msi";
    perform(&machine, &install(package, &[("TARGETAPPPOOL", "PhoneFactor")])).unwrap();
    assert!(is_there(&disk, r"C:\inetpub\wwwroot\MultiFactorAuth\App_Themes\Default\Default.css"));
    assert!(is_there(&disk, &format!(r"{PORTAL}\App_Themes\Contoso\Contoso.css")));
}

#[test]
fn actions_that_cannot_be_simulated_are_named_in_the_log() {
    let (disk, machine) = demo();
    let package = PackageBuilder::new("test", "Tool", "1.0").file("a.txt", "a");
    let package = package.action("CallLibrary", 1, ("Library", "Entry"), 4100, "").build().unwrap();
    disk::replace(&disk, &path(r"C:\Temp\one.msi"), &package).unwrap();
    perform(&machine, &install(r"C:\Temp\one.msi", &[])).unwrap();
    let log = text(&disk, LOG);
    assert!(log.contains("Not simulated: custom action CallLibrary (type 1, a DLL)"), "{log}");
}
