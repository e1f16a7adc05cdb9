//! `[server]`: the agent, and the setup that replaces it.

use super::installers::{Setup, install_folder, usual_name};
use super::{Writing, page};
use crate::plan::Component;
use crate::platform::disk;
use crate::platform::facts::ServiceState;

impl Writing<'_> {
    pub(super) fn server(&mut self) {
        let ground = self.ground;
        let Some(product) = self.found(Component::Server) else { return };
        if let Some(install) = &ground.survey.install {
            self.page.note(&format!("It is in {}; the new version uses the same folder.", install.folder));
        }
        let runs = |state| if state == ServiceState::Running { "is running" } else { "is not running" };
        for service in &ground.survey.services {
            self.page.note(&format!("Its service {} {}; the upgrade stops it.", service.name, runs(service.state)));
        }
        for service in &ground.survey.dependents {
            self.page.note(&format!(
                "{} depends on it, {}, and is stopped as well.",
                service.name,
                runs(service.state)
            ));
        }
        self.way_back(&product);
        match ground.installers.setups.split_first() {
            Some((setup, others)) => self.setup(setup, others),
            None => self.no_setup(),
        }
        self.page.note("Without silent switches, the run waits while you run the setup. None are published;");
        self.page.note("if your build has any, list them:");
        self.page.option("arguments", "[\"...\"]", "");
        self.page.note("How long the service may take to upgrade its data file before the run waits for you:");
        self.page.line("data-upgrade-timeout", "\"30m\"");
    }

    fn setup(&mut self, setup: &Setup, others: &[Setup]) {
        let version =
            |setup: &Setup| setup.version.as_ref().map_or("unknown version", |found| &found.version).to_owned();
        self.page.note(&format!("The MFA Server setup, {}, was found here:", version(setup)));
        self.installer(&setup.path, setup.signed_by.as_deref());
        if let Ok(sum) = disk::hash(self.ground.machine.files(), &setup.path) {
            self.page.note("Its present hash; with this line, a run accepts no other file:");
            self.page.option("sha256", &page::text(&sum), "");
        }
        for other in others {
            self.page.option("installer", &page::path(other.path.as_str()), &version(other));
        }
    }

    fn no_setup(&mut self) {
        let name = usual_name(Component::Server, self.ground.survey.system.bits);
        let Some(place) = install_folder(self.ground.machine).map(|folder| folder.child(&name)) else { return };
        self.page.note(&format!("{name} was not found on this server. Copy it there, or specify its path:"));
        self.page.line("installer", &page::path(place.as_str()));
    }
}
