//! Windows Installer packages on the machine.

use super::products::{NEW_ERA, component_of, major};
use crate::finding::Finding;
use crate::package::{Architecture, Info, Package};
use crate::plan::Component;
use crate::platform::disk::{self, ReadFile};
use crate::platform::facts::{Bits, Signature};
use crate::platform::{BesidePackage, Context, Failure, Inspect};
use crate::winpath::WinPath;

/// Opens a package; `None` if there is no file at `path`.
pub fn open(machine: &dyn Inspect, path: &WinPath) -> Result<Option<Package<Box<dyn ReadFile>>>, Failure> {
    let doing = format!("open the package {path}");
    if !disk::exists(machine.files(), path).context(&doing)? {
        return Ok(None);
    }
    let file = machine.files().open(path).context(&doing)?;
    Package::open(file, path.as_str()).context(&doing).map(Some)
}

/// The content of a file in a package; `None` if there is no package or no such file in it.
pub fn read_file(machine: &dyn Inspect, path: &WinPath, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    match open(machine, path)? {
        Some(mut package) => package.read_file(name, limit).context(format!("read {name} in {path}")),
        None => Ok(None),
    }
}

/// The content of the file at `relative`, below the folder of the file `name` in a package; `None` if there is no
/// package or no such file in it.
pub fn read_beside(
    machine: &dyn Inspect,
    path: &WinPath,
    (name, relative): (&str, &str),
    limit: u64,
) -> Result<Option<Vec<u8>>, Failure> {
    match open(machine, path)? {
        Some(mut package) => package.read_beside(name, relative, limit).context(format!("read {relative} in {path}")),
        None => Ok(None),
    }
}

fn fault(id: &'static str, title: String, seen: impl Into<Vec<String>>, advice: impl Into<String>) -> Finding {
    Finding::refuse(id, title).evidence(seen.into()).advice(advice)
}

/// Checks the hash and the signature of an installer, if they are required.
pub fn file_faults(
    machine: &dyn Inspect,
    path: &WinPath,
    sha256: Option<&str>,
    signed_by: Option<&str>,
) -> Result<Vec<Finding>, Failure> {
    let mut faults = Vec::new();
    if let Some(wanted) = sha256 {
        let found = disk::hash(machine.files(), path).context(format!("read {path}"))?;
        if !wanted.eq_ignore_ascii_case(&found) {
            faults.push(fault(
                "installer-hash",
                format!("the hash of the installer {path} is not the one in the plan"),
                [format!("expected {wanted}"), format!("found    {found}")],
                "get the right file, or fix `sha256` if the change is intended",
            ));
        }
    }
    if let Some(wanted) = signed_by {
        let seen = match machine.signature(path)? {
            Signature::Signed { by } if by == wanted => return Ok(faults),
            Signature::Signed { by } => format!("signed by {by}"),
            Signature::None => "no valid signature".to_owned(),
        };
        faults.push(fault(
            "installer-signature",
            format!("the installer {path} is not signed by {wanted}"),
            [seen],
            "get the right file, or set `signed-by` in the plan to another signer, or to false to accept an unsigned \
             file",
        ));
    }
    Ok(faults)
}

/// Checks the package of a web component's new version, on a Windows of `bits`.
pub fn web_faults(machine: &dyn Inspect, path: &WinPath, component: Component, bits: Bits) -> Vec<Finding> {
    let unreadable = |why: String| {
        let title = format!("the installer {path} cannot be read");
        vec![fault("installer-unreadable", title, [why], "copy it again from the MFA Server folder")]
    };
    let mut package = match open(machine, path) {
        Ok(Some(package)) => package,
        Ok(None) => return unreadable("it is missing".to_owned()),
        Err(failure) => return unreadable(failure.to_string()),
    };
    let beside = BesidePackage::new(machine.files(), path);
    if let Err(error) = package.unpack_beside(&beside, &|_| true, &mut |_, _| Ok(())) {
        return unreadable(error.to_string());
    }
    if let Err(error) = package.check_names() {
        let title = format!("the installer {path} cannot be installed");
        let advice = "get the right file: no installer of the product has such names";
        return vec![fault("installer-unreadable", title, [error.to_string()], advice)];
    }
    let info = package.info();
    let mut faults: Vec<Finding> = product_fault(path, component, info).into_iter().collect();
    if !matches!((info.architecture, bits), (Architecture::X86, _) | (Architecture::X64, Bits::X64)) {
        faults.push(fault(
            "installer-architecture",
            format!("the installer {path} is for another processor architecture"),
            [format!("package: {:?}, Windows: {bits:?}", info.architecture)],
            format!("use the {}-bit package", bits.number()),
        ));
    }
    if !package.takes("TARGETVDIR") {
        let title = format!("the installer {path} has no option for the virtual directory (TARGETVDIR)");
        let seen = [format!("{} {}", info.product_name, info.product_version)];
        let advice = "the run waits for you to run it and choose the virtual directory; or specify another package";
        faults.push(Finding::warn("installer-directory", title).evidence(seen).advice(advice));
    }
    faults
}

/// Why the package of a web component's new version cannot be installed; empty if it can.
pub fn refusals(
    machine: &dyn Inspect,
    path: &WinPath,
    component: Component,
    sha256: Option<&str>,
    signed_by: Option<&str>,
) -> Result<Vec<String>, Failure> {
    let mut faults = file_faults(machine, path, sha256, signed_by)?;
    faults.extend(web_faults(machine, path, component, machine.system()?.bits));
    Ok(faults.iter().filter(|fault| fault.refuses()).map(ToString::to_string).collect())
}

/// Checks by name and version that a package is the new version of a component.
fn product_fault(path: &WinPath, component: Component, info: &Info) -> Option<Finding> {
    let seen = format!("{} {}", info.product_name, info.product_version);
    let advice = format!("specify the {} installer, version 6 or later", component.title());
    let told = |finding: Finding| Some(finding.evidence([seen]).advice(advice));
    let refuse = |title: String| Finding::refuse("installer-product", title);
    let (named, major) = (component_of(&info.product_name), major(&info.product_version));
    match named {
        Some(other) if other != component => told(refuse(format!("the installer {path} is for the {}", other.title()))),
        _ if major.is_some_and(|major| major < NEW_ERA) => {
            told(refuse(format!("the installer {path} is for the old version")))
        }
        Some(_) => None,
        None => {
            let title = format!("the product name in the installer {path} does not match the {}", component.title());
            told(Finding::warn("installer-product", title))
        }
    }
}
