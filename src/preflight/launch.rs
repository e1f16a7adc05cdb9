//! Checks the launch conditions of the packages that the run installs, and of those that a rollback would install.
//!
//! Windows Installer evaluates them at the start of an installation, when the old version is already gone. They are
//! evaluated here by its rules: the property "#10" of IIS 10 is less than "#4", because both are texts.

use crate::finding::Finding;
use crate::package::{Launch, Place, Property, Search};
use crate::plan::Component;
use crate::platform::facts::Bits;
use crate::platform::searches;
use crate::procedure::{CompileContext, Target};
use crate::survey::packages;
use crate::winpath::WinPath;
use std::collections::BTreeMap;

/// What the MFA Server setup installs for the web components, by the keys that name it.
const BY_SERVER_SETUP: [&str; 3] =
    [r"microsoft\visualstudio\", r"microsoft\devdiv\", r"microsoft\net framework setup\"];

/// A package to install, and when.
struct Candidate<'a> {
    path: &'a WinPath,
    given: BTreeMap<String, String>,
    /// Whether the MFA Server setup has run by then.
    after_setup: bool,
    /// What fails without it.
    what: String,
}

pub(super) fn check(context: &CompileContext<'_>, targets: &[Target]) -> Vec<Finding> {
    let after_setup = context.upgraded(Component::Server).is_some();
    let new = targets.iter().filter(|target| !target.comes_along).map(|target| Candidate {
        path: &target.package,
        given: given(context, target),
        after_setup,
        what: format!("the new {} would not be installed", target.component.title()),
    });
    let old = Component::ALL.iter().filter_map(|component| {
        Some(Candidate {
            path: context.replaced(*component)?.way_back.as_ref().ok()?,
            given: BTreeMap::new(),
            after_setup: false,
            what: format!("a rollback would not reinstall the {}", component.old_title()),
        })
    });
    new.chain(old).flat_map(|candidate| judge(context, &candidate)).collect()
}

fn judge(context: &CompileContext<'_>, candidate: &Candidate<'_>) -> Vec<Finding> {
    // A package that cannot be read has its own finding.
    let Ok(Some(package)) = packages::open(context.machine, candidate.path) else { return Vec::new() };
    let system = &context.survey.system;
    let mut found =
        searches::found(package.searches(), system.bits, &|view, key| context.machine.registry_key(view, key));
    if candidate.after_setup {
        let changes = |search: &&Search| match &search.place {
            Place::Registry { key, .. } => BY_SERVER_SETUP.iter().any(|part| key.to_lowercase().contains(part)),
            Place::Elsewhere => false,
        };
        for search in package.searches().iter().filter(changes) {
            // What is there already stays.
            if found.get(&search.property) == Some(&Property::Absent) {
                let why = "the MFA Server setup, which runs first, may install it".to_owned();
                found.insert(search.property.clone(), Property::Unknown(why));
            }
        }
    }
    let judged = package.launch(&candidate.given, &standard(context), &found);
    let finding = |launch: &Launch| told(candidate, launch, package.searches());
    judged.iter().filter_map(finding).collect()
}

fn told(candidate: &Candidate<'_>, launch: &Launch, searches: &[Search]) -> Option<Finding> {
    let Candidate { path, what, .. } = candidate;
    let seen = launch.properties.iter().map(|(name, property)| {
        let places =
            searches.iter().filter(|search| search.property == *name).map(|search| searches::place(&search.place));
        let places: Vec<String> = places.collect();
        let place = if places.is_empty() { String::new() } else { format!(" ({})", places.join("; ")) };
        match property {
            Property::Is(value) => format!("{name} is \"{value}\"{place}"),
            Property::Absent => format!("{name} is not set{place}"),
            Property::Unknown(why) => format!("{name} is unknown: {why}"),
        }
    });
    let condition = format!("condition: {}", launch.condition);
    let evidence = [launch.message.clone(), condition].into_iter().chain(seen).collect::<Vec<_>>();
    match launch.holds {
        Some(true) => None,
        Some(false) => {
            let title = format!("{what}: a launch condition of {path} is false");
            let advice = "install what it asks for, or specify a package whose conditions this server meets";
            Some(Finding::refuse_unless_allowed("launch-condition", title).evidence(evidence).advice(advice))
        }
        None => {
            let title = format!("a launch condition of {path} cannot be evaluated; if it is false, {what}");
            let advice = "check it yourself: after the uninstall, it is too late";
            Some(Finding::warn("launch-condition-unknown", title).evidence(evidence).advice(advice))
        }
    }
}

/// The command line of an installation.
fn given(context: &CompileContext<'_>, target: &Target) -> BTreeMap<String, String> {
    let own = context.plan.web(target.component).into_iter().flat_map(|web| &web.properties);
    let own = own.map(|(name, value)| (name.to_string(), value.clone()));
    let place = [
        ("TARGETVDIR", target.path.trim_start_matches('/').to_owned()),
        ("TARGETSITE", format!("/LM/W3SVC/{}", target.site_id)),
        ("TARGETAPPPOOL", target.pool.clone()),
    ];
    place.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(own).collect()
}

/// The properties that Windows Installer sets itself, as far as this program knows the facts behind them (Microsoft,
/// "Property Reference"). The product type and the service pack are not among them.
fn standard(context: &CompileContext<'_>) -> BTreeMap<String, String> {
    let system = &context.survey.system;
    let mut all = BTreeMap::from([
        ("ComputerName".to_owned(), system.name.clone()),
        ("REBOOT".to_owned(), "ReallySuppress".to_owned()),
        ("UILevel".to_owned(), "2".to_owned()),
    ]);
    // An installation needs administrator rights anyway; their lack has its own finding.
    all.extend(["AdminUser", "Privileged"].map(|name| (name.to_owned(), "1".to_owned())));
    if let Some(version) = system.version_nt() {
        if system.bits == Bits::X64 {
            all.insert("VersionNT64".to_owned(), version.clone());
        }
        all.insert("VersionNT".to_owned(), version);
    }
    all
}
