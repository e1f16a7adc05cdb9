//! How the simulated IIS responds for the machine's applications.

use super::Simulated;
use crate::platform::disk;
use crate::platform::facts::{Application, Site, WebServer};
use crate::platform::{Failure, Inspect, OFFLINE};
use crate::webconfig;

const LIMIT: u64 = 128 << 20;

impl Simulated {
    /// The HTTP status of an application of this machine: 503 while it is closed (learn.microsoft.com, "App_offline.htm"),
    /// 500 if IIS ("HTTP Error 500.19") or ASP.NET cannot use a web.config, otherwise 200. `None` for a URL of another
    /// machine, or if nothing is served.
    pub(super) fn answer(&self, url: &str) -> Result<Option<u16>, Failure> {
        let Some(iis) = self.iis()? else { return Ok(None) };
        let name = self.locked().system.name.clone();
        let Some((site, application)) = served(&iis, &name, url) else { return Ok(None) };
        // IIS reads its own configuration before it starts ASP.NET, which shows the page of a closed application.
        if !self.is_usable(&format!("{}{}", site.name, application.path))? {
            return Ok(Some(500));
        }
        let there = |name: &str| disk::exists(self.files(), &application.folder.child(name)).unwrap_or(false);
        if there(OFFLINE) {
            return Ok(Some(503));
        }
        let config = application.folder.child("web.config");
        let is_sound = |bytes: Vec<u8>| webconfig::check(&bytes, config.as_str()).is_ok();
        let is_good = !there("web.config") || disk::read(self.files(), &config, LIMIT).is_ok_and(is_sound);
        Ok(Some(if is_good { 200 } else { 500 }))
    }
}

/// The application that IIS chooses by the bindings of its sites and the longest path.
fn served<'a>(iis: &'a WebServer, machine: &str, url: &str) -> Option<(&'a Site, &'a Application)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let (host, port) = authority.split_once(':').unwrap_or((authority, usual));
    let is_own = |binding: &str| {
        let Some((of, rest)) = binding.split_once('/') else { return false };
        let mut parts = rest.rsplit(':');
        let (name, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let named = if name.is_empty() { machine } else { name };
        of.eq_ignore_ascii_case(scheme) && number == port && named.eq_ignore_ascii_case(host)
    };
    let site = iis.sites.iter().find(|site| site.bindings.iter().any(|binding| is_own(binding)))?;
    let is_below = |application: &&Application| {
        let start = path.get(..application.path.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(&application.path))
            && path[application.path.len()..].chars().next().is_none_or(|next| next == '/')
    };
    let application = site.applications.iter().filter(is_below).max_by_key(|application| application.path.len())?;
    Some((site, application))
}
