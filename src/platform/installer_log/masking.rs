//! Masks credentials in logs before they are kept, because programs and packages may print their arguments.

use super::{LARGEST, tail};
use crate::platform::disk::{self, Disk};
use crate::secret::{is_secret, secret_at};
use crate::winpath::WinPath;
use std::io;

const MASKED: &str = "(masked)";
const LEFT_OUT: &str = "(this log was very large: earlier lines are omitted)\r\n";
/// The byte order mark of a log in UTF-16.
const MARK: [u8; 2] = [0xff, 0xfe];

/// Masks the credentials in the log of an installation or program that has ended. A log without any is unchanged; of a
/// log above 32 MiB, only the end is kept.
pub fn mask(disk: &dyn Disk, log: &WinPath) -> io::Result<()> {
    let Some(entry) = disk.entry(log)? else { return Ok(()) };
    let is_large = entry.len > LARGEST;
    let bytes = tail(disk.as_read(), log, if is_large { LARGEST / 2 } else { LARGEST })?;
    let masked = match bytes.strip_prefix(&MARK) {
        Some(wide) => {
            let (pairs, half) = wide.as_chunks::<2>();
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
            // Half a character does no harm here: names of credentials have none.
            let decode = |line: &[u16]| {
                char::decode_utf16(line.iter().copied()).map(|unit| unit.unwrap_or('?')).collect::<String>()
            };
            let masked = masked(&units, is_large, decode, |text| text.encode_utf16().collect());
            MARK.into_iter().chain(masked.into_iter().flat_map(u16::to_le_bytes)).chain(half.iter().copied()).collect()
        }
        // UTF-8, or an ASCII-compatible code page: read with one character per byte, so that the bytes are kept.
        None => masked(
            &bytes,
            is_large,
            |line| line.iter().map(|byte| char::from(*byte)).collect(),
            |text| text.chars().map(|byte| u8::try_from(byte).unwrap_or(b'?')).collect(),
        ),
    };
    if masked == bytes { Ok(()) } else { disk::replace(disk, log, &masked) }
}

/// The lines of a log with the part of each that may be kept; an incomplete first line is dropped.
fn masked<U: Copy + PartialEq + From<u8>>(
    log: &[U],
    is_cut: bool,
    decode: impl Fn(&[U]) -> String,
    encode: impl Fn(&str) -> Vec<U>,
) -> Vec<U> {
    let mut lines = log.split_inclusive(|unit| *unit == U::from(b'\n'));
    let mut out = Vec::with_capacity(log.len());
    if is_cut {
        lines.next();
        out.extend(encode(LEFT_OUT));
    }
    for line in lines {
        let text = decode(line);
        match kept(&text) {
            None => out.extend(line),
            Some(length) => {
                out.extend(&line[..encode(&text[..length]).len()]);
                out.extend(encode(MASKED));
                out.extend(encode(&text[text.trim_end_matches(['\r', '\n']).len()..]));
            }
        }
    }
    out
}

/// How many bytes of a line may be kept; `None` for all.
fn kept(line: &str) -> Option<usize> {
    let found = [secret_at(line), changed_property(line)].into_iter().flatten().min()?;
    // A masked line is unchanged.
    let value = line[found..].trim();
    if value.is_empty() || value == MASKED { None } else { Some(found) }
}

/// "PROPERTY CHANGE: Modifying PASSWORD property. Its current value is 'a'. Its new value: 'b'."
fn changed_property(line: &str) -> Option<usize> {
    let (before, change) = line.split_once("PROPERTY CHANGE: ")?;
    let (name, _) = change.split_once(' ')?.1.split_once(" property")?;
    let value = change.find(" Its ")?;
    is_secret(name).then(|| line.len() - change.len() + value + 1).filter(|at| *at > before.len())
}

#[cfg(test)]
mod tests {
    use super::super::tests::wide;
    use super::*;
    use crate::platform::disk::{MemoryDisk, replace};

    fn masked(log: &[u8]) -> Vec<u8> {
        let (disk, path) = (MemoryDisk::new(), WinPath::new(r"C:\x.log").expect("a path"));
        replace(&disk, &path, log).expect("written");
        mask(&disk, &path).expect("masked");
        let once = disk::read(&disk, &path, 2 * LARGEST).expect("read");
        mask(&disk, &path).expect("masked again");
        assert_eq!(disk::read(&disk, &path, 2 * LARGEST).expect("read"), once, "once is enough");
        once
    }

    const LOG: &str = "Property(S): PASSWORD = hunter2\r\n\
        MSI (s) (4C:A8) [22:00:02:000]: Command Line: TARGETSITE=/LM/W3SVC/1 SDK_PWD=hunter2 REBOOT=1 \r\n\
        MSI (s) (4C:A8) [22:00:02:000]: PROPERTY CHANGE: Adding SDK_PASSWORD property. Its value is 'hunter2'.\r\n\
        Data Source=db;Password=hunter2;\n\
        https://user:hunter2@server/\n\
        Action ended 22:00:01: CheckPassword. Return value 1.\r\n\
        Property(S): TARGETVDIR = MFA";

    const MASKED_LOG: &str = "Property(S): PASSWORD =(masked)\r\n\
        MSI (s) (4C:A8) [22:00:02:000]: Command Line: TARGETSITE=/LM/W3SVC/1 SDK_PWD=(masked)\r\n\
        MSI (s) (4C:A8) [22:00:02:000]: PROPERTY CHANGE: Adding SDK_PASSWORD property. (masked)\r\n\
        Data Source=db;Password=(masked)\n\
        https://(masked)\n\
        Action ended 22:00:01: CheckPassword. Return value 1.\r\n\
        Property(S): TARGETVDIR = MFA";

    #[test]
    fn credentials_are_masked_to_the_end_of_their_line_and_nothing_else_is() {
        assert_eq!(String::from_utf8_lossy(&masked(LOG.as_bytes())), MASKED_LOG);
        assert_eq!(masked(&wide(LOG)), wide(MASKED_LOG));
        for same in [&b""[..], b"\xff\xfe", b"\xff\xfeA", b"\xe4\xf6 = 1\r\n\0\n", b"PROPERTY CHANGE: \n Its value"] {
            assert_eq!(masked(same), same);
        }
        assert_eq!(masked(b"\xe4 Passw\xf6rter: x, Password: \xe4\r\n\xe4"), b"\xe4 Passw\xf6rter:(masked)\r\n\xe4");
    }

    #[test]
    fn of_a_very_large_log_the_end_is_kept() {
        let line = "Property(S): PASSWORD = hunter2\r\n";
        let log = line.repeat(usize::try_from(LARGEST).expect("it fits") / line.len() + 1) + "the end";
        for masked in [masked(log.as_bytes()), masked(&wide(&log))] {
            let text = super::super::decoded(&masked);
            assert!(text.starts_with("(this log was very large") && text.ends_with("the end"));
            assert!(!text.contains("hunter2"));
            assert!(masked.len() as u64 <= LARGEST);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_log_keeps_its_lines(lines in proptest::collection::vec("[ -~äß漢]{0,40}|PASSWORD ?= ?\\PC{0,9}", 0..9)) {
            let log = lines.join("\r\n");
            for log in [log.clone().into_bytes(), wide(&log)] {
                let text = super::super::decoded(&masked(&log));
                let expected: Vec<&str> = lines.iter().flat_map(|line| line.split('\n')).collect();
                proptest::prop_assert_eq!(text.split('\n').count(), expected.len().max(1));
                proptest::prop_assert!(text.lines().all(|line| {
                    secret_at(line).is_none_or(|at| ["", MASKED].contains(&line[at..].trim()))
                }), "{}", text);
            }
        }
    }
}
