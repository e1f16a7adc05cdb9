//! Checks whether an old product could be reinstalled, which a rollback needs.

use super::packages;
use super::products::{self, Product};
use crate::platform::Inspect;
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

/// Fails if a package cannot reinstall a product. The whole package is read.
pub fn installs_again(machine: &dyn Inspect, path: &WinPath, product: &Product) -> Result<(), String> {
    let mut package = packages::open(machine, path)
        .map_err(|failure| failure.to_string())?
        .ok_or_else(|| format!("the package of {}, {path}, is missing", product.title()))?;
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
            "{path} does not contain the files of {title}, which were beside it at installation: {what}"
        ));
    }
    package.unpack(&mut |_, _| Ok(())).map_err(|error| error.to_string())
}
