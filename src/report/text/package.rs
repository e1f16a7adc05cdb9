//! A Windows Installer package, as text.

use super::page::{BOLD, DIM, GREEN, PLAIN, Page, YELLOW};
use super::{bytes, count};
use crate::package::{Architecture, Description, WebDescription};
use serde::Serialize;

/// The signature of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Signed {
    /// It has none.
    None,
    /// Windows verified it: it is valid, and leads to a trusted root.
    Valid {
        /// The common name in the signer's certificate.
        by: String,
    },
    /// There is one that is not verified, or not valid.
    NotChecked {
        /// The common name in the certificate of the claimed signer.
        by: String,
    },
    /// There is one that cannot be read.
    Unreadable {
        /// Why.
        why: String,
    },
}

/// The description of a package.
pub fn package(package: &Description, signature: &Signed, sha256: &str, width: usize) -> String {
    let mut page = Page::new(width);
    let info = &package.info;
    page.line(0, "", PLAIN, &format!("{} {}", info.product_name, info.product_version), BOLD);
    page.blank();
    let mut fact = |name: &str, value: &str| {
        if !value.is_empty() {
            page.line(2, &format!("{name:14}"), PLAIN, value, PLAIN);
        }
    };
    fact("manufacturer", &info.manufacturer);
    fact("product code", &info.product_code);
    fact("upgrade code", info.upgrade_code.as_deref().unwrap_or_default());
    fact("package code", &info.package_code);
    fact(
        "made for",
        match info.architecture {
            Architecture::X86 => "32-bit Windows (x86), also on 64-bit Windows",
            Architecture::X64 => "64-bit Windows (x64)",
            Architecture::Arm64 => "64-bit Windows on Arm",
            Architecture::Other => "another processor architecture",
        },
    );
    fact("installs for", if info.all_users { "all users" } else { "one user by default" });
    fact("sha256", sha256);
    signed(&mut page, signature);
    cabinets(&mut page, package);
    if let Some(web) = &package.web {
        web_server(&mut page, web);
    }
    list(
        &mut page,
        "Launch conditions",
        package.launch_conditions.iter().map(|row| (row.condition.as_str(), row.message.clone())),
    );
    if !package.not_simulated.is_empty() {
        page.heading("Not simulated in a rehearsal");
        package.not_simulated.iter().for_each(|what| page.line(2, "- ", DIM, what, PLAIN));
    }
    list(
        &mut page,
        "Services",
        package.services.iter().map(|service| {
            let account = service.account.as_deref().unwrap_or("LocalSystem");
            (service.name.as_str(), format!("{}, as {account}", service.display_name))
        }),
    );
    list(&mut page, "Public properties", package.properties.iter().map(|(name, value)| (name.as_str(), value.clone())));
    list(
        &mut page,
        "Features",
        package.features.iter().map(|feature| {
            let part = feature.parent.as_ref().map_or(String::new(), |parent| format!(", part of {parent}"));
            (
                feature.name.as_str(),
                format!("{} (level {}{part})", feature.title, feature.level).trim_start().to_owned(),
            )
        }),
    );
    list(&mut page, "Directories", package.directories.iter().map(|(key, path)| (key.as_str(), path.clone())));
    page.heading(&format!("Files: {}", count(package.files.len(), "file")));
    for file in &package.files {
        let version = file.version.as_ref().map_or(String::new(), |version| format!(", version {version}"));
        page.line(2, "- ", DIM, &format!("{} ({}{version})", file.path, bytes(file.size)), PLAIN);
    }
    page.into_text()
}

fn signed(page: &mut Page, signature: &Signed) {
    let (text, style) = match signature {
        Signed::None => ("none".to_owned(), YELLOW),
        Signed::Valid { by } => (format!("{by}, verified by Windows"), GREEN),
        Signed::NotChecked { by } if cfg!(windows) => (format!("{by} (claimed; Windows does not accept it)"), YELLOW),
        Signed::NotChecked { by } => (format!("{by} (claimed; only Windows can verify it)"), YELLOW),
        Signed::Unreadable { why } => (format!("unreadable: {why}"), YELLOW),
    };
    page.line(2, "signature     ", PLAIN, &text, style);
}

fn cabinets(page: &mut Page, package: &Description) {
    let info = &package.info;
    for cabinet in &info.cabinets {
        let place = if cabinet.embedded { "in the package" } else { "beside the package" };
        page.line(2, "cabinet       ", PLAIN, &format!("{}, {place}", cabinet.name), PLAIN);
    }
    if info.uncompressed_files {
        page.line(2, "files         ", PLAIN, "some are beside the package", PLAIN);
    }
}

fn web_server(page: &mut Page, web: &WebDescription) {
    page.heading("IIS");
    let properties = [
        ("TARGETVDIR", "virtual directory", &web.virtual_directory),
        ("TARGETSITE", "site", &web.site),
        ("TARGETAPPPOOL", "application pool", &web.application_pool),
    ];
    for (property, what, value) in properties {
        let text = match value.as_deref() {
            Some("") => "required".to_owned(),
            Some(value) => value.to_owned(),
            None => "no option: chosen during installation, or fixed".to_owned(),
        };
        page.line(2, &format!("{what:18}"), PLAIN, &format!("{text} ({property})"), PLAIN);
    }
    if !web.tables.is_empty() {
        page.line(2, "tables            ", PLAIN, &web.tables.join(", "), PLAIN);
    }
}

/// A section with a name and a text on each line; nothing if it is empty.
fn list<'a>(page: &mut Page, heading: &str, rows: impl Iterator<Item = (&'a str, String)>) {
    for (number, (name, words)) in rows.enumerate() {
        if number == 0 {
            page.heading(heading);
        }
        page.line(2, &format!("{name}: "), BOLD, &words, PLAIN);
    }
}
