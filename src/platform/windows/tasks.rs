//! The task that resumes a run at the next start of Windows, through `schtasks.exe`.

use super::Windows;
use super::disk::host_path;
use super::program;
use super::text::task;
use crate::platform::disk;
use crate::platform::own::{self, AtStart};
use crate::platform::{Context, Failure};
use crate::winpath::WinPath;
use std::fs;

impl Windows {
    /// Registers the task, or removes it.
    pub(super) fn set_task(&self, command: Option<&AtStart>) -> Result<(), Failure> {
        match command {
            Some(command) => self.register(command),
            None => self.unregister(),
        }
    }

    fn register(&self, command: &AtStart) -> Result<(), Failure> {
        let doing = "schedule the automatic resume";
        let failed = |why: String| Failure::new(doing, why);
        let program = command.program();
        let here = std::env::current_exe().context(doing)?;
        let is_here = here.to_str().and_then(|here| WinPath::new(here).ok()).is_some_and(|here| here == program);
        if !is_here {
            fs::copy(&here, host_path(&program)).context(format!("copy this program to {program}"))?;
        }
        let xml = task::xml(&program, &command.arguments).map_err(failed)?;
        let file = command.folder.child("at-start.xml");
        disk::replace(&self.disk, &file, &task::bytes(&xml)).context(doing)?;
        let registered = self.schtasks(doing, &["/create", "/tn", own::NAME, "/xml", file.as_str(), "/f"]);
        let removed = disk::remove(&self.disk, &file).context(format!("remove {file}"));
        registered.and(removed)
    }

    fn unregister(&self) -> Result<(), Failure> {
        let doing = "remove the task for the automatic resume";
        let file = self.windows.join(r"System32\Tasks").context(doing)?.child(own::NAME);
        if !disk::exists(&self.disk, &file).context(doing)? {
            return Ok(());
        }
        self.schtasks(doing, &["/delete", "/tn", own::NAME, "/f"])
    }

    fn schtasks(&self, doing: &str, arguments: &[&str]) -> Result<(), Failure> {
        let program = self.windows.join(r"System32\schtasks.exe").context(doing)?;
        let answer = program::answer(&program, arguments, doing)?;
        match answer.code {
            0 => Ok(()),
            code => {
                let why = format!("`schtasks {}` ended with {code}: {}", arguments.join(" "), answer.first_line());
                Err(Failure::new(doing, why).next("check the Task Scheduler"))
            }
        }
    }
}
