//! What can be wrong with a file.

use super::*;
use Damage::*;

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
pub enum Damage {
    Missing,
    Folder,
    DanglingLink,
    Empty,
    Huge,
    Latin1,
    Utf16,
    Nul,
    Noise,
    Cut(usize),
}

impl Damage {
    pub fn of(self, file: &Path) {
        let good = fs::read(file).unwrap_or_default();
        match file.symlink_metadata() {
            Ok(there) if there.is_dir() => fs::remove_dir_all(file).unwrap(),
            Ok(_) => fs::remove_file(file).unwrap(),
            Err(_) => {}
        }
        let content = match self {
            Missing => return,
            Folder => return fs::create_dir(file).unwrap(),
            DanglingLink => return link(file),
            Huge => return File::create(file).unwrap().set_len(10 * GIB).unwrap(),
            Empty => Vec::new(),
            Latin1 => [&good[..], b"\n# Gr\xfc\xdfe\n"].concat(),
            Utf16 => {
                let text = String::from_utf8_lossy(&good).into_owned();
                [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
            }
            Nul => [&good[..], b"\n\0\n"].concat(),
            Noise => {
                let mut draw = Draw::of(7);
                (0..50_000).map(|_| draw.below(256) as u8).collect()
            }
            Cut(percent) => good[..good.len() * percent / 100].to_vec(),
        };
        fs::write(file, content).unwrap();
    }
}

#[cfg(unix)]
pub fn link(file: &Path) {
    std::os::unix::fs::symlink("nowhere", file).unwrap();
}

/// Links need a privilege there.
#[cfg(not(unix))]
pub fn link(_: &Path) {}

/// Plays cuts and single changed bytes of a file; each must end with one of the codes, and without a panic.
pub fn play_small_damage(place: &Place, file: &Path, times: usize, command: &str, codes: &[i32]) {
    let good = fs::read(file).unwrap();
    let mut draw = Draw::of(seed());
    for _ in 0..times {
        let mut bytes = good.clone();
        let at = draw.below(bytes.len());
        let what = match draw.below(3) {
            0 => {
                bytes.truncate(at);
                format!("cut at {at}")
            }
            _ => {
                bytes[at] ^= 1 << draw.below(8);
                format!("byte {at} is {}", bytes[at])
            }
        };
        fs::write(file, bytes).unwrap();
        let what = format!("{}: {what}; {}", file.display(), replay("bad_input"));
        let run = place.run(command).ends_with_one_of(codes, &what);
        if run.code == 2 || run.code == 13 {
            run.tells_once("");
        }
    }
    fs::write(file, good).unwrap();
}
