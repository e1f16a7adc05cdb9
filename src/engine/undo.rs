//! The state before an operation, and how to restore it.

use crate::journal::Before;
use crate::names::ServiceName;
use crate::platform::disk::{self, ReadDisk};
use crate::platform::facts::Service;
use crate::platform::op::Op;
use crate::platform::{Context, Failure, Inspect, Monitor, OFFLINE, Platform};
use crate::step::Folders;
use crate::winpath::WinPath;
use std::io;

/// Records the state before `op`. Content goes to the run's backups under `name`, never to the journal; `watch` may
/// stop that.
pub(super) fn before(
    platform: &dyn Platform,
    folders: &Folders,
    op: &Op,
    name: &str,
    watch: &mut dyn Monitor,
) -> Result<Before, Failure> {
    let mut saved = |path: &WinPath| {
        let at = folders.backup.child("before").child(name);
        let save = Op::BackUp { from: path.clone(), to: at.clone(), except: Vec::new() };
        platform.perform(&save, watch)?;
        Ok(at)
    };
    let missing = |folder: &WinPath| {
        let missing = topmost_missing(platform.files(), folder).context(op)?;
        Ok(Before::Folder { missing })
    };
    match op {
        // What a restore replaces is saved as well: it is not restored, but may be needed.
        Op::Write { path, .. } | Op::Remove { path } | Op::Copy { to: path, .. } | Op::Restore { to: path, .. } => {
            let decrypted = folders.decrypted();
            if path.is_within(&decrypted) {
                return Ok(Before::Private { folder: decrypted });
            }
            if folders.own(path) {
                return Ok(Before::Nothing);
            }
            let parent = path.parent().filter(|_| matches!(op, Op::Write { .. } | Op::Copy { .. }));
            let missing = parent.map(|folder| topmost_missing(platform.files(), &folder)).transpose().context(op)?;
            Ok(Before::Saved { at: saved(path)?, missing: missing.flatten() })
        }
        Op::Close { folder } => missing(folder),
        Op::Move { from, to, .. } if disk::exists(platform.files(), from).context(op)? => {
            to.parent().map_or(Ok(Before::Nothing), |folder| missing(&folder))
        }
        Op::Service { name, .. } => {
            let service = service(platform.inspect(), name)?;
            Ok(Before::Service { state: service.as_ref().map(|service| service.state) })
        }
        Op::Configure { site, application } => {
            Ok(Before::Application { application: platform.application(site, &application.path)? })
        }
        _ => Ok(Before::Nothing),
    }
}

pub(super) fn service(machine: &dyn Inspect, name: &ServiceName) -> Result<Option<Service>, Failure> {
    Ok(machine.services()?.into_iter().find(|service| service.name == *name))
}

/// The topmost folder of `path` that does not exist.
fn topmost_missing(disk: &dyn ReadDisk, path: &WinPath) -> io::Result<Option<WinPath>> {
    if disk::exists(disk, path)? {
        return Ok(None);
    }
    match path.parent() {
        Some(parent) => Ok(topmost_missing(disk, &parent)?.or_else(|| Some(path.clone()))),
        None => Ok(None),
    }
}

/// The operations that restore what `op` changed, in order. The caller undoes backups and installations, because it
/// knows which backup counts and which products were installed before the run.
pub(super) fn undo(op: &Op, before: &Before, log: &WinPath) -> Vec<Op> {
    match (op, before) {
        (Op::Write { path, .. } | Op::Remove { path } | Op::Copy { to: path, .. }, Before::Saved { at, missing }) => {
            let restore = Op::Restore { from: at.clone(), to: path.clone(), except: Vec::new() };
            let empty = missing.as_ref().and_then(|up_to| empty(path.parent(), up_to));
            [restore].into_iter().chain(empty).collect()
        }
        (Op::Write { .. } | Op::Copy { .. }, Before::Private { folder }) => vec![Op::Remove { path: folder.clone() }],
        (Op::Close { folder }, Before::Folder { missing: None }) => vec![Op::Remove { path: folder.child(OFFLINE) }],
        (Op::Close { folder }, Before::Folder { missing: Some(up_to) }) => {
            // The folder was created for the application; the ones above may contain other things by now.
            let remove = Op::Remove { path: folder.clone() };
            [remove].into_iter().chain(empty(folder.parent(), up_to)).collect()
        }
        (Op::Move { from, to, .. }, Before::Folder { missing }) => {
            let back = Op::Move { from: to.clone(), to: from.clone(), aside: false };
            let empty = missing.as_ref().and_then(|up_to| empty(to.parent(), up_to));
            [back].into_iter().chain(empty).collect()
        }
        (Op::Service { name, .. }, Before::Service { state: Some(state) }) => {
            vec![Op::Service { name: name.clone(), state: *state, start: None }]
        }
        (Op::Configure { site, .. }, Before::Application { application: Some(application) }) => {
            vec![Op::Configure { site: site.clone(), application: application.clone() }]
        }
        // Its installer expects it at that path.
        (Op::RenameApplication { site, from, to }, _) if !from.eq_ignore_ascii_case(to) => {
            vec![Op::RenameApplication { site: site.clone(), from: to.clone(), to: from.clone() }]
        }
        (Op::Uninstall { way_back: Some(back), .. }, _) => {
            let install =
                Op::Install { package: back.package.clone(), properties: back.properties.clone(), log: log.clone() };
            back.before.iter().cloned().chain([install]).chain(back.after.iter().cloned()).collect()
        }
        _ => Vec::new(),
    }
}

fn empty(path: Option<WinPath>, up_to: &WinPath) -> Option<Op> {
    let path = path.filter(|path| path.is_within(up_to))?;
    Some(Op::RemoveEmpty { path, up_to: up_to.clone() })
}
