//! Live progress lines: the current work, its progress, the elapsed time, and what comes next.

use super::stop;
use crate::report::text::{bytes, cut, elapsed};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Often enough for a smooth display of seconds.
const TICK: Duration = Duration::from_millis(500);
/// Shorter work is not shown, because flashing lines do not help.
const SOON: Duration = Duration::from_secs(1);
const LONGEST_BAR: usize = 30;
const SHORTEST_BAR: usize = 8;

/// The bar being drawn, so that other messages appear above it.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Prints above the live lines. Any thread may call this.
pub(super) fn above(print: impl FnOnce()) {
    let drawn = locked(&DRAWN).clone();
    match drawn {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Prints a message, if any, after Ctrl+C was pressed.
pub(super) fn after_keys(words: Option<&str>) {
    let is_drawn = locked(&DRAWN).is_some();
    // A Unix terminal echoes the keys at the cursor. Live lines end at its right edge, so the keys are on a line of
    // their own, which must be removed first.
    if is_drawn && cfg!(unix) {
        eprint!("\r\u{1b}[K\u{1b}[A");
    } else if !is_drawn && std::io::stderr().is_terminal() {
        eprintln!();
    }
    above(|| {
        if let Some(words) = words {
            eprintln!("{words}");
        }
    });
}

/// The current work.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    /// A description; empty if the line above shows it.
    pub(super) what: String,
    pub(super) since: Instant,
    /// The current action of the installer; empty if unknown.
    pub(super) action: String,
    /// Bytes copied so far and, if known, in total.
    pub(super) bytes: Option<(u64, Option<u64>)>,
    /// The next step; empty if unknown.
    pub(super) then: String,
}

/// The live lines; they disappear when this is dropped.
pub(super) struct Live {
    bar: ProgressBar,
    work: Arc<Mutex<Option<Activity>>>,
}

impl Live {
    /// Starts drawing below the printed text, with an indentation.
    pub(super) fn start(indent: usize) -> Self {
        let work = Arc::new(Mutex::new(None));
        let shown = Arc::clone(&work);
        let draw = move |_: &ProgressState, out: &mut dyn Write| {
            let width = terminal_size::terminal_size_of(std::io::stderr()).map_or(80, |(width, _)| width.0.into());
            let now = Instant::now();
            let mut work: Option<Activity> = locked(&shown).clone();
            if let Some(work) = work.as_mut().filter(|_| stop::wanted()) {
                work.then = "stop, as requested".to_owned();
            }
            let lines = work.map(|work| lines(&work, now - work.since, indent, width));
            // Errors of the terminal are ignored.
            let _ = out.write_str(&lines.unwrap_or_default());
        };
        let style = ProgressStyle::with_template("{work}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style.with_key("work", draw));
        *locked(&DRAWN) = Some(bar.clone());
        bar.enable_steady_tick(TICK);
        Self { bar, work }
    }

    /// Sets the work to show; `None` shows nothing.
    pub(super) fn set(&self, work: Option<Activity>) {
        *locked(&self.work) = work;
    }

    /// Sets the current action of the installer.
    pub(super) fn action(&self, action: &str) {
        if let Some(work) = &mut *locked(&self.work) {
            action.clone_into(&mut work.action);
            work.bytes = None;
        }
    }

    /// Sets the number of bytes copied.
    pub(super) fn bytes(&self, done: u64, total: Option<u64>) {
        if let Some(work) = &mut *locked(&self.work) {
            work.bytes = Some((done, total));
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        *locked(&DRAWN) = None;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lines for work with this elapsed time; none if it is too short.
fn lines(work: &Activity, taken: Duration, indent: usize, width: usize) -> String {
    if taken < SOON {
        return String::new();
    }
    // The last column stays empty, because some terminals wrap as soon as it is written.
    let room = width.saturating_sub(indent + 1);
    let time = elapsed(taken);
    let first = match work.bytes {
        Some((done, Some(total))) if done < total => {
            let count = format!("{} of {}, {time}", bytes(done), bytes(total));
            // The length of the bar does not depend on the count.
            let longest = "1023.9 MiB of , 59 min 59 s".len() + bytes(total).len();
            let bar = room.saturating_sub(longest + 3).min(LONGEST_BAR);
            if bar < SHORTEST_BAR { count } else { format!("{} {count}", drawn(done, total, bar)) }
        }
        Some((done, Some(_))) => format!("{} copied, checking, {time}", bytes(done)),
        Some((done, None)) => format!("{} copied, {time}", bytes(done)),
        None => {
            let what = if work.action.is_empty() { &work.what } else { &work.action };
            let room = room.saturating_sub(time.len() + 2);
            if what.is_empty() { time } else { format!("{}, {time}", cut(what, room)) }
        }
    };
    let mut lines = format!("{:indent$}{}", "", cut(&first, room));
    if !work.then.is_empty() {
        let _ = write!(lines, "\n{:indent$}then: {}", "", cut(&work.then, room.saturating_sub(6)));
    }
    lines
}

/// `[=====> ]`, in ASCII.
fn drawn(done: u64, total: u64, length: usize) -> String {
    let filled = u128::from(done) * length as u128 / u128::from(total.max(1));
    let filled = usize::try_from(filled).unwrap_or(length).min(length);
    let head = if filled < length { ">" } else { "" };
    format!("[{}{head:<rest$}]", "=".repeat(filled), rest = length - filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(what: &str, bytes: Option<(u64, Option<u64>)>, then: &str) -> Activity {
        Activity { what: what.to_owned(), since: Instant::now(), action: String::new(), bytes, then: then.to_owned() }
    }

    #[test]
    fn bytes_are_a_bar_and_a_count() {
        let work = work("back up", Some((1 << 30, Some(4 << 30))), "Uninstall it");
        let expected = "    [=======>                      ] 1.0 GiB of 4.0 GiB, 1 min 05 s\n    then: Uninstall it";
        assert_eq!(lines(&work, Duration::from_secs(65), 4, 100), expected);
        let expected = "    [====>           ] 1.0 GiB of 4.0 GiB, 1 min 05 s\n    then: Uninstall it";
        assert_eq!(lines(&work, Duration::from_secs(65), 4, 58), expected);
        let expected = "    1.0 GiB of 4.0 GiB, 1 min 05 s\n    then: Uninstall it";
        assert_eq!(lines(&work, Duration::from_secs(65), 4, 46), expected);
    }

    #[test]
    fn what_is_copied_is_checked_and_what_is_unknown_is_not_guessed() {
        let second = Duration::from_secs(1);
        assert_eq!(lines(&work("", Some((2048, Some(2048))), ""), second, 0, 60), "2.0 KiB copied, checking, 1 s");
        assert_eq!(lines(&work("", Some((2048, None)), ""), second, 0, 60), "2.0 KiB copied, 1 s");
        assert_eq!(lines(&work("", None, ""), second, 2, 60), "  1 s");
        assert_eq!(lines(&work("run it", None, "more"), Duration::from_millis(900), 2, 60), "");
    }

    #[test]
    fn a_silent_installer_shows_what_it_is_at() {
        let work = Activity { action: "Copying new files".to_owned(), ..work("install it", None, "verify") };
        let expected = "    Copying new files, 1 min 05 s\n    then: verify";
        assert_eq!(lines(&work, Duration::from_secs(65), 4, 60), expected);
    }

    #[test]
    fn no_line_is_as_wide_as_the_terminal() {
        let long = "install \u{6771}\u{4eac} ".repeat(20);
        for width in 20..=120 {
            for bytes in [None, Some((5, None)), Some((1 << 40, Some(1 << 41)))] {
                let lines = lines(&work(&long, bytes, &long), Duration::from_secs(3700), 8, width);
                for line in lines.lines() {
                    assert!(crate::report::text::columns(line) < width, "{width}: {line}");
                }
            }
        }
    }
}
