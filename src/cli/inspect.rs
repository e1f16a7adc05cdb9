//! `inspect`: shows what a Windows Installer package is and contains. It reads nothing else.

use super::console::Console;
use super::ending::Ending;
use super::fault::CommandError;
use super::options::InspectArgs;
use crate::exit::Exit;
use crate::package::{Description, Package, claimed_signer};
use crate::platform::disk::hash_reader;
use crate::report::text::{self, Signed};
use anyhow::Context;
use serde::Serialize;
use std::fs::File;
use std::io::Seek;
use std::path::Path;

pub(super) fn inspect(args: &InspectArgs, talk: &Console) -> Result<Ending, CommandError> {
    let path = &args.package;
    let name = path.display().to_string();
    let mut file = File::open(path).with_context(|| format!("could not open {name}"))?;
    let (len, sha256) = hash_reader(&mut file).with_context(|| format!("could not read {name}"))?;
    file.rewind().with_context(|| format!("could not read {name}"))?;
    let package = Package::open(&file, &name)
        .map_err(|error| CommandError::usage(error.to_string()).next("specify a Windows Installer package (.msi)"))?;
    let description = package.describe();
    let signature = signature(path, &file);

    #[derive(Serialize)]
    struct Document<'a> {
        format: u32,
        kind: &'static str,
        file: &'a str,
        size: u64,
        sha256: &'a str,
        signature: &'a Signed,
        #[serde(flatten)]
        package: &'a Description,
    }
    let document = Document {
        format: 1,
        kind: "package",
        file: &name,
        size: len,
        sha256: &sha256,
        signature: &signature,
        package: &description,
    };
    talk.document(&document);
    if !talk.json {
        talk.result(&text::package(&description, &signature, &sha256, talk.width()));
    }
    Ok(Ending::new(Exit::Done))
}

/// On Windows the signature is verified; elsewhere only the claimed signer is known.
fn signature(path: &Path, file: &File) -> Signed {
    #[cfg(windows)]
    if let Some(checked) = checked(path) {
        return checked;
    }
    #[cfg(not(windows))]
    let _ = path;
    match claimed_signer(file) {
        Ok(Some(by)) => Signed::NotChecked { by },
        Ok(None) => Signed::None,
        Err(error) => Signed::Unreadable { why: error.to_string() },
    }
}

/// The verdict of Windows on the signature; `None` if it cannot be queried.
#[cfg(windows)]
fn checked(path: &Path) -> Option<Signed> {
    use crate::platform::facts::Signature;
    use crate::platform::{Inspect, Windows};
    let path = std::path::absolute(path).ok()?;
    let path = crate::winpath::WinPath::new(path.to_str()?).ok()?;
    match Windows::new().ok()?.signature(&path).ok()? {
        Signature::Signed { by } => Some(Signed::Valid { by }),
        // It may have an invalid one, which is reported with its claimed signer.
        Signature::None => None,
    }
}
