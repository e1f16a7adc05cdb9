//! Operations on both kinds of disk.

use super::*;
use crate::platform::FailureKind;
use crate::platform::disk::many::MANY;
use crate::platform::disk::tests::{on_both, path};
use crate::platform::disk::{MemoryDisk, Unsynced};
use crate::platform::op::Blob;
use std::cell::Cell;
use std::time::SystemTime;

fn put(disk: &dyn Disk, at: &str, content: &str) {
    disk::create_folders(disk, &path(at).parent().expect("a folder")).expect("folders");
    disk::replace(disk, &path(at), content.as_bytes()).expect("written");
}

fn done(disk: &dyn Disk, op: &Op) -> u64 {
    let mut bytes = 0;
    let mut watch = |progress| {
        if let Progress::Bytes(more) = progress {
            bytes += more;
        }
    };
    perform(disk, op, &mut watch).expect("an operation of the disk").expect("done");
    bytes
}

fn texts(disk: &dyn Disk, folder: &str) -> Vec<(String, Vec<u8>, SystemTime)> {
    let all = disk.walk(&path(folder)).expect("walked").into_iter().map(|entry| {
        let content = match entry.kind {
            Kind::File => disk::read(disk.as_read(), &entry.path, 1 << 20).expect("read"),
            _ => Vec::new(),
        };
        let modified = if entry.kind == Kind::File { entry.modified } else { SystemTime::UNIX_EPOCH };
        (entry.path.below(&path(folder)).unwrap_or_default().to_owned(), content, modified)
    });
    all.collect()
}

#[test]
fn a_backup_of_many_files_restores_every_one_and_nothing_else() {
    on_both(|disk| {
        let count = MANY + 40;
        for number in 0..count {
            put(disk, &format!(r"C:\web\folder {}\file {number}", number % 7), &format!("content {number}"));
        }
        disk.create_folder(&path(r"C:\web\empty")).expect("created");
        put(disk, r"C:\web\Data\live", "not backed up");
        let before = texts(disk, r"C:\web");
        let except = vec![path(r"C:\web\data")];
        let (web, backup) = (path(r"C:\web"), path(r"C:\backup\web"));
        let bytes = done(disk, &Op::BackUp { from: web.clone(), to: backup.clone(), except: except.clone() });
        let manifest = verify_backup(disk.as_read(), &backup, &|_| {}).expect("whole");
        assert_eq!((manifest.len(), manifest.entries.len()), (bytes, count + 7 + 1));

        put(disk, r"C:\web\folder 3\file 3", "changed");
        put(disk, r"C:\web\folder 9\new", "new");
        disk::remove(disk, &path(r"C:\web\empty")).expect("removed");
        disk::remove(disk, &path(r"C:\web\folder 5")).expect("removed");
        done(disk, &Op::Restore { from: backup, to: web, except });
        assert_eq!(texts(disk, r"C:\web"), before);
    });
}

#[test]
fn what_was_not_there_is_removed_by_a_restore() {
    on_both(|disk| {
        let (file, backup) = (path(r"C:\a\file"), path(r"C:\backup\file"));
        done(disk, &Op::BackUp { from: file.clone(), to: backup.clone(), except: Vec::new() });
        put(disk, r"C:\a\file", "new");
        done(disk, &Op::Restore { from: backup, to: file.clone(), except: Vec::new() });
        assert!(!disk::exists(disk.as_read(), &file).expect("asked"));
    });
}

#[test]
fn a_backup_is_never_written_twice() {
    on_both(|disk| {
        put(disk, r"C:\a\file", "first");
        let op = Op::BackUp { from: path(r"C:\a"), to: path(r"C:\backup\a"), except: Vec::new() };
        done(disk, &op);
        put(disk, r"C:\a\file", "second");
        done(disk, &op);
        assert_eq!(disk::read(disk.as_read(), &path(r"C:\backup\a\file"), 100).expect("read"), b"first");
    });
}

#[test]
fn folders_are_removed_only_as_long_as_they_are_empty() {
    on_both(|disk| {
        put(disk, r"C:\top\kept", "by somebody");
        disk::create_folders(disk, &path(r"C:\top\middle\inner")).expect("folders");
        let op = Op::RemoveEmpty { path: path(r"C:\top\middle\inner"), up_to: path(r"C:\top") };
        done(disk, &op);
        assert_eq!(texts(disk, r"C:\top").len(), 1);
        done(disk, &op);
    });
}

#[test]
fn a_changed_backup_is_damaged() {
    on_both(|disk| {
        put(disk, r"C:\a\file", "content");
        let to = path(r"C:\backup\a");
        done(disk, &Op::BackUp { from: path(r"C:\a"), to: to.clone(), except: Vec::new() });
        put(disk, r"C:\backup\a\file", "Content");
        let failure = verify_backup(disk.as_read(), &to, &|_| {}).expect_err("damaged");
        assert_eq!(failure.kind, FailureKind::DamagedBackup);
        disk::remove(disk, &manifest_of(&to)).expect("removed");
        assert!(verify_backup(disk.as_read(), &to, &|_| {}).is_err());
    });
}

#[test]
fn rights_and_attributes_come_back_with_what_they_belong_to() {
    let disk = MemoryDisk::new();
    let marks = |rights: &str| disk::Marks { attributes: 1, created: (1, 2), rights: rights.to_owned() };
    put(&disk, r"C:\a\inner\file", "content");
    put(&disk, r"C:\a\plain", "content");
    let all = [(r"C:\a", "of the folder"), (r"C:\a\inner", "of the inner one"), (r"C:\a\inner\file", "of the file")];
    for (at, rights) in all {
        disk.set_marks(&path(at), &marks(rights)).expect("set");
    }
    done(&disk, &Op::BackUp { from: path(r"C:\a"), to: path(r"C:\backup\a"), except: Vec::new() });
    disk::remove(&disk, &path(r"C:\a")).expect("removed");
    done(&disk, &Op::Restore { from: path(r"C:\backup\a"), to: path(r"C:\a"), except: Vec::new() });
    for (at, rights) in all {
        assert_eq!(disk.marks(&path(at)).expect("asked"), Some(marks(rights)), "{at}");
    }
    assert_eq!(disk.marks(&path(r"C:\a\plain")).expect("asked"), None);
    // What is there already, and unchanged, gets its rights back as well.
    disk.set_marks(&path(r"C:\a\inner\file"), &marks("changed")).expect("set");
    done(&disk, &Op::Restore { from: path(r"C:\backup\a"), to: path(r"C:\a"), except: Vec::new() });
    assert_eq!(disk.marks(&path(r"C:\a\inner\file")).expect("asked"), Some(marks("of the file")));
}

/// What was done before a kill and is only found so when the operation is done again has to be made safe then: otherwise
/// the journal would call something done that a power cut takes back.
#[test]
fn an_operation_that_is_done_again_is_as_safe_as_one_that_is_done_once() {
    let before = MemoryDisk::new();
    put(&before, r"C:\a\inner\file", "content");
    put(&before, r"C:\a\plain", "content");
    put(&before, r"C:\full\file", "old");
    before.create_folder(&path(r"C:\empty")).expect("created");
    done(&before, &Op::BackUp { from: path(r"C:\a"), to: path(r"C:\kept\a"), except: Vec::new() });
    before.sync_all();
    for op in [
        Op::Close { folder: path(r"C:\new") },
        Op::BackUp { from: path(r"C:\a"), to: path(r"C:\backup\a"), except: Vec::new() },
        Op::Restore { from: path(r"C:\kept\a"), to: path(r"C:\full"), except: Vec::new() },
        Op::Copy { from: path(r"C:\a"), to: path(r"C:\copy") },
        Op::Write { path: path(r"C:\full\file"), content: Blob::new(*b"new") },
        Op::Move { from: path(r"C:\a"), to: path(r"C:\away\a"), aside: true },
        Op::Remove { path: path(r"C:\a") },
        Op::RemoveEmpty { path: path(r"C:\empty"), up_to: path(r"C:\empty") },
    ] {
        let undisturbed = before.snapshot();
        done(&undisturbed, &op);
        // Times are those of the second attempt, and a manifest holds times.
        let state = |disk: &MemoryDisk| {
            let all = texts(disk, r"C:\").into_iter();
            let all = all.map(|(at, content, _)| if at.ends_with(".json") { (at, Vec::new()) } else { (at, content) });
            all.collect::<Vec<_>>()
        };
        let wanted = state(&undisturbed);
        for change in 0..undisturbed.changes() {
            let disk = before.snapshot();
            disk.stop_after(change);
            let _ = perform(&disk, &op, &mut |_| ());
            let left = disk.snapshot();
            done(&left, &op);
            let after = left.after_power_cut(Unsynced::Dropped);
            assert!(state(&after) == wanted, "{op}, killed at change {change}, done again, power cut");
        }
    }
}

/// Wants to stop from question `at` on. Every block asks once.
struct Stops {
    at: usize,
    asked: Cell<usize>,
}

impl Monitor for Stops {
    fn told(&mut self, progress: Progress) {
        assert!(self.asked.get() <= self.at, "after the request: {progress:?}");
    }

    fn wants_to_stop(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.asked.get() > self.at
    }
}

/// Carries an operation out until the question; whether it came to its end.
fn done_until(disk: &dyn Disk, op: &Op, at: usize) -> bool {
    let mut stops = Stops { at, asked: Cell::new(0) };
    match perform(disk, op, &mut stops).expect("an operation of the disk") {
        Ok(_) => true,
        Err(failure) => {
            assert_eq!((failure.kind, stops.asked.get()), (FailureKind::Stopped, at + 1), "{op}: {}", failure.why);
            false
        }
    }
}

#[test]
fn what_copies_or_reads_stops_at_any_block_and_is_completed_when_it_is_done_again() {
    let before = MemoryDisk::new();
    let large = "content ".repeat(100_000);
    for file in [r"C:\a\inner\file", r"C:\a\large", r"C:\full\file", r"C:\full\extra"] {
        put(&before, file, &large);
    }
    put(&before, r"C:\a\small", "content");
    done(&before, &Op::BackUp { from: path(r"C:\a"), to: path(r"C:\kept\a"), except: Vec::new() });
    done(&before, &Op::BackUp { from: path(r"C:\a\large"), to: path(r"C:\kept\large"), except: Vec::new() });
    for (op, at_least) in [
        (Op::BackUp { from: path(r"C:\a"), to: path(r"C:\backup\a"), except: Vec::new() }, 16),
        (Op::BackUp { from: path(r"C:\a\large"), to: path(r"C:\backup\large"), except: Vec::new() }, 8),
        (Op::BackUp { from: path(r"C:\a"), to: path(r"C:\kept\a"), except: Vec::new() }, 8),
        (Op::Copy { from: path(r"C:\a"), to: path(r"C:\full") }, 8),
        (Op::Copy { from: path(r"C:\a\large"), to: path(r"C:\full\file") }, 4),
        (Op::Restore { from: path(r"C:\kept\a"), to: path(r"C:\full"), except: Vec::new() }, 16),
        (Op::Restore { from: path(r"C:\kept\a"), to: path(r"C:\a"), except: Vec::new() }, 16),
        (Op::Restore { from: path(r"C:\kept\large"), to: path(r"C:\new\large"), except: Vec::new() }, 8),
    ] {
        let undisturbed = before.snapshot();
        done(&undisturbed, &op);
        // Manifests have the time at which they are written.
        let state = |disk: &MemoryDisk| {
            let all = texts(disk, r"C:\").into_iter();
            all.map(|(at, content, time)| (content, (!at.ends_with(".json")).then_some(time), at)).collect::<Vec<_>>()
        };
        let wanted = state(&undisturbed);
        for at in 0.. {
            let disk = before.snapshot();
            if done_until(&disk, &op, at) {
                assert!(at >= at_least, "{op} asks {at} times");
                break;
            }
            assert!(!texts(&disk, r"C:\").iter().any(|(at, ..)| at.ends_with(disk::NEW)), "{op} leaves half a copy");
            if let Op::BackUp { to, .. } = &op {
                let known = disk::exists(before.as_read(), &manifest_of(to)).expect("asked");
                assert_eq!(disk::exists(disk.as_read(), &manifest_of(to)).expect("asked"), known, "{op}");
            }
            done(&disk, &op);
            assert!(state(&disk) == wanted, "{op}, stopped at question {at} and done again");
        }
    }
}

#[test]
fn half_a_backup_is_made_anew_of_what_is_there_by_then() {
    on_both(|disk| {
        let op = Op::BackUp { from: path(r"C:\a"), to: path(r"C:\backup\a"), except: Vec::new() };
        put(disk, r"C:\a\gone", &"first ".repeat(100_000));
        put(disk, r"C:\a\large", &"first ".repeat(100_000));
        assert!(!done_until(disk, &op, 5));
        assert!(!texts(disk, r"C:\backup\a").is_empty());
        disk::remove(disk, &path(r"C:\a\gone")).expect("removed");
        put(disk, r"C:\a\large", "second");
        put(disk, r"C:\a\new", "second");
        let now = texts(disk, r"C:\a");
        done(disk, &op);
        disk::remove(disk, &path(r"C:\a")).expect("removed");
        done(disk, &Op::Restore { from: path(r"C:\backup\a"), to: path(r"C:\a"), except: Vec::new() });
        assert_eq!(texts(disk, r"C:\a"), now);
    });
}

#[test]
fn of_many_files_each_thread_goes_no_further_than_a_few_blocks() {
    let disk = MemoryDisk::new();
    let count = 20 * MANY;
    for number in 0..count {
        put(&disk, &format!(r"C:\web\{number}"), &format!("content {number}"));
    }
    let op = Op::BackUp { from: path(r"C:\web"), to: path(r"C:\backup\web"), except: Vec::new() };
    assert!(!done_until(&disk, &op, 100));
    // Two are told of for each file: that it begins, and its only block. So many may be told that nobody has heard, and
    // each thread may be at work on one more.
    let copied = disk.list(&path(r"C:\backup\web")).expect("listed").len();
    assert!(copied <= (100 + 2 * 16) / 2 + 16, "{copied} of {count} files are copied");
    done(&disk, &op);
    let changes = disk.changes();
    let manifest = verify_backup(disk.as_read(), &path(r"C:\backup\web"), &|_| {}).expect("whole");
    assert_eq!((manifest.entries.len(), disk.changes()), (count, changes));
    let stops = Stops { at: 100, asked: Cell::new(0) };
    let failure = verify_backup(disk.as_read(), &path(r"C:\backup\web"), &stops).expect_err("stopped");
    assert_eq!((failure.kind, stops.asked.get()), (FailureKind::Stopped, 101));
}
