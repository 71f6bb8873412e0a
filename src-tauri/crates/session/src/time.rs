//! Session time, and the wall-clock time that it was.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Nanoseconds since a session's start; negative for what was stamped before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SessionTime(pub i64);

impl SessionTime {
    /// Nanoseconds since the session's start.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the session's start.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// A time of day that people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub unix_ns: i64,
    /// Local time minus UTC, in seconds.
    pub utc_offset_s: i32,
}

impl WallTime {
    /// The system's time and time zone, now.
    #[must_use]
    pub fn now() -> Self {
        let now = jiff::Zoned::now();
        Self {
            unix_ns: i64::try_from(now.timestamp().as_nanosecond()).unwrap_or(i64::MAX),
            utc_offset_s: now.offset().seconds(),
        }
    }

    fn offset(self) -> jiff::tz::Offset {
        jiff::tz::Offset::from_seconds(self.utc_offset_s).unwrap_or(jiff::tz::Offset::UTC)
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.unix_ns))
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// Local time as a file name can carry it on every system: `2026-02-01 14.05.09`.
    pub(crate) fn file_stem(self) -> String {
        self.offset()
            .to_datetime(self.timestamp())
            .strftime("%Y-%m-%d %H.%M.%S")
            .to_string()
    }
}

/// ISO 8601 with nanoseconds and the offset from UTC: `2026-02-01T14:05:09.000000042+01:00`.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: jiff::fmt::temporal::DateTimePrinter =
            jiff::fmt::temporal::DateTimePrinter::new().precision(Some(9));
        f.write_str(&PRINTER.timestamp_with_offset_to_string(&self.timestamp(), self.offset()))
    }
}

/// Tells the wall-clock time. Tests hand in one that they set themselves.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> WallTime + Send + Sync>);

impl WallClock {
    /// The system's.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(WallTime::now)
    }

    /// Whatever `now` tells.
    pub fn from_fn(now: impl Fn() -> WallTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> WallTime {
        (self.0)()
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WallClock").field(&self.now()).finish()
    }
}

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The moment in session time.
    pub at: SessionTime,
    /// The same moment on the wall.
    pub wall: WallTime,
}

impl Anchor {
    /// The wall-clock time of `at`, if the wall clock has run evenly since the anchor.
    #[must_use]
    pub fn wall_time(&self, at: SessionTime) -> WallTime {
        WallTime {
            unix_ns: self
                .wall
                .unix_ns
                .saturating_add(at.0.saturating_sub(self.at.0)),
            ..self.wall
        }
    }
}

/// The anchors of a session, by session time. There is always one.
#[derive(Clone, Debug)]
pub struct Anchors {
    first: Anchor,
    later: Vec<Anchor>,
}

impl Anchors {
    pub(crate) fn new(first: Anchor, later: Vec<Anchor>) -> Self {
        Self { first, later }
    }

    /// One more; the first stays the first.
    pub(crate) fn push(&mut self, anchor: Anchor) {
        let place = self.later.partition_point(|known| known.at <= anchor.at);
        self.later.insert(place, anchor);
    }

    /// The session's start.
    #[must_use]
    pub fn start(&self) -> WallTime {
        self.first.wall
    }

    /// The wall-clock time of `at`, by the last anchor that is not after it.
    #[must_use]
    pub fn wall_time(&self, at: SessionTime) -> WallTime {
        let next = self.later.partition_point(|anchor| anchor.at <= at);
        next.checked_sub(1)
            .and_then(|last| self.later.get(last))
            .unwrap_or(&self.first)
            .wall_time(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: WallTime = WallTime {
        unix_ns: 1_769_947_509_000_000_042,
        utc_offset_s: 3600,
    };

    #[test]
    fn wall_time_prints_as_iso_8601_and_as_a_file_name() {
        assert_eq!(NOON.to_string(), "2026-02-01T13:05:09.000000042+01:00");
        assert_eq!(NOON.file_stem(), "2026-02-01 13.05.09");
    }

    #[test]
    fn a_time_belongs_to_the_last_anchor_before_it() {
        let second = Anchor {
            at: SessionTime(100),
            wall: WallTime {
                unix_ns: 5,
                utc_offset_s: 0,
            },
        };
        let anchors = Anchors::new(
            Anchor {
                at: SessionTime(0),
                wall: NOON,
            },
            vec![second],
        );
        assert_eq!(anchors.start(), NOON);
        assert_eq!(
            anchors.wall_time(SessionTime(99)).unix_ns,
            NOON.unix_ns + 99
        );
        assert_eq!(anchors.wall_time(SessionTime(100)).unix_ns, 5);
        assert_eq!(anchors.wall_time(SessionTime(103)).unix_ns, 8);
        assert_eq!(anchors.wall_time(SessionTime(-1)).unix_ns, NOON.unix_ns - 1);
    }
}
