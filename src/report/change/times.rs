//! Times in UTC and in the server's local time.

use crate::journal::RunState;
use crate::report::text::moment;
use jiff::Timestamp;
use jiff::tz::Offset;

/// The server's UTC offsets, each from the start of a command.
#[derive(Debug, Clone, Default)]
pub(super) struct ServerTime(Vec<(Timestamp, Offset)>);

impl ServerTime {
    pub(super) fn of(state: &RunState) -> Self {
        let known = state
            .sessions
            .iter()
            .filter_map(|session| Some((session.time, Offset::from_seconds(session.utc_offset?).ok()?)));
        Self(known.collect())
    }

    /// Whether any command recorded an offset.
    pub(super) fn is_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// The last offset recorded before a time; before all of them, the first one.
    fn offset(&self, time: Timestamp) -> Option<Offset> {
        let earlier = self.0.iter().rev().find(|(from, _)| *from <= time);
        earlier.or(self.0.first()).map(|(_, offset)| *offset)
    }

    /// A time in UTC and, if known, in the server's local time.
    pub(super) fn both(&self, time: Timestamp) -> String {
        let Some(offset) = self.offset(time) else { return moment(time) };
        let seconds = offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        let own = offset.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string();
        format!("{} ({own} UTC{sign}{hours:02}:{minutes:02})", moment(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server_time(offsets: &[(&str, i32)]) -> ServerTime {
        let known = offsets
            .iter()
            .map(|(from, seconds)| (from.parse().expect("a time"), Offset::from_seconds(*seconds).expect("an offset")));
        ServerTime(known.collect())
    }

    #[test]
    fn a_moment_is_told_in_utc_and_in_the_time_of_the_server() {
        let both = |offsets: &[(&str, i32)], time: &str| server_time(offsets).both(time.parse().expect("a time"));
        let night = "2016-03-05T22:00:00Z";
        assert_eq!(both(&[], night), "2016-03-05 22:00:00 UTC");
        assert_eq!(both(&[(night, -28800)], night), "2016-03-05 22:00:00 UTC (2016-03-05 14:00:00 UTC-08:00)");
        assert_eq!(both(&[(night, 19800)], night), "2016-03-05 22:00:00 UTC (2016-03-06 03:30:00 UTC+05:30)");
        // The clocks go forward between two commands.
        let spring = [("2016-03-26T22:00:00Z", 3600), ("2016-03-27T02:00:00Z", 7200)];
        assert!(both(&spring, "2016-03-27T00:30:00Z").ends_with("(2016-03-27 01:30:00 UTC+01:00)"));
        assert!(both(&spring, "2016-03-27T02:30:00Z").ends_with("(2016-03-27 04:30:00 UTC+02:00)"));
        assert!(both(&spring, "2016-03-26T21:00:00Z").ends_with("(2016-03-26 22:00:00 UTC+01:00)"));
    }
}
