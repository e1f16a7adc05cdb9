//! A Windows machine under Wine: prepared once, copied for each scenario, driven and looked at from outside the program.

use crate::packages;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// Where the Windows programs have been built.
pub(crate) struct Programs(pub(crate) PathBuf);

impl Programs {
    fn read(&self, name: &str) -> Vec<u8> {
        let path = self.0.join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{} is needed: {error}", path.display()))
    }
}

/// A prefix of Wine, whose processes end with it.
pub(crate) struct Machine {
    folder: PathBuf,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = Command::new(SERVER).arg("-k").env("WINEPREFIX", &self.folder).output();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// A file of the machine.
#[derive(PartialEq)]
pub(crate) struct File {
    /// Its place below the prefix.
    pub(crate) path: PathBuf,
    modified: u128,
    content: Vec<u8>,
}

/// What the program did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) said: String,
}

impl Ran {
    /// Holds it to an exit code, of which this side sees the low byte only.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code & 0xFF, "it should have ended with {code}:\n{}", self.said);
        self
    }

    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.said.contains(text), "it does not say `{text}`:\n{}", self.said);
        self
    }
}

impl Machine {
    /// A server with everything of version 5 on it, as its administrator has left it.
    pub(crate) fn prepare(folder: PathBuf, programs: &Programs) -> io::Result<Self> {
        let machine = Self { folder };
        fs::create_dir_all(&machine.folder)?;
        machine.wine(&["wineboot", "-i"])?;
        machine.write(r"C:\pfupgrade.exe", &programs.read("pfupgrade.exe"))?;
        let inetsrv = r"C:\windows\system32\inetsrv";
        machine.write(&format!(r"{inetsrv}\appcmd.exe"), &programs.read("examples/appcmd.exe"))?;
        machine
            .write(&format!(r"{inetsrv}\config\applicationHost.config"), include_bytes!("applicationHost.config"))?;
        machine.write(r"C:\inetpub\wwwroot\iisstart.htm", b"the start page\r\n")?;
        machine.write(r"C:\windows.reg", include_bytes!("windows.reg"))?;
        machine.wine(&["reg", "import", r"C:\windows.reg"])?;
        let setup = r"C:\Install\MultiFactorAuthenticationServerSetup.exe";
        machine.write(setup, &programs.read("examples/stand-in-setup.exe"))?;
        let all = packages::all(&programs.read("examples/stand-in-service.exe")).map_err(io::Error::other)?;
        for (name, package) in &all {
            let folder =
                if *name == "MultiFactorAuthenticationServer.msi" { r"C:\Install\data" } else { r"C:\Install" };
            machine.write(&format!(r"{folder}\{name}"), package)?;
        }
        machine.furnish()?;
        // What is on the disk is complete once the server of Wine has ended.
        Command::new(SERVER).arg("-k").env("WINEPREFIX", &machine.folder).output()?;
        Command::new(SERVER).arg("-w").env("WINEPREFIX", &machine.folder).output()?;
        Ok(machine)
    }

    fn furnish(&self) -> io::Result<()> {
        let data = r"C:\Program Files\PhoneFactor\Data";
        self.write(&format!(r"{data}\PhoneFactor.pfdata"), b"PFDATA 5\nusers and settings\n")?;
        self.write(&format!(r"{data}\licenseKey"), b"a key\n")?;
        for package in ["agent", "old-sdk", "old-portal", "old-mobile"] {
            let package = format!(r"C:\Install\{package}.msi");
            let log = format!("{package}.log");
            let installed = self.wine(&["msiexec", "/i", &package, "/qn", "/l*v", &log])?;
            assert!(installed.status.success(), "{package}: {}", installed.status);
            // Nobody has the old installers any more.
            self.remove(&package)?;
            self.remove(&log)?;
        }
        let portal = r"C:\inetpub\wwwroot\PhoneFactor";
        let config = include_str!("../../src/platform/simulated/demo/admin/portal.config");
        self.write(&format!(r"{portal}\web.config"), config.replace('\n', "\r\n").as_bytes())?;
        self.write(&format!(r"{portal}\App_Themes\Contoso\Contoso.css"), b"body { }\r\n")?;
        let mobile = include_str!("../../src/platform/simulated/demo/admin/mobile.config");
        let folder = r"C:\inetpub\wwwroot\PhoneFactorPhoneAppWebService";
        self.write(&format!(r"{folder}\web.config"), mobile.replace('\n', "\r\n").as_bytes())?;
        for name in ["PhoneFactor", "PhoneFactorWebServiceSdk", "PhoneFactorPhoneAppWebService"] {
            let location = format!("Default Web Site/{name}");
            let section = "/section:system.webServer/security/access";
            self.appcmd(&["set", "config", &location, section, "/sslFlags:Ssl", "/commit:apphost"])?;
            self.appcmd(&["set", "app", &location, "/applicationPool:PhoneFactor Pool"])?;
        }
        let section = "/section:system.webServer/security/authentication/basicAuthentication";
        let location = "Default Web Site/PhoneFactorWebServiceSdk";
        self.appcmd(&["set", "config", location, section, "/enabled:true", "/commit:apphost"])?;
        Ok(())
    }

    /// A copy of this machine to work on.
    pub(crate) fn copy(&self, name: &str) -> io::Result<Self> {
        let folder = self.folder.with_file_name(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let copied = Command::new("cp").args(["-a", "--reflink=auto"]).arg(&self.folder).arg(&folder).status()?;
        assert!(copied.success(), "the prefix could not be copied");
        Ok(Self { folder })
    }

    /// The host's path of a path of the machine, whatever its case.
    pub(crate) fn host(&self, path: &str) -> PathBuf {
        let mut at = self.folder.join("drive_c");
        for name in path.trim_start_matches(r"C:\").split('\\') {
            let found = fs::read_dir(&at).into_iter().flatten().flatten().map(|entry| entry.file_name());
            let found = found.into_iter().find(|found| found.to_string_lossy().eq_ignore_ascii_case(name));
            at.push(found.unwrap_or_else(|| name.into()));
        }
        at
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let at = self.host(path);
        fs::create_dir_all(at.parent().unwrap_or(Path::new("/")))?;
        fs::write(at, content)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.host(path))
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let at = self.host(path);
        let bytes = fs::read(&at).unwrap_or_else(|error| panic!("{path}: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.host(path).exists()
    }

    pub(crate) fn wine(&self, arguments: &[&str]) -> io::Result<Output> {
        self.command(arguments).output()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(WINE);
        command.args(arguments.iter().filter(|argument| !argument.is_empty()));
        command.env("WINEPREFIX", &self.folder).env("WINEARCH", "win64").env("WINEDEBUG", "-all").env("DISPLAY", "");
        command.current_dir(&self.folder);
        command
    }

    fn appcmd(&self, arguments: &[&str]) -> io::Result<()> {
        let arguments: Vec<&str> =
            [r"C:\windows\system32\inetsrv\appcmd.exe"].iter().chain(arguments).copied().collect();
        let output = self.wine(&arguments)?;
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{arguments:?}: {said}");
        Ok(())
    }

    /// Runs the program.
    pub(crate) fn pfupgrade(&self, arguments: &[&str]) -> io::Result<Ran> {
        let arguments: Vec<&str> = [r"C:\pfupgrade.exe"].iter().chain(arguments).copied().collect();
        let output = self.wine(&arguments)?;
        let said = [output.stdout, output.stderr].concat();
        Ok(Ran { code: output.status.code().unwrap_or(-1), said: String::from_utf8_lossy(&said).into_owned() })
    }

    /// Runs the program, and kills it as soon as an installer has begun this log of the run.
    pub(crate) fn pfupgrade_killed_at(&self, arguments: &[&str], log: &str) -> io::Result<()> {
        let arguments: Vec<&str> = [r"C:\pfupgrade.exe"].iter().chain(arguments).copied().collect();
        let mut running = self.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let runs = self.host(r"C:\ProgramData").join("pfupgrade/runs");
        let has_begun = || {
            let runs = fs::read_dir(&runs).into_iter().flatten().flatten();
            runs.into_iter().any(|run| run.path().join("logs").join(log).exists())
        };
        while !has_begun() {
            if let Some(status) = running.try_wait()? {
                panic!("it ended with {status} before it began {log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.wine(&["taskkill", "/f", "/im", "pfupgrade.exe"])?;
        running.wait().map(drop)
    }

    /// What `reg query` says of a key; empty where there is none.
    pub(crate) fn registry(&self, key: &str) -> io::Result<String> {
        let output = self.wine(&["reg", "query", key, "/s"])?;
        Ok(if output.status.success() { String::from_utf8_lossy(&output.stdout).into_owned() } else { String::new() })
    }

    /// Names of everything in "Programs and Features", in the order of the registry.
    pub(crate) fn products(&self) -> io::Result<Vec<String>> {
        let all = self.registry(r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall")?;
        let name = |line: &str| {
            Some(line.trim().strip_prefix("DisplayName")?.trim().strip_prefix("REG_SZ")?.trim().to_owned())
        };
        let mut names: Vec<String> = all.lines().filter_map(name).collect();
        names.sort();
        Ok(names)
    }

    /// Whether a service is there, and the state the service manager gives it.
    pub(crate) fn service(&self, name: &str) -> io::Result<Option<String>> {
        let output = self.wine(&["sc", "query", name])?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let state =
            text.lines().find_map(|line| line.trim().strip_prefix("STATE")?.rsplit(' ').find(|word| !word.is_empty()));
        Ok(state.map(str::to_owned))
    }

    /// Every file below a folder, to be compared.
    pub(crate) fn tree(&self, path: &str) -> Vec<File> {
        let mut all = Vec::new();
        let mut left = vec![self.host(path)];
        while let Some(folder) = left.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    left.push(path);
                    continue;
                }
                let modified = entry.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                // Windows counts in steps of 100 nanoseconds.
                let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() / 100;
                let content = fs::read(&path).unwrap_or_default();
                let path = path.strip_prefix(&self.folder).unwrap_or(&path).to_owned();
                all.push(File { path, modified, content });
            }
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        all
    }
}
