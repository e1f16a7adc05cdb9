//! Whether an old product could be installed again: what a rollback needs.

use super::packages;
use super::products::{self, Product};
use crate::platform::Inspect;
use crate::winpath::WinPath;

/// The package by which a product can be installed again, or why there is none. The package is read to its last byte.
pub fn way_back(machine: &dyn Inspect, product: &Product) -> Result<WinPath, String> {
    if !product.windows_installer {
        return Err(format!("{} was not installed by Windows Installer", product.title()));
    }
    let path =
        product.package.clone().ok_or_else(|| format!("Windows Installer names no package for {}", product.title()))?;
    installs_again(machine, &path, product)?;
    let applied = products::applied(machine, &product.code).map_err(|failure| failure.to_string())?;
    match applied.is_empty() {
        true => Ok(path),
        false => Err(format!(
            "{} has been changed since it was installed, and its package alone would not bring that back: {}",
            product.title(),
            applied.join(", ")
        )),
    }
}

/// Why a package cannot install a product again. It is read to its last byte.
pub fn installs_again(machine: &dyn Inspect, path: &WinPath, product: &Product) -> Result<(), String> {
    let mut package = packages::open(machine, path)
        .map_err(|failure| failure.to_string())?
        .ok_or_else(|| format!("the package of {}, {path}, is not there", product.title()))?;
    let info = package.info().clone();
    if product.code != *info.product_code {
        return Err(format!(
            "{path} is the package of another product: {} {} {} instead of {} {}",
            info.product_name,
            info.product_version,
            info.product_code,
            product.title(),
            product.code
        ));
    }
    if let Some(what) = package.outside() {
        let title = product.title();
        return Err(format!(
            "{path} does not hold the files of {title}, which lay beside it when it was installed: {what}"
        ));
    }
    package.unpack(&mut |_, _| Ok(())).map_err(|error| error.to_string())
}
