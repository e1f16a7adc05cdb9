//! A stand-in for the server's setup, for tests under Wine: it brings the Visual C++ runtimes along and installs the
//! package beside it into the folder of the earlier agent, as a child process, and passes its code on. With
//! `/leaves=FILE` it leaves that file to the next restart of Windows.

#[cfg(windows)]
fn main() {
    std::process::exit(setup::run().unwrap_or(1603));
}

#[cfg(not(windows))]
fn main() {
    println!("a setup runs on Windows only");
}

#[cfg(windows)]
mod setup {
    use std::env;
    use std::error::Error;
    use std::os::windows::process::CommandExt;
    use std::process::Command;
    use windows_registry::{LOCAL_MACHINE, Type};

    const PHONEFACTOR: &str = r"SOFTWARE\Positive Networks\PhoneFactor";

    pub(super) fn run() -> Result<i32, Box<dyn Error>> {
        if env::args().nth(1).as_deref() != Some("/quiet") {
            println!("this setup only works with /quiet");
            return Ok(1639);
        }
        for processor in ["x86", "x64"] {
            let key = format!(r"SOFTWARE\Microsoft\VisualStudio\14.0\VC\Runtimes\{processor}");
            let key = LOCAL_MACHINE.options().read().write().create().wow64_32().open(&key)?;
            key.set_u32("Installed", 1)?;
        }
        let known = LOCAL_MACHINE.options().read().wow64_32().open(PHONEFACTOR);
        let folder = known.and_then(|key| key.get_string("InstallPath"));
        let folder = folder.unwrap_or_else(|_| r"C:\Program Files\Multi-Factor Authentication Server\".to_owned());
        let program = env::current_exe()?;
        let package = program.parent().ok_or("no folder")?.join(r"data\MultiFactorAuthenticationServer.msi");
        let mut msiexec = Command::new(r"C:\windows\system32\msiexec.exe");
        msiexec.raw_arg(format!("/i \"{}\" /qn /norestart TARGETDIR=\"{folder}\"", package.display()));
        println!("installing {} to {folder}", package.display());
        let code = msiexec.status()?.code().unwrap_or(1603);
        match env::args().nth(2).as_deref().and_then(|argument| argument.strip_prefix("/leaves=")) {
            Some(file) if code == 0 => leave(file).map(|()| 3010),
            _ => Ok(code),
        }
    }

    /// Has a file of a line deleted by the next restart of Windows.
    fn leave(file: &str) -> Result<(), Box<dyn Error>> {
        let key = r"SYSTEM\CurrentControlSet\Control\Session Manager";
        let key = LOCAL_MACHINE.options().read().write().open(key)?;
        let pair: Vec<u16> = format!("\\??\\{file}\0\0\0").encode_utf16().collect();
        let pair: Vec<u8> = pair.into_iter().flat_map(u16::to_le_bytes).collect();
        Ok(key.set_bytes("PendingFileRenameOperations", Type::MultiString, &pair)?)
    }
}
