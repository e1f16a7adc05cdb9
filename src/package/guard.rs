//! Keeps a damaged package from crashing the program.
//!
//! The decoders used by this module assume a valid package, so damage can make them panic, and some trust a length
//! without checking it. Lengths are checked here first; a panic becomes an error.

use std::cell::Cell;
use std::io::{self, Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

const STRING_POOL: &str = "\u{4840}\u{3f3f}\u{4577}\u{446c}\u{3e6a}\u{44b2}\u{482f}";
const STRING_DATA: &str = "\u{4840}\u{3f3f}\u{4577}\u{446c}\u{3b6a}\u{45e4}\u{4824}";
const SUMMARY: &str = "\u{5}SummaryInformation";
const TABLE_PREFIX: char = '\u{4840}';

const MAX_DATABASE: u64 = 64 << 20;
const MAX_SUMMARY: u64 = 1 << 20;

thread_local! {
    static GUARDED: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is running a decoder whose panic would be caught and reported as an error.
///
/// For the program's panic hook, which then stays silent.
pub fn panic_will_be_reported() -> bool {
    GUARDED.get() > 0
}

struct Depth;

impl Depth {
    fn enter() -> Self {
        GUARDED.set(GUARDED.get() + 1);
        Self
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        GUARDED.set(GUARDED.get().saturating_sub(1));
    }
}

/// Runs a decoder; a panic in it is invalid data.
pub(super) fn guarded<T>(decode: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let depth = Depth::enter();
    // After a panic, the callers drop the decoder without reading it again.
    let result = catch_unwind(AssertUnwindSafe(decode));
    drop(depth);
    result.unwrap_or_else(|_| Err(invalid("damaged: its decoder failed")))
}

/// Rejects a database whose lengths exceed its size.
pub(super) fn check_lengths<R: Read + Seek>(reader: &mut R) -> io::Result<()> {
    let end = reader.seek(io::SeekFrom::End(0))?;
    reader.rewind()?;
    let mut file = cfb::CompoundFile::open(reader)?;
    let mut pool_is_there = false;
    let streams: Vec<(String, u64)> = file
        .read_root_storage()
        .filter(cfb::Entry::is_stream)
        .map(|entry| (entry.name().to_owned(), entry.len()))
        .collect();
    for (name, len) in &streams {
        let limit = match name.as_str() {
            SUMMARY => MAX_SUMMARY,
            name if name.starts_with(TABLE_PREFIX) => MAX_DATABASE,
            _ => u64::MAX,
        };
        if *len > end.min(limit) {
            return Err(invalid("a stream is longer than the file or any real table"));
        }
        pool_is_there |= name == STRING_POOL;
    }
    if !pool_is_there {
        return Err(invalid("no string pool"));
    }
    let pool = stream(&mut file, STRING_POOL)?;
    let data = streams.iter().find(|(name, _)| name == STRING_DATA).map_or(0, |(_, len)| *len);
    check_pool(&pool, data)?;
    check_summary(&stream(&mut file, SUMMARY)?)
}

fn stream<R: Read + Seek>(file: &mut cfb::CompoundFile<R>, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.open_stream(name)?.take(MAX_DATABASE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The string pool is a list of lengths into the string data.
fn check_pool(pool: &[u8], data: u64) -> io::Result<()> {
    let mut words = pool.chunks_exact(4).skip(1).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let mut sum = 0u64;
    while let Some(entry) = words.next() {
        // A used entry with length zero did not fit into 16 bits and follows in full.
        let long = entry != 0 && entry & 0xffff == 0;
        sum += u64::from(if long { words.next().unwrap_or(0) } else { entry & 0xffff });
    }
    if sum > data { Err(invalid("its strings are longer than its text")) } else { Ok(()) }
}

/// A summary is a property set; each of its texts has a length in front.
fn check_summary(bytes: &[u8]) -> io::Result<()> {
    const TEXT: u32 = 30;
    let word = |at: usize| {
        let four = bytes.get(at..at.checked_add(4)?)?;
        four.try_into().ok().map(u32::from_le_bytes)
    };
    let cut = || invalid("its summary is incomplete");
    let section = word(44).ok_or_else(cut)? as usize;
    let count = word(section.saturating_add(4)).ok_or_else(cut)? as usize;
    if count > bytes.len() / 8 {
        return Err(cut());
    }
    for property in 0..count {
        let offset = word(section + 12 + 8 * property).ok_or_else(cut)? as usize;
        let at = section.saturating_add(offset);
        let length = word(at.saturating_add(4)).unwrap_or(0);
        if word(at) == Some(TEXT) && length as usize > bytes.len() {
            return Err(cut());
        }
    }
    Ok(())
}

pub(super) fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}
