//! The program on a demo machine in a folder, as people and scripts use it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder with a plan in it and room for a machine.
pub struct Program(TempDir);

/// What a command came to.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Its output.
    pub out: String,
    /// What it said.
    pub err: String,
}

impl Program {
    /// A folder with a plan, and no machine yet.
    pub fn new() -> Self {
        let program = Self(tempfile::tempdir().unwrap());
        let plan = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/one-server.toml");
        fs::copy(plan, program.beside("pfupgrade.toml")).unwrap();
        program
    }

    /// A folder with the machine on which a run has ended so.
    pub fn after(arguments: &str, code: i32) -> Self {
        let program = Self::new();
        program.ends(arguments, code);
        program
    }

    /// A file beside the machine.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of the machine.
    pub fn at(&self, file: &str) -> PathBuf {
        self.beside("machine").join(file)
    }

    /// The command with these arguments, for the machine. Nobody sits at its terminal.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(arguments.split_whitespace()).arg("--simulate=machine");
        command.current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs the program, which has to end with this code.
    #[track_caller]
    pub fn ends(&self, arguments: &str, code: i32) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments}\nstdout:\n{}\nstderr:\n{}", ran.out, ran.err);
        ran
    }

    /// The folder of the last run.
    pub fn last_run(&self) -> PathBuf {
        let runs = fs::read_dir(self.at("C/ProgramData/pfupgrade/runs")).unwrap().map(|run| run.unwrap().path());
        runs.max().unwrap()
    }
}

impl Ran {
    /// The lines that say what to do next, or instead.
    pub fn next(&self) -> Vec<String> {
        let is_next = |line: &&str| line.starts_with("next: ") || line.starts_with("  or: ");
        self.err.lines().filter(is_next).map(str::to_owned).collect()
    }

    /// What was printed as one JSON document, which is ASCII.
    #[track_caller]
    pub fn document(&self) -> serde_json::Value {
        assert!(self.out.is_ascii() && self.out.lines().count() == 1, "{}", self.out);
        serde_json::from_str(&self.out).unwrap()
    }
}
