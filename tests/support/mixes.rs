//! Machines with any mix of components, and plans that want anything of them.

use super::*;
use pfupgrade::plan::Component;
use pfupgrade::survey::survey;

pub const AGENT: &str = r"C:\Program Files\PhoneFactor";
pub const URL: &str = "https://mfa.fabrikam.example/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx";

/// Where a web component is, or is to be: site, number of the site, its root, directory.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Place {
    pub site: &'static str,
    pub id: u32,
    pub root: &'static str,
    pub directory: &'static str,
}

pub const fn default_site(directory: &'static str) -> Place {
    Place { site: "Default Web Site", id: 1, root: r"C:\inetpub\wwwroot", directory }
}

pub const fn other_site(directory: &'static str) -> Place {
    Place { site: "Mobile", id: 2, root: r"D:\Sites\Mobile", directory }
}

/// Where the demo machine has a component, and where the article's defaults put its new version.
pub fn usual(component: Component) -> (Place, &'static str) {
    match component {
        Component::Sdk => (default_site("PhoneFactorWebServiceSdk"), "MultiFactorAuthWebServiceSdk"),
        Component::Portal => (default_site("PhoneFactor"), "MultiFactorAuth"),
        _ => (other_site("PhoneFactorPhoneAppWebService"), "MultiFactorAuthMobileAppWebService"),
    }
}

/// The demo machine, with the new installers of the web components at hand.
pub fn full(bits: Bits) -> MemoryDisk {
    static MACHINES: [OnceLock<MemoryDisk>; 2] = [const { OnceLock::new() }; 2];
    let machine = MACHINES[usize::from(bits == Bits::X64)].get_or_init(|| {
        let disk = demo_for(bits, "one-server");
        let web = demo_for(bits, "web-server");
        for part in ["WebServiceSdk", "UserPortal", "MobileAppWebService"] {
            let file = new_installer(part, bits);
            put(&disk, &file, disk::read(&web, &path(&file), 1 << 26).unwrap());
        }
        change(&disk, |facts| {
            facts.answers.insert(URL.to_owned(), 200.into());
            (facts.system.vc_x86, facts.system.vc_x64) = (true, true);
        });
        disk.sync_all();
        disk
    });
    machine.snapshot()
}

pub fn new_installer(part: &str, bits: Bits) -> String {
    format!(r"C:\Install\MultiFactorAuthentication{part}Setup{}.msi", bits.number())
}

/// Takes a component off the machine, by hand.
pub fn take_off(disk: &MemoryDisk, component: Component) {
    put(disk, r"C:\tmp\marker", "");
    let machine = boot(disk);
    let found = survey(machine.inspect()).unwrap();
    let found = &found.components[&component];
    let product = found.products.first().unwrap();
    let perform = |op| machine.perform(&op, &mut |_| {}).unwrap();
    perform(Op::Uninstall {
        code: product.code.clone(),
        name: product.name.clone(),
        log: path(r"C:\tmp\gone.log"),
        way_back: None,
    });
    for served in &found.applications {
        perform(Op::Remove { path: served.application.folder.clone() });
    }
    if component == Component::Server {
        perform(Op::Remove { path: path(AGENT) });
        drop(machine);
        change(disk, |facts| {
            facts.registry.remove(r"HKLM\SOFTWARE\Wow6432Node\Positive Networks\PhoneFactor");
            facts.registry.remove(r"HKLM\SOFTWARE\Positive Networks\PhoneFactor");
        });
    }
    boot(disk).perform(&Op::Remove { path: path(r"C:\tmp") }, &mut |_| {}).unwrap();
}

/// Moves an old web component to another place: it is installed again, and gets its files and settings back.
pub fn move_to(disk: &MemoryDisk, component: Component, to: Place, pool: &str) {
    let machine = boot(disk);
    let found = survey(machine.inspect()).unwrap();
    let found = &found.components[&component];
    let (product, served) = (&found.products[0], &found.applications[0]);
    let perform = |op| machine.perform(&op, &mut |_| {}).unwrap();
    let (package, old) = (path(r"C:\tmp\old.msi"), path(r"C:\tmp\old"));
    perform(Op::Copy { from: product.package.clone().unwrap(), to: package.clone() });
    perform(Op::Copy { from: served.application.folder.clone(), to: old.clone() });
    let log = path(r"C:\tmp\log");
    let (code, name) = (product.code.clone(), product.name.clone());
    perform(Op::Uninstall { code, name, log: log.clone(), way_back: None });
    perform(Op::Remove { path: served.application.folder.clone() });
    let site = format!("/LM/W3SVC/{}", to.id);
    let properties = [("TARGETVDIR", to.directory), ("TARGETSITE", &site), ("TARGETAPPPOOL", pool)];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    perform(Op::Install { package, properties, log });
    perform(Op::Copy { from: old, to: path(to.root).child(to.directory) });
    perform(Op::Remove { path: path(r"C:\tmp") });
}

/// A machine and what a plan wants of it.
#[derive(Clone, Debug)]
pub struct Case {
    pub bits: Bits,
    pub present: Vec<Component>,
    /// Where a web component is that is not in its usual place.
    pub places: BTreeMap<Component, Place>,
    pub actions: BTreeMap<Component, &'static str>,
    /// Whether the plan keeps the names of the directories.
    pub keeps_names: bool,
}

impl Case {
    pub fn of(present: Vec<Component>) -> Self {
        Self { bits: Bits::X64, present, places: BTreeMap::new(), actions: BTreeMap::new(), keeps_names: false }
    }

    pub fn has(&self, component: Component) -> bool {
        self.present.contains(&component)
    }

    pub fn action(&self, component: Component) -> &'static str {
        self.actions.get(&component).copied().unwrap_or("auto")
    }

    pub fn is_upgraded(&self, component: Component) -> bool {
        self.has(component) && self.action(component) == "auto"
    }

    pub fn old_place(&self, component: Component) -> Place {
        self.places.get(&component).copied().unwrap_or(usual(component).0)
    }

    pub fn new_directory(&self, component: Component) -> &'static str {
        if self.keeps_names { self.old_place(component).directory } else { usual(component).1 }
    }

    pub fn machine(&self) -> MemoryDisk {
        let disk = full(self.bits);
        for (component, place) in &self.places {
            let pool = if place.id == 1 { "PhoneFactor" } else { "PhoneFactorMobile" };
            move_to(&disk, *component, *place, pool);
        }
        for component in Component::ALL.into_iter().rev().filter(|component| !self.has(*component)) {
            take_off(&disk, component);
        }
        disk.sync_all();
        disk
    }

    pub fn plan(&self) -> Plan {
        let mut text = format!("format = 1\n[server]\naction = '{}'\n", self.action(Component::Server));
        if self.action(Component::Server) == "auto" {
            text += "installer = 'C:\\Install\\MultiFactorAuthenticationServerSetup.exe'\n";
        }
        // Where the server is not upgraded, nothing brings the installers of the web parts along.
        let alone = !self.is_upgraded(Component::Server);
        let parts = [
            (Component::Sdk, "WebServiceSdk"),
            (Component::Portal, "UserPortal"),
            (Component::MobileApp, "MobileAppWebService"),
        ];
        for (component, part) in parts {
            let action = self.action(component);
            text += &format!("[{component}]\naction = '{action}'\n");
            if action == "auto" {
                text += &format!("virtual-directory = '{}'\n", self.new_directory(component));
            }
            if action == "auto" && alone {
                text += &format!("installer = '{}'\n", new_installer(part, self.bits));
            }
            if component == Component::Sdk && (!self.has(component) || action == "remove") {
                text += &format!("url = '{URL}'\n");
            }
        }
        Plan::read(text.as_bytes(), "plan").unwrap_or_else(|errors| panic!("{self:?}\n{errors}"))
    }
}
