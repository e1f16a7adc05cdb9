//! What a step works out once while it is at work.

use super::configure::Merge;
use crate::plan::Component;
use crate::webconfig::Side;
use crate::winpath::WinPath;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What has been decided of conflicts, by their paths.
type Decisions = BTreeMap<String, Side>;

/// Results that stay the same as long as one step is at work: it reads only what its run no longer changes once it has
/// begun, but for decisions, by which a merge is remembered.
///
/// Without it a merge would be made, and its packages opened, at each of half a dozen looks at a step.
#[derive(Default)]
pub struct Memo {
    merges: RefCell<BTreeMap<Component, (Decisions, Rc<Merge>)>>,
    by_hand: RefCell<BTreeMap<WinPath, bool>>,
}

impl Memo {
    /// The merge of a component that was made with these decisions.
    pub(super) fn merge(&self, component: Component, decisions: &Decisions) -> Option<Rc<Merge>> {
        let known = self.merges.borrow();
        known.get(&component).filter(|(of, _)| of == decisions).map(|(_, merge)| Rc::clone(merge))
    }

    /// Remembers a merge.
    pub(super) fn keep_merge(&self, component: Component, decisions: &Decisions, merge: &Rc<Merge>) {
        self.merges.borrow_mut().insert(component, (decisions.clone(), Rc::clone(merge)));
    }

    /// Whether a person has to install a package. What is answered once it is there is remembered.
    pub(super) fn by_hand<E>(
        &self,
        package: &WinPath,
        ask: impl FnOnce() -> Result<Option<bool>, E>,
    ) -> Result<bool, E> {
        if let Some(known) = self.by_hand.borrow().get(package) {
            return Ok(*known);
        }
        let answer = ask()?;
        self.by_hand.borrow_mut().extend(answer.map(|by_hand| (package.clone(), by_hand)));
        Ok(answer.unwrap_or(false))
    }
}
