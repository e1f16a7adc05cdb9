//! The rooms of the house stand in one order, and a room uses only what stands below it.
//!
//! A room is a module of `src`; a file inside one may use its neighbors. What a test uses does not count.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, top to bottom. Rooms on one line do not know each other.
const ROOMS: [&[&str]; 11] = [
    &["cli"],
    &["capture"],
    &["draft", "report"],
    &["prepare", "exit"],
    &["engine", "preflight"],
    &["journal", "procedure"],
    &["step"],
    &["survey"],
    &["platform", "plan"],
    &["package", "webconfig"],
    &["finding", "names", "winpath", "secret"],
];

fn floor(room: &str) -> Option<usize> {
    ROOMS.iter().position(|rooms| rooms.contains(&room))
}

/// Every source file below a folder, with its path below `src`.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The program's text of a file: without comments, and without tests.
fn program(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rooms that a text names as `crate::room` or in `crate::{room, …}`.
fn used(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        let name =
            |text: &str| text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
        all.extend(names.into_iter().map(name).filter(|name| !name.is_empty()));
    }
    all
}

#[test]
fn a_room_uses_only_what_stands_below_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&source, &mut all);
    let mut faults = Vec::new();
    for path in all {
        let below = path.strip_prefix(&source).unwrap().to_string_lossy().replace('\\', "/");
        let room = below.split('/').next().unwrap().trim_end_matches(".rs");
        let is_test = below.split('/').any(|part| part == "tests" || part.ends_with("tests.rs"));
        if is_test || ["lib", "main", "build"].contains(&room) {
            continue;
        }
        let Some(own) = floor(room) else {
            faults.push(format!("{below}: the room {room} has no place in the order"));
            continue;
        };
        for name in used(&program(&fs::read_to_string(&path).unwrap())) {
            match floor(&name) {
                _ if name == room => {}
                None => faults.push(format!("{below} uses `crate::{name}`, which is no room")),
                Some(other) if other <= own => faults.push(format!("{below} uses `{name}`, which stands no lower")),
                Some(_) => {}
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The test would pass as well if it found nothing to look at.
#[test]
fn what_a_file_uses_is_found() {
    let text =
        "use crate::plan::Plan;\nuse crate::{journal, step::Step};\n// crate::cli\nfn f() { crate::secret::x() }";
    assert_eq!(used(&program(text)), ["plan", "journal", "step", "secret"]);
    assert_eq!((floor("cli"), floor("secret"), floor("nothing")), (Some(0), Some(10), None));
}
