//! `[sdk]`, `[portal]` and `[mobile-app]`: what IIS serves, and where the new version goes.

use super::installers::{WebPackage, install_folder, usual_name};
use super::{State, Writing, page, runs_here};
use crate::plan::{Component, SdkUrl, VirtualDirectory, Web};
use crate::platform::disk;
use crate::platform::facts::Pool;
use crate::survey::Served;
use crate::survey::answers::{self, Seen};
use crate::webconfig::CONFIG_LIMIT;
use crate::webconfig::{Document, Shown, is_placeholder_sdk_url};
use crate::winpath::WinPath;

/// The SDK's virtual directory, old and new.
const SDK: (&str, &str) = ("PhoneFactorWebServiceSdk", "MultiFactorAuthWebServiceSdk");
/// From this version on, the MFA Server setup may not include the Mobile App Web Service.
const WITHOUT_MOBILE_APP: u32 = 8;

impl Writing<'_> {
    pub(super) fn web(&mut self, component: Component) {
        let ground = self.ground;
        if component == Component::Sdk && matches!(ground.state(component), State::Absent) && self.sdk_elsewhere() {
            return;
        }
        let Some(product) = self.found(component) else { return };
        let served = ground.found(component).map(|found| found.applications.as_slice()).unwrap_or_default();
        for served in served {
            self.page.note(&format!("Served as {} from {}.", served.location(), served.application.folder));
        }
        self.way_back(&product);
        if component == Component::MobileApp && self.is_dropped() {
            return;
        }
        if let [served] = served {
            self.directory(component, served);
            self.pool(component, served);
            self.edited(component, served);
        }
        self.package(component);
    }

    /// Writes the name of the new application: the default, unless it is in use.
    fn directory(&mut self, component: Component, served: &Served) {
        let default = Web::default_of(component).virtual_directory;
        let own = VirtualDirectory::new(served.directory()).ok();
        if served.directory().eq_ignore_ascii_case(default.as_str()) {
            self.page.note("It already has the new name.");
        } else if let (Some(taken), Some(own)) = (self.taken(default.as_str(), served), &own) {
            self.page.note(&format!("It keeps its name: the default new one, {default}, is used by {taken}."));
            return self.page.line("virtual-directory", &page::text(own.as_str()));
        } else {
            self.page.note(match component {
                Component::Sdk => "The default new name. Its URL changes and is rewritten in the components here;",
                Component::Portal => "The default new name. Its URL changes, and you must tell users;",
                _ => "The default new name. Its URL changes, and phones must be activated again;",
            });
            self.page.note("with the old name, nothing would change:");
            if let Some(own) = &own {
                self.page.option("virtual-directory", &page::text(own.as_str()), "");
            }
        }
        self.page.line("virtual-directory", &page::text(default.as_str()));
    }

    /// What already uses a name in the site of an application.
    fn taken(&self, name: &str, served: &Served) -> Option<String> {
        let site = self.ground.survey.web_server.as_ref()?.site(&served.site)?;
        let path = format!("/{name}");
        let application = site.applications.iter().find(|found| found.path.eq_ignore_ascii_case(&path));
        let folder = site.folder.child(name);
        let there =
            folder != served.application.folder && disk::exists(self.ground.machine.files(), &folder).unwrap_or(false);
        match application {
            Some(application) => Some(format!("an application in {}", application.folder)),
            None => there.then(|| format!("the folder {folder}")),
        }
    }

    /// Writes the application pool, if the old one cannot run the new version.
    fn pool(&mut self, component: Component, served: &Served) {
        let Some(iis) = &self.ground.survey.web_server else { return };
        let name = &served.application.pool;
        let why = match iis.pool(name) {
            Some(pool) if pool.fits() => return,
            Some(pool) => format!("runs CLR {} in the {} pipeline", pool.clr, pool.pipeline),
            None => "does not exist".to_owned(),
        };
        self.page
            .note(&format!("Its application pool \"{name}\" {why}; the new version needs CLR v4.0 and Integrated."));
        let fitting: Vec<&Pool> = iis.pools.iter().filter(|pool| pool.fits()).collect();
        let of_ours = |pool: &&&Pool| {
            let applications = self.ground.survey.components.values().flat_map(|found| &found.applications);
            applications.into_iter().any(|served| served.application.pool.eq_ignore_ascii_case(&pool.name))
        };
        let chosen = match fitting.as_slice() {
            [only] => Some(*only),
            _ => fitting.iter().find(of_ours).copied(),
        };
        if let Some(pool) = chosen {
            self.page.note(&format!("This one has both, and runs as {}:", pool.identity));
            self.page.line("application-pool", &page::text(&pool.name));
            let title = component.title();
            self.to_decide
                .push(format!("the {title} will run in the application pool \"{}\", as {}", pool.name, pool.identity));
        }
        let others = fitting.iter().filter(|pool| chosen.is_none_or(|chosen| chosen.name != pool.name));
        for pool in others {
            self.page.option("application-pool", &page::text(&pool.name), &format!("runs as {}", pool.identity));
        }
    }

    /// Writes themes, and customized files.
    fn edited(&mut self, component: Component, served: &Served) {
        if component == Component::Portal {
            match served.themes.as_slice() {
                [] => self.page.note("No custom theme was found; the selected theme stays selected."),
                themes => {
                    let themes = themes.join(", ");
                    self.page
                        .note(&format!("Custom themes are restored, and the selected theme stays selected: {themes}."));
                }
            }
            self.page.line("themes", "\"restore\"");
        }
        if !served.changed.is_empty() {
            let files: Vec<&str> = served.changed.iter().take(10).map(|file| file.path.as_str()).collect();
            let more = served.changed.len() - files.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.page.note(&format!("Customized files, kept in the backup only: {}{more}.", files.join(", ")));
        }
    }

    /// Writes the installer, if the MFA Server setup does not include it.
    fn package(&mut self, component: Component) {
        let ground = self.ground;
        if ground.is_old(Component::Server) {
            return self.page.note("Its installer comes with the MFA Server setup.");
        }
        if matches!(ground.state(Component::Server), State::Upgraded(_)) {
            return self.page.note("Its installer is in the MFA Server folder.");
        }
        let bits = ground.survey.system.bits;
        if let Some(package) = self.found_package(component).cloned() {
            let version = package.info.as_ref().map_or("unknown version", |info| &info.product_version);
            self.page.note(&format!("Its new version, {version}, was found here:"));
            return self.installer(&package.path, package.signed_by.as_deref());
        }
        let name = usual_name(component, bits);
        if let Some(place) = install_folder(ground.machine).map(|folder| folder.child(&name)) {
            self.page.note(&format!("{name} was not found on this server. It is in the folder of the new MFA"));
            self.page.note("Server: copy it there, or specify its path:");
            self.page.line("installer", &page::path(place.as_str()));
        }
    }

    /// The newest package of a component that can be installed here.
    fn found_package(&self, component: Component) -> Option<&WebPackage> {
        let bits = self.ground.survey.system.bits;
        let packages = self.ground.installers.web.get(&component)?;
        packages.iter().find(|package| package.info.as_ref().is_none_or(|info| runs_here(info.architecture, bits)))
    }

    /// Whether the MFA Server setup may not include the Mobile App Web Service; then what becomes of it has been
    /// written.
    fn is_dropped(&mut self) -> bool {
        let ground = self.ground;
        let setup = ground.installers.setups.first().filter(|_| ground.is_old(Component::Server));
        let Some(setup) = setup else { return false };
        let major = setup.major();
        if major.is_some_and(|major| major < WITHOUT_MOBILE_APP) {
            return false;
        }
        if let Some(package) = self.found_package(Component::MobileApp).cloned() {
            self.page.note("The MFA Server setup may not include this service. A package was found here:");
            self.installer(&package.path, package.signed_by.as_deref());
            return false;
        }
        let title = Component::MobileApp.title();
        match major {
            Some(major) => {
                self.page.note(&format!("The MFA Server setup has version {major}; 8.0 and later do not include this"));
                self.page.note("service, because phones no longer need it. It is removed; a rollback restores it.");
                self.page.line("action", "\"remove\"");
                self.page.note("If you have a package, remove that line and specify the package:");
                self.to_decide.push(format!("the {title} will be removed: the new version does not include it"));
            }
            None => {
                self.page
                    .note("The version of the MFA Server setup is unknown. 8.0 and later do not include this service.");
                self.page.note("Uncomment one line: remove the service, or specify a package:");
                self.page.option("action", "\"remove\"", "");
            }
        }
        let name = usual_name(Component::MobileApp, ground.survey.system.bits);
        self.page.option("installer", &page::path(&format!(r"C:\Install\{name}")), "");
        true
    }

    /// Writes the SDK on another server if a component here uses one. Returns whether that is so.
    fn sdk_elsewhere(&mut self) -> bool {
        let uses: Vec<(Component, String)> = [Component::Portal, Component::MobileApp]
            .into_iter()
            .filter_map(|component| Some((component, self.sdk_of(component)?)))
            .collect();
        // If they differ, the one that responds is right.
        let answers = |(_, old): &&(Component, String)| {
            answers::ask(self.ground.machine, &renamed(old), answers::BEFORE).is_well()
        };
        let Some((_, first)) = uses.iter().find(answers).or_else(|| uses.first()) else { return false };
        let url = renamed(first);
        self.page.part("sdk");
        for (component, old) in &uses {
            let old = Shown::of("", old);
            self.page.note(&format!("The {} uses the Web Service SDK on another server: {old}", component.title()));
        }
        self.page.note("Upgrade that server first. This is the SDK URL afterwards:");
        match SdkUrl::new(&url) {
            Ok(url) => {
                let answer = answers::ask(self.ground.machine, url.as_str(), answers::BEFORE);
                let says = match answer.seen {
                    Seen::Status(status) if answer.is_well() => format!("it already responds ({status})"),
                    Seen::Status(status) => format!("it responded with {status} when this was written"),
                    _ => "it did not respond when this was written".to_owned(),
                };
                self.page.note(&format!("({says})"));
                self.page.line("url", &page::text(url.as_str()));
                if url.as_str() != first && SdkUrl::new(first.as_str()).is_ok() {
                    self.page.note("If that server keeps the old virtual directory, the URL does not change:");
                    self.page.option("url", &page::text(first), "");
                }
            }
            Err(_) => {
                let example = format!("https://mfa.example.com/{}/PfWsSdk.asmx", SDK.1);
                self.page.option("url", &page::text(&example), "");
            }
        }
        true
    }

    /// The URL of the SDK that an old component uses, unless it uses or has none.
    fn sdk_of(&self, component: Component) -> Option<String> {
        let ground = self.ground;
        ground.is_old(component).then_some(())?;
        let served = ground.found(component)?.applications.first()?;
        let document = document(self, &served.web_config())?;
        let (_, url) = document.sdk_url().filter(|(_, url)| !url.is_empty() && !is_placeholder_sdk_url(url))?;
        let values = document.values().ok()?;
        let switch = values.app_setting("USE_WEB_SERVICE_SDK").map(|value| value.trim().to_ascii_lowercase());
        (component != Component::Portal || switch.as_deref() != Some("false")).then_some(url)
    }
}

fn document(writing: &Writing<'_>, path: &WinPath) -> Option<Document> {
    let bytes = disk::read(writing.ground.machine.files(), path, CONFIG_LIMIT).ok()?;
    Document::parse(bytes, path.as_str()).ok()
}

/// The URL with the new SDK directory; a custom directory stays.
pub(crate) fn renamed(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let parts = url.rsplit_once('/').and_then(|(head, file)| Some((head.rsplit_once('/')?, file)));
    match parts {
        Some(((head, directory), file)) if directory.eq_ignore_ascii_case(SDK.0) => format!("{head}/{}/{file}", SDK.1),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn only_the_old_name_of_the_directory_is_replaced() {
        for (old, new) in [
            (
                "https://h:444/phonefactorwebservicesdk/pfwssdk.asmx",
                "https://h:444/MultiFactorAuthWebServiceSdk/pfwssdk.asmx",
            ),
            ("https://h/own/PfWsSdk.asmx?wsdl", "https://h/own/PfWsSdk.asmx"),
            ("PfWsSdk.asmx", "PfWsSdk.asmx"),
        ] {
            assert_eq!(renamed(old), new);
        }
    }
}
