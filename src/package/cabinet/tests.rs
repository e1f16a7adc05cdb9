#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeMap;
use std::io::{Cursor, Write};

const STORED: u16 = 0;
const LZX: u16 = 0x1503;

type Block = (Vec<u8>, u16);

/// A cabinet with one folder, written by hand: what no crate writes can be had this way.
fn cabinet(compression: u16, blocks: &[Block], files: &[(&str, u32, u32)]) -> Vec<u8> {
    let list: usize = files.iter().map(|(name, ..)| 17 + name.len()).sum();
    let data_at = u32::try_from(36 + 8 + list).unwrap();
    let mut bytes = b"MSCF\0\0\0\0".to_vec();
    bytes.extend([0; 8]);
    bytes.extend(44u32.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 3, 1, 1, 0]);
    bytes.extend(u16::try_from(files.len()).unwrap().to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend(data_at.to_le_bytes());
    bytes.extend(u16::try_from(blocks.len()).unwrap().to_le_bytes());
    bytes.extend(compression.to_le_bytes());
    for (name, offset, size) in files {
        bytes.extend(size.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(name.bytes());
        bytes.push(0);
    }
    for (data, unpacked) in blocks {
        bytes.extend([0; 4]);
        bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend(unpacked.to_le_bytes());
        bytes.extend(data);
    }
    let total = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes[8..12].copy_from_slice(&total);
    bytes
}

fn stored(data: &[u8]) -> Vec<Block> {
    data.chunks(0x8000).map(|block| (block.to_vec(), u16::try_from(block.len()).unwrap())).collect()
}

/// LZX has a block type for what does not compress: a bit for the call translation, three for the type, 24 for the
/// size, padding, three repeated offsets, then the bytes.
fn lzx(data: &[u8]) -> Vec<Block> {
    let bits = (3u32 << 28 | u32::try_from(data.len()).unwrap() << 4).to_be_bytes();
    let mut block = vec![bits[1], bits[0], bits[3], bits[2]];
    block.extend([1, 0, 0, 0].repeat(3));
    block.extend(data);
    block.resize(block.len().next_multiple_of(2), 0);
    vec![(block, u16::try_from(data.len()).unwrap())]
}

fn unpacked(cabinet: &[u8]) -> io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let _all = unpack(Cursor::new(cabinet), &mut |entry, content| {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        files.insert(entry.name.clone(), bytes);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(files)
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

#[test]
fn stored_files_are_unpacked() {
    let data = noise(100_000);
    let bytes = cabinet(STORED, &stored(&data), &[("a", 0, 40_000), ("empty", 40_000, 0), ("b", 40_000, 60_000)]);
    let files = unpacked(&bytes).unwrap();
    assert_eq!(files["a"], data[..40_000]);
    assert!(files["empty"].is_empty());
    assert_eq!(files["b"], data[40_000..]);
}

#[test]
fn lzx_files_are_unpacked() {
    let data = noise(999);
    let files = unpacked(&cabinet(LZX, &lzx(&data), &[("a", 0, 500), ("b", 500, 499)])).unwrap();
    assert_eq!((&files["a"][..], &files["b"][..]), data.split_at(500));
}

#[test]
fn mszip_folders_are_unpacked_in_one_pass() {
    let contents: Vec<Vec<u8>> = (0..40).map(|number| noise(number * 1_000)).collect();
    let mut builder = cab::CabinetBuilder::new();
    for half in [0..20, 20..40] {
        let folder = builder.add_folder(cab::CompressionType::MsZip);
        half.for_each(|number| {
            folder.add_file(format!("F{number}"));
        });
    }
    let mut writer = builder.build(Cursor::new(Vec::new())).unwrap();
    let mut next = contents.iter();
    while let Some(mut file) = writer.next_file().unwrap() {
        file.write_all(next.next().unwrap()).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let files = unpacked(&bytes).unwrap();
    for (number, content) in contents.iter().enumerate() {
        assert_eq!(&files[&format!("F{number}")], content);
    }
}

#[test]
fn files_that_share_their_content_are_all_unpacked() {
    let bytes = cabinet(STORED, &stored(b"onetwo"), &[("a", 0, 3), ("b", 3, 3), ("c", 0, 3), ("d", 3, 3)]);
    let files = unpacked(&bytes).unwrap();
    assert_eq!(files["a"], b"one");
    assert_eq!(files["c"], b"one");
    assert_eq!(files["b"], b"two");
    assert_eq!(files["d"], b"two");
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let data = stored(b"onetwo");
    for files in [&[("a", 0, 4), ("b", 3, 3)][..], &[("a", 0, 3), ("b", 3, 4)], &[("a", 7, 0)]] {
        assert!(unpacked(&cabinet(STORED, &data, files)).is_err(), "{files:?}");
    }
}

#[test]
fn a_file_nobody_reads_is_still_checked() {
    let mut bytes = cabinet(STORED, &stored(b"onetwo"), &[("a", 0, 6)]);
    bytes.truncate(bytes.len() - 1);
    assert!(unpack(Cursor::new(&bytes), &mut |_, _| Ok(ControlFlow::Continue(()))).is_err());
}

#[test]
fn every_cut_and_change_is_an_error_or_harmless() {
    for (compression, blocks) in [(STORED, stored(b"onetwo")), (LZX, lzx(b"onetwo")), (1, lzx(b"onetwo"))] {
        let good = cabinet(compression, &blocks, &[("a", 0, 3), ("b", 3, 3)]);
        for cut in 0..good.len() {
            let _ = unpacked(&good[..cut]);
        }
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                let _ = unpacked(&bad);
            }
        }
    }
}

#[test]
fn a_cabinet_that_claims_too_much_is_refused_at_once() {
    let huge = 0x7fff_0000;
    let many: Vec<String> = (0..5).map(|number| format!("f{number}")).collect();
    let files: Vec<(&str, u32, u32)> = many.iter().map(|name| (name.as_str(), 0, huge)).collect();
    let error = unpacked(&cabinet(STORED, &stored(b"onetwo"), &files)).unwrap_err();
    assert!(error.to_string().contains("more than any real cabinet"), "{error}");
}
