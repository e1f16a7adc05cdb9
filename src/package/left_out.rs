//! What an installation would do that a simulation does not.

use super::layout::Layout;
use super::model::{Place, RegistryRoot};
use super::tables::{CustomAction, LEFT_OUT, Tables};

/// Describes a custom action that is not simulated; `None` for one that runs only when an installation fails.
pub(super) fn action(name: &str, action: &CustomAction) -> Option<String> {
    const WHEN: i32 = 0x700;
    const ROLLBACK: i32 = 0x500;
    let what = match action.kind() & 7 {
        1 => "a DLL",
        2 => "a program",
        5 | 6 => "a script",
        7 => "another package",
        _ => "of another kind",
    };
    (action.kind & WHEN != ROLLBACK).then(|| format!("custom action {name} (type {}, {what})", action.kind()))
}

/// The searches outside the registry.
pub(super) fn searches(tables: &Tables) -> impl Iterator<Item = String> {
    let elsewhere = tables.searches.iter().filter(|search| search.place == Place::Elsewhere);
    elsewhere.map(|search| format!("search for {}", search.property))
}

/// Lists the tables whose rows this installation would process, but the simulation does not.
pub(super) fn tables(tables: &Tables, layout: &Layout) -> Vec<String> {
    let applies = |component: &String| component.is_empty() || layout.installs(component);
    let has_rows = |table: &str| tables.left_out.get(table).is_some_and(|rows| rows.iter().any(applies));
    let carried_out = LEFT_OUT.iter().filter(|(table, action)| layout.performs(action) && has_rows(table));
    let mut named: Vec<String> = carried_out.map(|(table, _)| format!("table {table}")).collect();
    named.extend(searches(tables).filter(|_| layout.performs("AppSearch")));
    if tables.registry.iter().any(|row| row.root == RegistryRoot::Unknown && layout.installs(&row.component)) {
        named.push("rows of table Registry below a root that does not exist".to_owned());
    }
    named
}
