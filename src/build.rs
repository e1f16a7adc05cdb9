//! Gives the Windows program its manifest; other systems need nothing of it.

use embed_manifest::manifest::{ActiveCodePage, ExecutionLevel, Setting};
use embed_manifest::{embed_manifest, new_manifest};

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    if std::env::var_os("CARGO_CFG_WINDOWS").is_none() {
        return;
    }
    let manifest = new_manifest("pfupgrade")
        // `requireAdministrator` would open a new console and lose output and exit code.
        .requested_execution_level(ExecutionLevel::AsInvoker)
        .long_path_aware(Setting::Enabled)
        .active_code_page(ActiveCodePage::Utf8);
    if let Err(error) = embed_manifest(manifest) {
        println!("cargo::error=could not embed the manifest: {error}");
    }
}
