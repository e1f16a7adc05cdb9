//! A simulated Windows Installer: it installs and removes real packages.
//!
//! Because of the order of changes, both can be interrupted anywhere and repeated. An installation first records what
//! it is about to do and registers the product last; a removal deletes that record last.
//!
//! It simulates these rules of the Windows Installer reference on learn.microsoft.com:
//!
//! - Actions run in the order of `InstallExecuteSequence` ("Suggested InstallExecuteSequence").
//! - Windows Installer undoes an interrupted installation before it starts another one ("Windows Installer Error
//!   Messages", 1704).
//! - It caches the whole package, and cannot remove a captured product without it ("MsiExec.exe and InstMsi.exe Error
//!   Messages", 1612).
//! - It does not install another version over a product (1638).

mod cache;
mod files;
mod log;
mod plan;
mod properties;
mod registration;
mod values;

pub(super) use log::{Code, Log, Stop};

use super::{Installed, MachineFacts, OwnApplication, Simulated, Stage};
use crate::package::{Info, Package, PackagedFile};
use crate::platform::disk::{self, Kind, ReadFile};
use crate::platform::facts::{Service, ServiceState};
use crate::platform::op::{Op, WayBack};
use crate::platform::{BesidePackage, Context, Failure, Inspect, Outcome, Progress};
use crate::winpath::WinPath;
use plan::InstallPlan;
use registration::{Registered, Scope};
use std::collections::BTreeMap;

type Properties = BTreeMap<String, String>;

impl Simulated {
    pub(super) fn install(
        &self,
        package: &WinPath,
        properties: &Properties,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        let doing = format!("install {package}");
        self.logged(&doing, log, |log| self.install_package(package, properties, log, watch))
    }

    /// Runs an installation with its log, which the installation itself writes if it succeeds.
    pub(super) fn logged<T>(
        &self,
        doing: &str,
        path: &WinPath,
        work: impl FnOnce(&mut Log) -> Result<T, Stop>,
    ) -> Result<T, Failure> {
        let mut log = Log::new(self.clock.now(), Some(path.clone()));
        let folder = path.parent().map_or(Ok(None), |folder| self.disk.entry(&folder)).context(doing)?;
        if folder.is_none_or(|folder| folder.kind != Kind::Folder) {
            let why = format!("the folder of {path} does not exist");
            return Err(Stop::Code(Code::LogFailed, why).into_failure(doing, &log, path));
        }
        work(&mut log).map_err(|stop| {
            let mut written = Ok(());
            if let Stop::Code(code, why) = &stop {
                log.fail(*code, why);
                written = log.save(&*self.disk).context(format!("write the log {path}"));
            }
            written.err().unwrap_or_else(|| stop.into_failure(doing, &log, path))
        })
    }

    /// Installs a package, or completes its installation.
    pub(super) fn install_package(
        &self,
        path: &WinPath,
        given: &Properties,
        log: &mut Log,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Stop> {
        let mut package = self.open_package(path)?;
        let info = package.info();
        log.say(format!("Product: {} {} {}", info.product_name, info.product_version, info.product_code));
        self.undo_suspended(&info.product_code, log, watch)?;
        let facts = self.with_iis()?;
        if is_installed(&facts, info)? {
            log.say("This product is already installed.");
            return Ok(Outcome::default());
        }
        plan::check_architecture(info, facts.system.bits)?;
        watch(log.begin("CostFinalize"));
        let plan = plan::plan(&package, path, given, &facts)?;
        watch(log.begin("LaunchConditions"));
        plan::check_conditions(&plan, &facts)?;
        watch(log.begin("InstallValidate"));
        let disk = self.disk.as_read();
        files::check_places(disk, package.files(), &plan, &facts)?;
        // A damaged cabinet or a missing source must be detected before anything is changed.
        let beside = BesidePackage::new(disk, path);
        let wanted = |file: &PackagedFile| plan.layout.files.contains_key(&file.key);
        package
            .unpack_beside(&beside, &wanted, &mut |_, _| Ok(()))
            .map_err(|error| files::source_trouble(error, &beside))?;
        self.change(|facts| remember(facts, &plan))?;
        for what in &plan.layout.left_out {
            log.say(format!("Not simulated: {what}"));
        }
        watch(log.begin("InstallFiles"));
        let mut outcome =
            Outcome { notes: files::lay(&*self.disk, path, &mut package, &plan, log, watch)?, ..Outcome::default() };
        self.keep_package(path, &plan, watch)?;
        watch(log.begin("InstallServices"));
        if let Some((site, application)) = &plan.application {
            self.create_application(site, application)?;
        }
        self.change(|facts| set_up(facts, &plan))?;
        watch(log.begin("StartServices"));
        outcome.notes.extend(self.start_services(&plan, log)?);
        watch(log.begin("PublishProduct"));
        let variable = |(name, _): &(&String, &String)| name.starts_with('%');
        log.properties(plan.layout.properties.iter().filter(|property| !variable(property)));
        log.succeed(&plan.info.product_name, "Installation");
        log.save(&*self.disk).context(format!("write the log of installing {path}"))?;
        self.publish(path, &plan, package.files())?;
        Ok(outcome)
    }

    fn open_package(&self, path: &WinPath) -> Result<Package<Box<dyn ReadFile>>, Stop> {
        let failed = |why: String| Stop::Code(Code::OpenFailed, why);
        let file = self.disk.open(path).map_err(|error| failed(format!("{path} cannot be opened: {error}")))?;
        Package::open(file, path.as_str()).map_err(|error| failed(error.to_string()))
    }

    /// What is not simulated when a package is installed here. A package that cannot be installed is reported
    /// elsewhere.
    pub(super) fn left_out(&self, path: &WinPath, given: &Properties) -> Vec<String> {
        let Ok(package) = self.open_package(path) else { return Vec::new() };
        let Ok(facts) = self.with_iis() else { return Vec::new() };
        plan::plan(&package, path, given, &facts).map_or(Vec::new(), |plan| plan.layout.left_out)
    }

    /// The facts that packages depend on.
    fn with_iis(&self) -> Result<MachineFacts, Failure> {
        Ok(MachineFacts { web_server: self.web_server()?, ..self.facts() })
    }

    /// Windows Installer caches the whole package.
    fn keep_package(
        &self,
        source: &WinPath,
        plan: &InstallPlan,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let (disk, to) = (&*self.disk, &plan.record.package);
        let doing = format!("keep a copy of {source} as {to}");
        if source == to {
            return Ok(());
        }
        let folder = to.parent().map_or(Ok(()), |folder| disk::create_folders(disk, &folder));
        folder.context(&doing)?;
        let mut copied = |bytes| {
            watch(Progress::Bytes(bytes));
            Ok(())
        };
        disk::copy(disk, source, to, &mut copied).context(&doing)?;
        disk::sync_parent(disk, to).context(&doing)
    }

    /// A service that does not start causes a note, not a rollback.
    fn start_services(&self, plan: &InstallPlan, log: &mut Log) -> Result<Vec<String>, Failure> {
        let mut notes = Vec::new();
        for name in &plan.start {
            let service = self.locked().service(name).cloned();
            match service {
                Some(service) if service.state == ServiceState::Stopped => {
                    if let Some(why) = self.start_program_of(&service)? {
                        log.say(format!("Error 1920. Service {name} failed to start: {why}"));
                        notes.push(format!("the service {name} was installed, but did not start: {why}"));
                        continue;
                    }
                }
                _ => continue,
            }
            self.change(|facts| {
                if let Some(service) = facts.service_mut(name) {
                    service.state = ServiceState::Running;
                }
            })?;
        }
        Ok(notes)
    }

    fn publish(&self, source: &WinPath, plan: &InstallPlan, files: &[PackagedFile]) -> Result<(), Failure> {
        let size = files.iter().map(|file| file.size).sum();
        let now = self.clock.now().to_string();
        self.change(|facts| {
            registration::register(facts, plan, source, size, now.get(..10).unwrap_or_default());
            if let Some(record) = facts.installed.get_mut(&plan.info.product_code) {
                record.stage = Stage::Installed;
            }
        })
    }

    pub(super) fn uninstall(
        &self,
        op: &Op,
        code: &str,
        way_back: Option<&WayBack>,
        log: &WinPath,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Failure> {
        if registration::asks_questions(&self.facts(), code) {
            let why = "it has no silent uninstall command";
            return Err(Failure::uninstalls_by_hand(op, why));
        }
        self.logged(&op.to_string(), log, |log| {
            self.undo_suspended(code, log, watch)?;
            let facts = self.with_iis()?;
            let record = match (facts.product(code).cloned(), registration::registered(&facts, code)) {
                (None, None) => return Ok(Outcome::default()),
                // What has begun is completed from the script that was made of the package.
                (Some(record), _) if record.stage != Stage::Installed => record,
                (Some(record), registered) => {
                    let registered = registered.unwrap_or_else(|| Registered::by(&record));
                    self.package_to_remove(code, &registered, way_back)?;
                    record
                }
                (None, Some(registered)) => self.adopt(code, &facts, &registered, way_back)?,
            };
            self.take_away(code, &record, log, watch)?;
            Ok(Outcome::default())
        })
    }

    /// An interrupted installation is a transaction of Windows Installer: before it works on another product, it undoes
    /// it.
    fn undo_suspended(&self, but: &str, log: &mut Log, watch: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
        let facts = self.facts();
        let suspended = |(code, record): &(&String, &Installed)| {
            // An entry that is being removed without being a product is an installation whose undo was interrupted.
            let begun = match record.stage {
                Stage::Installing => true,
                Stage::Removing => registration::registered(&facts, code).is_none(),
                Stage::Installed => false,
            };
            begun && !code.eq_ignore_ascii_case(but)
        };
        for (code, record) in facts.installed.iter().filter(suspended) {
            log.say(format!("An install for {} is suspended: its changes are undone", record.name));
            self.take_away(code, record, log, watch)?;
        }
        Ok(())
    }

    /// A product that was installed before the machine was captured is known only by its keys: its files are determined
    /// from its package.
    fn adopt(
        &self,
        code: &str,
        facts: &MachineFacts,
        registered: &Registered,
        way_back: Option<&WayBack>,
    ) -> Result<Installed, Stop> {
        let (path, package) = self.package_to_remove(code, registered, way_back)?;
        let mut given = way_back.map_or(Properties::new(), |way_back| way_back.properties.clone());
        // The selected features are unknown. What does not exist need not be removed.
        given.entry("ADDLOCAL".to_owned()).or_insert_with(|| "ALL".to_owned());
        let plan = plan::plan(&package, &path, &given, facts)?;
        let there = plan.application.filter(|(site, own)| {
            facts.web_server.as_ref().is_some_and(|web_server| web_server.application(site, &own.path).is_some())
        });
        let application = there.map(|(site, own)| OwnApplication { site, path: own.path });
        let Scope { wow32, per_user } = registered.scope;
        let cached = registered.package.clone().unwrap_or(plan.record.package);
        Ok(Installed { application, wow32, per_user, package: cached, ..plan.record })
    }

    /// The package that a removal reads: Windows Installer needs its cached copy for it, whatever the registry holds,
    /// and otherwise fails with 1612 ("Missing Windows Installer cache" in Microsoft's documentation). `msiexec /x` also
    /// takes the path of a package; another package of the same product is another version to it: 1638 ("Package
    /// Codes"). Windows Installer would also look in the folder that the product was installed from; that is not
    /// simulated, because nobody can depend on it.
    fn package_to_remove(
        &self,
        code: &str,
        registered: &Registered,
        way_back: Option<&WayBack>,
    ) -> Result<(WinPath, Package<Box<dyn ReadFile>>), Stop> {
        let given = way_back.and_then(|way_back| way_back.uninstalls_with.clone());
        let is_of_product = |package: &Package<_>| package.info().product_code.eq_ignore_ascii_case(code);
        let Some(path) = given else {
            let absent =
                || Stop::Code(Code::SourceAbsent, format!("Windows Installer no longer has the package of {code}"));
            let path = registered.package.clone().ok_or_else(absent)?;
            let package = self.open_package(&path).ok().filter(is_of_product).ok_or_else(absent)?;
            return Ok((path, package));
        };
        let package = self.open_package(&path)?;
        let info = package.info();
        if !is_of_product(&package) {
            let why = format!("{path} is the package of {}, not of {code}", info.product_code);
            return Err(Stop::Code(Code::UnknownProduct, why));
        }
        match &registered.package_code {
            Some(known) if *known != info.package_code => {
                let why = format!("{} was installed from {known}, not from {}", info.product_name, info.package_code);
                Err(Stop::Code(Code::OtherVersion, why))
            }
            _ => Ok((path, package)),
        }
    }

    fn take_away(
        &self,
        code: &str,
        record: &Installed,
        log: &mut Log,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<(), Failure> {
        let doing = format!("uninstall {} {code}", record.name);
        log.say(format!("Product: {} {} {code}", record.name, record.version));
        watch(log.begin("StopServices"));
        self.change(|facts| tear_down(facts, code, record))?;
        if let Some(own) = &record.application {
            self.remove_application(&own.site, &own.path)?;
        }
        watch(log.begin("RemoveFiles"));
        files::remove(&*self.disk, record, log).context(&doing)?;
        log.succeed(&record.name, "Removal");
        log.save(&*self.disk).context(&doing)?;
        self.change(|facts| registration::unregister(facts, code, Scope::of(record)))
    }
}

/// Whether the product is installed. Fails for another version of it.
fn is_installed(facts: &MachineFacts, info: &Info) -> Result<bool, Stop> {
    match facts.product(&info.product_code) {
        // There is no record of a product that was installed when the machine was captured.
        None => Ok(registration::registered(facts, &info.product_code).is_some()),
        Some(known) if known.stage != Stage::Installed => Ok(false),
        Some(known) if known.version == info.product_version => Ok(true),
        Some(known) => {
            let why = format!("version {} of {} is already installed", known.version, known.name);
            Err(Stop::Code(Code::OtherVersion, why))
        }
    }
}

/// Before the first change, Windows Installer records what it is about to do.
fn remember(facts: &mut MachineFacts, plan: &InstallPlan) {
    facts.installed.insert(plan.info.product_code.clone(), plan.record.clone());
    for name in plan.stop.iter().chain(&plan.delete) {
        if let Some(service) = facts.service_mut(name) {
            service.state = ServiceState::Stopped;
        }
    }
    facts.services.retain(|service| !plan.delete.iter().any(|name| service.name == *name.as_str()));
}

fn set_up(facts: &mut MachineFacts, plan: &InstallPlan) {
    for service in &plan.services {
        let known = facts.service(&service.name).map(|known| known.state);
        facts.services.retain(|known| known.name != service.name);
        facts.services.push(Service { state: known.unwrap_or(service.state), ..service.clone() });
    }
    for key in &plan.registry.made {
        facts.registry.create(key);
    }
    for (key, name, value) in &plan.registry.values {
        facts.registry.set(key, name, value.clone());
    }
}

fn tear_down(facts: &mut MachineFacts, code: &str, record: &Installed) {
    facts.installed.insert(code.to_ascii_uppercase(), Installed { stage: Stage::Removing, ..record.clone() });
    facts.services.retain(|service| !record.services.iter().any(|name| service.name == *name.as_str()));
    for (key, name) in &record.values {
        facts.registry.unset(key, name);
    }
    for key in &record.keys {
        facts.registry.remove(key);
    }
}
