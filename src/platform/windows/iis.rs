//! IIS, through `appcmd.exe`.

use super::{Windows, program};
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::{Application, WebServer};
use crate::platform::iis::{self, Appcmd};
use crate::platform::{Context, Failure};
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::SystemTime;

/// The state of the files that decide about a location; `None` for a file that does not exist.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// The settings of locations, each with the state of the files they come from.
pub(super) type Known = BTreeMap<String, (Stamp, BTreeMap<String, String>)>;

fn folder(machine: &Windows) -> Result<WinPath, Failure> {
    machine.windows.join(r"System32\inetsrv").context("find the folder of IIS")
}

impl Appcmd for Windows {
    fn run_appcmd(&self, doing: &str, arguments: &[&str]) -> Result<(i32, String), Failure> {
        let answer = program::answer(&folder(self)?.child("appcmd.exe"), arguments, doing)?;
        Ok((answer.code, answer.text))
    }
}

impl Windows {
    /// The configuration of IIS; `None` if it is not installed.
    pub(super) fn iis(&self) -> Result<Option<WebServer>, Failure> {
        match disk::exists(&self.disk, &folder(self)?.child("appcmd.exe")).context("query IIS")? {
            true => iis::web_server(self).map(Some),
            false => Ok(None),
        }
    }

    /// An application with its settings. Each section needs its own query, so the results are cached until one of the
    /// files changes.
    pub(super) fn iis_application(&self, site: &str, path: &str) -> Result<Option<Application>, Failure> {
        let Some(web_server) = self.iis()? else { return Ok(None) };
        let (Some(of), Some(found)) = (web_server.site(site), web_server.application(site, path)) else {
            return Ok(None);
        };
        let location = format!("{}{}", of.name, found.path);
        let stamp = self.stamp(&[&of.folder, &found.folder])?;
        let mut known = self.known_settings.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = match (known.get(&location), &stamp) {
            (Some((as_of, settings)), Some(stamp)) if as_of == stamp => settings.clone(),
            _ => iis::settings(self, &location)?,
        };
        if let Some(stamp) = stamp {
            known.insert(location, (stamp, settings.clone()));
        }
        Ok(Some(Application { settings, ..found.clone() }))
    }

    /// When the configuration and the web.config files of these folders were last written, and their sizes; `None` for a
    /// shared configuration.
    fn stamp(&self, folders: &[&WinPath]) -> Result<Option<Stamp>, Failure> {
        let doing = "query the configuration of IIS";
        let config = folder(self)?.child("config");
        let redirection = match disk::read(&self.disk, &config.child("redirection.config"), 1 << 20) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => String::new(),
        };
        if redirection.contains("enabled=\"true\"") {
            return Ok(None);
        }
        let files = folders.iter().map(|folder| folder.child("web.config"));
        let all = [config.child("applicationHost.config")].into_iter().chain(files);
        let entries =
            all.map(|file| Ok(self.disk.entry(&file).context(doing)?.map(|entry| (entry.modified, entry.len))));
        entries.collect::<Result<Stamp, Failure>>().map(Some)
    }

    /// Backs up the configuration with `appcmd`. An existing backup with this name is from an interrupted attempt.
    pub(super) fn back_up_iis(&self, name: &str) -> Result<(), Failure> {
        let cut_off = folder(self)?.child("backup").child(name);
        disk::remove(&self.disk, &cut_off).context(format!("back up the IIS configuration as {name}"))?;
        iis::back_up(self, name)
    }
}
