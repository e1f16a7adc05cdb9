//! The same server, made of the same packages, upgraded by the same plan on a simulated machine: both have to end as the
//! same machine. What the simulation gets right here, the tests on simulated machines may rely on.
//!
//! What is not compared, since it differs by nature: the programs (real ones under Wine, texts in a simulation), the
//! data file below its first line (each server upgrades it in its own way), logs, and what Wine itself puts below
//! Program Files.

use crate::machine::Machine;
use crate::prepare::{THEME, admin_config};
use crate::{packages, support};
use pfupgrade::engine::End;
use pfupgrade::plan::Plan;
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::{self, Kind, MemoryDisk, ReadDisk};
use pfupgrade::platform::facts::{Bits, Pool, Site, System, WebServer};
use pfupgrade::platform::op::Op;
use pfupgrade::platform::simulated::{MachineFacts, Simulated};
use roxmltree::{Document, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

const FOLDERS: [&str; 2] = [r"C:\inetpub", r"C:\Program Files\PhoneFactor"];
const POOL: &str = "PhoneFactor Pool";
const SSL: &str = "system.webServer/security/access/@sslFlags";
const BASIC: &str = "system.webServer/security/authentication/basicAuthentication/@enabled";

macro_rules! demo {
    ($path:literal) => {
        include_str!(concat!("../../src/platform/simulated/demo/", $path))
    };
}

pub(crate) fn the_simulation_ends_as_the_same_machine(machine: &Machine) -> io::Result<()> {
    let path = machine.plan(&[])?;
    let plan = Plan::read(machine.read(path).as_bytes(), path).expect("a good plan");
    let simulated = simulated();
    assert_same("before", machine, &simulated)?;
    machine.pfupgrade(&["run", path, "--yes"])?.ended(0);
    assert!(matches!(support::run(&simulated, &plan), Ok(End::Done { .. })));
    assert_same("upgraded", machine, &simulated)?;
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0);
    assert!(matches!(support::rollback(&simulated), Some(Ok(End::RolledBack))));
    assert_same("rolled back", machine, &simulated)
}

/// What is compared of a machine: each thing under a name.
type Facts = BTreeMap<String, String>;

#[track_caller]
fn assert_same(when: &str, machine: &Machine, simulated: &MemoryDisk) -> io::Result<()> {
    let (real, simulated) = (of_wine(machine)?, of_simulation(simulated));
    let names: BTreeSet<&String> = real.keys().chain(simulated.keys()).collect();
    let of = |facts: &Facts, name: &String| facts.get(name).map_or("(none)", String::as_str).to_owned();
    let all = names.into_iter().map(|name| (name, of(&real, name), of(&simulated, name)));
    let differences: Vec<String> = all
        .filter(|(_, real, simulated)| real != simulated)
        .map(|(name, real, simulated)| format!("{name}\n   under Wine: {real}\n   simulated: {simulated}"))
        .collect();
    assert!(differences.is_empty(), "{when}:\n{}", differences.join("\n"));
    // Two empty machines are the same, too.
    assert!(real.len() > 20, "{when}: only {:?} were compared", real.keys());
    Ok(())
}

fn file(facts: &mut Facts, path: String, content: &[u8]) {
    let text = String::from_utf8_lossy(content);
    let compared = match path.rsplit_once('.').map_or("", |(_, kind)| kind) {
        "exe" => "a program".to_owned(),
        "pfdata" => text.lines().next().unwrap_or_default().to_owned(),
        _ if content.len() > 10_000 => disk::hash_bytes(content),
        _ => text.into_owned(),
    };
    if !path.contains(r"\Logs\") {
        facts.insert(path, compared);
    }
}

/// A setting of an application. A default is the same whether it is written down or not.
fn setting(facts: &mut Facts, application: &str, name: &str, value: &str) {
    let is_on = name.contains("anonymousAuthentication") || name.ends_with("@useKernelMode");
    let default = if is_on { "true" } else { "false" };
    if value != default && !["", "None"].contains(&value) {
        facts.insert(format!("{application} {name}"), value.to_owned());
    }
}

fn of_wine(machine: &Machine) -> io::Result<Facts> {
    let mut facts = Facts::new();
    for found in FOLDERS.iter().flat_map(|folder| machine.tree(folder)) {
        let path = found.path.to_string_lossy().replacen("drive_c", "C:", 1).replace('/', r"\");
        file(&mut facts, path, &found.content);
    }
    for product in machine.products()? {
        facts.insert(format!("product {product}"), String::new());
    }
    let config = machine.read(r"C:\windows\system32\inetsrv\config\applicationHost.config");
    let document = Document::parse(&config).expect("a configuration");
    let own = |node: Node<'_, '_>, name: &str| node.attribute(name).unwrap_or_default().to_owned();
    let named = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
    for found in named("application").filter(|found| found.attribute("path") != Some("/")) {
        let folder = found.first_element_child().map(|folder| own(folder, "physicalPath")).unwrap_or_default();
        facts.insert(
            format!("application {}", own(found, "path")),
            format!("{} {folder}", own(found, "applicationPool")),
        );
    }
    for location in named("location").filter(|found| found.attribute("path") != Some("")) {
        let path = own(location, "path").replace("Default Web Site", "application ");
        for node in location.descendants().filter(|node| node.is_element() && *node != location) {
            let up = node.ancestors().take_while(|up| *up != location).map(|up| up.tag_name().name());
            let section = up.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
            for set in node.attributes() {
                setting(&mut facts, &path, &format!("{section}/@{}", set.name()), set.value());
            }
        }
    }
    Ok(facts)
}

fn of_simulation(disk: &MemoryDisk) -> Facts {
    let mut facts = Facts::new();
    for folder in FOLDERS {
        for entry in disk.walk(&support::path(folder)).expect("walked") {
            if entry.kind == Kind::File {
                let content = disk::read(disk, &entry.path, u64::MAX - 1).expect("read");
                file(&mut facts, entry.path.to_string(), &content);
            }
        }
    }
    let known = support::boot(disk).facts();
    for product in known.installed.values() {
        facts.insert(format!("product {} {}", product.name, product.version), String::new());
    }
    for found in support::iis(disk).iter().flat_map(|iis| &iis.sites).flat_map(|site| &site.applications) {
        facts.insert(format!("application {}", found.path), format!("{} {}", found.pool, found.folder));
        for (name, value) in &found.settings {
            setting(&mut facts, &format!("application {}", found.path), name, value);
        }
    }
    facts
}

/// The server that [`Machine::prepare`] makes, as a simulated machine.
fn simulated() -> MemoryDisk {
    let disk = MemoryDisk::new();
    let machine = Simulated::create(Arc::new(disk.clone()), support::clock(), windows()).expect("a machine");
    support::put(&disk, r"C:\inetpub\wwwroot\iisstart.htm", "the start page\r\n");
    let data = r"C:\Program Files\PhoneFactor\Data";
    support::put(&disk, &format!(r"{data}\PhoneFactor.pfdata"), "PFDATA 5\nusers and settings\n");
    support::put(&disk, &format!(r"{data}\licenseKey"), "a key\n");
    support::put(&disk, r"C:\Install\MultiFactorAuthenticationServerSetup.exe", demo!("new/setup.toml"));
    let (old, new) = (demo!("old/service.toml"), demo!("new/service.toml"));
    for (name, package) in packages::all(old.as_bytes(), new.as_bytes()).expect("packages") {
        let folder = if name == "MultiFactorAuthenticationServer.msi" { r"C:\Install\data" } else { r"C:\Install" };
        support::put(&disk, &format!(r"{folder}\{name}"), package);
    }
    for name in ["agent", "old-sdk", "old-portal", "old-mobile"] {
        let package = support::path(&format!(r"C:\Install\{name}.msi"));
        let log = support::path(r"C:\Install\log.txt");
        let install = Op::Install { package: package.clone(), properties: BTreeMap::new(), log: log.clone() };
        machine.perform(&install, &mut |_| {}).expect("installed");
        for gone in [package, log] {
            disk::remove(&disk, &gone).expect("removed");
        }
    }
    let portal = r"C:\inetpub\wwwroot\PhoneFactor";
    support::put(&disk, &format!(r"{portal}\web.config"), admin_config::PORTAL.replace('\n', "\r\n"));
    support::put(&disk, &format!(r"{portal}\App_Themes\Contoso\Contoso.css"), THEME);
    let mobile = r"C:\inetpub\wwwroot\PhoneFactorPhoneAppWebService\web.config";
    support::put(&disk, mobile, admin_config::MOBILE.replace('\n', "\r\n"));
    support::change(&disk, |facts| {
        let sites = facts.web_server.iter_mut().flat_map(|iis| &mut iis.sites);
        for application in sites.flat_map(|site| &mut site.applications) {
            application.pool = POOL.to_owned();
            application.settings.insert(SSL.to_owned(), "Ssl".to_owned());
            if application.path == "/PhoneFactorWebServiceSdk" {
                application.settings.insert(BASIC.to_owned(), "true".to_owned());
            }
        }
    });
    disk.sync_all();
    disk
}

/// Windows as it stands in `windows.reg`, with its IIS.
pub(crate) fn windows() -> MachineFacts {
    let mut facts = MachineFacts::new(System {
        name: "VM".to_owned(),
        windows: "Windows 7 (6.1.7601)".to_owned(),
        bits: Bits::X64,
        elevated: true,
        dotnet_release: Some(379_893),
        vc_x86: false,
        vc_x64: false,
        user: None,
        account: None,
        pending_renames: Vec::new(),
    });
    let variables = [
        ("ProgramData", r"C:\ProgramData"),
        ("ProgramFiles", r"C:\Program Files"),
        ("SystemDrive", "C:"),
        ("SystemRoot", r"C:\windows"),
        ("windir", r"C:\windows"),
    ];
    facts.variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    facts.free_space = BTreeMap::from([('C', 40 << 30)]);
    let pool = |name: &str, clr: &str, pipeline: &str, identity: &str| Pool {
        name: name.to_owned(),
        clr: clr.to_owned(),
        pipeline: pipeline.to_owned(),
        identity: identity.to_owned(),
        enable_32bit: false,
    };
    facts.web_server = Some(WebServer {
        features: vec!["asp-net".to_owned(), "metabase-compatibility".to_owned()],
        global_modules: BTreeMap::new(),
        pools: vec![
            pool("DefaultAppPool", "v2.0", "Classic", "ApplicationPoolIdentity"),
            pool(POOL, "v4.0", "Integrated", r"FABRIKAM\svc-pfpool"),
        ],
        sites: vec![Site {
            id: 1,
            name: "Default Web Site".into(),
            folder: support::path(r"C:\inetpub\wwwroot"),
            bindings: vec!["http/*:80:".to_owned(), "https/*:443:".to_owned()],
            applications: Vec::new(),
        }],
    });
    facts
}
