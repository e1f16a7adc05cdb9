//! Time, injected so that tests can control it.

use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A source of time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Waits.
    fn wait(&self, time: Duration);
}

/// The clock of the host.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A clock that only advances when something waits, which takes no real time.
#[derive(Debug)]
pub struct StillClock(AtomicI64);

impl StillClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_second()))
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap_or_default()
    }

    fn wait(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_secs()).unwrap_or(i64::MAX / 2), Ordering::Relaxed);
    }
}
