//! The event log "Application", with the entries of this program.

use super::registry;
use super::win32::event_log as win32;
use crate::platform::own::{self, Notice, Severity};
use crate::platform::registry::{Tree, Value, View};
use crate::platform::{Context, Failure};

const SOURCES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application";
/// A message file of Windows whose messages 1 to 1000 are just the text of an entry.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// EVENTLOG_ERROR_TYPE, EVENTLOG_WARNING_TYPE and EVENTLOG_INFORMATION_TYPE together.
const ALL_TYPES: u32 = 7;
/// The maximum length of an entry is 31,839 characters.
const LONGEST: usize = 30_000;

/// Writes an entry. The source is registered if needed, and stays registered, because entries are unreadable without
/// it.
pub(super) fn tell(notice: Notice, text: &str) -> Result<(), Failure> {
    let doing = "write the event log";
    let key = format!("{SOURCES}\\{}", own::NAME);
    let values = [
        ("EventMessageFile".to_owned(), Value::Expand { expand: MESSAGES.to_owned() }),
        ("TypesSupported".to_owned(), Value::Number(ALL_TYPES)),
    ];
    let source = Tree { values: values.into(), ..Tree::default() };
    registry::restore(View::Native, &key, Some(&source))?;
    let kind = match notice.severity() {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Information => 4,
    };
    let text: String = text.chars().take(LONGEST).collect();
    win32::report(own::NAME, kind, notice.id(), &text).context(doing)
}
