//! What encrypted sections of an old web.config need: a copy of it decrypted, and the merged file encrypted again.

use super::{Ground, Target};
use crate::plan::OnEncrypted;
use crate::platform::disk;
use crate::platform::facts::Bits;
use crate::preflight::settings;
use crate::step::{Decrypt, Protected, RemoveDecrypted, Section, Step, Work};
use crate::webconfig::{Document, Values};
use crate::winpath::WinPath;

/// The versions of the .NET Framework, the one first on which the old web components run.
const OLD_FIRST: [&str; 2] = ["v2.0.50727", "v4.0.30319"];

/// `aspnet_regiis.exe`: for the old version's files, or for the new one's. `None` where the machine has none.
pub(crate) fn program(ground: &Ground<'_>, is_old: bool) -> Option<WinPath> {
    let windows = WinPath::new(ground.machine.variable("SystemRoot")?).ok()?;
    let framework = match ground.survey.system.bits {
        Bits::X64 => "Framework64",
        Bits::X86 => "Framework",
    };
    let place =
        |version: &&str| windows.child("Microsoft.NET").child(framework).child(version).child("aspnet_regiis.exe");
    // A file of .NET 2.0 declares sections that 4.0 has itself, and which it therefore refuses to read.
    let versions = if is_old { &OLD_FIRST[..] } else { &OLD_FIRST[1..] };
    versions.iter().map(place).find(|path| disk::exists(ground.machine.files(), path).unwrap_or(false))
}

/// The old web.config of a component, where it has encrypted sections that the plan has decrypted.
fn encrypted(ground: &Ground<'_>, target: &Target) -> Option<(Document, Values)> {
    let read = settings::read(ground.machine, &target.old.web_config()).ok()??;
    let wanted = ground.plan.merge.on_encrypted == OnEncrypted::Decrypt;
    (wanted && !read.1.encrypted.is_empty()).then_some(read)
}

fn folder(ground: &Ground<'_>, target: &Target) -> WinPath {
    ground.folders.decrypted().child(target.component.key())
}

/// What the step that carries the settings over has to know of encrypted sections.
pub(super) fn protected(ground: &Ground<'_>, target: &Target) -> Option<Protected> {
    let (document, values) = encrypted(ground, target)?;
    let section = |path: String| Section { provider: document.provider_of(&path), path };
    let sections = values.encrypted.into_iter().map(section).collect();
    Some(Protected { folder: folder(ground, target), sections, program: program(ground, false)? })
}

/// The step that decrypts a copy.
pub(super) fn decrypt(ground: &Ground<'_>, target: &Target) -> Option<Step> {
    let (_, values) = encrypted(ground, target)?;
    let mut files = vec!["web.config".to_owned()];
    files.extend(settings::outside_files(ground.machine, &target.old.web_config()));
    Some(Step {
        id: format!("decrypt-{}", target.component),
        reason: "its settings are encrypted with keys of this machine, and a merge has to read them".to_owned(),
        component: None,
        outage: false,
        skip: None,
        work: Work::Decrypt(Decrypt {
            component: target.component,
            old_folder: target.old.application.folder.clone(),
            files,
            to: folder(ground, target),
            sections: values.encrypted,
            program: program(ground, true)?,
        }),
    })
}

/// The step that removes the copies, where there are any.
pub(super) fn remove(steps: &[Step]) -> Option<Step> {
    steps.iter().any(|step| matches!(step.work, Work::Decrypt(_))).then(|| Step {
        id: "remove-decrypted".to_owned(),
        reason: "nothing is to be left in clear that was encrypted".to_owned(),
        component: None,
        outage: true,
        skip: None,
        work: Work::RemoveDecrypted(RemoveDecrypted {}),
    })
}
