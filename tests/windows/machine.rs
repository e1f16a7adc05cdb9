//! A Windows machine under Wine: copied for each scenario, driven and looked at from outside the program.

use crate::packages;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";

/// A prefix of Wine, whose processes end with it.
pub(crate) struct Machine {
    folder: PathBuf,
    /// Keeps Wine and its services from ending between two programs.
    awake: Mutex<Option<Held>>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.shut_down();
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
    pub(crate) content: Vec<u8>,
}

/// A file that another program holds open.
pub(crate) struct Held(Child);

impl Held {
    /// The other program ends.
    pub(crate) fn let_go(mut self) -> io::Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().map(drop)
    }
}

/// What the program did.
pub(crate) struct Ran {
    code: i32,
    said: String,
}

impl Ran {
    /// Holds it to an exit code, of which this side sees the low byte only.
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code & 0xFF, "it should have ended with {code}:\n{}", self.end());
        self
    }

    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.said.contains(text), "it does not say `{text}`:\n{}", self.end());
        self
    }

    /// The documents among what it said.
    pub(crate) fn documents(&self) -> Vec<serde_json::Value> {
        self.said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The last that it said.
    fn end(&self) -> String {
        let lines: Vec<&str> = self.said.lines().collect();
        lines[lines.len().saturating_sub(50)..].join("\n")
    }
}

impl Machine {
    /// A prefix in which nothing has run yet.
    pub(crate) fn new(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { folder, awake: Mutex::default() })
    }

    /// Ends everything that runs. What is on the disk is complete then.
    pub(crate) fn shut_down(&self) -> io::Result<()> {
        self.server("-k")?;
        if let Some(held) = self.awake.lock().ok().and_then(|mut awake| awake.take()) {
            held.let_go()?;
        }
        self.wait()
    }

    /// Starts Wine, which stays up. As long as its services come up, none can be installed and started.
    pub(crate) fn boot(&self) -> io::Result<()> {
        let held = self.hold(r"C:\holder.exe", "reading")?;
        *self.awake.lock().expect("nobody panics with it") = Some(held);
        for _ in 0..1000 {
            if self.wine(&["net", "start", "RpcSs"])?.said.contains("already running") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the services of Wine do not come up")
    }

    /// Waits until nothing runs.
    pub(crate) fn wait(&self) -> io::Result<()> {
        self.server("-w")
    }

    fn server(&self, how: &str) -> io::Result<()> {
        Command::new(SERVER).arg(how).env("WINEPREFIX", &self.folder).stderr(Stdio::null()).status().map(drop)
    }

    /// Restarts Windows: what waits for that is done.
    pub(crate) fn restart(&self) -> io::Result<()> {
        self.shut_down()?;
        self.done(&["wineboot"])?;
        self.boot()
    }

    /// A copy of this machine to work on.
    pub(crate) fn copy(&self, name: &str) -> io::Result<Self> {
        let folder = self.folder.with_file_name(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let copied = Command::new("cp").args(["-a", "--reflink=auto"]).arg(&self.folder).arg(&folder).status()?;
        assert!(copied.success(), "the prefix could not be copied");
        let machine = Self { folder, awake: Mutex::default() };
        machine.boot()?;
        Ok(machine)
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

    /// Removes a file, or a folder with all that is in it; what is not there is gone already.
    pub(crate) fn remove(&self, path: &str) -> io::Result<()> {
        let at = self.host(path);
        match at.is_dir() {
            true => fs::remove_dir_all(at),
            false if at.exists() => fs::remove_file(at),
            false => Ok(()),
        }
    }

    /// Writes the usual plan with other words in place of some.
    pub(crate) fn plan(&self, changes: &[(&str, &str)]) -> io::Result<&'static str> {
        let mut text = include_str!("plan.toml").to_owned();
        for (from, to) in changes {
            assert!(text.contains(from), "the plan has no {from}");
            text = text.replace(from, to);
        }
        self.write(r"C:\plan.toml", text.as_bytes())?;
        Ok(r"C:\plan.toml")
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let at = self.host(path);
        let bytes = fs::read(&at).unwrap_or_else(|error| panic!("{path}: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.host(path).exists()
    }

    /// Runs a program of Windows to its end. What it says goes into a file: what it leaves running would keep a pipe open.
    pub(crate) fn wine(&self, arguments: &[&str]) -> io::Result<Ran> {
        self.ended(self.started(arguments)?)
    }

    fn started(&self, arguments: &[&str]) -> io::Result<Child> {
        let said = self.folder.join("said.txt");
        // What was left running has the old one.
        let _ = fs::remove_file(&said);
        let said = fs::File::create(said)?;
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said).spawn()
    }

    fn ended(&self, mut running: Child) -> io::Result<Ran> {
        let code = running.wait()?.code().unwrap_or(-1);
        let said = fs::read(self.folder.join("said.txt"))?;
        Ok(Ran { code, said: String::from_utf8_lossy(&said).into_owned() })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(WINE);
        command.args(arguments.iter().filter(|argument| !argument.is_empty()));
        command.env("WINEPREFIX", &self.folder).env("WINEARCH", "win64").env("WINEDEBUG", "-all").env("DISPLAY", "");
        command.current_dir(&self.folder);
        command
    }

    /// Runs a program of Windows that has to succeed.
    pub(crate) fn done(&self, arguments: &[&str]) -> io::Result<()> {
        let ran = self.wine(arguments)?;
        assert!(ran.code == 0, "{arguments:?} ended with {}: {}", ran.code, ran.said);
        Ok(())
    }

    pub(crate) fn appcmd(&self, arguments: &[&str]) -> io::Result<()> {
        self.done(&[&[r"C:\windows\system32\inetsrv\appcmd.exe"], arguments].concat())
    }

    /// Has the stand-in for IIS do what the custom action of a web setup has done.
    pub(crate) fn websetup(&self, arguments: &[&str]) -> io::Result<()> {
        self.appcmd(&[&["websetup"], arguments].concat())
    }

    /// Uninstalls a product of the old version, as its administrator would.
    pub(crate) fn uninstall(&self, name: &str) -> io::Result<()> {
        self.done(&["msiexec", "/x", &packages::old_code(name), "/qn"])
    }

    /// Has another program hold a file of the machine open: `alone`, or with others `reading`.
    pub(crate) fn hold(&self, file: &str, how: &str) -> io::Result<Held> {
        let mut command = self.command(&[r"C:\holder.exe", file, how]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut said = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut said)?;
        }
        assert_eq!(said.trim(), "held");
        Ok(Held(child))
    }

    /// Runs the program.
    pub(crate) fn pfupgrade(&self, arguments: &[&str]) -> io::Result<Ran> {
        self.wine(&[&[r"C:\pfupgrade.exe"], arguments].concat())
    }

    /// Runs the program, and kills it as soon as an installer has begun this log of the run.
    pub(crate) fn pfupgrade_killed_at(&self, arguments: &[&str], log: &str) -> io::Result<()> {
        let mut running = self.begun(arguments, log)?;
        self.done(&["taskkill", "/f", "/im", "pfupgrade.exe"])?;
        running.wait().map(drop)
    }

    /// Runs the program, and presses Ctrl+C as soon as an installer has begun this log of the run.
    pub(crate) fn pfupgrade_interrupted_at(&self, arguments: &[&str], log: &str) -> io::Result<Ran> {
        let running = self.begun(arguments, log)?;
        // Wine makes the event of the console out of the signal.
        let sent = Command::new("kill").args(["-INT", &running.id().to_string()]).status()?;
        assert!(sent.success(), "it has ended already");
        self.ended(running)
    }

    /// The program while it works, as soon as there is this log of the run.
    fn begun(&self, arguments: &[&str], log: &str) -> io::Result<Child> {
        let mut running = self.started(&[&[r"C:\pfupgrade.exe"], arguments].concat())?;
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
        Ok(running)
    }

    /// What `reg query` says of a key; empty where there is none.
    pub(crate) fn registry(&self, key: &str) -> io::Result<String> {
        let ran = self.wine(&["reg", "query", key, "/s"])?;
        match ran.code {
            0 => Ok(ran.said),
            _ if ran.said.contains("Unable to find") => Ok(String::new()),
            // An answer that did not come is not the answer that there is nothing.
            code => panic!("Wine could not start `reg`: {code} {}", ran.said),
        }
    }

    /// Names and versions of everything in "Programs and Features", in alphabetical order.
    pub(crate) fn products(&self) -> io::Result<Vec<String>> {
        let of_all = self.registry(r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall")?;
        let of_user = self.registry(r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall")?;
        let keys = of_all.split("HKEY_").chain(of_user.split("HKEY_"));
        let value = |key: &str, name: &str| {
            let value =
                |line: &str| Some(line.trim().strip_prefix(name)?.trim().strip_prefix("REG_SZ")?.trim().to_owned());
            key.lines().find_map(value)
        };
        let title = |key| Some(format!("{} {}", value(key, "DisplayName")?, value(key, "DisplayVersion")?));
        let mut titles: Vec<String> = keys.filter_map(title).collect();
        titles.sort();
        Ok(titles)
    }

    /// Whether a service is there, and the state the service manager gives it.
    pub(crate) fn service(&self, name: &str) -> io::Result<Option<String>> {
        let text = self.wine(&["sc", "query", name])?.said;
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
