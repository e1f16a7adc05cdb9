//! What is told of a run: to people as text, to scripts as JSON. Both are made from the same data.

pub mod evidence;
pub mod json;
pub mod schema;
pub mod status;
pub mod summary;
pub mod text;
