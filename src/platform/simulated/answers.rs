//! How the simulated IIS responds for the machine's applications.

use super::{MachineFacts, OwnApplication, Scripted};
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::{Application, Site};
use crate::platform::{OFFLINE, Response};
use crate::webconfig;

const LIMIT: u64 = 128 << 20;

/// The response of a URL: a scripted one, or that of an application of this machine. `None` if nothing responds.
pub(super) fn response(files: &dyn ReadDisk, facts: &MachineFacts, url: &str) -> Option<Response> {
    let usual = |status| Response { status, location: None, certificate: None };
    match facts.answers.iter().find(|(known, _)| is_same(known, url)).map(|(_, scripted)| scripted) {
        Some(Scripted::Status(status)) => Some(usual(*status)),
        Some(Scripted::Response(scripted)) => {
            let of_new = scripted.new.filter(|_| is_new(facts, url));
            let status = of_new.or(scripted.old).or_else(|| status(files, facts, url))?;
            Some(Response { status, location: scripted.location.clone(), certificate: scripted.certificate.clone() })
        }
        None => status(files, facts, url).map(usual),
    }
}

/// Whether a host name is one of this machine, as a resolver would say.
pub(super) fn is_own_host(facts: &MachineFacts, host: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(host);
    let bindings = facts.web_server.iter().flat_map(|iis| &iis.sites).flat_map(|site| &site.bindings);
    let mut bound = bindings.filter_map(|binding| binding.rsplit(':').next());
    let is_named = match &facts.host_names {
        Some(names) => names.iter().any(|name| is(name)),
        None => bound.any(is),
    };
    is_named || is(&facts.system.name) || is("localhost")
}

/// The HTTP status of an application of this machine: 503 while it is closed, 500 with an invalid web.config, otherwise
/// 200. `None` for a URL of another machine, or if nothing is served.
fn status(files: &dyn ReadDisk, facts: &MachineFacts, url: &str) -> Option<u16> {
    let folder = &served(facts, url)?.1.folder;
    let there = |name: &str| disk::exists(files, &folder.child(name)).unwrap_or(false);
    if there(OFFLINE) {
        return Some(503);
    }
    let config = folder.child("web.config");
    let is_sound = |bytes: Vec<u8>| webconfig::check(&bytes, config.as_str()).is_ok();
    let is_good = !there("web.config") || disk::read(files, &config, LIMIT).is_ok_and(is_sound);
    Some(if is_good { 200 } else { 500 })
}

/// Whether the new version of a component is served at a URL: version 6 or later.
fn is_new(facts: &MachineFacts, url: &str) -> bool {
    let Some((site, application)) = served(facts, url) else { return false };
    let is_it = |own: &OwnApplication| own.site == *site.name && own.path.eq_ignore_ascii_case(&application.path);
    let mut here = facts.installed.values().filter(|product| product.application.as_ref().is_some_and(is_it));
    here.any(|product| {
        product.version.split('.').next().and_then(|major| major.parse().ok()).is_some_and(|n: u32| n > 5)
    })
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

fn served<'a>(facts: &'a MachineFacts, url: &str) -> Option<(&'a Site, &'a Application)> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let (host, port) = authority.split_once(':').unwrap_or((authority, usual));
    let is_own = |binding: &str| {
        let Some((of, rest)) = binding.split_once('/') else { return false };
        let mut parts = rest.rsplit(':');
        let (name, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // A binding without a host name takes requests for any: "Site bindings" in the documentation of IIS.
        let is_named = if name.is_empty() { is_own_host(facts, host) } else { name.eq_ignore_ascii_case(host) };
        of.eq_ignore_ascii_case(scheme) && number == port && is_named
    };
    let sites = &facts.web_server.as_ref()?.sites;
    let site = sites.iter().find(|site| site.bindings.iter().any(|binding| is_own(binding)))?;
    let is_below = |application: &&Application| {
        let start = path.get(..application.path.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(&application.path))
            && path[application.path.len()..].chars().next().is_none_or(|next| next == '/')
    };
    let found = site.applications.iter().filter(is_below).max_by_key(|application| application.path.len());
    found.map(|application| (site, application))
}
