//! Merged files, as Microsoft's own reader reads them.

mod merges;

use crate::draw::Draw;
use crate::powershell;

use pfupgrade::webconfig::{Change, Fate, Side};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What the reader makes of a file.
struct Reading {
    loads: bool,
    errors: Vec<String>,
    /// Every value by its path, which is in lower case.
    values: BTreeMap<String, String>,
}

impl Reading {
    fn of(line: &str) -> Self {
        let read: Value = serde_json::from_str(line).unwrap();
        let mut values = BTreeMap::new();
        for (part, prefix) in [
            ("appSettings", "appsettings/"),
            ("connectionStrings", "connectionstrings/"),
            ("settings", ""),
            ("sections", ""),
        ] {
            for (path, value) in read[part].as_object().unwrap() {
                // Of what is read as XML, attributes are values.
                if part != "sections" || path.contains("/@") {
                    // A value of several lines takes the line ends of its file, which this reader keeps.
                    let value = value.as_str().unwrap_or_default().replace("\r\n", "\n");
                    values.insert(format!("{prefix}{}", path.to_lowercase()), value);
                }
            }
        }
        let errors = read["errors"].as_array().unwrap().iter().map(|error| error.as_str().unwrap().to_owned());
        Self { loads: read["loads"] == true, errors: errors.collect(), values }
    }
}

/// One merge: its folder, its account, and its four files as they are read.
struct Merge {
    folder: PathBuf,
    changes: Vec<Change>,
    old: Reading,
    base: Reading,
    new: Reading,
    merged: Reading,
}

impl Merge {
    const FILES: [&str; 4] = ["old.config", "base.config", "new.config", "merged.config"];

    fn faults(&self) -> Vec<String> {
        if !self.merged.loads || self.merged.errors.len() > self.new.errors.len() {
            return vec![format!("it does not load: {}", self.merged.errors.join("; "))];
        }
        let all = [&self.old, &self.base, &self.new, &self.merged];
        let mut paths: Vec<&String> = all.iter().flat_map(|file| file.values.keys()).collect();
        paths.sort();
        paths.dedup();
        paths.into_iter().filter(|path| !self.is_of_list(path)).filter_map(|path| self.fault(path)).collect()
    }

    /// Items of a list have no names here, only places: of those, this only checks that they load.
    fn is_of_list(&self, path: &str) -> bool {
        const ITEMS: [&str; 22] = [
            "add",
            "allow",
            "compiler",
            "deny",
            "device",
            "error",
            "filter",
            "filteringrule",
            "group",
            "mimemap",
            "precondition",
            "provider",
            "remove",
            "rewritemap",
            "rule",
            "set",
            "source",
            "spn",
            "tag",
            "tags",
            "trustlevel",
            "user",
        ];
        if path.split('/').any(|part| ITEMS.contains(&part)) {
            return true;
        }
        let all = [&self.old, &self.base, &self.new, &self.merged];
        let slashes = path.match_indices('/').map(|(at, _)| &path[..at]);
        path.contains('#')
            || slashes.map(|part| format!("{part}#1")).any(|second| {
                all.iter()
                    .any(|file| file.values.range(second.clone()..).next().is_some_and(|it| it.0.starts_with(&second)))
            })
    }

    /// Whether the value at a path is another than the account says.
    fn fault(&self, path: &str) -> Option<String> {
        let [old, base, new, merged] =
            [&self.old, &self.base, &self.new, &self.merged].map(|file| file.values.get(path).map(String::as_str));
        let told = self.told(path);
        let why = match told.map(|change| &change.fate) {
            Some(Fate::Rewritten { .. }) => return None,
            Some(Fate::AlreadySo) if old != new => "called the same in both files",
            Some(fate) if takes_old(fate) && merged != old => "said to be the old value",
            Some(fate) if !takes_old(fate) && merged != new => "said to be the new value",
            None if old != base && old != new => "not told",
            None if merged != new => "changed without being told",
            _ => return None,
        };
        Some(format!("{path} is {merged:?}, {why} (old {old:?}, base {base:?}, new {new:?}): {told:?}"))
    }

    /// The change that tells what became of a path: its own, or that of an element around it.
    fn told(&self, path: &str) -> Option<&Change> {
        let own = match path.strip_prefix("connectionstrings/") {
            Some(name) => format!("connectionstrings/add[{name}]/@connectionstring"),
            None => path.to_owned(),
        };
        let is_around =
            |around: &str| own.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let around = self.changes.iter().filter(|change| is_around(&change.path.to_lowercase()));
        around.max_by_key(|change| change.path.len())
    }
}

fn takes_old(fate: &Fate) -> bool {
    matches!(fate, Fate::Carried | Fate::Added | Fate::Removed | Fate::Conflict { taken: Some(Side::Old) })
}

/// The merges in the folders below a folder.
fn read(folder: &Path) -> Vec<Merge> {
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.filter(|folder| folder.join("changes.json").exists()).collect();
    folders.sort();
    let files = folders.iter().flat_map(|folder| Merge::FILES.map(|file| format!("{}\n", folder.join(file).display())));
    let printed = powershell("tests/netconfig/netconfig.ps1", &files.collect::<String>());
    let mut readings = printed.lines().map(Reading::of);
    let mut next = || readings.next().expect("a line for every file");
    let mut merges = Vec::new();
    for folder in folders {
        let changes = serde_json::from_slice(&fs::read(folder.join("changes.json")).unwrap()).unwrap();
        merges.push(Merge { folder, changes, old: next(), base: next(), new: next(), merged: next() });
    }
    merges
}

/// A number from the environment.
fn setting(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Fails if a value in a merged file is another than the account of its merge says.
fn check(merges: &[Merge], again: &str) {
    let mut faults = Vec::new();
    for merge in merges {
        faults.extend(merge.faults().iter().map(|fault| format!("{}: {fault}", merge.folder.display())));
    }
    assert!(faults.is_empty(), "{} faults; {again}\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_merged_file_says_what_its_account_says() {
    let seed = setting("PFUPGRADE_SEED").unwrap_or_else(|| UNIX_EPOCH.elapsed().unwrap().subsec_micros() as usize);
    let count = setting("PFUPGRADE_MERGES").unwrap_or(400);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("netconfig");
    let _ = fs::remove_dir_all(&folder);
    let mut draw = Draw::of(seed);
    let refused: Vec<String> =
        (0..count).filter_map(|number| merges::write(&folder.join(number.to_string()), &mut draw).err()).collect();
    let again = format!("PFUPGRADE_SEED={seed} PFUPGRADE_MERGES={count} .ci/powershell repeats these merges");
    // Past the output that a test that passes keeps to itself.
    let told = format!("{count} merges in {}, {} refused. {again}.", folder.display(), refused.len());
    writeln!(std::io::stderr(), "{told}").unwrap();
    assert!(refused.len() * 10 < count, "too many are refused: {refused:#?}");

    let merges = read(&folder);
    assert_eq!(merges.len() + refused.len(), count);
    check(&merges, &again);
}

/// Merges that something else has written, such as a property test of the merge.
#[test]
fn so_does_every_merge_in_a_folder_that_is_named() {
    if let Some(folder) = std::env::var_os("PFUPGRADE_MERGED") {
        let merges = read(Path::new(&folder));
        assert!(!merges.is_empty(), "there are no merges in {}", Path::new(&folder).display());
        check(&merges, "they stay where they are");
    }
}

#[test]
fn a_value_that_is_silently_another_would_be_noticed() {
    let account = |fate: &str| {
        format!(r#"[{{"path":"appSettings/A","old":null,"new":null,"result":null,"fate":{{"kind":"{fate}"}}}}]"#)
    };
    // The value in OLD, BASE, NEW and the merged file, the account, and the fault.
    let cases = [
        (["1", "1", "1", "1"], "[]".to_owned(), None),
        (["2", "1", "1", "2"], account("carried"), None),
        (["2", "1", "1", "1"], account("carried"), Some("said to be the old value")),
        (["2", "1", "3", "3"], account("already_so"), Some("called the same in both files")),
        (["2", "1", "1", "1"], "[]".to_owned(), Some("not told")),
        (["1", "1", "1", "2"], "[]".to_owned(), Some("changed without being told")),
        (["1", "1", "1", "1\"/><add"], "[]".to_owned(), Some("it does not load")),
    ];
    let place = tempfile::tempdir().unwrap();
    for (number, (values, changes, _)) in cases.iter().enumerate() {
        let folder = place.path().join(number.to_string());
        fs::create_dir(&folder).unwrap();
        for (name, value) in Merge::FILES.iter().zip(values) {
            let text =
                format!("<configuration><appSettings><add key='a' value=\"{value}\"/></appSettings></configuration>");
            fs::write(folder.join(name), text).unwrap();
        }
        fs::write(folder.join("changes.json"), changes).unwrap();
    }
    for (merge, (_, _, fault)) in read(place.path()).iter().zip(&cases) {
        let found = merge.faults();
        assert_eq!(found.len(), usize::from(fault.is_some()), "{found:?}");
        assert!(found.iter().all(|found| found.contains(fault.unwrap())), "{found:?}");
    }
}
