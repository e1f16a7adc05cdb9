//! What the upgrade of the server must leave in its data folder: users, settings, activation.

use super::StepContext;
use crate::platform::disk::{self, ReadDisk};
use crate::platform::{Context, Failure};
use crate::winpath::WinPath;

const DATA_FILE: &str = "PhoneFactor.pfdata";
/// What a server is activated with. Without these files, it asks for activation.
const KEPT: [&str; 7] = ["caCert", "cert", "groupCACert", "groupKey", GROUP, "licenseKey", "pkey"];
/// The name of the replication group.
const GROUP: &str = "groupName";
/// A name has a few words.
const GROUP_LIMIT: u64 = 4096;

/// How a data folder differs from its backup, in what the upgrade must keep; empty if it does not. The data file itself
/// changes, but a much smaller one has lost users.
pub fn losses(context: &StepContext<'_>, data: &WinPath) -> Result<Vec<String>, Failure> {
    let Some(backup) = context.history.backup_of(data) else { return Ok(Vec::new()) };
    let files = context.machine.files();
    let mut all: Vec<String> = data_file(files, backup, data)?.into_iter().collect();
    for name in KEPT {
        let [old, new] = [backup, data].map(|folder| folder.child(name));
        let Some(was) = hash(files, &old)? else { continue };
        match hash(files, &new)? {
            None => all.push(format!("{new} is missing")),
            Some(is) if is == was => {}
            Some(_) => all.push(match [backup, data].map(|folder| group(files, folder)) {
                [Some(was), Some(is)] if name == GROUP => format!("the replication group was {was} and is {is}"),
                _ => format!("{new} has changed"),
            }),
        }
    }
    Ok(all)
}

fn data_file(files: &dyn ReadDisk, backup: &WinPath, data: &WinPath) -> Result<Option<String>, Failure> {
    let size = |folder: &WinPath| {
        let file = folder.child(DATA_FILE);
        files.entry(&file).map(|entry| entry.map(|entry| entry.len)).context(format!("look for {file}"))
    };
    let (Some(was), file) = (size(backup)?, data.child(DATA_FILE)) else { return Ok(None) };
    Ok(match size(data)? {
        None => Some(format!("{file} is missing")),
        Some(0) => Some(format!("{file} is empty")),
        Some(is) => (is < was / 2).then(|| format!("{file} had {was} bytes and has {is}")),
    })
}

/// The replication group of the server, as far as its file can be read as a name.
pub fn group(files: &dyn ReadDisk, data: &WinPath) -> Option<String> {
    let bytes = disk::read(files, &data.child(GROUP), GROUP_LIMIT).ok()?;
    let name = String::from_utf8(bytes).ok()?.trim().to_owned();
    (!name.is_empty() && !name.contains(char::is_control)).then_some(name)
}

fn hash(files: &dyn ReadDisk, path: &WinPath) -> Result<Option<String>, Failure> {
    let doing = format!("read {path}");
    match disk::exists(files, path).context(&doing)? {
        true => disk::hash(files, path).context(&doing).map(Some),
        false => Ok(None),
    }
}
