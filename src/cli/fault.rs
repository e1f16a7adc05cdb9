//! Errors of commands.

use crate::engine::EngineError;
use crate::exit::Exit;
use crate::finding::Finding;
use crate::journal::JournalError;
use crate::plan::Diagnostics;
use crate::platform::Failure;
use serde::Serialize;

/// An error message: what failed, why, and what to do next.
#[derive(Debug)]
pub(super) struct CommandError {
    pub(super) exit: Exit,
    pub(super) message: String,
    pub(super) next: String,
    /// What can be done instead.
    pub(super) or: String,
    pub(super) details: Details,
}

/// Details for scripts.
#[derive(Debug, Default)]
pub(super) enum Details {
    #[default]
    None,
    /// The errors of a plan file.
    Plan(Box<Diagnostics>),
    /// The blocking checks, which the preview shows to users.
    Findings(Vec<Finding>),
}

impl CommandError {
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), next: String::new(), or: String::new(), details: Details::None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(super) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    pub(super) fn or(mut self, or: impl Into<String>) -> Self {
        self.or = or.into();
        self
    }

    pub(super) fn details(mut self, details: Details) -> Self {
        self.details = details;
        self
    }

    /// The document of kind `error`.
    pub(super) fn document(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Document<'a> {
            format: u32,
            kind: &'static str,
            exit_code: i32,
            message: &'a str,
            next: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            diagnostics: Option<&'a Diagnostics>,
            #[serde(skip_serializing_if = "Option::is_none")]
            findings: Option<&'a [Finding]>,
        }
        let (diagnostics, findings) = match &self.details {
            Details::None => (None, None),
            Details::Plan(diagnostics) => (Some(&**diagnostics), None),
            Details::Findings(findings) => (None, Some(findings.as_slice())),
        };
        let (message, next, exit_code) = (self.message.as_str(), self.next.as_str(), self.exit.code());
        Document { format: 1, kind: "error", exit_code, message, next, diagnostics, findings }
    }
}

/// Failures outside the engine happen before anything is changed.
impl From<Failure> for CommandError {
    fn from(failure: Failure) -> Self {
        Self::usage(failure.to_string()).next(failure.next)
    }
}

/// Failures on the host.
impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        Self::usage(format!("{error:#}"))
    }
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        let conflicts;
        let next = match &error {
            EngineError::Locked { .. } => "wait until it has ended",
            EngineError::Step { failure, .. }
            | EngineError::Rollback { failure, .. }
            | EngineError::State(failure)
            | EngineError::Failure(failure)
            | EngineError::Journal(JournalError::Failure(failure)) => &failure.next,
            EngineError::NoWayBack(_) => {
                "finish the upgrade with `pfupgrade resume`; the old product must be restored by other means"
            }
            EngineError::NotNow { .. } => "",
            EngineError::NoConflict { known, .. } => {
                conflicts = match known.as_slice() {
                    [] => "there are none".to_owned(),
                    known => format!("its conflicts are: {}", known.join(", ")),
                };
                &conflicts
            }
            EngineError::Journal(JournalError::Newer { .. }) => "",
            EngineError::Journal(_) => {
                "restore a good copy of the journal, such as from the server's backup. Without one, keep the run's \
                 folder and its backups and continue by hand: see \"Without a journal\" in the README"
            }
        };
        let mut message = error.to_string();
        if let EngineError::Step { nothing_lost: true, .. } = &error {
            message += "\nnothing was uninstalled, and the stopped services have been started again";
        }
        Self::new(Exit::from(&error), message).next(next)
    }
}
