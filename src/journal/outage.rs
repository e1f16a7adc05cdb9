//! When users cannot sign in: the one rule that says when an outage begins and when it is over.
//!
//! It begins with the first step of the outage, or with a rollback that takes something away. It is over with the last step
//! of it, with the end of the run or of its rollback, or at the moment at which everything that was stopped runs again.

use super::facts::{Part, Rollback, Span, milliseconds};
use super::record::Undo;
use super::state::RunState;
use crate::platform::facts::ServiceState;
use crate::platform::op::Op;
use jiff::Timestamp;

impl RunState {
    /// Whether users cannot sign in.
    pub fn is_outage(&self) -> bool {
        self.outages.last().is_some_and(|span| span.ended.is_none())
    }

    /// When users could no longer sign in: this time where they still cannot, else the first time.
    pub fn outage_begun(&self) -> Option<Timestamp> {
        let shown = if self.is_outage() { self.outages.last() } else { self.outages.first() };
        shown.map(|span| span.begun)
    }

    /// How long users could not sign in, where that is over; milliseconds.
    pub fn outage_ms(&self) -> Option<i64> {
        let lengths = self.outages.iter().map(|span| Some(milliseconds(span.begun, span.ended?)));
        lengths.collect::<Option<Vec<i64>>>().filter(|all| !all.is_empty()).map(|all| all.iter().sum())
    }

    pub(super) fn rollback_started(&mut self, undos: &[Undo], time: Timestamp) {
        self.given_up = None;
        let parts = undos.iter().map(|undo| Part { what: undo.to_string(), done: None }).collect();
        let span = Span { begun: time, ended: None };
        self.rollback = Some(Rollback { span, parts, not_restored: Vec::new(), undos: undos.to_vec() });
        if undos.iter().any(takes_away) {
            self.begin_outage(time);
        }
    }

    /// Work ends for now. A journal of format 1 does not say that services run again where nothing has been uninstalled,
    /// which is what its program did.
    pub(super) fn pause(&mut self, time: Timestamp) {
        self.close_spans(time);
        if !self.says_called_off && self.uninstalled.is_empty() && self.rollback.is_none() {
            self.end_outage(time);
        }
    }

    /// The outage: from the first step of it, or from the beginning of a rollback that takes something away, to the last
    /// step of it, the end of the run or of its rollback, or to the moment at which everything that was stopped runs
    /// again.
    pub(super) fn begin_outage(&mut self, time: Timestamp) {
        if !self.is_outage() {
            self.outages.push(Span { begun: time, ended: None });
        }
    }

    pub(super) fn end_outage(&mut self, time: Timestamp) {
        let open = self.outages.last_mut().filter(|span| span.ended.is_none());
        open.into_iter().for_each(|span| span.ended = Some(time));
    }
}

/// False where a part of a rollback starts a service again, or removes what was decrypted: where nothing has been
/// uninstalled, that is all there is to do.
fn takes_away(undo: &Undo) -> bool {
    !matches!(undo, Undo::Do { op: Op::Service { state: ServiceState::Running, .. } | Op::Remove { .. } })
}
