//! What ASP.NET and IIS say about a web.config: its collections and their keys, its sections, and what they refuse.

pub(crate) mod collections;
pub(crate) mod elsewhere;
pub(crate) mod of_version;
pub(crate) mod sdk_url;
pub(crate) mod sections;
pub(crate) mod validation;
pub(crate) mod values;
pub(crate) mod wrapper;

pub use elsewhere::Outside;
pub(crate) use sdk_url::{is_placeholder as is_placeholder_sdk_url, is_setting as is_sdk_setting};
pub use validation::{check, check_merged, declared_sections, missing};
pub use values::{AppSetting, Setting, Values};
