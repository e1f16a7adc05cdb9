//! Ctrl+C asks for a stop between two operations. An installer at work is never killed.

use super::live;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

static WANTED: AtomicBool = AtomicBool::new(false);
/// True while a person is asked: nothing else is at work then.
static ASKING: AtomicBool = AtomicBool::new(false);

/// From here on Ctrl+C does not end the process. Where the system does not let us listen, it does as before.
pub(super) fn listen() {
    let _ = ctrlc::set_handler(|| {
        let again = WANTED.swap(true, Ordering::Relaxed);
        if ASKING.load(Ordering::Relaxed) {
            return live::after_keys(|| ());
        }
        let words = match again {
            false => "Stopping as soon as the operation at work is done.",
            true => {
                "Still waiting for the operation at work: it is not cut off, since it could not be taken back then."
            }
        };
        live::after_keys(|| eprintln!("{words}"));
    });
}

/// True once Ctrl+C was pressed.
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
