//! Ctrl+C asks for a stop: between two blocks where files are copied or read, else between two operations. An installer
//! at work is never killed.

use crate::exit::Exit;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

static WANTED: AtomicBool = AtomicBool::new(false);
/// Whether the operator is being asked: nothing else is at work then.
static ASKING: AtomicBool = AtomicBool::new(false);
/// Whether the command at work changes nothing.
static READING: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl+C does not end the process. `tell` prints what is said about it; `None` where nothing is. Where the
/// system does not let us listen, Ctrl+C does as before.
pub(super) fn listen(tell: fn(Option<&str>)) {
    let _ = ctrlc::set_handler(move || {
        let again = WANTED.swap(true, Ordering::Relaxed);
        if ASKING.load(Ordering::Relaxed) {
            return tell(None);
        }
        let words = match again {
            // A question that a server does not answer takes its time.
            true if READING.load(Ordering::Relaxed) => std::process::exit(Exit::Stopped.code()),
            false => "Stopping. Copying and reading stop at once; an installer finishes first.",
            true => "Still stopping: the operation at work cannot be interrupted safely.",
        };
        tell(Some(words));
    });
}

/// [`listen`] for a command that changes nothing: Ctrl+C pressed twice ends it wherever it is.
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
    // A thread of its own, since reading goes on after Ctrl+C.
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
