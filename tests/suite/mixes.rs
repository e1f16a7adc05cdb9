//! Every mix of components that a server can have, and everything a plan can want of it.
//!
//! Each case is played on a machine in memory: a run, a second run that finds nothing to do, and a rollback. What is
//! upgraded has to be new and open where the plan says, what is kept or none of ours has to be as it was, byte for byte,
//! and the rollback has to end in the machine before.

use crate::support::mixes::*;
use crate::support::*;

use pfupgrade::engine::End;
use pfupgrade::plan::{Component, Plan};
use pfupgrade::platform::Platform;
use pfupgrade::platform::disk::{self, MemoryDisk};
use pfupgrade::platform::facts::Bits;
use pfupgrade::platform::op::Op;
use pfupgrade::platform::registry::View;
use pfupgrade::prepare::prepare;
use pfupgrade::survey::survey;
use std::collections::BTreeMap;

impl Case {
    /// Plays the case through.
    fn play(&self) {
        let before = self.machine();
        let disk = before.snapshot();
        let plan = self.plan();
        let touched =
            Component::ALL.into_iter().any(|component| self.has(component) && self.action(component) != "keep");
        let end = run(&disk, &plan).unwrap_or_else(|error| panic!("{self:?}: {error}"));
        if !touched {
            assert_same(&whole(&before), &whole(&disk), &format!("{self:?}: nothing was to be done"));
            return;
        }
        assert!(matches!(end, End::Done { .. }), "{self:?}: {end:?}");
        self.check_components(&before, &disk);
        self.check_others(&before, &disk);
        let (machine, clock) = (boot(&disk), clock());
        let again = prepare(machine.inspect(), &*clock, &plan, &path(r"C:\ProgramData\pfupgrade")).unwrap();
        assert_eq!(again.frozen.steps, [], "{self:?}: a second run finds nothing to do");
        let end = rollback(&disk).unwrap().unwrap_or_else(|error| panic!("{self:?}: rollback: {error}"));
        assert_eq!(end, End::RolledBack);
        let expected = without_what_stays(whole(&before));
        assert_same(&expected, &without_what_stays(whole(&disk)), &format!("{self:?}: rolled back"));
    }

    fn check_components(&self, before: &MemoryDisk, after: &MemoryDisk) {
        let before = survey(boot(before).inspect()).unwrap();
        let machine = boot(after);
        let now = survey(machine.inspect()).unwrap();
        for component in Component::ALL {
            let found = now.components.get(&component);
            let what = format!("{self:?}: {component}: {found:#?}");
            match (self.has(component), self.action(component)) {
                (true, "auto") => {
                    let found = found.unwrap_or_else(|| panic!("{what}"));
                    assert!(found.old().next().is_none() && found.new_era().is_some(), "{what}");
                    if component == Component::Server {
                        continue;
                    }
                    let (was, place) = (&before.components[&component].applications[0], self.old_place(component));
                    let [is] = found.applications.as_slice() else { panic!("{what}") };
                    let directory = self.new_directory(component);
                    assert_eq!((is.site.as_str(), is.directory()), (place.site, directory), "{what}");
                    assert_eq!(is.application.folder, path(place.root).child(directory), "{what}");
                    assert_eq!(is.application.pool, was.application.pool, "{what}");
                    assert_eq!(is.application.settings, was.application.settings, "{what}");
                    assert_eq!(is.themes, was.themes, "{what}");
                    assert_eq!(get(after, is.application.folder.child("app_offline.htm").as_str()), None, "{what}");
                }
                (true, "keep") => assert_eq!(found, before.components.get(&component), "{what}"),
                // The data folder stays for whoever installs an agent again; nothing else may.
                _ => assert!(found.is_none_or(|found| found.products.is_empty()), "{what}"),
            }
        }
    }

    /// What is none of the components that are upgraded or removed is as it was.
    fn check_others(&self, before: &MemoryDisk, after: &MemoryDisk) {
        let mut ours: Vec<String> =
            [AGENT, r"C:\Windows\Installer", r"C:\pfupgrade-aside", r"D:\pfupgrade-aside"].map(str::to_owned).into();
        let web =
            Component::WEB.into_iter().filter(|component| self.has(*component) && self.action(*component) != "keep");
        for component in web {
            let place = self.old_place(component);
            ours.extend([place.directory, self.new_directory(component)].map(|name| format!(r"{}\{name}", place.root)));
        }
        let others = |disk: &MemoryDisk| {
            let mut all = whole(disk);
            all.retain(|name, _| {
                name != "machine.toml" && !ours.iter().any(|own| name == own || name.starts_with(&format!(r"{own}\")))
            });
            all
        };
        assert_same(&others(before), &others(after), &format!("{self:?}: what is none of ours"));
    }
}

/// Every set of components, the empty one included.
fn sets() -> Vec<Vec<Component>> {
    let member = |set: usize| move |(bit, _): &(usize, Component)| set >> bit & 1 == 1;
    let all = || Component::ALL.into_iter().enumerate();
    (0..16).map(|set| all().filter(member(set)).map(|(_, component)| component).collect()).collect()
}

#[test]
fn every_set_of_components_with_new_and_with_old_names() {
    for present in sets() {
        for keeps_names in [false, true] {
            Case { keeps_names, ..Case::of(present.clone()) }.play();
        }
    }
}

#[test]
fn every_wish_for_a_server_that_has_everything() {
    let wishes = |component: Component| {
        if component == Component::Server { &["auto", "keep"][..] } else { &["auto", "remove", "keep"] }
    };
    let mut all: Vec<BTreeMap<Component, &'static str>> = vec![BTreeMap::new()];
    for component in Component::ALL {
        let with = |actions: &BTreeMap<_, _>, wish| {
            let mut actions = actions.clone();
            actions.insert(component, wish);
            actions
        };
        all = all.iter().flat_map(|actions| wishes(component).iter().map(|wish| with(actions, *wish))).collect();
    }
    assert_eq!(all.len(), 54);
    for actions in all {
        Case { actions, ..Case::of(Component::ALL.into()) }.play();
    }
}

#[test]
fn other_sites_drives_directories_and_pools() {
    let elsewhere = [
        (Component::Sdk, other_site("PfSdk")),
        (Component::Portal, other_site("konto")),
        (Component::MobileApp, default_site("handy")),
    ];
    for (component, place) in elsewhere {
        for keeps_names in [false, true] {
            let places = BTreeMap::from([(component, place)]);
            Case { places, keeps_names, ..Case::of(Component::ALL.into()) }.play();
        }
    }
    Case { places: elsewhere.into(), ..Case::of(Component::ALL.into()) }.play();
}

#[test]
fn windows_of_32_bits() {
    for present in
        [&Component::ALL[..], &[Component::Server], &[Component::Server, Component::Sdk], &Component::WEB[1..]]
    {
        for keeps_names in [false, true] {
            Case { bits: Bits::X86, keeps_names, ..Case::of(present.into()) }.play();
        }
    }
}

/// A web server whose old portal and new installers are of 32 bits, on Windows of 64.
#[test]
fn packages_of_32_bits_on_windows_of_64() {
    let of_32 = demo_for(Bits::X86, "web-server");
    let before = demo_machine("web-server");
    let folder = r"C:\inetpub\wwwroot\PhoneFactor";
    let config = get(&before, &format!(r"{folder}\web.config")).unwrap();
    take_off(&before, Component::Portal);
    put(&before, r"C:\tmp\old.msi", disk::read(&of_32, &path(&product(&of_32, "User Portal").1), 1 << 26).unwrap());
    let properties = [("TARGETVDIR", "PhoneFactor"), ("TARGETSITE", "/LM/W3SVC/1"), ("TARGETAPPPOOL", "PhoneFactor")];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let install = Op::Install { package: path(r"C:\tmp\old.msi"), properties, log: path(r"C:\tmp\log") };
    boot(&before).perform(&install, &mut |_| {}).unwrap();
    boot(&before).perform(&Op::Remove { path: path(r"C:\tmp") }, &mut |_| {}).unwrap();
    put(&before, &format!(r"{folder}\web.config"), config);
    put(&before, &format!(r"{folder}\App_Themes\Contoso\site.css"), "");
    change(&before, |facts| facts.signatures.extend(boot(&of_32).facts().signatures));
    for part in ["UserPortal", "MobileAppWebService"] {
        let content = disk::read(&of_32, &path(&new_installer(part, Bits::X86)), 1 << 26).unwrap();
        put(&before, &new_installer(part, Bits::X86), content);
    }
    before.sync_all();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/plans/web-server.toml")).unwrap();
    let plan = Plan::read(text.replace("Setup64.msi", "Setup32.msi").as_bytes(), "plan").unwrap();
    let disk = before.snapshot();
    run(&disk, &plan).unwrap();
    let found = survey(boot(&disk).inspect()).unwrap();
    let portal = &found.components[&Component::Portal];
    assert_eq!(portal.products.len(), 1, "{portal:#?}");
    assert_eq!(portal.products[0].view, View::Wow32);
    rollback(&disk).unwrap().unwrap();
    assert_same(&without_what_stays(whole(&before)), &without_what_stays(whole(&disk)), "rolled back");
}
