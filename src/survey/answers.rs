//! What a URL of this machine answers, and whether that is as good as before the upgrade.

use crate::plan::Component;
use crate::platform::facts::Site;
use crate::platform::{Failure, Inspect};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::thread;
use std::time::Duration;

/// How long a URL may take before the upgrade, where a preview waits for it.
pub const BEFORE: Duration = Duration::from_secs(10);
/// How long it may take afterwards: the first request compiles an application of ASP.NET.
pub const AFTER: Duration = Duration::from_secs(60);
const REDIRECTS: usize = 5;

/// The answer to a GET request without credentials, after the redirects to the same host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// The URL that was requested.
    pub url: String,
    /// The answer.
    pub seen: Seen,
    /// What is wrong with the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    /// This HTTP status.
    Status(u16),
    /// A redirect to the error page of an ASP.NET application, which has `aspxerrorpath` in its URL.
    ErrorPage(String),
    /// No answer, for this reason.
    Silent(String),
    /// No request, because this host is not this machine.
    NotAsked(String),
}

/// How good an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Fault,
    Credentials,
    Works,
}

/// What was answered before an upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Baseline {
    /// The component, whose URL may change; `None` for a URL in the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<Component>,
    /// The answer.
    pub answer: Answer,
}

impl Answer {
    fn class(&self) -> Class {
        match self.seen {
            Seen::Status(200..=299) => Class::Works,
            Seen::Status(401 | 403) => Class::Credentials,
            _ => Class::Fault,
        }
    }

    /// Whether something works there, as far as can be seen without credentials.
    pub fn is_well(&self) -> bool {
        self.class() > Class::Fault
    }

    /// The status with its URL, in short.
    pub fn status(&self) -> String {
        match self.seen {
            Seen::Status(status @ (401 | 403)) => {
                format!("{status} from {}: it asks for credentials, and nothing behind it was seen", self.url)
            }
            Seen::Status(status) => format!("{status} from {}", self.url),
            _ => self.to_string(),
        }
    }

    /// Whether the host is this machine, so that it was asked.
    pub fn was_asked(&self) -> bool {
        !matches!(self.seen, Seen::NotAsked(_))
    }

    /// Why it is worse than before the upgrade; `None` if it is not. If nobody knows what it was before, a status of
    /// 2xx, 401 or 403 is expected.
    pub fn fault(&self, before: Option<&Self>) -> Option<String> {
        let before = before.filter(|before| before.was_asked());
        let wanted = before.map_or(Class::Credentials, Self::class);
        let had = before.map(|before| format!("; before the upgrade: {}", before.status())).unwrap_or_default();
        match &self.certificate {
            _ if !self.was_asked() && before.is_none() => None,
            _ if self.class() < wanted => Some(format!("{self}{had}")),
            Some(fault) if before.is_none_or(|before| before.certificate.is_none()) => {
                Some(format!("Windows does not trust the certificate of {}: {fault}{had}", self.url))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.url;
        match &self.seen {
            Seen::Status(status) => write!(f, "{url} responds with {status}"),
            Seen::ErrorPage(page) => write!(f, "{url} leads to the error page {page}"),
            Seen::Silent(why) => write!(f, "{url} does not respond: {why}"),
            Seen::NotAsked(host) => write!(f, "{url} was not requested, because {host} is not this server"),
        }
    }
}

/// Requests a URL, and follows up to five redirects to the same host.
pub fn ask(machine: &dyn Inspect, url: &str, limit: Duration) -> Answer {
    let mut answer = Answer { url: url.to_owned(), seen: Seen::Silent(String::new()), certificate: None };
    let mut at = url.to_owned();
    for followed in 0.. {
        let response = match machine.request(&at, limit) {
            Ok(response) => response,
            Err(failure) => return Answer { seen: Seen::Silent(failure.why), ..answer },
        };
        answer.certificate = answer.certificate.or(response.certificate);
        let redirects = matches!(response.status, 301..=303 | 307 | 308);
        let to = response.location.filter(|_| redirects).map(|location| joined(&at, &location));
        match to {
            Some(to) if to.to_ascii_lowercase().contains("aspxerrorpath=") => {
                let page = to.split('?').next().unwrap_or_default().to_owned();
                return Answer { seen: Seen::ErrorPage(page), ..answer };
            }
            Some(to) if host_of(&to) == host_of(&at) && followed < REDIRECTS => at = to,
            _ => return Answer { seen: Seen::Status(response.status), ..answer },
        }
    }
    answer
}

/// Requests the first of these URLs whose host is this machine, and the next one while nothing responds.
pub fn ask_here(machine: &dyn Inspect, urls: &[String], limit: Duration) -> Answer {
    let is_here = |url: &&String| host_of(url).is_some_and(|host| machine.is_own_host(&host));
    let mut silent = None;
    for url in urls.iter().filter(is_here) {
        let answer = ask(machine, url, limit);
        if !matches!(answer.seen, Seen::Silent(_)) {
            return answer;
        }
        silent.get_or_insert(answer);
    }
    let url = urls.first().cloned().unwrap_or_default();
    let host = host_of(&url).unwrap_or_default();
    silent.unwrap_or(Answer { url, seen: Seen::NotAsked(host), certificate: None })
}

/// Requests all of these at once.
pub fn baseline(machine: &dyn Inspect, questions: Vec<(Option<Component>, Vec<String>)>) -> Vec<Baseline> {
    thread::scope(|scope| {
        let ask = |(component, urls): (Option<Component>, Vec<String>)| {
            let thread = scope.spawn(move || ask_here(machine, &urls, BEFORE));
            (component, thread)
        };
        let asked: Vec<_> = questions.into_iter().map(ask).collect();
        let answered = |(component, thread): (_, thread::ScopedJoinHandle<'_, Answer>)| {
            Some(Baseline { component, answer: thread.join().ok()? })
        };
        asked.into_iter().filter_map(answered).collect()
    })
}

/// The URLs of the page by which a component is known to work, the most likely host names of a certificate first.
/// `hosts` are the names by which others know this machine.
pub fn pages(
    machine: &dyn Inspect,
    site: &Site,
    component: Component,
    path: &str,
    hosts: &[String],
) -> Result<Vec<String>, Failure> {
    let page = match component {
        Component::Sdk => "/PfWsSdk.asmx",
        Component::MobileApp => "/PfPaWs.asmx",
        Component::Portal | Component::Server => "/",
    };
    let usual = site.url(&format!("{path}{page}"));
    if !usual.contains("<server-name>") {
        return Ok(vec![usual]);
    }
    let name = machine.system()?.name;
    let mut all: Vec<String> = hosts.iter().chain([&name]).map(|name| usual.replace("<server-name>", name)).collect();
    all.dedup();
    Ok(all)
}

/// The host of a URL, in lowercase.
pub fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let host = rest.split(['/', ':', '?']).next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The target of a redirect, which may be relative (RFC 9110, 10.2.2).
fn joined(base: &str, location: &str) -> String {
    let (scheme, rest) = base.split_once("://").unwrap_or(("http", base));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let folder = path.split('?').next().unwrap_or_default().rsplit_once('/').map_or("", |(folder, _)| folder);
    match location {
        whole if whole.split("://").next().is_some_and(|start| start.len() < whole.len() && is_scheme(start)) => {
            whole.to_owned()
        }
        host if host.starts_with("//") => format!("{scheme}:{host}"),
        root if root.starts_with('/') => format!("{scheme}://{host}{root}"),
        relative => format!("{scheme}://{host}{folder}/{relative}"),
    }
}

fn is_scheme(text: &str) -> bool {
    ["http", "https"].iter().any(|scheme| text.eq_ignore_ascii_case(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_may_be_relative() {
        for (base, location, target) in [
            ("https://h:8/a/b?c=/d", "login.aspx?ReturnUrl=http://x", "https://h:8/a/login.aspx?ReturnUrl=http://x"),
            ("https://h/a/", "/b/", "https://h/b/"),
            ("https://h", "b", "https://h/b"),
            ("https://h/a", "//i/b", "https://i/b"),
            ("http://h/a", "https://h/a", "https://h/a"),
        ] {
            assert_eq!(joined(base, location), target, "{base} {location}");
        }
    }

    #[test]
    fn a_worse_answer_than_before_is_a_fault() {
        let of = |seen| Answer { url: "https://h/".to_owned(), seen, certificate: None };
        let [works, asks, refuses, broken] = [200, 401, 403, 500].map(|status| of(Seen::Status(status)));
        let silent = of(Seen::Silent("no route".to_owned()));
        let elsewhere = of(Seen::NotAsked("h".to_owned()));
        for (before, fine, worse) in [
            (Some(&works), vec![&works], vec![&asks, &refuses, &broken, &silent, &elsewhere]),
            (Some(&asks), vec![&works, &asks, &refuses], vec![&broken, &silent, &elsewhere]),
            (Some(&broken), vec![&works, &asks, &broken, &silent], vec![]),
            (Some(&elsewhere), vec![&works, &asks, &elsewhere], vec![&broken, &silent]),
            (None, vec![&works, &asks, &refuses, &elsewhere], vec![&broken, &silent]),
        ] {
            assert!(fine.iter().all(|now| now.fault(before).is_none()), "{before:?}");
            assert!(worse.iter().all(|now| now.fault(before).is_some()), "{before:?}");
        }
        let untrusted = Answer { certificate: Some("expired".to_owned()), ..works.clone() };
        assert!(untrusted.fault(Some(&works)).is_some() && untrusted.fault(Some(&untrusted)).is_none());
    }
}
