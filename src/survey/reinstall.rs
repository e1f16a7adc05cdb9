//! Checks whether an old product could be reinstalled, which a rollback needs.

use super::packages;
use super::products::{self, Product};
use crate::package::Package;
use crate::platform::Inspect;
use crate::platform::disk::ReadFile;
use crate::winpath::WinPath;

/// The package for reinstalling a product, or why there is none. The whole package is read.
pub fn way_back(machine: &dyn Inspect, product: &Product) -> Result<WinPath, String> {
    if !product.windows_installer {
        return Err(format!("{} was not installed by Windows Installer", product.title()));
    }
    let path =
        product.package.clone().ok_or_else(|| format!("Windows Installer has no package for {}", product.title()))?;
    installs_again(machine, &path, product)?;
    let applied = products::applied(machine, &product.code).map_err(|failure| failure.to_string())?;
    match applied.is_empty() {
        true => Ok(path),
        false => Err(format!(
            "{} has been changed since its installation, and its package alone would not restore that: {}",
            product.title(),
            applied.join(", ")
        )),
    }
}

/// The package to uninstall a product with; `None` if Windows Installer has its own copy, or the product another kind of
/// setup. Without its copy, Windows Installer fails with 1612 (ERROR_INSTALL_SOURCE_ABSENT), unless it finds the folder
/// that the product was installed from: nobody should depend on that. `at_hand` is a package that can install the
/// product again.
///
/// Windows Installer accepts the path of a package for `msiexec /x`, and considers a package with another package code
/// another installation (1638, ERROR_PRODUCT_VERSION): "Command-Line Options" and "Package Codes" in its documentation.
pub fn uninstalls_with(
    machine: &dyn Inspect,
    product: &Product,
    at_hand: Option<&WinPath>,
) -> Result<Option<WinPath>, String> {
    if !product.windows_installer {
        return Ok(None);
    }
    let own = match &product.package {
        Some(path) => is_package_of(machine, path, product, false),
        None => Err(format!("Windows Installer has no package for {}", product.title())),
    };
    let Err(why) = own else {
        let lost = products::lost_patches(machine, &product.code).map_err(|failure| failure.to_string())?;
        return match lost.is_empty() {
            true => Ok(None),
            false => Err(format!("patches of {} are missing: {}", product.title(), lost.join(", "))),
        };
    };
    match at_hand {
        None => Err(why),
        Some(path) => match is_package_of(machine, path, product, true) {
            Ok(()) => Ok(Some(path.clone())),
            Err(other) => Err(format!("{why}; {other}")),
        },
    }
}

/// Fails if a file is not the package that a product was installed from, as far as that is known; an unknown package
/// code is an error if it is `required`.
fn is_package_of(machine: &dyn Inspect, path: &WinPath, product: &Product, required: bool) -> Result<(), String> {
    let package = open(machine, path, product)?;
    let (title, code) = (product.title(), &package.info().package_code);
    let installed = products::package_code(machine, &product.code).map_err(|failure| failure.to_string())?;
    match installed {
        Some(installed) if installed != *code => {
            Err(format!("{path} is another package of {title}: its package code is {code} instead of {installed}"))
        }
        None if required => Err(format!("the registry does not contain the package code of {title}")),
        _ => Ok(()),
    }
}

fn open(machine: &dyn Inspect, path: &WinPath, product: &Product) -> Result<Package<Box<dyn ReadFile>>, String> {
    let package = packages::open(machine, path)
        .map_err(|failure| failure.to_string())?
        .ok_or_else(|| format!("the package of {}, {path}, is missing", product.title()))?;
    let info = package.info();
    match product.code == *info.product_code {
        true => Ok(package),
        false => Err(format!(
            "{path} is the package of another product: {} {} {} instead of {} {}",
            info.product_name,
            info.product_version,
            info.product_code,
            product.title(),
            product.code
        )),
    }
}

/// Fails if a package cannot reinstall a product. The whole package is read.
pub fn installs_again(machine: &dyn Inspect, path: &WinPath, product: &Product) -> Result<(), String> {
    let mut package = open(machine, path, product)?;
    if let Some(what) = package.outside() {
        let title = product.title();
        return Err(format!(
            "{path} does not contain the files of {title}, which were beside it at installation: {what}"
        ));
    }
    package.check_names().and_then(|()| package.unpack(&mut |_, _| Ok(()))).map_err(|error| error.to_string())
}
