//! An agent on one server, its web components on another.

use crate::machine::Machine;
use crate::state::{NEW, State, portal_is_upgraded};
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::thread;

/// The upgrade ends with what the web servers need.
pub(crate) fn agent_only(machine: &Machine) -> io::Result<()> {
    machine.uninstall("PhoneFactor User Portal")?;
    machine.uninstall("PhoneFactor Mobile App Web Service")?;
    machine.remove(r"C:\inetpub\wwwroot\PhoneFactor")?;
    machine.remove(r"C:\inetpub\wwwroot\PhoneFactorPhoneAppWebService")?;
    let plan = machine.plan(&[])?;
    let before = State::of(machine)?;
    let ran = machine.pfupgrade(&["run", plan, "--yes"])?.ended(0);
    let ran = ran.says(r"C:\Program Files\PhoneFactor\MultiFactorAuthenticationUserPortalSetup64.msi");
    ran.says("SHA-256").says("/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx");
    assert_eq!(machine.products()?, [NEW[1], NEW[3]]);
    assert_eq!(machine.service("MultiFactorAuth")?.as_deref(), Some("RUNNING"));
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    before.is_that_of(machine)
}

/// A web server whose agent is elsewhere, where the new SDK answers already: it asks who is there.
pub(crate) fn web_server_only(machine: &Machine) -> io::Result<()> {
    machine.uninstall("PhoneFactor Web Service SDK")?;
    machine.uninstall("PhoneFactor Agent")?;
    machine.remove(r"C:\Program Files\PhoneFactor")?;
    machine.remove(r"C:\inetpub\wwwroot\PhoneFactorWebServiceSdk")?;
    machine.done(&["reg", "delete", r"HKLM\Software\Wow6432Node\Positive Networks", "/f"])?;
    for processor in ["x86", "x64"] {
        let key = format!(r"HKLM\Software\Wow6432Node\Microsoft\VisualStudio\14.0\VC\Runtimes\{processor}");
        machine.done(&["reg", "add", &key, "/v", "Installed", "/t", "REG_DWORD", "/d", "1"])?;
    }
    let sdk = format!("http://127.0.0.1:{}/MultiFactorAuthWebServiceSdk/PfWsSdk.asmx", challenging()?);
    let text = format!(
        "format = 1\n[sdk]\nurl = \"{sdk}\"\n\
         [portal]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationUserPortalSetup64.msi'\nsigned-by = false\n\
         [mobile-app]\ninstaller = 'C:\\Install\\MultiFactorAuthenticationMobileAppWebServiceSetup64.msi'\n\
         signed-by = false\n[preflight]\nallow = [\"account-missing\"]\n\
         [gates]\nportal-url = {{ skip = \"done\" }}\nmobile-app-url = {{ skip = \"done\" }}\n"
    );
    machine.write(r"C:\plan.toml", text.as_bytes())?;
    let before = State::of(machine)?;
    machine.pfupgrade(&["run", r"C:\plan.toml", "--yes"])?.ended(0);
    assert_eq!(machine.products()?, [NEW[0], NEW[2]]);
    portal_is_upgraded(machine, "MultiFactorAuth", &sdk)?;
    let mobile = machine.read(r"C:\inetpub\wwwroot\MultiFactorAuthMobileAppWebService\web.config");
    assert!(mobile.contains(&sdk), "{mobile}");
    machine.pfupgrade(&["rollback", "--yes"])?.ended(0).says("Rolled back");
    before.is_that_of(machine)
}

/// The port of a web server that answers whatever it is asked with 401, as long as this program runs.
fn challenging() -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    Ok(port)
}
