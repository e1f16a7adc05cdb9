//! The registry, read and written in a specified view.

use super::text::values;
use crate::platform::Failure;
use crate::platform::registry::{Key, Tree, Value, View};
use std::fmt::Display;
use windows_registry::{CLASSES_ROOT, CURRENT_USER, Key as Handle, LOCAL_MACHINE, OpenOptions, Type, USERS};

/// "The system cannot find the file specified": the key or value does not exist.
const NOT_FOUND: i32 = 0x8007_0002_u32.cast_signed();

fn failed(doing: &str, path: &str, error: impl Display) -> Failure {
    Failure::new(format!("{doing} the registry key {path}"), error)
}

/// The root key of a path, and the rest.
fn root(path: &str) -> Result<(&'static Handle, &str), Failure> {
    let (name, rest) = path.split_once('\\').unwrap_or((path, ""));
    let root = match name.to_ascii_uppercase().as_str() {
        "HKLM" | "HKEY_LOCAL_MACHINE" => LOCAL_MACHINE,
        "HKCU" | "HKEY_CURRENT_USER" => CURRENT_USER,
        "HKU" | "HKEY_USERS" => USERS,
        "HKCR" | "HKEY_CLASSES_ROOT" => CLASSES_ROOT,
        _ => return Err(failed("open", path, "unknown root key")),
    };
    Ok((root, rest))
}

/// Every key is opened from the root with its view, because a handle does not pass on its view.
fn options(root: &'static Handle, view: View) -> OpenOptions<'static> {
    let mut options = root.options();
    options.read();
    match view {
        View::Native => options.wow64_64(),
        View::Wow32 => options.wow64_32(),
    };
    options
}

fn open(view: View, path: &str) -> Result<Option<Handle>, Failure> {
    let (root, rest) = root(path)?;
    match options(root, view).open(rest) {
        Ok(key) => Ok(Some(key)),
        Err(error) if error.code().0 == NOT_FOUND => Ok(None),
        Err(error) => Err(failed("read", path, error)),
    }
}

/// A key with its values and the names of its subkeys; `None` if it does not exist.
pub(super) fn key(view: View, path: &str) -> Result<Option<Key>, Failure> {
    let Some(handle) = open(view, path)? else { return Ok(None) };
    let unreadable = |error| failed("read", path, error);
    let values = handle.values().map_err(unreadable)?;
    let values = values.map(|(name, value)| (name, values::decode(value.ty().into(), &value))).collect();
    Ok(Some(Key { values, keys: handle.keys().map_err(unreadable)?.collect() }))
}

/// The strings of a REG_MULTI_SZ value, including empty ones; none if the value does not exist.
pub(super) fn strings(view: View, path: &str, name: &str) -> Result<Vec<String>, Failure> {
    let Some(handle) = open(view, path)? else { return Ok(Vec::new()) };
    match handle.get_value(name) {
        Ok(value) => Ok(values::list(&value).unwrap_or_default()),
        Err(error) if error.code().0 == NOT_FOUND => Ok(Vec::new()),
        Err(error) => Err(failed(&format!("read {name} of"), path, error)),
    }
}

/// The text of a value; `None` if it does not exist.
pub(super) fn text(view: View, path: &str, name: &str) -> Result<Option<String>, Failure> {
    Ok(key(view, path)?.and_then(|key| key.text(name).map(str::to_owned)))
}

/// Makes a key identical to a tree; without a tree, removes it.
pub(super) fn restore(view: View, path: &str, tree: Option<&Tree>) -> Result<(), Failure> {
    match tree {
        Some(tree) => write(view, path, tree),
        None => remove(view, path),
    }
}

fn write(view: View, path: &str, tree: &Tree) -> Result<(), Failure> {
    let unwritable = |error| failed("write", path, error);
    let (root, rest) = root(path)?;
    let handle = options(root, view).write().create().open(rest).map_err(unwritable)?;
    let there = key(view, path)?.unwrap_or_default();
    for name in there.values.keys().filter(|name| !tree.values.contains_key(*name)) {
        handle.remove_value(name).map_err(unwritable)?;
    }
    for (name, value) in tree.values.iter().filter(|(name, value)| there.values.get(*name) != Some(*value)) {
        set(&handle, name, value).map_err(unwritable)?;
    }
    for name in there.keys.iter().filter(|name| !tree.keys.keys().any(|key| key.eq_ignore_ascii_case(name))) {
        remove(view, &format!("{path}\\{name}"))?;
    }
    tree.keys.iter().try_for_each(|(name, below)| write(view, &format!("{path}\\{name}"), below))
}

fn set(handle: &Handle, name: &str, value: &Value) -> windows_registry::Result<()> {
    let (kind, bytes) = values::encode(value);
    // The raw bytes with this type, even if they are not a terminated text.
    handle.set_bytes(name, Type::Other(kind), &bytes)
}

fn remove(view: View, path: &str) -> Result<(), Failure> {
    let Some(there) = key(view, path)? else { return Ok(()) };
    for name in there.keys {
        remove(view, &format!("{path}\\{name}"))?;
    }
    // A key is removed through its parent, which must be opened in the same view.
    let Some((above, name)) = path.rsplit_once('\\') else { return Err(failed("remove", path, "it is a root key")) };
    let (root, rest) = root(above)?;
    let gone = options(root, view).write().open(rest).and_then(|above| above.remove_tree(name));
    gone.map_err(|error| failed("remove", path, error))
}
