//! What survives a power cut, and that damage is noticed.

use super::*;
use crate::platform::disk::{MemoryDisk, Unsynced};
use crate::step::StepId;

fn journal() -> (MemoryDisk, WinPath) {
    let disk = MemoryDisk::new();
    let path = WinPath::new(r"C:\runs\journal.jsonl").expect("a path");
    disk::create_folders(&disk, &WinPath::new(r"C:\runs").expect("a path")).expect("folder");
    let done = |step: &str| Entry::StepDone { step: StepId::named(step), how: "done".to_owned(), product: None };
    let mut journal = Journal::begin(&disk, &path, Timestamp::UNIX_EPOCH, done("one")).expect("begun");
    for step in ["two", "three"] {
        journal.write(Timestamp::UNIX_EPOCH, done(step)).expect("written");
    }
    (disk, path)
}

fn content(disk: &MemoryDisk, path: &WinPath) -> Vec<u8> {
    disk::read(disk, path, LIMIT).expect("read")
}

#[test]
fn every_record_survives_a_power_cut() {
    let (disk, path) = journal();
    assert_eq!(Journal::read(&disk.after_power_cut(Unsynced::Dropped), &path).expect("read").len(), 3);
}

/// Found by playing faults upon faults: the run went on, and a power cut took its whole journal.
#[test]
fn a_journal_whose_name_was_not_safe_is_safe_once_it_is_opened() {
    let (disk, path) = journal();
    let moved = WinPath::new(r"C:\runs\other.jsonl").expect("a path");
    disk.rename(&path, &moved).expect("renamed");
    Journal::open(&disk, &moved).expect("opened");
    assert_eq!(Journal::read(&disk.after_power_cut(Unsynced::Dropped), &moved).expect("read").len(), 3);
}

#[test]
fn a_torn_end_is_cut_and_the_journal_goes_on() {
    let (disk, path) = journal();
    let whole = content(&disk, &path);
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1;
    for cut in last..whole.len() {
        let disk = disk.snapshot();
        disk::replace(&disk, &path, &whole[..cut]).expect("cut");
        let mut journal = Journal::open(&disk, &path).expect("opened");
        assert_eq!(journal.records().len(), 2, "cut at {cut}");
        journal.write(Timestamp::UNIX_EPOCH, Entry::Finished { data: None, by_hand: None }).expect("written");
        assert_eq!(Journal::read(&disk, &path).expect("read").len(), 3);
    }
}

/// A disk that is full in the middle of a record, and has room again at once.
struct Full(Box<dyn WriteFile>, bool);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::mem::take(&mut self.1) {
            true => self.0.write(&bytes[..bytes.len() / 2]).and(Err(io::ErrorKind::StorageFull.into())),
            false => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl WriteFile for Full {
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn set_modified(&mut self, time: std::time::SystemTime) -> io::Result<()> {
        self.0.set_modified(time)
    }
}

/// Found by seed 6158 of the faults upon faults.
#[test]
fn what_an_earlier_attempt_to_cut_a_journal_left_is_taken_away() {
    let (disk, path) = journal();
    let beside = disk::beside(&path);
    disk::replace(&disk, &beside, b"half").expect("written");
    Journal::open(&disk, &path).expect("opened");
    assert!(!disk::exists(&disk, &beside).expect("asked"));
}

#[test]
fn a_record_that_did_not_fit_damages_none_behind_it() {
    let (disk, path) = journal();
    let mut journal = Journal::open(&disk, &path).expect("opened");
    journal.file = Box::new(Full(journal.file, true));
    for _ in 0..2 {
        let failed = journal.write(Timestamp::UNIX_EPOCH, Entry::Finished { data: None, by_hand: None });
        assert!(matches!(failed, Err(JournalError::Failure(_))), "{failed:?}");
    }
    let mut journal = Journal::open(&disk, &path).expect("opened again");
    journal.write(Timestamp::UNIX_EPOCH, Entry::Finished { data: None, by_hand: None }).expect("written");
    assert_eq!(Journal::read(&disk, &path).expect("read").len(), 4);
}

#[test]
fn any_changed_byte_is_noticed() {
    let (disk, path) = journal();
    let whole = content(&disk, &path);
    let whole_records = Journal::read(&disk, &path).expect("read");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        disk::replace(&disk, &path, &bytes).expect("changed");
        match Journal::read(&disk, &path) {
            Err(JournalError::Damaged { .. } | JournalError::Newer { .. }) => {}
            // The last line without its end counts as cut short, whatever it says.
            Ok(records) => assert_eq!((at, records), (whole.len() - 1, whole_records[..2].to_vec())),
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
}
