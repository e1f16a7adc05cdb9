//! Outages: the only rule for when users cannot sign in.
//!
//! An outage begins with its first step, or with a rollback that removes something. It ends with its last step, with
//! the end of the run or of its rollback, or when all stopped services are running again.

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

    /// When the outage began: the current one, or else the first.
    pub fn outage_begun(&self) -> Option<Timestamp> {
        let shown = if self.is_outage() { self.outages.last() } else { self.outages.first() };
        shown.map(|span| span.begun)
    }

    /// How long users could not sign in, in milliseconds, if that is over.
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

    /// Work pauses. A journal of format 1 does not record that services are started again if nothing has been
    /// uninstalled, which its program did.
    pub(super) fn pause(&mut self, time: Timestamp) {
        self.close_spans(time);
        if !self.says_called_off && self.uninstalled.is_empty() && self.rollback.is_none() {
            self.end_outage(time);
        }
    }

    /// Begins an outage, unless there is one.
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

/// Whether a part of a rollback does more than start a service or remove decrypted copies, which is all there is to do
/// if nothing has been uninstalled.
fn takes_away(undo: &Undo) -> bool {
    !matches!(undo, Undo::Do { op: Op::Service { state: ServiceState::Running, .. } | Op::Remove { .. } })
}
