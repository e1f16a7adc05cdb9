//! Bytes and structure: what holds of any XML file. Nothing here knows ASP.NET.

pub(crate) mod beside;
pub(crate) mod document;
pub(crate) mod edit;
pub(crate) mod encoding;
pub(crate) mod limits;
pub(crate) mod node;

pub use document::Document;
pub(crate) use document::{Splice, Wrap};
pub(crate) use limits::MAX_BYTES;
pub(crate) use node::{children, elements, is_markup, layout, markup, same, space_before, text, text_of, value};
