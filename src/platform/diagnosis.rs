//! Known installer problems, recognized in logs: the cause, and what to do.

/// A known problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownTrouble {
    /// The cause.
    pub says: &'static str,
    /// What to do about it.
    pub advice: &'static str,
    /// Patterns in a log: all parts of any of them must be in one line, ignoring case.
    signs: &'static [&'static [&'static str]],
}

/// Every known problem. The first match counts, so specific ones come before general ones. The numbers are those of
/// Windows Installer messages, which are the same in every language; the texts are English.
pub const TROUBLES: &[KnownTrouble] = &[
    KnownTrouble {
        says: "the Visual C++ 2015 runtime is missing",
        advice: "install the Visual C++ 2015 redistributables, x86 and x64 (the MFA Server setup includes them)",
        signs: &[&["visual c++"], &["vcruntime140.dll"], &["msvcp140.dll"], &["vc_redist"], &["api-ms-win-crt-"]],
    },
    KnownTrouble {
        says: "IIS 6 metabase compatibility is missing",
        advice: "add the role service \"IIS 6 Metabase Compatibility\" (Web-Metabase) to the web server",
        signs: &[&["metabase"], &["iisadmin", "service"], &["iis://localhost"]],
    },
    KnownTrouble {
        says: "IIS or its ASP.NET is missing or does not meet the installer's requirements",
        advice: "add the Web Server role with ASP.NET, and check that the application pool has CLR v4.0 in integrated \
                 mode",
        signs: &[
            &["internet information serv", "requires"],
            &["asp.net", "not", "registered"],
            &["asp.net", "requires"],
        ],
    },
    KnownTrouble {
        says: ".NET Framework 4.x is missing",
        advice: "install .NET Framework 4.5 or later",
        signs: &[&[".net framework", "requires"], &[".net framework", "must be installed"]],
    },
    KnownTrouble {
        says: "another installation is running",
        advice: "let the other installation finish, or find its owner (Windows Update, a management agent) and pause that",
        signs: &[
            &["error 1500"],
            &["another installation is in progress"],
            &["another program is being installed"],
            &["error 1704"],
            &["is currently suspended"],
        ],
    },
    KnownTrouble {
        says: "the package is for another processor architecture",
        advice: "use the package for this Windows, 32-bit or 64-bit",
        signs: &[
            &["not supported by this processor type"],
            &["contact your application vendor", "64-bit"],
            &["32-bit", "cannot be installed on 64-bit"],
            &["64-bit", "cannot be installed on 32-bit"],
        ],
    },
    KnownTrouble {
        says: "Windows is waiting for a restart",
        advice: "restart Windows",
        signs: &[
            &["pending", "reboot"],
            &["pending", "restart"],
            &["must restart", "before"],
            &["restart", "required before"],
            &["reboot", "required before"],
            &["error 1737"],
        ],
    },
    KnownTrouble {
        says: "the disk is full",
        advice: "free up space on the drive in the log, and on the one for temporary files",
        signs: &[
            &["error 1307"],
            &["error 1601", "disk space"],
            &["not enough", "disk space"],
            &["not enough space on the disk"],
            &["insufficient disk space"],
            &["out of disk space"],
            &["0x80070070"],
        ],
    },
    KnownTrouble {
        says: "a file is in use",
        advice: "close the program that has the file open (the line names the file, and often the process)",
        signs: &[
            &["error 1306"],
            &["info 1603"],
            &["error 1603", "in use"],
            &["being held in use"],
            &["being used by another process"],
            &["exclusive access to the file"],
            &["0x80070020"],
        ],
    },
    KnownTrouble {
        says: "the installer's own source is missing",
        advice: "copy the package of exactly this product and version, with the files beside it, to the path in the log",
        signs: &[
            &["error 1706"],
            &["error 1612"],
            &["no valid source"],
            &["installation source for this product is not available"],
            &["error 1311"],
            &["error 1316"],
            &["error 1305"],
        ],
    },
    KnownTrouble {
        says: "the installer lacks access rights",
        advice: "run pfupgrade as administrator, and check that SYSTEM and Administrators have full control of the \
                 object in the line",
        signs: &[
            &["error 1925"],
            &["sufficient privileges"],
            &["insufficient privileges"],
            &["error 1303"],
            &["error 1310"],
            &["error 1321"],
            &["error 1401"],
            &["error 1402"],
            &["error 1406"],
            &["access is denied"],
            &["0x80070005"],
            &["must be logged", "administrator"],
        ],
    },
    KnownTrouble {
        says: "a service did not start",
        advice: "check the event log for the reason: the service's account, or a missing library",
        signs: &[&["error 1920"], &["failed to start", "service"]],
    },
    KnownTrouble {
        says: "the package is damaged",
        advice: "copy the package again from its source, and compare its SHA-256",
        signs: &[&["error 1335"], &["error 1330"], &["error 2350"], &["cabinet file", "corrupt"]],
    },
];

/// The known problem in a line of a log.
pub fn recognize(line: &str) -> Option<&'static KnownTrouble> {
    let line = line.to_ascii_lowercase();
    // "Error 1306" must not be found in "Error 13061".
    let holds = |part: &&str| {
        let ends_well = |at: usize| {
            let next = line.as_bytes().get(at + part.len());
            !part.ends_with(|last: char| last.is_ascii_digit()) || !next.is_some_and(u8::is_ascii_digit)
        };
        line.match_indices(*part).any(|(at, _)| ends_well(at))
    };
    TROUBLES.iter().find(|trouble| trouble.signs.iter().any(|sign| sign.iter().all(holds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::installer_code;
    use crate::platform::installer_log::reason;
    use crate::winpath::WinPath;

    /// The end of a log as Windows Installer writes it, around the line that tells.
    fn log(action: &str, line: &str) -> String {
        format!(
            "=== Verbose logging started: 3/5/2016  22:14:08  Build type: SHIP UNICODE 5.00.9600.00 ===\r\n\
             MSI (c) (4C:A8) [22:14:08:001]: Command Line: TARGETVDIR=MultiFactorAuth REBOOT=ReallySuppress\r\n\
             Action start 22:14:09: {action}.\r\n\
             MSI (s) (B4:10) [22:14:09:120]: Note: 1: 2205 2:  3: Error \r\n\
             {line}\r\n\
             Action ended 22:14:10: {action}. Return value 3.\r\n\
             MSI (s) (B4:10) [22:14:10:300]: Note: 1: 1708 \r\n\
             Action ended 22:14:10: INSTALL. Return value 3.\r\n\
             Property(S): UpgradeCode = {{0F7A5E1C-AAAA-4B6F-9C8B-5F1E8D2D1C11}}\r\n\
             MSI (s) (B4:10) [22:14:10:410]: Product: Multi-Factor Authentication User Portal -- Installation failed.\r\n\
             MSI (c) (4C:A8) [22:14:10:420]: MainEngineThread is returning 1603\r\n"
        )
    }

    /// Lines as such logs have them, with the trouble and the next step that have to be told.
    const LINES: &[(&str, &str, &str, &str)] = &[
        (
            "LaunchConditions",
            "MSI (s) (B4:10) [22:14:09:130]: Product: Multi-Factor Authentication User Portal -- This setup needs the \
             Visual C++ Redistributable for Visual Studio 2015 Update 1 (x86 and x64).",
            "Visual C++ 2015 runtime is missing",
            "redistributables",
        ),
        (
            "CA_LoadLibrary",
            "CustomAction CA_LoadLibrary returned actual error code 1157: VCRUNTIME140.dll was not found",
            "Visual C++ 2015 runtime is missing",
            "redistributables",
        ),
        (
            "WEBCA_CreateAppRoots",
            "ERROR   : (ERROR_PATH_NOT_FOUND) IIS 6 Metabase Compatibility is not installed on this computer",
            "IIS 6 metabase compatibility is missing",
            "Web-Metabase",
        ),
        (
            "LaunchConditions",
            "Product: Portal -- This setup requires Internet Information Server 7.0 or higher.",
            "IIS or its ASP.NET",
            "ASP.NET",
        ),
        (
            "LaunchConditions",
            "Product: SDK -- This product requires .NET Framework 4.5.",
            ".NET Framework 4.x is missing",
            ".NET Framework 4.5",
        ),
        (
            "InstallInitialize",
            "Error 1500. Another installation is in progress. You must complete that installation before continuing.",
            "another installation is running",
            "Windows Update",
        ),
        (
            "InstallValidate",
            "Error 1704. An installation for Security Update is currently suspended. You must undo the changes.",
            "another installation is running",
            "Windows Update",
        ),
        (
            "INSTALL",
            "This installation package is not supported by this processor type. Contact your product vendor.",
            "another processor architecture",
            "32-bit or 64-bit",
        ),
        (
            "LaunchConditions",
            "Product: Server -- A restart from an earlier installation is pending: you must restart Windows before you \
             go on.",
            "waiting for a restart",
            "restart Windows",
        ),
        (
            "InstallFiles",
            "Error 1307. There is not enough disk space to install this file: C:\\inetpub\\wwwroot\\x.dll. Free some.",
            "the disk is full",
            "free up space",
        ),
        (
            "InstallFiles",
            "Error 1306. Another application has exclusive access to the file 'C:\\x\\pfsvc.exe'. Please shut it down.",
            "a file is in use",
            "close the program",
        ),
        (
            "InstallValidate",
            "Info 1603. The file C:\\x\\pfsvc.exe is being held in use by the following process: Name: pfsvc, Id: 1234.",
            "a file is in use",
            "close the program",
        ),
        (
            "ResolveSource",
            "Error 1706. An installation package for the product PhoneFactor User Portal cannot be found.",
            "source is missing",
            "exactly this product",
        ),
        (
            "LaunchConditions",
            "Error 1925. You do not have sufficient privileges to complete this installation for all users.",
            "lacks access rights",
            "as administrator",
        ),
        (
            "StartServices",
            "Error 1920. Service 'Multi-Factor Authentication' (MultiFactorAuth) failed to start.",
            "a service did not start",
            "event log",
        ),
        ("InstallFiles", "Error 1335. The cabinet file 'data.cab' is corrupt.", "package is damaged", "SHA-256"),
    ];

    #[test]
    fn each_known_trouble_is_told_in_one_line_with_the_next_step() {
        let path = WinPath::new(r"C:\logs\install-portal.log").expect("a path");
        for (action, line, says, advice) in LINES {
            let text = log(action, line);
            let wide: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            for bytes in [text.as_bytes(), &wide] {
                let why = reason(bytes).expect("it failed");
                let failure = installer_code::failure("install x", "Windows Installer", 1603, &why, &path);
                assert!(failure.why.contains(says), "{line}: {}", failure.why);
                assert!(
                    failure.next.contains(advice) && failure.next.contains("install-portal.log"),
                    "{}",
                    failure.next
                );
                assert!(!failure.why.contains('\n'), "{}", failure.why);
            }
        }
        let told: Vec<_> = LINES.iter().filter_map(|(_, line, ..)| recognize(line)).collect();
        assert!(TROUBLES.iter().all(|trouble| told.contains(&trouble)), "a trouble is not told by any line");
    }

    #[test]
    fn what_is_not_known_is_not_guessed() {
        for line in [
            "",
            "Error 13061. x",
            "Error 25002. Something else.",
            "MSI (s): Note: 1: 2205 2:  3: Error",
            "InstallFiles",
        ] {
            assert_eq!(recognize(line), None, "{line}");
        }
        let why =
            reason(log("CA_Own", "CustomAction CA_Own returned actual error code 1603").as_bytes()).expect("it failed");
        assert_eq!(why, "CustomAction CA_Own returned actual error code 1603 (action CA_Own)");
    }
}
