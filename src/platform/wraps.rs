//! Wrappers of machines: every query goes to the inner machine, except those that the wrapper overrides.

use super::disk::ReadDisk;
use super::facts::{Application, ProgramVersion, Service, Signature, System, WebServer};
use super::registry::{Key, View};
use super::{Failure, Inspect};
use crate::platform::Response;
use crate::winpath::WinPath;
use std::collections::BTreeMap;
use std::time::Duration;

/// A wrapper of a machine.
pub trait Wraps: Send + Sync {
    /// The inner machine.
    fn inner(&self) -> &dyn Inspect;

    /// Its disk, as seen through the wrapper.
    fn files(&self) -> &dyn ReadDisk {
        self.inner().files()
    }
}

impl<T: Wraps> Inspect for T {
    fn files(&self) -> &dyn ReadDisk {
        Wraps::files(self)
    }

    fn system(&self) -> Result<System, Failure> {
        self.inner().system()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.inner().variable(name)
    }

    fn registry_key(&self, view: View, path: &str) -> Result<Option<Key>, Failure> {
        self.inner().registry_key(view, path)
    }

    fn services(&self) -> Result<Vec<Service>, Failure> {
        self.inner().services()
    }

    fn web_server(&self) -> Result<Option<WebServer>, Failure> {
        self.inner().web_server()
    }

    fn application(&self, site: &str, path: &str) -> Result<Option<Application>, Failure> {
        self.inner().application(site, path)
    }

    fn signature(&self, path: &WinPath) -> Result<Signature, Failure> {
        self.inner().signature(path)
    }

    fn program_version(&self, path: &WinPath) -> Result<Option<ProgramVersion>, Failure> {
        self.inner().program_version(path)
    }

    fn account_exists(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.inner().account_exists(name)
    }

    fn request(&self, url: &str, limit: Duration) -> Result<Response, Failure> {
        self.inner().request(url, limit)
    }

    fn is_own_host(&self, host: &str) -> bool {
        self.inner().is_own_host(host)
    }

    fn free_space(&self, drive: char) -> Result<u64, Failure> {
        self.inner().free_space(drive)
    }

    fn utc_offset(&self) -> Option<i32> {
        self.inner().utc_offset()
    }

    fn leaves_out(&self, package: &WinPath, properties: &BTreeMap<String, String>) -> Vec<String> {
        self.inner().leaves_out(package, properties)
    }
}
