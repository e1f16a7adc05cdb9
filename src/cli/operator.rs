//! The operator who completes manual steps.

use super::console::Console;
use super::stop;
use crate::engine::{Answer, Operator};
use crate::platform::Platform;
use crate::platform::op::Gate;
use crate::platform::simulated::Simulated;
use crate::report::text;
use std::collections::BTreeSet;

/// The user at the terminal, the `--confirm` option, or the simulated operator.
pub(super) struct Person<'a> {
    talk: &'a Console,
    machine: Option<&'a Simulated>,
    /// Whether gates stop as on a real server.
    ask: bool,
    /// The gate that was confirmed on the command line.
    confirmed: Option<String>,
    /// Gates that have been confirmed before, but were not complete.
    answered: BTreeSet<String>,
}

impl<'a> Person<'a> {
    pub(super) fn new(talk: &'a Console, machine: Option<&'a Simulated>, ask: bool, confirmed: Option<String>) -> Self {
        Self { talk, machine, ask, confirmed, answered: BTreeSet::new() }
    }

    /// Performs a manual step on a simulated machine, where nobody else can. On a real one the user has done it.
    fn done(&self, gate: &Gate, by: &str) -> Answer {
        let by_hand = gate.by_hand.as_ref().zip(self.machine);
        match by_hand.map(|(op, machine)| machine.perform(op, &mut |_| {})) {
            None | Some(Ok(_)) => Answer::Done { by: by.to_owned() },
            Some(Err(failure)) => {
                self.talk.insist(&failure.to_string());
                Answer::Later
            }
        }
    }

    fn prompt(&self, gate: &Gate, still: &str, again: bool) -> Answer {
        match again {
            false => self.talk.insist(&format!("\n{}", text::gate(gate, self.talk.error_width()))),
            true => self.talk.insist(&format!("Not complete: {still}.")),
        }
        loop {
            self.talk.insist("Press Enter when it is done, or type \"later\" to do it later.");
            match stop::line().map(|line| is_done(&line)) {
                Some(Some(true)) => return self.done(gate, "operator"),
                Some(None) => {}
                Some(Some(false)) | None => return Answer::Later,
            }
        }
    }
}

/// Whether a line confirms completion; `None` if that is unclear.
fn is_done(line: &str) -> Option<bool> {
    match line.trim().to_lowercase().as_str() {
        "" | "done" | "yes" | "y" => Some(true),
        "later" | "no" | "n" => Some(false),
        _ => None,
    }
}

impl Operator for Person<'_> {
    fn at_gate(&mut self, gate: &Gate, still: &str) -> Answer {
        let again = !self.answered.insert(gate.id.clone());
        if self.confirmed.take_if(|confirmed| *confirmed == gate.id).is_some() {
            return self.done(gate, "operator");
        }
        match (self.ask, again) {
            (true, _) if self.talk.is_with_person() => self.prompt(gate, still, again),
            (false, false) => self.done(gate, "simulated operator"),
            _ => Answer::Later,
        }
    }

    fn wants_to_stop(&self) -> bool {
        stop::wanted()
    }
}

#[cfg(test)]
mod tests {
    use super::is_done;

    #[test]
    fn only_what_is_clear_is_an_answer() {
        for (lines, expected) in [
            (["", " \r\n", "Done", "yes"].as_slice(), Some(true)),
            (&["later", "LATER\n", "no"], Some(false)),
            (&["maybe", "rollback", "latter", "\u{1b}[A"], None),
        ] {
            for line in lines {
                assert_eq!(is_done(line), expected, "{line:?}");
            }
        }
    }
}
