//! A task of the Task Scheduler, in the format of `schtasks.exe /create /xml`.

use super::arguments;
use crate::winpath::WinPath;

/// A task that starts a program a minute after each start of Windows, as SYSTEM and without a time limit. Fails for a
/// text with variables, because the Task Scheduler always expands them.
pub(in crate::platform::windows) fn xml(program: &WinPath, given: &[String]) -> Result<String, String> {
    let line = arguments::line(given);
    for text in [program.as_str(), &line] {
        if text.contains('%') || text.contains("$(") {
            return Err(format!("a scheduled task cannot contain `{text}`, which looks like a variable"));
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            return Err(format!("`{text}` contains {control:?}, which is invalid in a command line"));
        }
    }
    let (program, line) = (escaped(program.as_str()), escaped(&line));
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Goes on with an upgrade of PhoneFactor after a restart, and is removed when that is over.</Description>
  </RegistrationInfo>
  <Triggers>
    <BootTrigger>
      <Enabled>true</Enabled>
      <Delay>PT1M</Delay>
    </BootTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>S-1-5-18</UserId>
      <RunLevel>HighestAvailable</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>false</AllowHardTerminate>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <Enabled>true</Enabled>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{line}</Arguments>
    </Exec>
  </Actions>
</Task>
"#
    ))
}

/// The bytes of the file: UTF-16 with a byte order mark, the only encoding that every `schtasks.exe` reads.
pub(in crate::platform::windows) fn bytes(xml: &str) -> Vec<u8> {
    let units = xml.replace('\n', "\r\n");
    [0xFF, 0xFE].into_iter().chain(units.encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::windows::text::console;
    use roxmltree::Document;

    fn path(text: &str) -> WinPath {
        WinPath::new(text).expect("a good path")
    }

    #[test]
    fn a_task_starts_what_it_is_told_at_every_start_as_the_system() {
        let program = path(r"C:\R&D's new\pfupgrade.exe");
        let arguments = ["resume", "--after-reboot", "resume", "--state", r"D:\Größe & more\"].map(str::to_owned);
        let bytes = bytes(&xml(&program, &arguments).expect("a task"));
        let text = console::decode(&bytes).expect("UTF-16");
        let document = Document::parse(&text).expect("XML");
        let node = |name: &'static str| {
            let ns = "http://schemas.microsoft.com/windows/2004/02/mit/task";
            document.descendants().find(|node| node.has_tag_name((ns, name))).and_then(|node| node.text())
        };
        assert_eq!(node("Command"), Some(program.as_str()));
        assert_eq!(node("Arguments"), Some(r#"resume --after-reboot resume --state "D:\Größe & more\\""#));
        assert_eq!(node("UserId"), Some("S-1-5-18"));
        assert_eq!((node("ExecutionTimeLimit"), node("AllowHardTerminate")), (Some("PT0S"), Some("false")));
        assert!(document.descendants().any(|node| node.tag_name().name() == "BootTrigger"));
        assert!(text.contains("\r\n") && !text.contains("\r\r\n"));
    }

    #[test]
    fn what_the_task_scheduler_would_replace_is_refused() {
        for state in ["%ProgramData%", "$(Arg0)", "a\nb"] {
            assert!(xml(&path(r"C:\x.exe"), &["--state".to_owned(), state.to_owned()]).is_err(), "{state}");
        }
        assert!(xml(&path(r"C:\100%\x.exe"), &[]).is_err());
    }
}
