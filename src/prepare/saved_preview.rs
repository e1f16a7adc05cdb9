//! A saved preview: it is carried out only on the machine that it was made for.

use super::{Prepared, Preview};
use crate::journal::Frozen;
use crate::journal::seal::{seal, unseal};
use crate::plan::{Component, Plan};
use crate::platform::disk::{self, Kind};
use crate::platform::{Context, Failure, Inspect};
use crate::step::{Step, Work};
use crate::survey::Served;
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::Document;
use crate::winpath::WinPath;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Version of the format of a saved preview.
const FORMAT: u32 = 1;
const KIND: &str = "approved-preview";
/// What identifies the state of a machine: each fact by its name, with its value or the SHA-256 of it.
///
/// Products and their versions, web.configs with the files they keep settings in, themes, IIS, InstallPath, services
/// with their account and start type, installers. Data that changes constantly, the content of Data and Logs, is left
/// out.
pub type Fingerprint = BTreeMap<String, String>;

/// A saved preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Its identity: the checksum of the file.
    pub id: String,
    /// Its plan.
    pub plan: Plan,
    /// The state of the machine.
    pub fingerprint: Fingerprint,
}

/// Why a saved preview cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotApproved(String);

#[derive(Serialize)]
struct Saved<'a> {
    format: u32,
    kind: &'a str,
    program: &'a str,
    saved: Timestamp,
    machine: &'a str,
    plan: &'a Plan,
    fingerprint: &'a Fingerprint,
    preview: &'a Preview,
}

#[derive(Deserialize)]
struct Read {
    format: u32,
    kind: String,
    plan: Option<Plan>,
    fingerprint: Option<Fingerprint>,
}

impl Approved {
    /// Returns the content of the file.
    pub fn save(prepared: &Prepared, machine: &dyn Inspect, now: Timestamp) -> Result<String, Failure> {
        let fingerprint = fingerprint(machine, &prepared.frozen)?;
        let saved = Saved {
            format: FORMAT,
            kind: KIND,
            program: env!("CARGO_PKG_VERSION"),
            saved: now,
            machine: &prepared.preview.machine,
            plan: &prepared.frozen.plan,
            fingerprint: &fingerprint,
            preview: &prepared.preview,
        };
        seal("", &saved).map(|(line, _)| line).context("save the preview")
    }

    /// Reads what [`Approved::save`] wrote. Any change is detected.
    pub fn read(text: &str) -> Result<Self, NotApproved> {
        let wrong = |why: String| NotApproved(why);
        let (text, id) =
            unseal("", text.trim_end()).map_err(|why| wrong(format!("it is not a saved preview: {why}")))?;
        let read: Read = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match read {
            Read { kind, .. } if kind != KIND => Err(wrong(format!("its kind is `{kind}`, not `{KIND}`"))),
            Read { format, .. } if format > FORMAT => {
                Err(wrong(format!("it has format {format}, but this version of pfupgrade reads format {FORMAT}")))
            }
            Read { plan: Some(plan), fingerprint: Some(fingerprint), .. } => {
                Ok(Self { id: id.to_owned(), plan, fingerprint })
            }
            _ => Err(wrong("it has no plan or no fingerprint".to_owned())),
        }
    }

    /// How the machine has changed since the preview was saved; empty if it has not.
    pub fn differences(&self, machine: &dyn Inspect, prepared: &Prepared) -> Result<Vec<String>, Failure> {
        let (was, is) = (&self.fingerprint, fingerprint(machine, &prepared.frozen)?);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let value =
            |of: &Fingerprint, name: &String| of.get(name).map_or_else(|| "missing".to_owned(), |value| short(value));
        let differ = names.into_iter().filter(|name| was.get(*name) != is.get(*name));
        Ok(differ.map(|name| format!("{name}: was {}, is {}", value(was, name), value(&is, name))).collect())
    }
}

/// Shortens a hash for display.
fn short(value: &str) -> String {
    let is_hash = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { format!("SHA-256 {}…", &value[..16]) } else { value.to_owned() }
}

fn fingerprint(machine: &dyn Inspect, frozen: &Frozen) -> Result<Fingerprint, Failure> {
    let survey = &frozen.survey;
    let mut all = Fingerprint::new();
    all.insert("machine".to_owned(), format!("{}, {}", survey.system.name, survey.system.windows));
    all.insert("plan".to_owned(), hash_of(&frozen.plan)?);
    let install = survey.install.as_ref().map(|install| install.text.clone());
    all.extend(install.map(|install| ("InstallPath".to_owned(), install)));
    for service in survey.services.iter().chain(&survey.dependents) {
        let value = format!("{}, as {}, start type {:?}", service.image_path, service.account, service.start);
        all.insert(format!("service {}", service.name), value);
    }
    for product in survey.components.values().flat_map(|found| &found.products) {
        all.insert(format!("product {}", product.code), product.title());
    }
    if let Some(iis) = &survey.web_server {
        for pool in &iis.pools {
            all.insert(format!("application pool {}", pool.name), hash_of(pool)?);
        }
    }
    for component in Component::WEB {
        for served in survey.components.get(&component).into_iter().flat_map(|found| &found.applications) {
            of_application(machine, served, &mut all)?;
        }
    }
    for path in frozen.steps.iter().filter_map(installer) {
        all.insert(format!("installer {path}"), hash(machine, path)?.unwrap_or_else(|| "not there yet".to_owned()));
    }
    Ok(all)
}

fn of_application(machine: &dyn Inspect, served: &Served, all: &mut Fingerprint) -> Result<(), Failure> {
    let folder = &served.application.folder;
    all.insert(format!("application {}", served.location()), hash_of(&served.application)?);
    let path = served.web_config();
    if let Some(sum) = hash(machine, &path)? {
        all.insert(format!("file {path}"), sum);
        let text = disk::read(machine.files(), &path, CONFIG_LIMIT).context(format!("read {path}"))?;
        // An unreadable file is reported by a check.
        let values = Document::parse(text, path.as_str()).and_then(|document| document.values());
        for outside in values.into_iter().flat_map(|values| values.outside) {
            if let Ok(file) = folder.join(&outside.file) {
                all.insert(format!("file {file}"), hash(machine, &file)?.unwrap_or_else(|| "missing".to_owned()));
            }
        }
    }
    for theme in &served.themes {
        let theme = folder.child("App_Themes").child(theme);
        let mut sums = Vec::new();
        for entry in machine.files().walk(&theme).context(format!("list {theme}"))? {
            let sum = if entry.kind == Kind::File { hash(machine, &entry.path)? } else { None };
            sums.push((entry.path, sum));
        }
        all.insert(format!("theme {theme}"), hash_of(&sums)?);
    }
    Ok(())
}

/// The installer that a step runs, or the package for reinstalling what it uninstalls.
fn installer(step: &Step) -> Option<&WinPath> {
    match &step.work {
        Work::InstallServer(server) => Some(&server.installer),
        Work::InstallWeb(web) => Some(&web.package),
        Work::Uninstall(uninstall) => uninstall.package.as_ref(),
        _ => None,
    }
}

fn hash(machine: &dyn Inspect, path: &WinPath) -> Result<Option<String>, Failure> {
    let doing = format!("read {path}");
    match disk::exists(machine.files(), path).context(&doing)? {
        true => disk::hash(machine.files(), path).context(&doing).map(Some),
        false => Ok(None),
    }
}

fn hash_of(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_vec(value).map(|text| disk::hash_bytes(&text)).context("take a fingerprint")
}
