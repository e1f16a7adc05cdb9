//! IIS of a simulated machine: what is asked of it and done to it goes through the commands of `appcmd`.

use super::*;
use crate::platform::facts::{Application, Bits, WebServer};

const LONG: std::time::Duration = std::time::Duration::from_secs(10);

const HOST: &str = r"C:\Windows\System32\inetsrv\config\applicationHost.config";
const SITE: &str = "Default Web Site";
const SSL: &str = "system.webServer/security/access/@sslFlags";

fn configure(application: &Application) -> Op {
    Op::Configure { site: "Default web site".into(), application: application.clone() }
}

/// The demo machine with a virtual directory below the portal.
fn with_pictures() -> (MemoryDisk, Simulated) {
    let (disk, machine) = demo();
    let arguments =
        ["add", "vdir", "/app.name:Default Web Site/PhoneFactor", "/path:/pictures", r"/physicalPath:D:\Pictures"];
    run_appcmd(&machine, &arguments);
    (disk, machine)
}

fn run_appcmd(machine: &Simulated, arguments: &[&str]) -> String {
    let (code, said) = commands::Appcmd::run_appcmd(machine, "test", arguments).unwrap();
    assert_eq!(code, 0, "{said}");
    said
}

fn machine_toml(disk: &MemoryDisk) -> String {
    String::from_utf8(state(disk).remove("machine.toml").unwrap()).unwrap()
}

#[test]
fn a_machine_keeps_its_iis_where_windows_does() {
    let (disk, machine) = demo();
    assert!(machine.facts().web_server.is_none());
    assert!(!text(&disk, r"C:\Windows\System32\inetsrv\config\applicationHost.config").is_empty());
    assert!(!machine.facts().to_text().unwrap().contains("web-server"));
    let iis = machine.web_server().unwrap().unwrap();
    assert_eq!(iis.features, ["asp-net", "metabase-compatibility"]);
    assert_eq!((iis.pools.len(), iis.pool("PhoneFactor").unwrap().identity.as_str()), (3, r"FABRIKAM\svc-pfpool"));
    disk.remove_file(&path(HOST)).unwrap();
    assert_eq!(open(&disk).web_server().unwrap(), None);
}

#[test]
fn an_older_machine_is_converted_when_it_is_opened() {
    let (disk, machine) = demo();
    let mut iis: WebServer = machine.web_server().unwrap().unwrap();
    let sdk = iis.sites[0].applications.iter_mut().find(|found| found.path.ends_with("Sdk")).unwrap();
    sdk.settings.insert(SSL.to_owned(), "Ssl".to_owned());
    iis.features.pop();
    let older = MachineFacts { web_server: Some(iis), ..machine.facts() };
    let text_of_older = older.to_text().unwrap();
    assert!(text_of_older.contains("[[web-server.pool]]"), "{text_of_older}");
    disk.remove_file(&path(HOST)).unwrap();
    disk::replace(&disk, &super::facts::path(), text_of_older.as_bytes()).unwrap();
    let machine = open(&disk);
    let found = machine.web_server().unwrap().unwrap();
    assert_eq!(found.features, ["asp-net"]);
    assert!(is_there(&disk, HOST) && !machine_toml(&disk).contains("web-server"));
    let sdk = machine.application(SITE, "/PhoneFactorWebServiceSdk").unwrap().unwrap();
    assert_eq!(sdk.settings[SSL], "Ssl");
    assert_eq!(open(&disk).facts(), machine.facts());
}

#[test]
fn an_application_gets_its_folder_pool_and_settings() {
    let (disk, machine) = with_pictures();
    let before = text(&disk, HOST);
    let mut application = machine.application(SITE, "/PhoneFactor").unwrap().unwrap();
    perform(&machine, &configure(&application)).unwrap();
    assert_eq!(text(&disk, HOST), before, "nothing differs");
    application.pool = "PhoneFactorMobile".to_owned();
    application.folder = path(r"E:\Portal");
    application.settings.insert(SSL.to_owned(), "None".to_owned());
    perform(&machine, &configure(&application)).unwrap();
    assert_eq!(open(&disk).application(SITE, "/phonefactor").unwrap().as_ref(), Some(&application));
    // A journal of an older machine names only the settings that had been set.
    let found = machine.application(SITE, "/PhoneFactor").unwrap().unwrap();
    let mut wanted = Application { settings: BTreeMap::from([(SSL.to_owned(), "None".to_owned())]), ..found.clone() };
    assert!(found != wanted && found.is_as(&wanted));
    wanted.settings.insert(SSL.to_owned(), "Ssl".to_owned());
    assert!(!found.is_as(&wanted));
    // What the operation does not name stays.
    assert!(text(&disk, HOST).contains(r#"<virtualDirectory path="/pictures" physicalPath="D:\Pictures" />"#));
    application.pool = "None".to_owned();
    assert!(perform(&machine, &configure(&application)).unwrap_err().why.contains("pool"));
    application.path = "/None".to_owned();
    assert!(perform(&machine, &configure(&application)).is_err());
    application.path = "/PhoneFactor".to_owned();
    application.pool = "PhoneFactor".to_owned();
    application.settings.insert(SSL.to_owned(), "Sll".to_owned());
    let failure = perform(&machine, &configure(&application)).unwrap_err();
    assert!(failure.why.contains("ended with 13") && failure.why.contains("not valid"), "{failure}");
}

#[test]
fn an_application_is_renamed_with_its_settings_and_nothing_is_left_behind() {
    let (disk, machine) = with_pictures();
    let before = machine.application(SITE, "/PhoneFactorWebServiceSdk").unwrap().unwrap();
    let rename = |from: &str, to: &str| Op::RenameApplication { site: SITE.into(), from: from.into(), to: to.into() };
    let op = rename("/PhoneFactorWebServiceSdk", "/Sdk");
    assert_eq!(perform(&machine, &op).unwrap().notes, [""; 0]);
    let after = machine.application(SITE, "/Sdk").unwrap().unwrap();
    assert_eq!(after, Application { path: "/Sdk".to_owned(), ..before.clone() });
    assert_eq!(after.settings["system.webServer/security/authentication/basicAuthentication/@enabled"], "true");
    assert_eq!(machine.application(SITE, "/PhoneFactorWebServiceSdk").unwrap(), None);
    assert!(!text(&disk, HOST).contains("Default Web Site/PhoneFactorWebServiceSdk"));
    perform(&machine, &op).unwrap();
    assert!(perform(&machine, &rename("/Sdk", "/PhoneFactor")).unwrap_err().why.contains("already exists"));
    // An attempt that was killed behind the rename itself left the settings of the old location.
    let access = "/section:system.webServer/security/access";
    let left =
        ["set", "config", "Default Web Site/PhoneFactorWebServiceSdk", access, "/sslFlags:Ssl", "/commit:apphost"];
    run_appcmd(&machine, &left);
    perform(&machine, &op).unwrap();
    assert!(!text(&disk, HOST).contains("Default Web Site/PhoneFactorWebServiceSdk"));
}

/// The folder of an application that was renamed is then a plain folder of the site; what is broken there stays broken.
#[test]
fn settings_that_cannot_be_removed_are_noted() {
    let (disk, machine) = demo();
    let folder = r"C:\inetpub\wwwroot\Sdk2";
    disk.create_folder(&path(folder)).unwrap();
    let mut sdk = machine.application(SITE, "/PhoneFactorWebServiceSdk").unwrap().unwrap();
    disk::copy(&disk, &sdk.folder.child("web.config"), &path(folder).child("web.config"), &mut |_| Ok(())).unwrap();
    disk::replace(&disk, &sdk.folder.child("web.config"), b"<configuration>").unwrap();
    sdk.folder = path(folder);
    // As long as its own web.config is broken, the application cannot be configured at all.
    assert!(perform(&machine, &configure(&sdk)).unwrap_err().why.contains("not well-formed"));
    run_appcmd(
        &machine,
        &["set", "vdir", "Default Web Site/PhoneFactorWebServiceSdk/", &format!("/physicalPath:{folder}")],
    );
    let (from, to) = ("/PhoneFactorWebServiceSdk".to_owned(), "/Sdk".to_owned());
    let notes = perform(&machine, &Op::RenameApplication { site: SITE.into(), from, to }).unwrap().notes;
    assert!(
        matches!(&*notes, [note] if note.contains("Default Web Site/PhoneFactorWebServiceSdk\"") && note.contains("not well-formed")),
        "{notes:?}"
    );
    assert!(machine.application(SITE, "/Sdk").unwrap().is_some());
}

#[test]
fn a_broken_web_config_is_answered_with_500_and_breaks_nothing_else() {
    let (disk, machine) = demo();
    let portal = "https://MFA01/PhoneFactor/";
    assert_eq!(machine.request(portal, LONG).unwrap().status, 200);
    let file = path(PORTAL).child("web.config");
    let sound = text(&disk, file.as_str());
    let locked =
        "<system.webServer><security><access sslFlags=\"None\" /></security></system.webServer></configuration>";
    for broken in ["<configuration>".to_owned(), sound.replace("</configuration>", locked)] {
        disk::replace(&disk, &file, broken.as_bytes()).unwrap();
        assert_eq!(machine.request(portal, LONG).unwrap().status, 500);
        assert!(machine.application(SITE, "/PhoneFactor").unwrap_err().why.contains(r"PhoneFactor\web.config; Line"));
        assert_eq!(machine.request("https://MFA01/PhoneFactorWebServiceSdk/PfWsSdk.asmx", LONG).unwrap().status, 200);
        assert!(machine.application(SITE, "/PhoneFactorWebServiceSdk").unwrap().is_some());
        assert!(machine.web_server().unwrap().is_some());
    }
    // That of the site's root is in effect everywhere below it.
    disk::replace(&disk, &file, sound.as_bytes()).unwrap();
    disk::replace(&disk, &path(r"C:\inetpub\wwwroot\web.config"), b"<configuration>").unwrap();
    assert_eq!(machine.request(portal, LONG).unwrap().status, 500);
}

#[test]
fn a_feature_that_is_not_installed_has_no_section() {
    let (disk, machine) = demo();
    let host = text(&disk, HOST);
    let line = "<section name=\"digestAuthentication\" overrideModeDefault=\"Deny\" />";
    assert!(host.contains(line));
    disk::replace(&disk, &path(HOST), host.replace(line, "").as_bytes()).unwrap();
    let found = machine.application(SITE, "/PhoneFactor").unwrap().unwrap();
    assert!(found.settings.contains_key(SSL) && !found.settings.keys().any(|key| key.contains("digest")));
}

#[test]
fn backups_of_iis_are_its_whole_file() {
    let (disk, machine) = demo();
    let op = Op::BackUpWebServer { name: "before".to_owned() };
    let kept = r"C:\Windows\System32\inetsrv\backup\before\applicationHost.config";
    for _ in 0..2 {
        perform(&machine, &op).unwrap();
        assert_eq!(text(&disk, kept), text(&disk, HOST));
        run_appcmd(&machine, &["set", "app", "Default Web Site/PhoneFactor", "/applicationPool:PhoneFactorMobile"]);
    }
}

#[test]
fn a_32_bit_server_has_its_iis_as_well() {
    let disk = MemoryDisk::new();
    let machine = demo::build_for(Bits::X86, "one-server", Arc::new(disk), clock()).unwrap();
    assert_eq!(machine.web_server().unwrap().unwrap().features.len(), 2);
}
