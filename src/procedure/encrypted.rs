//! Encrypted sections of an old web.config: a copy is decrypted, and the merged file is encrypted again.

use super::{CompileContext, Target};
use crate::finding::Finding;
use crate::plan::OnEncrypted;
use crate::platform::disk;
use crate::platform::facts::Bits;
use crate::step::{Decrypt, Protected, RemoveDecrypted, Section, Step, Work};
use crate::survey::web_config;
use crate::webconfig::{Document, Values};
use crate::winpath::WinPath;

/// The versions of the .NET Framework; the old web components run on the first.
const OLD_FIRST: [&str; 2] = ["v2.0.50727", "v4.0.30319"];

/// `aspnet_regiis.exe` for the old version's files, or for the new one's; `None` if the machine has none.
pub(crate) fn program(context: &CompileContext<'_>, is_old: bool) -> Option<WinPath> {
    let windows = WinPath::new(context.machine.variable("SystemRoot")?).ok()?;
    let framework = match context.survey.system.bits {
        Bits::X64 => "Framework64",
        Bits::X86 => "Framework",
    };
    let place =
        |version: &&str| windows.child("Microsoft.NET").child(framework).child(version).child("aspnet_regiis.exe");
    // A file for .NET 2.0 declares sections that .NET 4.0 declares itself, so 4.0 refuses to read it.
    let versions = if is_old { &OLD_FIRST[..] } else { &OLD_FIRST[1..] };
    versions.iter().map(place).find(|path| disk::exists(context.machine.files(), path).unwrap_or(false))
}

/// Whether a merge can migrate the old settings, or there are none.
pub(super) fn can_be_migrated(context: &CompileContext<'_>, target: &Target) -> bool {
    let path = target.old.web_config();
    let is_readable = |values: &Values| values.encrypted.is_empty() || refusal(context, &path, values).is_none();
    web_config::read(context.machine, &path).is_ok_and(|read| read.is_none_or(|(_, values)| is_readable(&values)))
}

/// Why encrypted sections cannot be merged; `None` if the plan allows decryption and the machine supports it.
pub(crate) fn refusal(context: &CompileContext<'_>, path: &WinPath, values: &Values) -> Option<Finding> {
    let refuse = |title: String| Finding::refuse("encrypted-web-config", title).evidence(values.encrypted.clone());
    if context.plan.merge.on_encrypted == OnEncrypted::Stop {
        let advice = "set `on-encrypted = \"decrypt\"` in [merge]: a private copy is decrypted for the merge, and the \
                      result is encrypted again; or decrypt them yourself with aspnet_regiis -pdf";
        return Some(refuse(format!("{path} has encrypted sections")).advice(advice));
    }
    // The program supports only sections with a path from the root.
    if values.encrypted.iter().any(|section| section.starts_with("location/")) {
        let advice = "decrypt this one yourself, or move it out of its <location>";
        return Some(refuse(format!("{path} has an encrypted section in a <location>")).advice(advice));
    }
    let has_programs = [true, false].iter().all(|is_old| program(context, *is_old).is_some());
    let advice = "install ASP.NET for .NET Framework 4.5 or later, or decrypt the sections by hand";
    (!has_programs).then(|| refuse("decryption requires aspnet_regiis.exe, which is missing".to_owned()).advice(advice))
}

/// The old web.config of a component, if it has encrypted sections and the plan allows decryption.
fn encrypted(context: &CompileContext<'_>, target: &Target) -> Option<(Document, Values)> {
    let read = web_config::read(context.machine, &target.old.web_config()).ok()??;
    let wanted = context.plan.merge.on_encrypted == OnEncrypted::Decrypt;
    (wanted && !read.1.encrypted.is_empty()).then_some(read)
}

fn folder(context: &CompileContext<'_>, target: &Target) -> WinPath {
    context.folders.decrypted().child(target.component.key())
}

/// What the step that migrates the settings must know about encrypted sections.
pub(super) fn protected(context: &CompileContext<'_>, target: &Target) -> Option<Protected> {
    let (document, values) = encrypted(context, target)?;
    let section = |path: String| Section { provider: document.provider_of(&path), path };
    let sections = values.encrypted.into_iter().map(section).collect();
    Some(Protected { folder: folder(context, target), sections, program: program(context, false)? })
}

/// The step that decrypts a copy.
pub(super) fn decrypt(context: &CompileContext<'_>, target: &Target) -> Option<Step> {
    let (_, values) = encrypted(context, target)?;
    let mut files = vec!["web.config".to_owned()];
    files.extend(web_config::outside_files(context.machine, &target.old.web_config()));
    Some(Step::new(
        "The merge must read settings that are encrypted with keys of this server.",
        Work::Decrypt(Decrypt {
            component: target.component,
            old_folder: target.old.application.folder.clone(),
            files,
            to: folder(context, target),
            sections: values.encrypted,
            program: program(context, true)?,
        }),
    ))
}

/// The step that removes the copies, if there are any.
pub(super) fn remove(steps: &[Step]) -> Option<Step> {
    steps.iter().any(|step| matches!(step.work, Work::Decrypt(_))).then(|| {
        Step::new("No encrypted setting may stay behind in clear text.", Work::RemoveDecrypted(RemoveDecrypted {}))
            .in_outage()
    })
}
