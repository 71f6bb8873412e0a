//! One clock for everything that is stamped: nanoseconds that never go backwards.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Nanoseconds since the origin of a [`Clock`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Nanoseconds since the clock's origin.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the clock's origin.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This time moved later by `by`.
    #[must_use]
    pub fn after(self, by: Duration) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} s", self.seconds())
    }
}

/// A monotonic clock that is handed to whoever stamps. Clones share their origin.
///
/// Tests hand out a clock that they move themselves, so that no test waits for time to pass.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Monotonic(Instant),
    Tokio(tokio::time::Instant),
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The system's monotonic clock, its origin now.
    #[must_use]
    pub fn monotonic() -> Self {
        Self(Source::Monotonic(Instant::now()))
    }

    /// The clock of tokio's timers, its origin now: the system's, until a test pauses it.
    ///
    /// Use it where stamps must agree with timers under paused time.
    #[must_use]
    pub fn tokio() -> Self {
        Self(Source::Tokio(tokio::time::Instant::now()))
    }

    /// A clock that stands at zero until it is [advanced](Self::advance).
    #[must_use]
    pub fn manual() -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(0))))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Monotonic(origin) => {
                Timestamp(i64::try_from(origin.elapsed().as_nanos()).unwrap_or(i64::MAX))
            }
            Source::Tokio(origin) => {
                Timestamp(i64::try_from(origin.elapsed().as_nanos()).unwrap_or(i64::MAX))
            }
            Source::Manual(nanos) => Timestamp(nanos.load(Ordering::Acquire)),
        }
    }

    /// Moves a manual clock; does nothing to the others.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(nanos) = &self.0 {
            nanos.fetch_add(
                i64::try_from(by.as_nanos()).unwrap_or(i64::MAX),
                Ordering::AcqRel,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_for_all_its_clones() {
        let clock = Clock::manual();
        let clone = clock.clone();
        assert_eq!(clone.now(), Timestamp(0));
        clock.advance(Duration::from_millis(3));
        assert_eq!(clone.now(), Timestamp(3_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_of_the_timers_moves_with_them() {
        let clock = Clock::tokio();
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), Timestamp(90_000_000_000));
    }

    #[test]
    fn the_monotonic_clock_does_not_go_backwards() {
        let clock = Clock::monotonic();
        let first = clock.now();
        assert!(clock.now() >= first);
        assert_eq!(first.since(Timestamp(i64::MAX)), Duration::ZERO);
    }
}
