//! Installers that need a restart of Windows, or start it.

use super::*;

const RESTARTS: End = End::Restart { files: Vec::new() };
/// 1641 and 3010 as HRESULTs.
const HRESULT_1641: i32 = i32::from_ne_bytes(0x8007_0669_u32.to_ne_bytes());
const HRESULT_3010: i32 = i32::from_ne_bytes(0x8007_0BC2_u32.to_ne_bytes());

impl Server {
    fn begun(&self) -> usize {
        self.journal().matches("\"entry\":\"op-started\"").count()
    }

    /// Before Windows has restarted, neither going on nor going back begins anything.
    #[track_caller]
    fn waits_for_the_restart(&self) {
        let (begun, facts) = (self.begun(), self.machine().facts());
        assert_eq!(self.resume(&mut Notes::default()).unwrap(), RESTARTS);
        assert_eq!(self.rollback(&mut Notes::default()).unwrap(), RESTARTS);
        assert_eq!((self.begun(), self.machine().facts()), (begun, facts));
        assert_eq!(last_run(&self.disk).unwrap().standing(), Standing::Unfinished);
    }

    /// A minute later, Windows restarts.
    fn restarts(&self) {
        self.clock.wait(std::time::Duration::from_secs(60));
        self.machine().restart().unwrap();
    }
}

#[test]
fn a_file_that_waits_for_a_restart_stops_the_run_only_where_a_later_step_writes() {
    let leaves = |with: &str, file: &str| Trouble { code: 3010, leaves: vec![file.to_owned()], ..trouble(with) };
    let taken = r"\??\C:\inetpub\wwwroot\MultiFactorAuth\bin\pfup.dll";
    let server = Server::new("", [leaves(OLD_PORTAL, taken)]);
    let ended = server.run(&mut Notes::default()).unwrap();
    let End::Restart { files } = ended else { panic!("{ended:?}") };
    assert_eq!(files, [r"C:\inetpub\wwwroot\MultiFactorAuth\bin\pfup.dll"]);
    // Without the restart nothing goes on.
    assert!(matches!(server.resume(&mut Notes::default()).unwrap(), End::Restart { .. }));
    assert_eq!(server.copy().rollback(&mut Notes::default()).unwrap(), End::RolledBack);
    server.machine().restart().unwrap();
    // That restart is over when the run is.
    assert_eq!(server.resume(&mut Notes::default()).unwrap(), DONE);
    server.is_upgraded();

    for (with, file) in [(OLD_PORTAL, r"C:\Windows\Temp\x.tmp"), (SETUP, r"C:\Program Files\PhoneFactor\pfsvc.exe")] {
        for lines in ["", SILENT] {
            let server = Server::new(lines, [leaves(with, file)]);
            assert_eq!(server.run(&mut Notes::default()).unwrap(), End::Done { reboot: true }, "{file} {lines}");
        }
    }
    // What waited before the run is none of its business.
    let server = Server::new("", [ends(OLD_PORTAL, 3010, 1)]);
    change(&server.disk, |facts| facts.system.pending_renames.push(r"C:\inetpub\wwwroot\MultiFactorAuth\x".to_owned()));
    assert_eq!(server.run(&mut Notes::default()).unwrap(), End::Done { reboot: true });
}

#[test]
fn nothing_is_begun_once_an_installer_has_started_a_restart() {
    for code in [1641, HRESULT_1641] {
        for with in [OLD_PORTAL, SETUP, PORTAL_MSI] {
            let server = Server::new(SILENT, [ends(with, code, 1)]);
            let mut notes = Notes::default();
            assert_eq!(server.run(&mut notes).unwrap(), RESTARTS, "{with}");
            assert_eq!(notes.count("a restart of Windows has been started"), 1, "{:?}", notes.0);
            let journal = server.journal();
            let after = journal.split("\"restarting\":true").nth(1).unwrap();
            let after: Vec<&str> = after.lines().skip(1).collect();
            assert!(matches!(after.as_slice(), [line] if line.contains("restart-needed")), "{with}: {after:?}");
            server.waits_for_the_restart();
            server.restarts();
            server.ends_well();
        }
    }
}

#[test]
fn a_rollback_begins_nothing_either_once_an_installer_has_started_a_restart() {
    let server = Server::new("", []);
    server.run(&mut Notes::default()).unwrap();
    change(&server.disk, |facts| facts.troubles.extend([ends("Multi-Factor Authentication User Portal", 1641, 1)]));
    assert_eq!(server.rollback(&mut Notes::default()).unwrap(), RESTARTS);
    let journal = server.journal();
    assert_eq!(server.rollback(&mut Notes::default()).unwrap(), RESTARTS);
    assert_eq!(server.journal(), journal);
    server.restarts();
    assert_eq!(server.rollback(&mut Notes::default()).unwrap(), End::RolledBack);
    assert_same(&server.before, &without_what_stays(whole(&server.disk)), "rolled back");
}

#[test]
fn an_installer_that_fails_until_a_restart_is_not_tried_before_it() {
    for code in [3017, 3018] {
        let server = Server::new("", [ends(PORTAL_MSI, code, 1)]);
        let (step, failure, _) = failed(server.run(&mut Notes::default()));
        assert_eq!(step, "install-portal");
        assert!(failure.why.contains(&format!("{code} (ERROR_FAIL_REBOOT_")), "{failure}");
        assert!(failure.next.contains("let Windows restart first"), "{}", failure.next);
        assert!(last_run(&server.disk).unwrap().state.next(false).restart);
        server.waits_for_the_restart();
        server.restarts();
        server.ends_well();
    }
}

#[test]
fn every_code_of_success_with_a_restart_is_a_success() {
    for code in [3010, 3011, HRESULT_3010] {
        for with in [OLD_PORTAL, SETUP, PORTAL_MSI] {
            let server = Server::new(SILENT, [ends(with, code, 1)]);
            assert_eq!(server.run(&mut Notes::default()).unwrap(), End::Done { reboot: true }, "{with}: {code}");
            server.is_upgraded();
        }
    }
}
