//! Giving a session to other programs.

mod csv;
mod fields;
mod file;
mod jsonl;
mod pcapng;
mod profile;
mod walk;
mod words;

pub(crate) use self::words::{adapter_state, disconnect_reason, notify_mode};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

pub(crate) use self::csv::Found;
pub use self::csv::{Csv, csv, csv_file};
pub use self::fields::{Fields, fields, fields_file};
pub(crate) use self::file::Part;
pub use self::file::Target;
pub use self::jsonl::{Jsonl, jsonl, jsonl_file};
pub(crate) use self::pcapng::unhex;
pub use self::pcapng::{Pcapng, pcapng, pcapng_file};
pub use self::profile::{Profile, profile, profile_file};

/// How far a long work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many rows, lines or events were written; pages of 4 KiB when a session is copied.
    pub rows: u64,
    /// How much was gone through, whether it was to be written or not.
    pub done: u64,
    /// How much there is to go through; far too much if the file [is cut
    /// off](crate::Session::is_cut_off), because nobody knows.
    pub total: u64,
    /// How long it has taken.
    pub elapsed: Duration,
}

impl Progress {
    /// Rows per second, on the average; `None` before there is one.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let seconds = self.elapsed.as_secs_f64();
        (seconds > 0.0 && self.rows > 0).then(|| self.rows as f64 / seconds)
    }

    /// How long the rest will take if it goes on as it went; `None` if that cannot be told yet.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.total.checked_sub(self.done)?;
        let seconds = self.elapsed.as_secs_f64() / self.done as f64 * left as f64;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|_| self.done > 0)
    }
}

/// Since when a work is under way.
pub(crate) struct Pace(Instant);

impl Pace {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn at(&self, rows: u64, done: u64, total: u64) -> Progress {
        Progress {
            rows,
            done: done.min(total),
            total,
            elapsed: self.0.elapsed(),
        }
    }
}

/// Told of the progress now and then; it may [break](ControlFlow::Break) the work off.
pub type OnProgress<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rows without the header, lines, or packets.
    pub rows: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Whether the session is damaged and this is what stands before the damage.
    pub damaged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(rows: u64, done: u64, total: u64, seconds: u64) -> Progress {
        Progress {
            rows,
            done,
            total,
            elapsed: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn the_rest_takes_as_long_as_what_was_done_took() {
        let half_way = progress(100, 5000, 10_000, 4);
        assert_eq!(half_way.rate(), Some(25.0));
        assert_eq!(half_way.remaining(), Some(Duration::from_secs(4)));
        let done = progress(200, 10_000, 10_000, 8);
        assert_eq!(done.remaining(), Some(Duration::ZERO));
    }

    #[test]
    fn before_there_is_anything_to_go_by_nothing_is_said() {
        let start = progress(0, 0, 10_000, 0);
        assert_eq!((start.rate(), start.remaining()), (None, None));
        let waiting = progress(0, 0, 10_000, 3);
        assert_eq!((waiting.rate(), waiting.remaining()), (None, None));
    }
}
