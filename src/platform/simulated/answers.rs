//! How the simulated IIS responds for the machine's applications.

use super::MachineFacts;
use crate::platform::OFFLINE;
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::Application;
use crate::webconfig;

const LIMIT: u64 = 128 << 20;

/// The HTTP status of an application of this machine: 503 while it is closed, 500 with an invalid web.config, otherwise
/// 200. `None` for a URL of another machine, or if nothing is served.
pub(super) fn status(files: &dyn ReadDisk, facts: &MachineFacts, url: &str) -> Option<u16> {
    let folder = &served(facts, url)?.folder;
    let there = |name: &str| disk::exists(files, &folder.child(name)).unwrap_or(false);
    if there(OFFLINE) {
        return Some(503);
    }
    let config = folder.child("web.config");
    let is_sound = |bytes: Vec<u8>| webconfig::check(&bytes, config.as_str()).is_ok();
    let is_good = !there("web.config") || disk::read(files, &config, LIMIT).is_ok_and(is_sound);
    Some(if is_good { 200 } else { 500 })
}

fn served<'a>(facts: &'a MachineFacts, url: &str) -> Option<&'a Application> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let usual = if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" };
    let (host, port) = authority.split_once(':').unwrap_or((authority, usual));
    let is_own = |binding: &str| {
        let Some((of, rest)) = binding.split_once('/') else { return false };
        let mut parts = rest.rsplit(':');
        let (name, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let named = if name.is_empty() { facts.system.name.as_str() } else { name };
        of.eq_ignore_ascii_case(scheme) && number == port && named.eq_ignore_ascii_case(host)
    };
    let sites = &facts.web_server.as_ref()?.sites;
    let site = sites.iter().find(|site| site.bindings.iter().any(|binding| is_own(binding)))?;
    let is_below = |application: &&Application| {
        let start = path.get(..application.path.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(&application.path))
            && path[application.path.len()..].chars().next().is_none_or(|next| next == '/')
    };
    site.applications.iter().filter(is_below).max_by_key(|application| application.path.len())
}
