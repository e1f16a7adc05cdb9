//! The program itself, run as people and scripts run it. Whatever JSON a build for tests prints is held to its schema.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The program in a folder. Nobody sits at its terminal.
pub fn program(folder: &Path) -> Program {
    Program { folder: folder.to_owned() }
}

/// See [`program`].
pub struct Program {
    folder: PathBuf,
}

/// What a command came to.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    /// Runs it with arguments.
    pub fn runs(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pfupgrade"));
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.env("TMPDIR", &self.folder).env("TMP", &self.folder);
        Ran::of(&command.output().unwrap())
    }

    /// Runs it with arguments that hold no blanks.
    pub fn says(&self, line: &str) -> Ran {
        self.runs(&line.split_whitespace().collect::<Vec<_>>())
    }
}

impl Ran {
    /// What a process came to.
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Holds it to its exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Holds its talk to some words.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "not said: {words}\nstderr:\n{}", self.err);
        self
    }

    /// Holds its results to some words.
    #[track_caller]
    pub fn prints(self, words: &str) -> Self {
        assert!(self.out.contains(words), "not printed: {words}\nstdout:\n{}", self.out);
        self
    }

    /// Every line of stdout as JSON, which is ASCII.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        assert!(self.out.is_ascii(), "{}", self.out);
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}
