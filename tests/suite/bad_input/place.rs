//! A folder with a machine and a plan, the commands that are run there, and what they came to.

use super::*;

/// A folder of its own with a plan and a machine.
pub struct Place(pub TempDir);

/// What a command came to.
pub struct Run {
    pub words: String,
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A folder that was made once: the demo machine, or one with a run that waits at the gate of the server's setup.
pub fn once(made: &'static OnceLock<TempDir>, commands: &[&str]) -> &'static Path {
    let place = made.get_or_init(|| {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.path("plan.toml"), PLAN).unwrap();
        for command in commands {
            place.run(command);
        }
        place.0
    });
    place.path()
}

pub fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).unwrap(),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

impl Place {
    /// The demo machine, with the plan for it.
    pub fn new() -> Self {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let place = Self(tempfile::tempdir().unwrap());
        copy(once(&MADE, &["plan plan.toml --quiet"]), place.0.path());
        place
    }

    /// A machine whose old products are uninstalled and whose run waits for somebody to run the MFA Server setup.
    pub fn at_the_gate() -> Self {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let place = Self(tempfile::tempdir().unwrap());
        copy(once(&MADE, &["run plan.toml --yes --ask --quiet"]), place.0.path());
        place
    }

    /// A machine whose run is finished.
    pub fn finished() -> Self {
        static MADE: OnceLock<TempDir> = OnceLock::new();
        let place = Self(tempfile::tempdir().unwrap());
        copy(once(&MADE, &["run plan.toml --yes --quiet"]), place.0.path());
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file or folder of the machine.
    pub fn on_machine(&self, name: &str) -> PathBuf {
        self.path("machine").join(name)
    }

    pub fn journal(&self) -> PathBuf {
        let run = fs::read_dir(self.on_machine(STATE).join("runs")).unwrap().next().unwrap().unwrap();
        run.path().join("journal.jsonl")
    }

    /// Runs the program here, on the machine here. Nobody sits at its terminal.
    pub fn run(&self, words: &str) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(words.split_whitespace()).arg("--simulate=machine");
        Run::of(words, &command.current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap())
    }

    pub fn change(&self, change: impl FnOnce(&mut MachineFacts)) {
        let file = self.on_machine("machine.toml");
        let mut facts = MachineFacts::from_text(&fs::read_to_string(&file).unwrap()).unwrap();
        change(&mut facts);
        fs::write(file, facts.to_text().unwrap()).unwrap();
    }

    pub fn facts(&self) -> MachineFacts {
        MachineFacts::from_text(&fs::read_to_string(self.on_machine("machine.toml")).unwrap()).unwrap()
    }

    pub fn agent_runs(&self) -> bool {
        let facts = self.facts();
        facts.service("PFSvc").is_some_and(|service| service.state == ServiceState::Running)
    }

    /// Every file of the machine with its content, as far as it is small; the lock may come, and the event log grow.
    pub fn files(&self) -> BTreeMap<PathBuf, (u64, Vec<u8>)> {
        let entries = walkdir::WalkDir::new(self.path("machine")).into_iter().map(Result::unwrap);
        let grows = |name: &OsStr| name == "lock" || name == "event-log.txt";
        let files = entries.filter(|entry| !entry.file_type().is_dir() && !grows(entry.file_name()));
        let content = |path: &Path| {
            let len = path.symlink_metadata().unwrap().len();
            let small = len < GIB && !path.is_symlink();
            (len, if small { fs::read(path).unwrap() } else { Vec::new() })
        };
        files.map(|entry| (entry.path().to_owned(), content(entry.path()))).collect()
    }

    /// Each command ends with the code, with one error that names the file and says what to do; nothing changes.
    #[track_caller]
    pub fn refuses(&self, commands: &[&str], code: i32, names: &str) {
        let before = self.files();
        for command in commands {
            self.run(command).ends_with(code).tells_once(names);
            let run = self.run(&format!("{command} --json")).ends_with(code);
            let documents: Vec<serde_json::Value> =
                run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let errors: Vec<_> = documents.iter().filter(|document| document["kind"] == "error").collect();
            // A preview with findings is no error but an answer.
            if code != 4 || !command.starts_with("plan") {
                assert_eq!(errors.len(), 1, "{command}: {}", run.out);
                assert_eq!(errors[0]["exit_code"], code);
                assert_ne!(errors[0]["next"], "", "{command}: {}", run.out);
            }
        }
        assert!(before == self.files(), "{commands:?} changed the machine");
    }
}

impl Run {
    pub fn of(words: &str, output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let code = output.status.code().unwrap_or(-1);
        let run = Self { words: words.to_owned(), code, out, err };
        for word in ["panicked", "RUST_BACKTRACE", "Err(", "Error {", "Some(", "unwrap"] {
            assert!(!run.err.contains(word) && !run.out.contains(word), "{word}: {}", run.whole());
        }
        run
    }

    pub fn whole(&self) -> String {
        format!("pfupgrade {}\ncode {}\nstdout:\n{}\nstderr:\n{}", self.words, self.code, self.out, self.err)
    }

    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.whole());
        self
    }

    #[track_caller]
    pub fn ends_with_one_of(self, codes: &[i32], what: &str) -> Self {
        assert!(codes.contains(&self.code), "{what}: {}", self.whole());
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        let all = format!("{} {}", self.out, self.err).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(all.contains(words), "not said: {words}\n{}", self.whole());
        self
    }

    /// One error with its next step; the errors inside a plan are shown before it, and findings stand in the preview.
    #[track_caller]
    pub fn tells_once(self, names: &str) -> Self {
        let all = format!("{}{}", self.out, self.err);
        let joined = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(names), "not named: {names}\n{}", self.whole());
        if self.words.starts_with("plan") && self.code == 4 {
            assert!(all.contains("advice:"), "{}", self.whole());
            return self;
        }
        let excerpts = self.err.lines().filter(|line| line.trim_start().starts_with("--> ")).count();
        let errors = self.err.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors - excerpts.min(errors - 1), 1, "{}", self.whole());
        assert_eq!(self.err.matches("\nnext: ").count(), 1, "{}", self.whole());
        self
    }
}
