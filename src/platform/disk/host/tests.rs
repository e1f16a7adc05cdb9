//! What only the host's disk has: names that differ in case, links, trees that are deep.

use super::*;
use crate::platform::disk::tests::path;
use crate::platform::disk::{self, create_folders, exists, replace};
#[cfg(target_os = "linux")]
use crate::winpath::fold;
#[cfg(target_os = "linux")]
use proptest::prelude::*;

fn machine() -> (tempfile::TempDir, HostDisk) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = HostDisk::below(folder.path());
    create_folders(&disk, &path(r"C:\top")).expect("a folder");
    (folder, disk)
}

/// Resolves name by name, as it is described.
#[cfg(target_os = "linux")]
fn described(root: &Path, path: &WinPath) -> PathBuf {
    let mut at = root.join(path.drive().to_string());
    let mut names = path.components();
    for name in names.by_ref() {
        let listed = fs::read_dir(&at).into_iter().flatten().map(|entry| entry.expect("listed").file_name());
        let listed = listed.filter_map(|found| found.to_str().map(str::to_owned));
        let same: Vec<String> = listed.filter(|found| fold(found) == fold(name)).collect();
        let exact = same.iter().find(|found| *found == name);
        let Some(found) = exact.or(same.iter().min()) else {
            at.push(name);
            break;
        };
        at.push(found);
    }
    at.extend(names);
    at
}

#[cfg(target_os = "linux")]
fn names() -> impl Strategy<Value = Vec<String>> {
    // Few names, so that many of them differ in case alone.
    let name = prop::sample::select(vec!["a", "A", "Straße", "STRASSE", "straße", "ärger", "ÄRGER", "ǅ", "ǆ", "b"]);
    prop::collection::vec(name.prop_map(str::to_owned), 1..5)
}

#[cfg(target_os = "linux")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_way_leads_where_name_by_name_would(
        there in prop::collection::vec(names(), 0..8),
        asked in prop::collection::vec(names(), 1..8),
        removed in prop::sample::select(vec![None, Some("a"), Some("ärger")]),
    ) {
        let (root, disk) = machine();
        for way in &there {
            fs::create_dir_all(root.path().join("C").join(way.join("/"))).expect("created");
        }
        let drive = path(r"C:\top");
        let batch = disk.batch(&drive).expect("begun");
        for round in 0..2 {
            for way in &asked {
                let asked = path(&format!(r"C:\{}", way.join(r"\")));
                let expected = described(root.path(), &asked);
                prop_assert_eq!(&disk.host_path(&asked).expect("resolved"), &expected);
                let below = expected.strip_prefix(root.path().join("C")).expect("on the drive");
                let found = disk.entry(&asked).expect("asked").map(|entry| entry.path.to_string());
                let real = expected.exists().then(|| format!(r"C:\{}", below.display()).replace('/', r"\"));
                prop_assert_eq!(&found, &real);
                // What a batch remembers makes no difference.
                let remembered = batch.disk().entry(&asked).expect("asked").map(|entry| entry.path.to_string());
                prop_assert_eq!(&remembered, &real);
            }
            if let (0, Some(name)) = (round, removed) {
                disk::remove(batch.disk(), &path(&format!(r"C:\{name}"))).expect("removed");
                create_folders(batch.disk(), &path(r"C:\B\ÄRGER")).expect("created");
            }
        }
    }
}

#[test]
fn a_batch_knows_what_it_has_changed_itself() {
    let (_root, disk) = machine();
    let batch = disk.batch(&path(r"C:\top")).expect("begun");
    let disk = batch.disk();
    let there = |at: &str| exists(disk.as_read(), &path(at)).expect("asked");
    assert!(!there(r"C:\TOP\FILE"));
    replace(disk, &path(r"C:\top\File"), b"1").expect("written");
    assert!(there(r"C:\TOP\FILE"));
    create_folders(disk, &path(r"C:\top\Folder\Inner")).expect("created");
    assert!(there(r"C:\TOP\FOLDER\INNER") && !there(r"C:\TOP\FOLDER\INNER\FILE"));
    disk.rename(&path(r"C:\TOP\FOLDER"), &path(r"C:\Top\Other")).expect("renamed");
    assert!(!there(r"C:\TOP\FOLDER\INNER") && there(r"C:\TOP\OTHER\INNER"));
    disk.rename(&path(r"C:\TOP\FILE"), &path(r"C:\Top\Other\FILE")).expect("renamed");
    assert!(!there(r"C:\TOP\file") && there(r"C:\TOP\OTHER\file"));
    disk::remove(disk, &path(r"C:\TOP\OTHER")).expect("removed");
    assert!(!there(r"C:\TOP\OTHER\FILE") && !there(r"C:\TOP\OTHER"));
    batch.sync(&mut disk::to_the_end).expect("synced");
}

#[test]
fn both_ways_of_syncing_a_batch_work() {
    let (_root, disk) = machine();
    for count in [3, disk::many::MANY + 3] {
        let folder = path(r"C:\top").child(&count.to_string());
        create_folders(&disk, &folder).expect("a folder");
        let batch = disk.batch(&folder).expect("begun");
        for number in 0..count {
            batch.disk().create(&folder.child(&number.to_string())).expect("created");
        }
        batch.sync(&mut disk::to_the_end).expect("synced");
        assert_eq!(disk.list(&folder).expect("listed").len(), count);
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_found_wherever_it_is_on_the_way() {
    let (root, disk) = machine();
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir_all(elsewhere.path().join("inner/deep")).expect("created");
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("C/top/link")).expect("linked");
    for asked in
        [r"C:\top\link", r"C:\TOP\LINK\inner", r"C:\top\link\inner\deep", r"C:\top\link\new", r"C:\top\link\inner\new"]
    {
        let refused = |result: io::Result<()>| result.is_err_and(|error| error.to_string().contains("is a link"));
        assert!(refused(disk.create(&path(asked)).map(drop)), "{asked}");
        assert!(refused(disk.list(&path(asked)).map(drop)), "{asked}");
    }
    assert!(!elsewhere.path().join("new").exists());
    fs::rename(root.path().join("C"), root.path().join("real")).expect("renamed");
    std::os::unix::fs::symlink(root.path().join("real"), root.path().join("C")).expect("linked");
    assert!(disk.list(&path(r"C:\top")).is_err(), "a drive may be no link either");
}

#[cfg(unix)]
#[test]
fn very_deep_trees_are_walked_copied_and_removed() {
    let (root, disk) = machine();
    // Every question about a path costs the host as much as the path is deep.
    let levels = 300;
    let mut at = path(r"C:\top\from");
    for _ in 0..levels {
        at = at.child("d");
    }
    fs::create_dir_all(disk.host_path(&at).expect("resolved")).expect("created");
    let file = at.child("F");
    replace(&disk, &file, b"deep").expect("written");
    let all = disk.walk(&path(r"C:\TOP\FROM")).expect("walked");
    assert_eq!((all.len(), all[levels].path.as_str()), (levels + 1, file.as_str()));
    assert_eq!(
        disk.entry(&path(&file.key())).expect("asked").map(|entry| entry.path.to_string()),
        Some(file.to_string())
    );
    disk::remove(&disk, &path(r"C:\top\from")).expect("removed");
    assert_eq!(fs::read_dir(root.path().join("C/top")).expect("listed").count(), 0);
}
