//! How the simulated IIS responds for the machine's applications.

use super::{MachineFacts, OwnApplication, Scripted, Simulated};
use crate::platform::disk;
use crate::platform::facts::{Application, Site, WebServer};
use crate::platform::{Failure, Inspect, OFFLINE, Response};
use crate::webconfig;

const LIMIT: u64 = 128 << 20;

/// The response of a URL: a scripted one, or that of an application of this machine. `None` if nothing responds.
pub(super) fn response(machine: &Simulated, url: &str) -> Result<Option<Response>, Failure> {
    let facts = machine.facts();
    let usual = |status| Response { status, location: None, certificate: None };
    Ok(match facts.answers.iter().find(|(known, _)| is_same(known, url)).map(|(_, scripted)| scripted) {
        Some(Scripted::Status(status)) => Some(usual(*status)),
        Some(Scripted::Response(scripted)) => {
            let of_new = if is_new(machine, &facts, url)? { scripted.new } else { None };
            let status = match of_new.or(scripted.old) {
                Some(status) => Some(status),
                None => status(machine, &facts, url)?,
            };
            let (location, certificate) = (scripted.location.clone(), scripted.certificate.clone());
            status.map(|status| Response { status, location, certificate })
        }
        None => status(machine, &facts, url)?.map(usual),
    })
}

/// Whether a host name is one of this machine, as a resolver would say.
pub(super) fn is_own_host(machine: &Simulated, host: &str) -> bool {
    let iis = machine.web_server().ok().flatten().unwrap_or_default();
    is_own(&machine.facts(), &iis, host)
}

fn is_own(facts: &MachineFacts, iis: &WebServer, host: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(host);
    let bindings = iis.sites.iter().flat_map(|site| &site.bindings);
    let mut bound = bindings.filter_map(|binding| binding.rsplit(':').next());
    let is_named = match &facts.host_names {
        Some(names) => names.iter().any(|name| is(name)),
        None => bound.any(is),
    };
    is_named || is(&facts.system.name) || is("localhost")
}

/// The HTTP status of an application of this machine: 503 while it is closed (learn.microsoft.com, "App_offline.htm"),
/// 500 if IIS ("HTTP Error 500.19") or ASP.NET cannot use a web.config, otherwise 200. `None` for a URL of another
/// machine, or if nothing is served.
fn status(machine: &Simulated, facts: &MachineFacts, url: &str) -> Result<Option<u16>, Failure> {
    let Some(iis) = machine.web_server()? else { return Ok(None) };
    let Some((site, application)) = served(facts, &iis, url) else { return Ok(None) };
    // IIS reads its own configuration before it starts ASP.NET, which shows the page of a closed application.
    if !machine.is_usable(&format!("{}{}", site.name, application.path))? {
        return Ok(Some(500));
    }
    let there = |name: &str| disk::exists(machine.files(), &application.folder.child(name)).unwrap_or(false);
    if there(OFFLINE) {
        return Ok(Some(503));
    }
    let config = application.folder.child("web.config");
    let is_sound = |bytes: Vec<u8>| webconfig::check(&bytes, config.as_str()).is_ok();
    let is_good = !there("web.config") || disk::read(machine.files(), &config, LIMIT).is_ok_and(is_sound);
    Ok(Some(if is_good { 200 } else { 500 }))
}

/// Whether the new version of a component is served at a URL: version 6 or later.
fn is_new(machine: &Simulated, facts: &MachineFacts, url: &str) -> Result<bool, Failure> {
    let iis = machine.web_server()?.unwrap_or_default();
    let Some((site, application)) = served(facts, &iis, url) else { return Ok(false) };
    let is_it = |own: &OwnApplication| own.site == *site.name && own.path.eq_ignore_ascii_case(&application.path);
    let mut here = facts.installed.values().filter(|product| product.application.as_ref().is_some_and(is_it));
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    Ok(here.any(|product| major(&product.version).is_some_and(|major| major > 5)))
}

/// Whether two URLs are the same but for case and the usual port.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |url: &str| {
        let url = url.to_ascii_lowercase();
        match url.split_once("://") {
            Some(("https", rest)) => format!("https://{}", rest.replacen(":443/", "/", 1)),
            Some(("http", rest)) => format!("http://{}", rest.replacen(":80/", "/", 1)),
            _ => url,
        }
    };
    plain(one) == plain(other)
}

/// The application that IIS chooses by the bindings of its sites and the longest path.
fn served<'a>(facts: &MachineFacts, iis: &'a WebServer, url: &str) -> Option<(&'a Site, &'a Application)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let (host, port) = authority.split_once(':').unwrap_or((authority, usual));
    let takes = |binding: &str| {
        let Some((of, rest)) = binding.split_once('/') else { return false };
        let mut parts = rest.rsplit(':');
        let (name, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // A binding without a host name takes requests for any: "Site bindings" in the documentation of IIS.
        let is_named = if name.is_empty() { is_own(facts, iis, host) } else { name.eq_ignore_ascii_case(host) };
        of.eq_ignore_ascii_case(scheme) && number == port && is_named
    };
    let site = iis.sites.iter().find(|site| site.bindings.iter().any(|binding| takes(binding)))?;
    let is_below = |application: &&Application| {
        let start = path.get(..application.path.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(&application.path))
            && path[application.path.len()..].chars().next().is_none_or(|next| next == '/')
    };
    let found = site.applications.iter().filter(is_below).max_by_key(|application| application.path.len());
    found.map(|application| (site, application))
}
