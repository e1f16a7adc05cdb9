//! Both disks have to behave alike; what only the one in memory can do is tested apart.

use super::*;

/// A path that is known to be good.
pub(crate) fn path(text: &str) -> WinPath {
    WinPath::new(text).expect("a good path")
}

/// Runs a test on a disk in memory and on the host's.
pub(crate) fn on_both(test: impl Fn(&dyn Disk)) {
    test(&MemoryDisk::new());
    let folder = tempfile::tempdir().expect("a temporary folder");
    test(&HostDisk::below(folder.path()));
}

fn text(disk: &dyn Disk, at: &str) -> String {
    String::from_utf8(read(disk.as_read(), &path(at), 1000).expect(at)).expect("text")
}

#[test]
fn names_are_matched_without_regard_to_case_and_keep_their_own() {
    on_both(|disk| {
        create_folders(disk, &path(r"C:\InetPub\Root")).expect("folders");
        replace(disk, &path(r"C:\inetpub\ROOT\Web.Config"), b"one").expect("written");
        replace(disk, &path(r"C:\INETPUB\root\web.CONFIG"), b"two").expect("replaced");
        assert_eq!(text(disk, r"c:\inetpub\root\web.config"), "two");
        let all = disk.walk(&path(r"C:\inetpub")).expect("walked");
        assert_eq!(all.iter().filter(|entry| entry.kind == Kind::File).count(), 1);
        assert_eq!(disk.size(&path(r"C:\inetpub")).expect("a size"), 3);
    });
}

#[test]
fn copies_are_whole_and_keep_the_time() {
    on_both(|disk| {
        create_folders(disk, &path(r"C:\a")).expect("folder");
        let content = vec![7; BLOCK + 5];
        replace(disk, &path(r"C:\a\one"), &content).expect("written");
        let mut seen = 0;
        let mut count = |bytes| {
            seen += bytes;
            Ok(())
        };
        let sum = copy(disk, &path(r"C:\a\one"), &path(r"C:\a\two"), &mut count).expect("copied");
        assert_eq!(seen, content.len() as u64);
        assert_eq!(sum, hash(disk.as_read(), &path(r"C:\a\two")).expect("hashed"));
        assert_eq!(sum, hash_bytes(&content));
        let time = |at: &str| disk.entry(&path(at)).expect("asked").expect("there").modified;
        assert_eq!(time(r"C:\a\one"), time(r"C:\a\two"));
    });
}

#[test]
fn a_rename_never_replaces_a_folder() {
    on_both(|disk| {
        create_folders(disk, &path(r"C:\a")).expect("folder");
        create_folders(disk, &path(r"C:\b")).expect("folder");
        assert!(disk.rename(&path(r"C:\a"), &path(r"C:\B")).is_err());
        disk.rename(&path(r"C:\a"), &path(r"C:\c")).expect("renamed");
        assert!(!exists(disk.as_read(), &path(r"C:\a")).expect("asked"));
        remove(disk, &path(r"C:\c")).expect("removed");
        remove(disk, &path(r"C:\c")).expect("removing what is gone is fine");
    });
}

#[test]
fn a_lock_is_held_once() {
    on_both(|disk| {
        create_folders(disk, &path(r"C:\a")).expect("folder");
        let first = disk.lock(&path(r"C:\a\lock")).expect("asked");
        assert!(first.is_some());
        assert!(disk.lock(&path(r"C:\a\lock")).expect("asked").is_none());
        drop(first);
        assert!(disk.lock(&path(r"C:\a\lock")).expect("asked").is_some());
    });
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_machine() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let disk = HostDisk::below(folder.path());
    create_folders(&disk, &path(r"C:\a")).expect("folder");
    std::os::unix::fs::symlink("/etc", folder.path().join("C/a/out")).expect("linked");
    assert!(disk.open(&path(r"C:\a\out\hostname")).is_err());
    assert!(disk.list(&path(r"C:\a\out")).is_err());
    assert_eq!(disk.entry(&path(r"C:\a\out")).expect("asked").expect("there").kind, Kind::Other);
}

#[test]
fn a_power_cut_takes_what_was_not_synced() {
    let disk = MemoryDisk::new();
    create_folders(&disk, &path(r"C:\a")).expect("folder");
    let mut file = disk.create(&path(r"C:\a\content-not-synced")).expect("created");
    file.write_all(b"lost").expect("written");
    disk.sync_folder(&path(r"C:\a")).expect("synced");
    let mut file = disk.create(&path(r"C:\a\name-not-synced")).expect("created");
    file.write_all(b"lost").expect("written");
    file.sync().expect("synced");
    let after = disk.after_power_cut(Unsynced::Dropped);
    assert_eq!(text(&after, r"C:\a\content-not-synced"), "");
    assert!(!exists(&after, &path(r"C:\a\name-not-synced")).expect("asked"));

    replace(&disk, &path(r"C:\a\whole"), b"kept").expect("written");
    disk.rename(&path(r"C:\a\whole"), &path(r"C:\a\renamed")).expect("renamed");
    assert_eq!(text(&disk.after_power_cut(Unsynced::Dropped), r"C:\a\whole"), "kept");
    disk.stop();
    assert!(disk.create(&path(r"C:\a\after-death")).is_err());
}

/// A machine's worth of changes that are not synced: a file that grew, a new one, a move, a rename, a removal.
fn unsynced() -> MemoryDisk {
    let disk = MemoryDisk::new();
    for folder in [r"C:\a", r"C:\b"] {
        create_folders(&disk, &path(folder)).expect("folder");
    }
    for name in ["grown", "moved", "renamed", "removed"] {
        replace(&disk, &path(r"C:\a").child(name), name.as_bytes()).expect("written");
    }
    disk.sync_all();
    disk.append(&path(r"C:\a\grown")).and_then(|mut file| file.write_all(b" by so much")).expect("written");
    disk.create(&path(r"C:\a\new")).and_then(|mut file| file.write_all(b"all of it")).expect("written");
    disk.rename(&path(r"C:\a\moved"), &path(r"C:\b\moved")).expect("moved");
    disk.rename(&path(r"C:\a\renamed"), &path(r"C:\a\name")).expect("renamed");
    disk.remove_file(&path(r"C:\a\removed")).expect("removed");
    disk
}

#[test]
fn whatever_a_power_cut_leaves_a_thing_that_was_moved_is_in_one_place() {
    let disk = unsynced();
    let (mut moved, mut torn, mut zeros) = (0, 0, 0);
    for seed in 0..200 {
        for cut in [Unsynced::InPart(seed), Unsynced::Torn(seed), Unsynced::Reordered(seed)] {
            let after = disk.after_power_cut(cut);
            let there = |at: &str| usize::from(exists(&after, &path(at)).expect("asked"));
            assert_eq!(there(r"C:\a\moved") + there(r"C:\b\moved"), 1, "{cut:?}");
            assert_eq!(there(r"C:\a\renamed") + there(r"C:\a\name"), 1, "{cut:?}");
            moved += there(r"C:\b\moved");
            let grown = text(&after, r"C:\a\grown");
            assert!(grown.starts_with("grown"), "{cut:?}: what was safe is {grown}");
            torn += usize::from(grown.len() > 5 && grown != "grown by so much");
            zeros += usize::from(grown.ends_with('\0'));
            assert_eq!(after.after_power_cut(cut).walk(&path("C:\\")).ok(), after.walk(&path("C:\\")).ok(), "{cut:?}");
        }
    }
    assert!(moved > 200 && moved < 600 && torn > 50 && zeros > 20, "{moved} moved, {torn} torn, {zeros} with zeros");
}

#[test]
fn a_sync_of_one_folder_makes_a_whole_move_safe_and_nothing_else() {
    for folder in [r"C:\a", r"C:\b"] {
        let disk = unsynced();
        disk.sync_folder(&path(folder)).expect("synced");
        let after = disk.after_power_cut(Unsynced::Dropped);
        let there = |at: &str| exists(&after, &path(at)).expect("asked");
        assert!(there(r"C:\b\moved") && !there(r"C:\a\moved"), "{folder}");
        assert_eq!(there(r"C:\a\removed"), folder == r"C:\b", "{folder}");
    }
}

#[test]
fn a_full_disk_takes_half_of_a_write_and_no_more() {
    let disk = unsynced();
    let before = disk.changes();
    disk.keep_states();
    disk.fail_after(1, DiskFault::FailsFromThenOn);
    let full = replace(&disk, &path(r"C:\a\new"), b"other");
    assert_eq!(full.expect_err("no room").kind(), io::ErrorKind::StorageFull);
    assert_eq!(text(&disk, r"C:\a\new"), "all of it");
    assert!(text(&disk, r"C:\a\new.pfupgrade-new.config").starts_with("ot"));
    assert!(disk.sync_folder(&path(r"C:\a")).is_err());
    assert_eq!(disk.states().len() as u64, disk.changes() - before);
    let disk = disk.snapshot();
    replace(&disk, &path(r"C:\a\new"), b"other").expect("there is room again");
}

#[test]
fn a_sync_can_be_forgotten() {
    let disk = MemoryDisk::new();
    create_folders(&disk, &path(r"C:\a")).expect("folder");
    let kept = disk.snapshot();
    kept.keep_states();
    replace(&kept, &path(r"C:\a\file"), b"content").expect("written");
    let syncs = kept.syncs();
    let paths: Vec<&str> = syncs.iter().map(|sync| sync.path.as_str()).collect();
    assert_eq!(paths, [r"C:\a\file.pfupgrade-new.config", r"C:\a"]);
    for (sync, left) in syncs.iter().zip([Some(String::new()), None]) {
        let disk = disk.snapshot();
        disk.forget_sync(sync.change);
        replace(&disk, &path(r"C:\a\file"), b"content").expect("written");
        let after = disk.after_power_cut(Unsynced::Dropped);
        let found = exists(&after, &path(r"C:\a\file")).expect("asked").then(|| text(&after, r"C:\a\file"));
        assert_eq!(found, left);
    }
}
