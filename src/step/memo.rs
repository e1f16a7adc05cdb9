//! A cache for results of the current step.

use super::configure::Merge;
use crate::plan::Component;
use crate::webconfig::Side;
use crate::winpath::WinPath;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The decisions, by the paths of their conflicts.
type Decisions = BTreeMap<String, Side>;

/// Results that stay the same during one step: it reads only what its run no longer changes once it has started, except
/// for decisions, which are part of the key.
///
/// Without it, each of half a dozen queries of a step would repeat the merge and open its packages.
#[derive(Default)]
pub struct Memo {
    merges: RefCell<BTreeMap<Component, (Decisions, Rc<Merge>)>>,
    by_hand: RefCell<BTreeMap<WinPath, bool>>,
}

impl Memo {
    /// The cached merge of a component with these decisions.
    pub(super) fn merge(&self, component: Component, decisions: &Decisions) -> Option<Rc<Merge>> {
        let known = self.merges.borrow();
        known.get(&component).filter(|(of, _)| of == decisions).map(|(_, merge)| Rc::clone(merge))
    }

    /// Caches a merge.
    pub(super) fn keep_merge(&self, component: Component, decisions: &Decisions, merge: &Rc<Merge>) {
        self.merges.borrow_mut().insert(component, (decisions.clone(), Rc::clone(merge)));
    }

    /// Whether the operator must install a package; cached once the package exists.
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
