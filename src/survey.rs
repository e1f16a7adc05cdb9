//! The survey: what is on the machine, independent of the plan.
//!
//! Names, versions and codes of the old products are not known for certain, so everything is discovered: products from
//! the uninstall keys of both registry views, web components by their files in the folders of IIS applications,
//! services by the path of their program. Each component is the union of all findings.

pub mod answers;
pub mod packages;
pub mod products;
pub mod reinstall;
mod web;
pub mod web_config;

use crate::names::SiteName;
use crate::plan::Component;
use crate::platform::facts::{Application, Bits, Service, System, WebServer};
use crate::platform::registry::View;
use crate::platform::{Context, Failure, Inspect, disk};
use crate::winpath::WinPath;
use products::Product;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
pub(crate) use web::{InstalledFiles, installed_files};

/// The registry key of the old and the new product, without its view.
pub const KEY: &str = r"HKLM\SOFTWARE\Positive Networks\PhoneFactor";
/// The agent's database, in its data folder.
pub const DATA_FILE: &str = "PhoneFactor.pfdata";
/// The value of [`KEY`] that names the folder; its trailing backslash matters.
pub const INSTALL_PATH: &str = "InstallPath";

/// The result of a survey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// Windows.
    pub system: System,
    /// The folder of the server; an AD FS server may have one without an agent.
    pub install: Option<InstallPath>,
    /// Products, application and folder of each component with any trace.
    pub components: BTreeMap<Component, FoundComponent>,
    /// The services with a program below InstallPath.
    pub services: Vec<Service>,
    /// Other services that depend on those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Service>,
    /// IIS; `None` if it is not installed.
    pub web_server: Option<WebServer>,
    /// Every application in IIS whose settings contain a URL of the SDK.
    #[serde(default)]
    pub sdk_clients: Vec<SdkClient>,
}

/// An application whose settings contain a URL of the SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SdkClient {
    /// Its web.config.
    pub web_config: WinPath,
    /// The name of the setting.
    pub setting: String,
}

/// The folder of the server, from the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallPath {
    /// Which registry.
    pub view: View,
    /// The value itself.
    pub text: String,
    /// The folder.
    pub folder: WinPath,
}

impl InstallPath {
    /// The folder with the database, certificates and keys.
    pub fn data(&self) -> WinPath {
        self.folder.child("Data")
    }

    /// The folder with the logs.
    pub fn logs(&self) -> WinPath {
        self.folder.child("Logs")
    }
}

/// What was found of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundComponent {
    /// Products with the component's name, old and new.
    pub products: Vec<Product>,
    /// Applications in IIS that serve it.
    pub applications: Vec<Served>,
    /// Other traces, in words.
    pub evidence: Vec<String>,
}

impl FoundComponent {
    /// Its products of version 5 and older.
    pub fn old(&self) -> impl Iterator<Item = &Product> {
        self.products.iter().filter(|product| !product.is_new_era())
    }

    /// Its product of version 6 or later.
    pub fn new_era(&self) -> Option<&Product> {
        self.products.iter().find(|product| product.is_new_era())
    }
}

/// An application in IIS that serves a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The site's name.
    pub site: SiteName,
    /// The number of the site.
    pub site_id: u32,
    /// The application.
    pub application: Application,
    /// Custom themes: folders below `App_Themes` that the package did not install.
    pub themes: Vec<String>,
    /// Files below its folder that the package did not install, or installed with other content.
    pub changed: Vec<ChangedFile>,
    /// Why IIS cannot use its configuration, if so: it responds with 500.19, and its settings are unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
}

impl Served {
    /// Its location in IIS: `Default Web Site/PhoneFactor`.
    pub fn location(&self) -> String {
        format!("{}{}", self.site, self.application.path)
    }

    /// Its web.config, which may not exist.
    pub fn web_config(&self) -> WinPath {
        self.application.folder.child("web.config")
    }

    /// The name of the virtual directory, without the slash.
    pub fn directory(&self) -> &str {
        self.application.path.trim_start_matches('/')
    }
}

/// A file that differs from the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// Its path below the component's folder.
    pub path: String,
    /// Whether the package installed a file with this name.
    pub installed: bool,
}

/// Surveys the machine.
pub fn survey(machine: &dyn Inspect) -> Result<Survey, Failure> {
    let system = machine.system()?;
    let install = install_path(machine, &system)?;
    let (services, dependents) = match &install {
        None => (Vec::new(), Vec::new()),
        Some(install) => {
            let is_ours =
                |service: &Service| program_of(machine, service).is_some_and(|path| path.is_within(&install.folder));
            let (ours, others): (Vec<_>, Vec<_>) = machine.services()?.into_iter().partition(is_ours);
            let dependents = dependents(&ours, others);
            (ours, dependents)
        }
    };
    let web_server = machine.web_server()?;
    let mut components: BTreeMap<Component, FoundComponent> = BTreeMap::new();
    for product in products::all(machine)? {
        if let Some(component) = product.component() {
            components.entry(component).or_default().products.push(product);
        }
    }
    let sdk_clients = web::survey(machine, web_server.as_ref(), &mut components)?;
    if let Some(install) = &install {
        let file = install.data().child(DATA_FILE);
        if disk::exists(machine.files(), &file).context(format!("look for {file}"))? {
            components.entry(Component::Server).or_default().evidence.push(format!("data file {file}"));
        }
    }
    for service in &services {
        let evidence = format!("service {} ({})", service.name, service.image_path);
        components.entry(Component::Server).or_default().evidence.push(evidence);
    }
    Ok(Survey { system, install, components, services, dependents, web_server, sdk_clients })
}

/// The program of a service, whose command line may contain variables.
pub fn program_of(machine: &dyn Inspect, service: &Service) -> Option<WinPath> {
    let line = machine.expand(&service.image_path).unwrap_or_else(|_| service.image_path.clone());
    Service { image_path: line, ..service.clone() }.program()
}

/// The services among `others` that depend on one of ours, directly or indirectly.
fn dependents(ours: &[Service], mut others: Vec<Service>) -> Vec<Service> {
    let mut found: Vec<Service> = Vec::new();
    loop {
        let needs_one = |service: &Service| ours.iter().chain(&found).any(|needed| service.needs(&needed.name));
        let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(needs_one);
        if more.is_empty() {
            return found;
        }
        found.extend(more);
        others = rest;
    }
}

fn install_path(machine: &dyn Inspect, system: &System) -> Result<Option<InstallPath>, Failure> {
    let views = match system.bits {
        Bits::X64 => &[View::Wow32, View::Native][..],
        Bits::X86 => &[View::Native],
    };
    for view in views {
        // A value that is not a path means no folder; a check reports that if the folder is needed.
        if let Some(text) = install_path_text(machine, *view, KEY)?
            && let Ok(folder) = WinPath::new(&text)
        {
            return Ok(Some(InstallPath { view: *view, text, folder }));
        }
    }
    Ok(None)
}

/// The value of InstallPath in the registry.
pub fn install_path_text(machine: &dyn Inspect, view: View, key: &str) -> Result<Option<String>, Failure> {
    let found = machine.registry_key(view, key)?;
    Ok(found.and_then(|key| key.text(INSTALL_PATH).map(str::to_owned)))
}
