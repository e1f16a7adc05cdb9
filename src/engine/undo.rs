//! What was there before an operation, and what puts it back.

use super::journal::Before;
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::ServiceState;
use crate::platform::op::Op;
use crate::platform::{Doing, Failure, Inspect, Platform};
use crate::step::Folders;
use crate::winpath::WinPath;
use std::io;

/// Records what is there before `op`. Content goes into the run's backups under `name`, never into the journal.
pub(super) fn before(platform: &dyn Platform, folders: &Folders, op: &Op, name: &str) -> Result<Before, Failure> {
    let saved = |path: &WinPath| {
        if folders.own(path) {
            return Ok(Before::Nothing);
        }
        let at = folders.backup.child("before").child(name);
        let save = Op::BackUp { from: path.clone(), to: at.clone(), except: Vec::new() };
        platform.perform(&save, &mut |_| {})?;
        Ok(Before::Saved { at })
    };
    match op {
        Op::Write { path, .. } | Op::Remove { path } | Op::Copy { to: path, .. } => saved(path),
        Op::CreateFolder { path, .. } if !folders.own(path) => {
            let missing = topmost_missing(platform.files(), path).doing(format!("look for {path}"))?;
            Ok(Before::Folder { missing })
        }
        Op::Move { from, to } => Ok(Before::Folder { missing: missing_for(platform.files(), from, to).doing(op)? }),
        Op::Service { name, .. } => Ok(Before::Service { state: state_of(platform.inspect(), name)? }),
        Op::Configure { site, application } => {
            let iis = platform.web_server()?.unwrap_or_default();
            Ok(Before::Application { application: iis.application(site, &application.path).cloned() })
        }
        _ => Ok(Before::Nothing),
    }
}

fn state_of(machine: &dyn Inspect, name: &str) -> Result<Option<ServiceState>, Failure> {
    let services = machine.services()?;
    Ok(services.iter().find(|service| service.name.eq_ignore_ascii_case(name)).map(|service| service.state))
}

/// The first folder that moving `from` will have to create; none where nothing is there to move.
fn missing_for(disk: &dyn ReadDisk, from: &WinPath, to: &WinPath) -> io::Result<Option<WinPath>> {
    match to.parent() {
        Some(folder) if disk::exists(disk, from)? => topmost_missing(disk, &folder),
        _ => Ok(None),
    }
}

/// The first folder on the way to `path` that does not exist.
fn topmost_missing(disk: &dyn ReadDisk, path: &WinPath) -> io::Result<Option<WinPath>> {
    if disk::exists(disk, path)? {
        return Ok(None);
    }
    match path.parent() {
        Some(parent) => Ok(topmost_missing(disk, &parent)?.or_else(|| Some(path.clone()))),
        None => Ok(None),
    }
}

/// The operations that put back what `op` changed, in order. An installation is undone by the caller, who knows which
/// products were there before the run.
pub(super) fn undo(op: &Op, before: &Before, folders: &Folders, log: &WinPath) -> Vec<Op> {
    match (op, before) {
        (_, Before::Saved { at }) => match op {
            Op::Write { path, .. } | Op::Remove { path } | Op::Copy { to: path, .. } => {
                vec![Op::Restore { from: at.clone(), to: path.clone(), except: Vec::new() }]
            }
            _ => Vec::new(),
        },
        (Op::CreateFolder { .. }, Before::Folder { missing: Some(path) }) => vec![Op::Remove { path: path.clone() }],
        (Op::Service { name, .. }, Before::Service { state: Some(state) }) => {
            vec![Op::Service { name: name.clone(), state: *state }]
        }
        (Op::Configure { site, .. }, Before::Application { application: Some(application) }) => {
            vec![Op::Configure { site: site.clone(), application: application.clone() }]
        }
        (Op::BackUp { from, to, except }, _) if !folders.own(from) => {
            vec![Op::Restore { from: to.clone(), to: from.clone(), except: except.clone() }]
        }
        (Op::ExportKey { view, key, to }, _) => {
            vec![Op::ImportKey { view: *view, key: key.clone(), from: to.clone() }]
        }
        (Op::Move { from, to }, Before::Folder { missing }) => {
            let back = Op::Move { from: to.clone(), to: from.clone() };
            [back].into_iter().chain(missing.clone().map(|path| Op::Remove { path })).collect()
        }
        (Op::Uninstall { way_back: Some(back), .. }, _) => {
            let install =
                Op::Install { package: back.package.clone(), properties: back.properties.clone(), log: log.clone() };
            back.before.iter().cloned().chain([install]).chain(back.after.iter().cloned()).collect()
        }
        _ => Vec::new(),
    }
}
