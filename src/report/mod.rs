//! Reports about a run: text for people, JSON for scripts. Both are made from the same data.

pub mod change;
pub mod json;
pub mod schema;
pub mod status;
pub mod summary;
pub mod text;
