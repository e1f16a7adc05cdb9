//! Access rights in the security descriptor language: who can write to a folder.

/// Full control for the system and the administrators, inherited by content; nothing is inherited from the parent.
pub(in crate::platform::windows) const PRIVATE: &str = "O:BAG:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// Who can write everywhere anyway: the system, the administrators, TrustedInstaller, and CREATOR OWNER, which stands
/// for one of these.
const TRUSTED: &[&str] = &[
    "SY",
    "S-1-5-18",
    "BA",
    "S-1-5-32-544",
    "CO",
    "S-1-3-0",
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
];

/// Rights that change a folder or its content: write, append, attributes, delete, permissions and owner, generic ones.
const WRITES: u32 = 0x2 | 0x4 | 0x10 | 0x40 | 0x100 | 0x1_0000 | 0x4_0000 | 0x8_0000 | 0x1000_0000 | 0x4000_0000;

/// The identifiers (such as `BU`, or a SID) of everyone with write access according to a descriptor, including the
/// owner, besides administrators, the system and `me`. Fails if the text is not a descriptor.
pub(in crate::platform::windows) fn other_writers(sddl: &str, me: &str) -> Result<Vec<String>, String> {
    let unreadable = || format!("its access rights cannot be parsed: {sddl}");
    let is_trusted = |who: &str| TRUSTED.contains(&who) || who.eq_ignore_ascii_case(me);
    let mut writers: Vec<String> =
        part(sddl, "O:").filter(|owner| !is_trusted(owner)).map(str::to_owned).into_iter().collect();
    // Without an access control list, everyone has full access.
    let Some(dacl) = part(sddl, "D:").filter(|dacl| !dacl.contains("NO_ACCESS_CONTROL")) else {
        writers.push("everyone".to_owned());
        return Ok(writers);
    };
    for entry in dacl.split('(').skip(1) {
        let fields: Vec<&str> = entry.split(')').next().unwrap_or_default().split(';').collect();
        let [kind, _, rights, _, _, who, ..] = fields.as_slice() else { return Err(unreadable()) };
        let allows = matches!(*kind, "A" | "XA" | "OA" | "ZA");
        if allows && !is_trusted(who) && mask(rights).ok_or_else(unreadable)? & WRITES != 0 {
            writers.push((*who).to_owned());
        }
    }
    writers.dedup();
    Ok(writers)
}

/// The part of a descriptor after a marker such as `D:`, up to the next one.
fn part<'a>(sddl: &'a str, mark: &str) -> Option<&'a str> {
    let marks = ["O:", "G:", "D:", "S:"];
    // Markers are only outside parentheses; a SID inside has none.
    let outside = |at: usize| sddl[..at].matches('(').count() == sddl[..at].matches(')').count();
    let find = |mark: &str| sddl.match_indices(mark).map(|(at, _)| at).find(|at| outside(*at));
    let start = find(mark)? + mark.len();
    let end = marks.iter().filter_map(|mark| find(mark)).filter(|at| *at >= start).min().unwrap_or(sddl.len());
    sddl.get(start..end)
}

fn mask(rights: &str) -> Option<u32> {
    if let Some(number) = rights.strip_prefix("0x").or_else(|| rights.strip_prefix("0X")) {
        return u32::from_str_radix(number, 16).ok();
    }
    if let Ok(number) = rights.parse() {
        return Some(number);
    }
    let pairs = rights.as_bytes().as_chunks::<2>();
    if !pairs.1.is_empty() {
        return None;
    }
    pairs.0.iter().try_fold(0, |mask, pair| Some(mask | right(pair)?))
}

/// The mask of a right from its two letters.
fn right(letters: &[u8; 2]) -> Option<u32> {
    Some(match letters {
        b"FA" => 0x1F_01FF,
        b"FR" => 0x12_0089,
        b"FW" => 0x12_0116,
        b"FX" => 0x12_00A0,
        b"GA" => 0x1000_0000,
        b"GX" => 0x2000_0000,
        b"GW" => 0x4000_0000,
        b"GR" => 0x8000_0000,
        b"RC" => 0x2_0000,
        b"SD" => 0x1_0000,
        b"WD" => 0x4_0000,
        b"WO" => 0x8_0000,
        b"CC" => 0x1,
        b"DC" => 0x2,
        b"LC" => 0x4,
        b"SW" => 0x8,
        b"RP" => 0x10,
        b"WP" => 0x20,
        b"DT" => 0x40,
        b"LO" => 0x80,
        b"CR" => 0x100,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "S-1-5-21-1-2-3-500";

    #[test]
    fn a_private_folder_has_no_other_writers() {
        assert_eq!(other_writers(PRIVATE, ME), Ok(vec![]));
        assert_eq!(other_writers("O:S-1-5-21-1-2-3-500G:DUD:AI(A;ID;FA;;;SY)(A;ID;FR;;;BU)", ME), Ok(vec![]));
        assert_eq!(other_writers("O:BAG:BAD:(A;OICI;0x1200a9;;;BU)(D;;FA;;;WD)S:AI(AU;SA;FA;;;WD)", ME), Ok(vec![]));
    }

    #[test]
    fn whoever_else_may_write_is_named() {
        let cases = [
            // A folder below ProgramData as Windows makes it: users may create files in it.
            ("O:BAG:DUD:AI(A;OICIID;FA;;;SY)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)", "BU"),
            ("O:BUG:BAD:P(A;;FA;;;BA)", "BU"),
            ("O:BAG:BA", "everyone"),
            ("O:BAG:BAD:NO_ACCESS_CONTROL", "everyone"),
            ("O:BAD:(A;;GA;;;WD)", "WD"),
            ("O:BAD:(A;;0x40000;;;S-1-5-21-9)", "S-1-5-21-9"),
        ];
        for (sddl, who) in cases {
            assert_eq!(other_writers(sddl, ME), Ok(vec![who.to_owned()]), "{sddl}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_permission() {
        for sddl in ["O:BAD:(A;;QQ;;;BU)", "O:BAD:(A;;F;;;BU)", "O:BAD:(A)"] {
            assert!(other_writers(sddl, ME).is_err(), "{sddl}");
        }
    }
}
