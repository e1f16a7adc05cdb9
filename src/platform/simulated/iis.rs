//! IIS of a simulated machine: the folder `inetsrv` of Windows, which `appcmd` works on with the commands that it gets on
//! a real server.

use super::appcmd::{self, CONFIG, Files, host};
use super::{MachineFacts, Simulated, registry};
use crate::platform::disk::{self, Disk};
use crate::platform::facts::{Application, WebServer};
use crate::platform::iis::{self, Appcmd};
use crate::platform::registry::{Key, Value, View};
use crate::platform::{Context, Failure, Inspect};
use crate::winpath::WinPath;
use std::io;
use std::sync::PoisonError;

const LIMIT: u64 = 128 << 20;

/// What was last found in IIS, with what it follows from.
pub(super) type Known = Option<(String, Option<Key>, WebServer)>;

/// The path of a file of IIS.
fn place(facts: &MachineFacts, below: &str) -> Result<WinPath, Failure> {
    let windows = facts.variable("SystemRoot").unwrap_or(r"C:\Windows");
    WinPath::new(format!(r"{windows}\System32\inetsrv\{below}")).context("find the folder of IIS")
}

/// The path of `applicationHost.config`.
pub(super) fn config_file(facts: &MachineFacts) -> Result<WinPath, Failure> {
    place(facts, CONFIG)
}

impl MachineFacts {
    /// The same machine with its IIS where Windows has it. An older machine has it in machine.toml.
    pub(super) fn with_iis_in_place(mut self, disk: &dyn Disk) -> Result<Self, Failure> {
        let Some(iis) = self.web_server.take() else { return Ok(self) };
        let doing = "write applicationHost.config";
        let text = host::config(&iis).context(doing)?;
        write(disk, &config_file(&self)?, &text).context(doing)?;
        for (key, name, is_there) in iis::components(&iis.features) {
            // 32-bit setups look for it as well.
            for view in [View::Native, View::Wow32] {
                let key = registry::real_path(self.system.bits, view, key);
                match is_there {
                    true => self.registry.set(&key, name, Value::Number(1)),
                    false => self.registry.unset(&key, name),
                }
            }
        }
        Ok(self)
    }
}

fn write(disk: &dyn Disk, file: &WinPath, text: &str) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| disk::create_folders(disk, &folder))?;
    disk::replace(disk, file, text.as_bytes())
}

impl Files for Simulated {
    fn web_config(&self, folder: &str) -> Result<Option<(String, String)>, String> {
        let folder = self.expand(folder).map_err(|name| format!("the variable %{name}% is not set"))?;
        // What is on another computer cannot be simulated.
        let Ok(folder) = WinPath::new(folder) else { return Ok(None) };
        let file = folder.child("web.config");
        match disk::read(self.files(), &file, LIMIT) {
            Ok(bytes) => Ok(Some((file.to_string(), text_of(&bytes)))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn has(&self, path: &str) -> bool {
        place(&self.locked(), path).is_ok_and(|file| disk::exists(self.files(), &file).unwrap_or(false))
    }
}

/// The text of a file. IIS reads UTF-8, and UTF-16 with its mark; other encodings differ in no element.
fn text_of(bytes: &[u8]) -> String {
    let units =
        |of: fn([u8; 2]) -> u16| bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect::<Vec<_>>();
    match bytes {
        [0xff, 0xfe, ..] => String::from_utf16_lossy(&units(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => String::from_utf16_lossy(&units(u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

impl Appcmd for Simulated {
    fn run_appcmd(&self, doing: &str, arguments: &[&str]) -> Result<(i32, String), Failure> {
        let Some(config) = self.iis_config()? else { return Err(Failure::new(doing, "IIS is not installed")) };
        let answer = appcmd::run(&config, arguments, self);
        if let Some((path, text)) = &answer.write {
            let file = place(&self.locked(), path)?;
            write(&*self.disk, &file, text).context(doing)?;
        }
        Ok((answer.code, answer.output))
    }
}

impl Simulated {
    /// The text of `applicationHost.config`; `None` without IIS.
    fn iis_config(&self) -> Result<Option<String>, Failure> {
        let file = config_file(&self.locked())?;
        match disk::read(self.files(), &file, LIMIT) {
            Ok(bytes) => Ok(Some(text_of(&bytes))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error).context(format!("read {file}")),
        }
    }

    /// Changes `applicationHost.config` without `appcmd`, as setup packages do. An interrupted attempt may have
    /// changed it without a sync, or left a temporary file.
    fn change_iis(&self, doing: &str, change: impl FnOnce(&str) -> Result<String, String>) -> Result<(), Failure> {
        let Some(config) = self.iis_config()? else { return Ok(()) };
        let file = config_file(&self.locked())?;
        let changed = change(&config).context(doing)?;
        match changed == config {
            true => disk::remove(&*self.disk, &disk::beside(&file))
                .and_then(|()| disk::sync_name(&*self.disk, &file))
                .context(doing),
            false => write(&*self.disk, &file, &changed).context(doing),
        }
    }

    /// The configuration of IIS; `None` if it is not installed.
    pub(super) fn iis(&self) -> Result<Option<WebServer>, Failure> {
        let Some(config) = self.iis_config()? else { return Ok(None) };
        let components = self.registry_key(View::Native, iis::COMPONENTS)?;
        let mut known = self.known_iis.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, with, found)) = &*known
            && (of, with) == (&config, &components)
        {
            return Ok(Some(found.clone()));
        }
        let found = iis::web_server(self)?;
        *known = Some((config, components, found.clone()));
        Ok(Some(found))
    }

    /// An application with the settings of its location.
    pub(super) fn iis_application(&self, site: &str, path: &str) -> Result<Option<Application>, Failure> {
        let Some(web_server) = self.iis()? else { return Ok(None) };
        let (Some(of), Some(found)) = (web_server.site(site), web_server.application(site, path)) else {
            return Ok(None);
        };
        let settings = iis::settings(self, &format!("{}{}", of.name, found.path))?;
        Ok(Some(Application { settings, ..found.clone() }))
    }

    /// Whether IIS can use the configuration of a location. It responds with 500.19 where it cannot.
    pub(super) fn is_usable(&self, location: &str) -> Result<bool, Failure> {
        let arguments = ["list", "config", location, "/section:system.webServer/security/access"];
        Ok(self.run_appcmd(&format!("read the configuration of {location}"), &arguments)?.0 == 0)
    }

    /// Backs up the configuration of IIS. An existing backup with this name is from an interrupted attempt.
    pub(super) fn back_up_iis(&self, name: &str) -> Result<(), Failure> {
        let folder = place(&self.locked(), &format!(r"backup\{name}"))?;
        disk::remove(&*self.disk, &folder).context(format!("back up the IIS configuration as {name}"))?;
        iis::back_up(self, name)
    }

    /// Creates the application of a web setup.
    pub(super) fn create_application(&self, site: &str, wanted: &Application) -> Result<(), Failure> {
        let (path, folder) = (&wanted.path, wanted.folder.as_str());
        let Some(id) = self.site_id(site)? else { return Ok(()) };
        let create = |config: &str| host::create(config, id, path, folder, &wanted.pool);
        self.change_iis(&format!("create the application {path} of site \"{site}\""), create)
    }

    /// Removes the application of a web setup.
    pub(super) fn remove_application(&self, site: &str, path: &str) -> Result<(), Failure> {
        let Some(id) = self.site_id(site)? else { return Ok(()) };
        let remove = |config: &str| host::remove(config, id, path);
        self.change_iis(&format!("remove the application {path} of site \"{site}\""), remove)
    }

    fn site_id(&self, name: &str) -> Result<Option<u32>, Failure> {
        Ok(self.iis()?.and_then(|iis| iis.site(name).map(|site| site.id)))
    }
}
