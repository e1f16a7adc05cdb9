//! The claimed signer of a package. Nothing is verified here: neither the signature nor the trust in the signer.
//! Windows can do both.

use super::guard::{guarded, invalid};
use std::io::{self, Read, Seek};

const STREAM: &str = "\u{5}DigitalSignature";
/// The maximum size of a signature with its certificates.
const LIMIT: u64 = 4 << 20;
/// The encoded object identifiers of signed data and of a common name.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The common name in the certificate of the claimed signer; `None` if the package has no signature.
pub fn claimed_signer<R: Read + Seek>(reader: R) -> io::Result<Option<String>> {
    guarded(|| {
        let mut file = cfb::CompoundFile::open(reader)?;
        if !file.is_stream(STREAM) {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.open_stream(STREAM)?.take(LIMIT).read_to_end(&mut bytes)?;
        signer(&bytes).map(Some).ok_or_else(|| invalid("its signature cannot be read"))
    })
}

/// A DER value: its tag and its content.
type Value<'a> = (u8, &'a [u8]);

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
/// The tag of the first optional field of a structure.
const FIRST: u8 = 0xa0;

/// The first value in some bytes, and the bytes after it.
fn value(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(((tag, content), rest))
}

/// All values in some bytes.
fn values(bytes: &[u8]) -> Vec<Value<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(|| {
        let (value, behind) = value(rest)?;
        rest = behind;
        Some(value)
    })
    .collect()
}

/// The content of the first value with a tag.
fn tagged<'a>(values: &[Value<'a>], tag: u8) -> Option<&'a [u8]> {
    values.iter().find(|value| value.0 == tag).map(|value| value.1)
}

fn signer(bytes: &[u8]) -> Option<String> {
    let content = values(value(bytes)?.0.1);
    let [(_, kind), (FIRST, data), ..] = content.as_slice() else { return None };
    if *kind != SIGNED_DATA {
        return None;
    }
    let data = values(value(data)?.0.1);
    let certificates = values(tagged(&data, FIRST)?);
    // The last set has the signers; each identifies its certificate by issuer and serial number.
    let signers = data.iter().rev().find(|value| value.0 == SET)?.1;
    let named = values(tagged(&values(value(signers)?.0.1), SEQUENCE)?);
    let number = tagged(&named, INTEGER)?;
    certificates.iter().find_map(|(_, certificate)| {
        let fields = values(value(certificate)?.0.1);
        // Number, algorithm, issuer, validity, subject.
        let sequences: Vec<&[u8]> = fields.iter().filter(|field| field.0 == SEQUENCE).map(|field| field.1).collect();
        let is_it = tagged(&fields, INTEGER)? == number && sequences.get(1).is_some_and(|issuer| *issuer == named[0].1);
        if is_it { common_name(sequences.get(3)?) } else { None }
    })
}

fn common_name(subject: &[u8]) -> Option<String> {
    const UTF_16: u8 = 0x1e;
    values(subject).into_iter().find_map(|(_, part)| {
        let pair = values(value(part)?.0.1);
        let [(_, kind), (tag, text)] = pair.as_slice() else { return None };
        if *kind != COMMON_NAME {
            return None;
        }
        Some(match *tag {
            UTF_16 => {
                let units = text.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair));
                char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            _ => String::from_utf8_lossy(text).into_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
        let content = content.concat();
        let length = match content.len() {
            short @ 0..=0x7f => vec![short as u8],
            long => vec![0x82, (long >> 8) as u8, long as u8],
        };
        [vec![tag], length, content].concat()
    }

    fn name(name: &str) -> Vec<u8> {
        der(SEQUENCE, &[&der(SET, &[&der(SEQUENCE, &[&der(6, &[COMMON_NAME]), &der(0x0c, &[name.as_bytes()])])])])
    }

    fn certificate(number: u8, issuer: &str, subject: &str) -> Vec<u8> {
        let (version, empty) = (der(FIRST, &[&der(INTEGER, &[&[2]])]), der(SEQUENCE, &[]));
        let fields = [&version, &der(INTEGER, &[&[number]]), &empty, &name(issuer), &empty, &name(subject)];
        der(SEQUENCE, &[&der(SEQUENCE, &fields.map(Vec::as_slice))])
    }

    fn signed() -> Vec<u8> {
        let certificates = [certificate(7, "Root", "Example Root"), certificate(8, "Root", "Example Corporation")];
        let signer = der(SEQUENCE, &[&der(INTEGER, &[&[1]]), &der(SEQUENCE, &[&name("Root"), &der(INTEGER, &[&[8]])])]);
        let data = der(
            SEQUENCE,
            &[
                &der(INTEGER, &[&[1]]),
                &der(SET, &[]),
                &der(SEQUENCE, &[]),
                &der(FIRST, &[&certificates.concat()]),
                &der(SET, &[&signer]),
            ],
        );
        der(SEQUENCE, &[&der(6, &[SIGNED_DATA]), &der(FIRST, &[&data])])
    }

    fn compound(signature: Option<&[u8]>) -> Vec<u8> {
        let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
        if let Some(signature) = signature {
            io::Write::write_all(&mut file.create_stream(STREAM).expect("memory"), signature).expect("memory");
        }
        file.into_inner().into_inner()
    }

    #[test]
    fn the_certificate_that_the_signature_names_is_the_signers() {
        let found = claimed_signer(Cursor::new(compound(Some(&signed())))).expect("readable");
        assert_eq!(found.as_deref(), Some("Example Corporation"));
        assert_eq!(claimed_signer(Cursor::new(compound(None))).expect("readable"), None);
        assert!(claimed_signer(Cursor::new(compound(Some(b"no signature")))).is_err());
    }

    proptest! {
        #[test]
        fn damage_is_no_panic(at in 0..400_usize, byte in any::<u8>()) {
            let mut bytes = signed();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = signer(&bytes);
            let _ = signer(&bytes[..at]);
        }
    }
}
