//! Unpacking a cabinet in one pass.
//!
//! The `cab` crate finds each file by decompressing its folder from the start, which takes quadratic time for a package
//! with many files. So the list of files is read here, and the crate gets the same cabinet with another list: one file
//! for each folder, with all of its content.

use super::guard::{guarded, invalid};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

/// A file in a cabinet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name, which is its key in the File table.
    pub(super) name: String,
    /// Its size when unpacked.
    pub(super) size: u32,
    offset: u32,
    folder: u16,
}

/// Receives a file; can stop.
type Receiver<'a> = dyn FnMut(&Entry, &mut dyn Read) -> io::Result<ControlFlow<()>> + 'a;

const FIRST_FILE: usize = 16;
const FILES: usize = 28;
const MAX_FILE_LIST: u64 = 16 << 20;
/// The claimed size of a folder's stand-in file; the real end comes first.
const MAX_FOLDER: u32 = 0x7fff_8000;
/// The maximum unpacked size: a small package that claims more would keep a decoder busy for hours.
const MAX_UNPACKED: u64 = 8 << 30;
/// The maximum size of contents with several names, which are held in memory.
const MAX_SHARED: u32 = 256 << 20;

/// Reads a cabinet's list of files.
fn entries(cabinet: &mut (impl Read + Seek)) -> io::Result<(Vec<Entry>, u16)> {
    let mut header = [0; 36];
    cabinet.rewind()?;
    cabinet.read_exact(&mut header)?;
    if !header.starts_with(b"MSCF") {
        return Err(invalid("it is not a cabinet"));
    }
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let first = u32::from(half(FIRST_FILE)) | u32::from(half(FIRST_FILE + 2)) << 16;
    let (folders, files) = (half(26), half(FILES));
    cabinet.seek(SeekFrom::Start(first.into()))?;
    // An entry has at most 16 bytes and a name of 255 bytes with its terminator.
    let mut list = Vec::new();
    cabinet.take(MAX_FILE_LIST.min(u64::from(files) * 272)).read_to_end(&mut list)?;
    let mut found = Vec::with_capacity(files.into());
    let mut rest = list.as_slice();
    for _ in 0..files {
        let (fixed, after) =
            rest.split_first_chunk::<16>().ok_or_else(|| invalid("its list of files is incomplete"))?;
        let end = after.iter().take(256).position(|byte| *byte == 0);
        let end = end.ok_or_else(|| invalid("the name of a file is not terminated"))?;
        let half = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        let entry = Entry {
            name: String::from_utf8_lossy(&after[..end]).into_owned(),
            size: word(0),
            offset: word(4),
            folder: half(8),
        };
        if entry.folder >= folders {
            return Err(invalid(format!("`{}` continues in another cabinet", entry.name)));
        }
        found.push(entry);
        rest = &after[end + 1..];
    }
    Ok((found, folders))
}

/// Unpacks a cabinet, its files in the order they are stored in.
///
/// `each` need not read a file to its end; the rest is read anyway, to detect damage.
pub(super) fn unpack<R: Read + Seek>(mut cabinet: R, each: &mut Receiver<'_>) -> io::Result<ControlFlow<()>> {
    let (mut files, folders) = entries(&mut cabinet)?;
    files.sort_by_key(|file| (file.folder, file.offset, file.size));
    let whole = |folder: &[Entry]| folder.last().map_or(0, |file| u64::from(file.offset) + u64::from(file.size));
    let folders_hold: u64 = files.chunk_by(|a, b| a.folder == b.folder).map(whole).sum();
    let files_hold: u64 = files.iter().map(|file| u64::from(file.size)).sum();
    if folders_hold.max(files_hold) > MAX_UNPACKED {
        return Err(invalid("it claims to contain more than any real cabinet"));
    }
    let view = OneFileAFolder::new(cabinet, folders)?;
    let mut decoder = guarded(|| cab::Cabinet::new(view))?;
    for in_folder in files.chunk_by(|a, b| a.folder == b.folder) {
        let name = in_folder.first().map(|file| stand_in(file.folder)).unwrap_or_default();
        let mut folder = Folder { reader: guarded(|| decoder.read_file(&name))?, position: 0 };
        for same in in_folder.chunk_by(|a, b| (a.offset, a.size) == (b.offset, b.size)) {
            if folder.hand_out(same, each)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// One folder of a cabinet, decompressed from its start to its end.
struct Folder<R> {
    reader: R,
    position: u64,
}

impl<R: Read> Folder<R> {
    /// Passes on the files that share one content.
    fn hand_out(&mut self, same: &[Entry], each: &mut Receiver<'_>) -> io::Result<ControlFlow<()>> {
        let Some(first) = same.first() else { return Ok(ControlFlow::Continue(())) };
        let gap = u64::from(first.offset)
            .checked_sub(self.position)
            .ok_or_else(|| invalid(format!("`{}` overlaps another file", first.name)))?;
        self.skip(gap, &first.name)?;
        let [only] = same else { return self.hand_out_shared(same, each) };
        let mut content = Content { folder: self, left: only.size.into() };
        let flow = each(only, &mut content)?;
        let left = content.left;
        self.skip(left, &only.name)?;
        Ok(flow)
    }

    fn hand_out_shared(&mut self, same: &[Entry], each: &mut Receiver<'_>) -> io::Result<ControlFlow<()>> {
        let size = same.first().map_or(0, |file| file.size);
        if size > MAX_SHARED {
            return Err(invalid("a very large file has several names"));
        }
        let mut bytes = Vec::new();
        Content { folder: self, left: size.into() }.read_to_end(&mut bytes)?;
        for file in same {
            if each(file, &mut bytes.as_slice())?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn skip(&mut self, bytes: u64, before: &str) -> io::Result<()> {
        let skipped = io::copy(&mut Content { folder: self, left: bytes }, &mut io::sink())?;
        if skipped == bytes { Ok(()) } else { Err(invalid(format!("`{before}` is incomplete"))) }
    }
}

/// The next `left` bytes of a folder, all of which must exist.
struct Content<'a, R> {
    folder: &'a mut Folder<R>,
    left: u64,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let folder = &mut *self.folder;
        let read = guarded(|| folder.reader.read(&mut buffer[..wanted]))?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the cabinet contains less than its list"));
        }
        self.left -= read as u64;
        folder.position += read as u64;
        Ok(read)
    }
}

fn stand_in(folder: u16) -> String {
    format!("{folder}")
}

/// A cabinet whose list of files is replaced by one after its end. An unreadable gap lies between them, so that a
/// truncated cabinet does not continue in the list.
struct OneFileAFolder<R> {
    cabinet: R,
    header: [u8; 36],
    end: u64,
    list_at: u64,
    list: Vec<u8>,
    position: u64,
}

impl<R: Read + Seek> OneFileAFolder<R> {
    fn new(mut cabinet: R, folders: u16) -> io::Result<Self> {
        let mut list = Vec::new();
        for folder in 0..folders {
            list.extend(MAX_FOLDER.to_le_bytes());
            list.extend([0; 4]);
            list.extend(folder.to_le_bytes());
            list.extend([0; 6]);
            list.extend(stand_in(folder).bytes());
            list.push(0);
        }
        let end = cabinet.seek(SeekFrom::End(0))?;
        let list_at = end + 1;
        let first = u32::try_from(list_at).map_err(|_| invalid("it is larger than a cabinet can be"))?;
        let mut header = [0; 36];
        cabinet.rewind()?;
        cabinet.read_exact(&mut header)?;
        header[FIRST_FILE..FIRST_FILE + 4].copy_from_slice(&first.to_le_bytes());
        header[FILES..FILES + 2].copy_from_slice(&folders.to_le_bytes());
        Ok(Self { cabinet, header, end, list_at, list, position: 0 })
    }
}

impl<R: Read + Seek> Read for OneFileAFolder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.position;
        let read = if at < self.header.len() as u64 {
            self.header.get(at as usize..).unwrap_or_default().read(buffer)?
        } else if at < self.end {
            let most = usize::try_from(self.end - at).unwrap_or(usize::MAX).min(buffer.len());
            self.cabinet.seek(SeekFrom::Start(at))?;
            self.cabinet.read(&mut buffer[..most])?
        } else {
            let from = at.checked_sub(self.list_at).and_then(|from| usize::try_from(from).ok()).unwrap_or(usize::MAX);
            self.list.get(from..).unwrap_or_default().read(buffer)?
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<R> Seek for OneFileAFolder<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let whole = self.list_at + self.list.len() as u64;
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => whole.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| invalid("a position before its start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
