//! Ctrl+C requests a stop: between two blocks while files are copied or read, otherwise between two operations. A
//! running installer is never killed.

use crate::exit::Exit;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

static WANTED: AtomicBool = AtomicBool::new(false);
/// Whether the operator is being asked; nothing else is running then.
static ASKING: AtomicBool = AtomicBool::new(false);
/// Whether the running command changes nothing.
static READING: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl+C does not end the process. `tell` prints the message about it, if there is one. If no handler can
/// be installed, Ctrl+C works as before.
pub(super) fn listen(tell: fn(Option<&str>)) {
    let _ = ctrlc::set_handler(move || {
        let again = WANTED.swap(true, Ordering::Relaxed);
        if ASKING.load(Ordering::Relaxed) {
            return tell(None);
        }
        let words = match again {
            // Querying an unresponsive server can take a while.
            true if READING.load(Ordering::Relaxed) => std::process::exit(Exit::Stopped.code()),
            false => "Stopping. Copying and reading stop at once; an installer finishes first.",
            true => "Still stopping: the current operation cannot be interrupted safely.",
        };
        tell(Some(words));
    });
}

/// [`listen`] for a command that changes nothing: pressing Ctrl+C twice ends it at once.
pub(super) fn listen_while_reading(tell: fn(Option<&str>)) {
    READING.store(true, Ordering::Relaxed);
    listen(tell);
}

/// Whether Ctrl+C was pressed.
pub(super) fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

/// Reads a line from the terminal; `None` at its end, or once Ctrl+C was pressed.
pub(super) fn line() -> Option<String> {
    ASKING.store(true, Ordering::Relaxed);
    let line = read_line();
    ASKING.store(false, Ordering::Relaxed);
    line
}

fn read_line() -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    // A separate thread, because reading continues after Ctrl+C.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).is_ok_and(|length| length > 0);
        sender.send(read.then_some(line))
    });
    loop {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => return line,
            Err(RecvTimeoutError::Timeout) if !wanted() => {}
            Err(_) => return None,
        }
    }
}
